"""What the scanners of all families have in common: events, sessions, paper, blocks of the image.

A Unit is one open scanner. It knows in which order commands are sent and what is waited for; the
bytes of single commands are its family's, and frames are picture.py's. Source: specification
pixma 2.8 to 2.10.

    idle -- begin --> page -- read (until its last block) --> ended -- end --> idle, or session
      ^                 |                                                      (sheets left)
      +---- end(aborted) +                                        begin <----------+
"""

from __future__ import annotations

from time import monotonic

from ...errors import Cancelled, DeviceBusy, DeviceIOError, NoDocs, SaneError
from . import commands as c
from .buttons import event_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ...debug import Debug
    from .buttons import Event
    from .commands import Framing
    from .models import Model
    from .netlink import NetLink
    from .picture import Picture
    from .request import Plan, Request
    from .usblink import UsbLink

    Link: TypeAlias = "NetLink | UsbLink"

BUSY_TRIES = 10  # a second apart
DISCARD_PAUSE = 0.5
EMPTY_SECONDS = 30.0  # without any data amid an image
PAPER_TRIES = 10
MOST_EVENTS = 16  # that are taken at once: a unit that tells on and on is not heard out
SHORT_SECONDS = 2.0  # for a command whose answer nobody needs


class Unit:
    """One open scanner; it owns *link*. on_event is told of each event.

    page: how many pages of this job have begun before. has_session: the scanner expects further
    sheets of it. waits_for_paper: a feeder that is empty is asked for seconds, so not at all once
    the last page has said that it is; the others are asked before each page.
    """

    framing: Framing
    head_bytes = 0  # of an image block
    waits_for_paper = False

    def __init__(self, link: Link, model: Model, debug: Debug) -> None:
        self.link = link
        self.model = model
        self.debug = debug
        self.on_event: Callable[[Event], None] = lambda event: None
        self.page = 0
        self.has_session = False
        self.flags = 0  # of the last image block
        self.received = 0  # bytes of it
        self.is_paper_out = False  # the last page said so
        self.is_begun = False  # a page that has not been ended
        self._empty_since: float | None = None

    # What a family does

    def plan(self, request: Request) -> Plan:
        """Return what the scanner is asked for; raises Unsupported for what it cannot do."""
        raise NotImplementedError

    def opened(self) -> None:
        """Do what is done once, when the scanner was opened; it must not fail for its answers."""

    def begin_page(self, plan: Plan) -> None:
        """Do everything up to the first image block."""
        raise NotImplementedError

    def read_block(self, picture: Picture) -> bool:
        """Receive one image block; tell whether it was the page's last."""
        raise NotImplementedError

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        """End a page; is_whole: its last block has come."""
        raise NotImplementedError

    def finish_job(self) -> None:
        """End the session of a feeder that still expects sheets."""
        self.attempt(c.ABORT)

    # A page

    def begin(self, plan: Plan, page: int) -> None:
        """Begin a page; raises NoDocs, and what else is wrong. *page*: of its job, from 0."""
        self.page = page
        if page and plan.request.is_fed and self.is_paper_out and self.waits_for_paper:
            raise NoDocs(f"{self.link.name}: the feeder is empty")
        self.flags, self.is_paper_out = 0, False
        self._empty_since = None
        self.link.begin_page()
        self.is_begun = True
        self.begin_page(plan)

    def receive(self, picture: Picture) -> bool:
        """Receive some of the page; tell whether that was its end.

        A scanner that has no data is asked again, and after a while given up.
        """
        self.received = 0
        busy = ""  # its text alone: the exception would keep the frontend's buffer
        try:
            if self.read_block(picture):
                return True
        except DeviceBusy as exc:  # it has no data yet
            busy = str(exc)
        if self.received:
            self._empty_since = None
            return False
        now = monotonic()
        self._empty_since = self._empty_since or now
        if now - self._empty_since > EMPTY_SECONDS:
            if busy:
                raise DeviceBusy(busy)
            raise DeviceIOError(f"{self.link.name}: no image data for {EMPTY_SECONDS:g} s")
        self.await_data()
        return False

    def await_data(self) -> None:
        """Wait before a scanner without data is asked again."""
        self.link.wait(0.01)

    def end(self, plan: Plan, *, is_whole: bool) -> None:
        """End the page that was begun, whatever state it is in; failures are told only."""
        if not self.is_begun:
            return
        self.is_begun = False
        self.is_paper_out = bool(self.flags & c.NO_MORE_PAPER)
        try:
            if not is_whole:
                self.link.drop()
            self.finish_page(plan, is_whole=is_whole)
        except Cancelled:
            raise
        except SaneError as exc:
            self.debug(1, "%s: the end of a page: %s", self.link.name, exc)
            self.has_session = False
        finally:
            self.link.end_page()

    def end_job(self) -> None:
        """End what is left of a job: the session of a feeder with sheets in it."""
        self.page = 0
        self.is_paper_out = False
        if not self.has_session:
            return
        self.has_session = False
        try:
            self.link.begin_page()
            self.finish_job()
        except SaneError as exc:
            self.debug(1, "%s: the end of a job: %s", self.link.name, exc)
        finally:
            self.link.end_page()

    def close(self) -> None:
        """Release the scanner."""
        self.link.close()

    # Commands

    def command(self, code: int, parameters: bytes = b"", want: int = 0, *, flag: int = 0) -> bytes:
        """Do one command; return the *want* bytes of its answer."""
        return c.carry_out(self.link, self.framing, code, parameters, want, flag=flag)

    def attempt(self, code: int, parameters: bytes = b"", want: int = 0, *, flag: int = 0) -> bool:
        """Do a command that may fail; tell whether it was done."""
        try:
            form = self.link, self.framing, code, parameters, want
            c.carry_out(*form, flag=flag, seconds=SHORT_SECONDS)
        except Cancelled:
            raise
        except SaneError as exc:
            self.debug(2, "%s", exc)
            return False
        return True

    def patiently(self, code: int, parameters: bytes = b"", *, flag: int = 0) -> None:
        """Do a command; a busy scanner is asked again, ten times."""
        for tries in range(BUSY_TRIES, -1, -1):
            try:
                self.command(code, parameters, flag=flag)
                return
            except DeviceBusy:
                if not tries:
                    raise
            self.link.wait(1.0)

    def start_session(self, flag: int = 0) -> None:
        """Begin a session; one that somebody has left open is ended first."""
        try:
            self.patiently(c.START, flag=flag)
        except (DeviceBusy, DeviceIOError) as exc:
            if isinstance(exc, c.Refused):
                raise
            self.debug(1, "%s: one more try: %s", self.link.name, exc)
            self.link.drop()
            self.attempt(c.ABORT)
            self.link.wait(DISCARD_PAUSE)
            self.command(c.START, flag=flag)

    def await_paper(self, has_paper: Callable[[], bool], tries: int = PAPER_TRIES) -> None:
        """Wait until a sheet lies in the feeder; raises NoDocs if none comes."""
        for number in range(tries + 1):
            if has_paper():
                return
            if number < tries:
                self.hear(1.0)
        raise NoDocs(f"{self.link.name}: the feeder is empty")

    # Events

    def hear(self, seconds: float) -> Event | None:
        """Wait for an event, and tell of it; None if none comes within *seconds*."""
        return self._heard(self.link.event(seconds))

    def _heard(self, packet: bytes) -> Event | None:
        if not packet:
            return None
        event = event_of(self.model, packet)
        if event is None:
            self.debug(1, "%s: no event: %s", self.link.name, c.shown(packet))
            return None
        self.on_event(event)
        if event.wants_time and not self.link.is_idle_silent:
            self.tell_time()
        return event

    def tell_time(self) -> None:
        """Tell a scanner the time that has asked for it; most do not need it."""

    def drain(self) -> None:
        """Take the events that have come meanwhile."""
        for _ in range(MOST_EVENTS):
            packet = self.link.pending_event()
            if not packet:
                return
            self._heard(packet)

    # Image blocks

    def receive_long(self, picture: Picture, command: bytes, most: int) -> bool:
        """Receive a block whose data follow its header in the same answer (mp150, mp730, mp800).

        At first FIRST_BYTES are asked for, the rest only if so many came. Where the block says that
        it has no more than those, the scanner would be waited for in vain.
        """
        head_bytes, parse = self.head_bytes, self.parse_block
        first = self.link.exchange(command, FIRST_BYTES, c.ANSWER_SECONDS)
        code = c.status_of(command)
        c.check_block(self.link.name, code, first, head_bytes)
        block = parse(first)
        self.flags = block.flags
        picture.feed(first[head_bytes:])
        self.received = len(first) - head_bytes
        if len(first) == FIRST_BYTES and block.announced != FIRST_BYTES - head_bytes:
            self.receive_more(picture, most - self.received)
        return block.flags & c.PAGE_ENDS == c.PAGE_ENDS

    def receive_more(self, picture: Picture, size: int) -> int:
        """Receive up to *size* bytes that follow of a block; return how many came."""
        n = self.link.more(picture.room(size))
        picture.filled(n)
        self.received += n
        return n

    def parse_block(self, head: bytes) -> c.Block:
        """Return what the header of an image block says."""
        raise NotImplementedError


FIRST_BYTES = 512
