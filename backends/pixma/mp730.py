"""Family mp730: inkjet units MP5 to MP740, laser units MF5630 to MF5770, MF3110 and iR1020.

Source: specification pixma 2.9 (mp730) and 3.4.
"""

from __future__ import annotations

from time import strftime

from ...errors import NoDocs
from ...image.layout import Layout
from . import commands as c
from . import parameters as p
from .request import Plan, up
from .unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Picture
    from .request import Request

STATUS_BYTES = 12
PAPER = 1  # byte of a status, 0 while there is a sheet
CCD = (0x263C, 0x263D, 0x263E, 0x263F, 0x264E, 0x264F, 0x265D, 0x265E, 0x265F)
LASERS = (0x264E, 0x264F, 0x265D, 0x265E, 0x265F)  # MF56xx and MF57xx
PIXELS = (*LASERS, 0x2660, 0x26E6)  # colours of a pixel together, not line by line
NARROW = (0x2635, 0x261F, 0x2630, 0x262F, 0x263C, 0x263D, 0x263E, 0x263F, 0x26E6)
COARSE = (0x2635, 0x261F, 0x2630, 0x262F, 0x263C, 0x263D, 0x263E, 0x263F)  # but for colour
COARSE_DPI = 600
IR1020 = 0x26E6
WARM_UP_WAITS = 10
ERROR_BYTES = 16
BLOCK_BYTES = 49_152
BLOCK = bytes.fromhex("D420 0000 0000 00C0 0400")


class Mp730(Unit):
    """One scanner of this family. Each page is a session of its own."""

    framing = c.SHORT
    head_bytes = c.SHORT_HEAD

    def plan(self, request: Request) -> Plan:
        product = self.model.product
        plan = Plan(request)
        self._shape(plan)
        plan.fit()
        self._shape(plan)
        plan.wire_dpi, plan.wire_width = plan.dpi, plan.width
        plan.wire_lines = plan.lines
        plan.wire_bits = plan.channels * plan.depth
        is_planar = request.is_color and product not in PIXELS
        plan.layout = Layout(
            *(plan.width, plan.channels, plan.depth), plane_lines=1 if is_planar else 0
        )
        return plan

    def _shape(self, plan: Plan) -> None:
        """Make the frame one that the scanner has; where it is one already, nothing changes."""
        request, product = plan.request, self.model.product
        multiple = 4 if request.is_color or product in NARROW else 12
        plan.width = up(plan.width, 16 if request.is_lineart else multiple)
        if not request.is_color and product in COARSE and plan.dpi > COARSE_DPI:
            plan.scale_to(COARSE_DPI)

    def status(self) -> bytes:
        """Return what the scanner says of paper."""
        return self.command(c.STATUS, want=STATUS_BYTES)

    def begin_page(self, plan: Plan) -> None:
        self.drain()
        status = self.status()
        if plan.request.is_fed and status[PAPER]:
            self.is_begun = False  # nothing is to be ended
            raise NoDocs(f"{self.link.name}: the feeder is empty")
        if self.model.product in CCD:
            self._calibrate()
        for argument in (0, 4):
            self.command(c.ACTIVATE, p.activate_block(argument))
        self.start_session()
        self.patiently(c.SELECT, p.short_source_block(plan))
        self.patiently(c.PARAMETERS, p.short_block(plan))

    def _calibrate(self) -> None:
        """Let the lamp warm up."""
        is_laser = self.model.product in LASERS
        if is_laser and not self.page:
            for _ in range(WARM_UP_WAITS):
                self.hear(1.0)
        self.command(c.ACTIVATE, p.activate_block(0))
        if not self.attempt(c.CALIBRATE) and is_laser:
            self.attempt(c.ERROR_INFO, want=ERROR_BYTES)

    def tell_time(self) -> None:
        self.attempt(c.SET_TIME, p.time_block(strftime("%y/%m/%d %H:%M")))

    def parse_block(self, head: bytes) -> c.Block:
        return c.short_block(head)

    def read_block(self, picture: Picture) -> bool:
        return self.receive_long(picture, BLOCK, BLOCK_BYTES)

    def await_data(self) -> None:
        self.hear(0.1)

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        if not is_whole:
            self.attempt(c.ABORT)
        self.status()
        self.status()
        self.command(c.ACTIVATE, p.activate_block(0))
        has_sheets = plan.request.is_fed and not self.flags & c.NO_MORE_PAPER
        if is_whole and has_sheets and self.model.product in (*LASERS, IR1020):
            self.attempt(c.ABORT)
