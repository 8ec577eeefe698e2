"""A scan job: from PARA and TRDT to the last page, one IMG after the other.

It knows the order of requests and what their tokens mean for pages; what a page does with its
data is sane.image's. Source: specification esci 4.6 and 4.7.

    begin          IMG: pst, data, pen of each side         err, lft, last pen
    -----> RUNNING -----------------------------------------------------------> over
                +------- cancel: rest of the data, CAN -------------------------^
"""

from __future__ import annotations

from ...errors import Cancelled, DeviceIOError, Invalid, NoDocs
from .commands import IMAGE_BYTES, error
from .tokens import numbers, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...image.page import Page
    from .commands import Commands
    from .tokens import Token

FRONT, BACK = "A", "B"
PIECE_BYTES = 1 << 16  # of data that are looked at together
EAGER_POLLS = 3  # without a pause, since most answers are only a moment late
END_SECONDS = 5.0  # for what comes behind the last line
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.1
MOST_TOLD = 64  # replies that tell something and bring no data: a sheet has two or three for a side


class Job:
    """One job in progress; pages: those of the sheet that is scanned, by side.

    wait(seconds): waits, and ends with Cancelled. is_over: the scanner is not in its data state
    any more. is_last: it said that no sheet follows.
    """

    patience = 120.0  # seconds: a lamp warms up, a tray is filled, in less

    def __init__(self, commands: Commands, wait: Callable[[float], object]) -> None:
        self.commands = commands
        self.wait = wait
        self.pages: dict[str, Page] = {}
        self.is_over = True  # until it has begun
        self.is_last = False
        self._side = FRONT
        self._target: Page | None = None  # whose data are coming
        self._end: tuple[str, int, int] | None = None  # comes into force behind the data
        self._told = 0  # replies without data that told something, since the last data
        self._scratch = memoryview(bytearray(PIECE_BYTES))

    def begin(self, block: bytes) -> None:
        """Set the parameters and start the scanner."""
        tokens = self.commands.ask("PARA", block)
        self.check(tokens)
        if any(code == "par" and value.startswith(b"FAIL") for code, value in tokens):
            raise Invalid(f"the scanner refuses the parameters {shown(block)}")
        self.check(self.commands.ask("TRDT"))
        self.is_over = False

    def check(self, tokens: list[Token]) -> None:
        """Raise what an error among *tokens* means."""
        for code, value in tokens:
            if code in ("err", "ERR"):
                self.is_over = True
                raise error(value)

    # Pages

    def read_into(self, page: Page, view: memoryview) -> int:
        """Write the next bytes of *page* into *view*; return how many, 0 at its end."""
        wire = self.commands.wire
        while True:
            if wire.left and self._target is page and page.is_direct:
                n = wire.receive_into(view[: page.left])
                page.passed(n)
                if not wire.left:
                    self._apply_end()
                return n
            n = page.take(view)
            if n or not page.left:
                return n
            self.advance()

    def await_page(self, page: Page) -> None:
        """Ask until something of *page* comes; raises what is wrong with its sheet."""
        while not page.has_begun:
            self.advance()

    def finish_pages(self) -> None:
        """Receive what is left of all pages, up to their ends."""
        for page in tuple(self.pages.values()):
            while not page.has_ended:
                self.advance()

    def advance(self) -> None:
        """Take the next piece of data, or ask for one."""
        if self.commands.wire.left:
            self._feed()
        else:
            self.step()

    def _feed(self) -> None:
        wire = self.commands.wire
        n = wire.receive_into(self._scratch)
        assert self._target is not None
        self._target.feed(self._scratch[:n])
        if not wire.left:
            self._apply_end()

    def _page(self, side: str) -> Page:
        page = self.pages.get(side)
        if page is None:
            raise DeviceIOError(f"image data of side {side!r}, which nobody asked for")
        return page

    # Requests

    def step(self) -> None:
        """Ask for the next piece until the scanner has one to tell of; its data follow."""
        from time import monotonic

        end = monotonic() + self.patience
        pause, polls = FIRST_PAUSE, 0
        while True:
            tokens, size = self.commands.request("IMG", b"", IMAGE_BYTES)
            if self._note(tokens, size):
                return
            polls += 1
            if monotonic() > end:
                raise DeviceIOError(f"no image data within {self.patience:g} s")
            if polls >= EAGER_POLLS:
                self.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _note(self, tokens: list[Token], size: int) -> bool:
        """Take note of a reply with *size* bytes of data; return whether it told anything."""
        self.check(tokens)
        for code, value in tokens:
            if code == "typ" and value[:3] == b"IMG":
                self._side = value[3:4].decode("latin-1")
        for code, value in tokens:
            if code == "pst":
                width_px, padding, _lines = exactly(3, code, value)
                self._page(self._side).begin(width_px, padding)
            elif code == "pen":
                width_px, lines = exactly(2, code, value)
                self._end = self._side, width_px, lines
            elif code == "lft" and numbers(value) == [0]:
                self.is_last = True
            elif code == "atn" and value.startswith(b"CAN"):
                self.cancel()
                raise Cancelled("cancelled at the scanner")
        if size:
            self._target = self._page(self._side)
            self._target.announce(size)
            self.commands.wire.expect(size)
        else:
            self._apply_end()
        told = {code for code, _value in tokens} & {"pst", "pen", "lft"}
        self._told = self._told + bool(told) if not size else 0
        if self._told > MOST_TOLD:
            raise DeviceIOError(f"{self._told} replies without image data, the last {tokens}")
        return bool(size or told)

    def _apply_end(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            side, width_px, lines = end
            self._page(side).end(width_px, lines)

    # The end

    def cancel(self) -> None:
        """Leave the data state, whatever the scanner was about to send."""
        if not self.is_over:
            self.is_over = True
            self.commands.wire.drop()
            self.commands.ask("CAN")

    def finish(self, *, aborted: bool, is_flatbed: bool) -> None:
        """End the job, as the scanner expects it: after the last line, or by CAN."""
        if self.is_over or self.commands.wire.fault:
            return
        has_ended = False
        if not aborted:
            self.patience = min(self.patience, END_SECONDS)
            try:
                self.finish_pages()
                has_ended = is_flatbed or self.is_last
            except DeviceIOError as exc:
                self.commands.debug(1, "the end of the page: %s", exc)
        if not (has_ended or self.commands.wire.fault):
            self.cancel()
        self.is_over = True

    def no_more_sheets(self) -> NoDocs:
        """Return the error that tells the end of the documents."""
        self.is_over = True
        return NoDocs("no sheet is left in the feeder")


def exactly(count: int, code: str, value: bytes) -> list[int]:
    """Return the *count* numbers of a token."""
    found = numbers(value)
    if len(found) != count:
        raise DeviceIOError(f"{code} with {len(found)} numbers instead of {count}: {shown(value)}")
    return found
