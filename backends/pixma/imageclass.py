"""Family imageclass: laser units MFxxxx, Dxxx, iR1018 and iR1133.

Source: specification pixma 2.8, 2.9 (imageclass) and 3.6.
"""

from __future__ import annotations

from ...errors import DeviceIOError, NoDocs
from ...image.layout import Layout
from . import commands as c
from . import parameters as p
from .request import DUPLEX, Plan, up, whole_bytes
from .unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Picture
    from .request import Request

STATUS_BYTES = 12
PAPER = 1  # byte of a status
PAPER_MASK, PAPER_TOO = 0x0F, 0x51  # 0 in these bits, or this value: there is paper
FIRST_STATUS_SECONDS = 2.0  # units lose the first command after they were switched on
MF6100 = 0x278E  # of generation 2, but is read like the older ones
DUPLEX_SECONDS = 8.0  # until the sheet is out, and it is clear whether there is another one
LONG_FIRST, LONG_CHUNK, SHORT_CHUNK, PACKET = 512, 16_384, 4096, 512
READ, NEXT = 0x00, 0x04  # flags of a request for a block


class ImageClass(Unit):
    """One scanner of this family."""

    framing = c.SHORT
    head_bytes = c.LASER_HEAD

    @property
    def _is_new(self) -> bool:
        return self.model.generation >= 2

    @property
    def _is_late(self) -> bool:
        return self.model.has("k")

    def plan(self, request: Request) -> Plan:
        plan = Plan(request)
        plan.fit()
        if request.is_lineart:
            plan.width = whole_bytes(plan.width, self.model, 32)
            plan.is_thresholded = True
        plan.wire_width = up(plan.width, 32)
        plan.wire_lines = plan.lines
        plan.is_jpeg = self.model.has("j")
        plan.wire_bits = 24 if plan.wire_color else 8
        if plan.is_jpeg:
            plan.layout = Layout(plan.width, 3, wire_width=plan.wire_width)
            return plan
        is_planar = plan.wire_color and self.model.has("p")
        plan.layout = Layout(
            *(plan.width, plan.channels),
            wire_width=plan.wire_width,
            plane_lines=1 if is_planar else 0,
        )
        return plan

    def status(self, seconds: float = c.ANSWER_SECONDS) -> bytes:
        """Return what the scanner says of paper."""
        return c.carry_out(self.link, self.framing, c.STATUS, b"", STATUS_BYTES, seconds=seconds)

    def has_paper(self) -> bool:
        """Ask whether a sheet lies in the feeder."""
        return is_paper(self.status()[PAPER])

    def begin_page(self, plan: Plan) -> None:
        request = plan.request
        self.drain()
        try:
            status = self.status(FIRST_STATUS_SECONDS)
        except DeviceIOError as exc:
            self.debug(1, "%s: one more try: %s", self.link.name, exc)
            status = self.status()
        if request.is_fed and not is_paper(status[PAPER]):
            self._await_feeder(request.paper_wait)
        if not self._is_new:
            self._activate(0)
            self._activate(4)
        if not self._is_new or not self.has_session:
            self.start_session()
            source = p.short_source_block(
                plan, tells_feeder=self.model.product == MF6100, is_late=self._is_late
            )
            self.patiently(c.SELECT, source)
        self.patiently(c.PARAMETERS, p.short_block(plan, is_late=self._is_late))
        head = self.link.exchange(self._request(READ), c.LASER_HEAD, c.ANSWER_SECONDS)
        c.check_block(self.link.name, c.BLOCK, head, c.LASER_HEAD)

    def _await_feeder(self, seconds: int) -> None:
        """Wait for paper; raises NoDocs if none comes within *seconds*."""
        for _ in range(seconds):
            self.link.wait(1.0)
            if self.has_paper():
                return
        self.is_begun = False  # nothing is to be ended
        raise NoDocs(f"{self.link.name}: the feeder is empty")

    def _activate(self, argument: int) -> None:
        self.command(c.ACTIVATE, p.activate_block(argument, is_late=self._is_late))

    # Image

    def _request(self, flag: int) -> bytes:
        """Return the request for an image block."""
        is_old = not self._is_new or self.model.product == MF6100
        code = c.BLOCK if is_old else c.BLOCK_2
        return code.to_bytes(2, "big") + bytes((0, 0, 0, 0, 0, 0, flag, 0, 6))

    def read_block(self, picture: Picture) -> bool:
        is_long = self.model.has("b")
        want = LONG_FIRST if is_long else c.LASER_HEAD
        first = self.link.exchange(self._request(NEXT), want, c.ANSWER_SECONDS)
        c.check_block(self.link.name, c.BLOCK, first, c.LASER_HEAD)
        block = c.laser_block(first, is_long=is_long)
        self.flags = block.flags
        data = first[c.LASER_HEAD :]
        picture.feed(data)
        self.received = len(data)
        left = block.announced - len(data)
        if is_long and len(first) < LONG_FIRST and len(data):
            left = min(left, 0)  # a short transfer with data is the whole block
        self._receive_rest(picture, left, LONG_CHUNK if is_long else SHORT_CHUNK)
        return bool(block.flags & c.FEEDER_ENDS)

    def _receive_rest(self, picture: Picture, left: int, chunk: int) -> None:
        """Receive what is left of a block, in pieces of whole packets."""
        while left > 0:
            size = min(left, chunk)
            size = size if size < PACKET else size // PACKET * PACKET
            n = self.receive_more(picture, size)
            left -= n
            if not n:
                return  # the scanner has announced more than it has

    def await_data(self) -> None:
        self.hear(0.1)

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        if not is_whole:
            self.attempt(c.ABORT)
        is_last = self.flags & c.FEEDER_ENDS == c.FEEDER_ENDS
        self.status()
        has_paper = self.has_paper()
        if not self._is_new:
            self._activate(0)
            self.status()
            if plan.request.source == DUPLEX:
                self.link.wait(DUPLEX_SECONDS)
                self.status()
            is_last |= self.flags & c.PAGE_ENDS == c.PAGE_ENDS
        elif plan.request.source == DUPLEX and not has_paper:
            self.link.wait(DUPLEX_SECONDS)
            has_paper = self.has_paper()
        if is_last or not is_whole or (self._is_new and not has_paper):
            self.attempt(c.ABORT)
            self.has_session = False
        else:
            self.has_session = True


def is_paper(value: int) -> bool:
    """Tell whether a byte of a status means that a sheet lies in the feeder."""
    return not value & PAPER_MASK or value == PAPER_TOO
