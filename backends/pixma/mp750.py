"""Family mp750: inkjet units MP750, MP760, MP770, MP780 and MP790, with a CCD sensor.

Source: specification pixma 2.9 (mp750) and 3.5.
"""

from __future__ import annotations

from time import monotonic

from ...errors import DeviceBusy, DeviceIOError, NoDocs, SaneError
from ...image.layout import Layout
from . import commands as c
from . import parameters as p
from .models import BASE_DPI
from .request import Plan, up
from .unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Picture
    from .request import Request

STATUS_BYTES = 12
PAPER, LAMP, CALIBRATION = 1, 7, 8  # bytes of a status
LAMP_READY, CALIBRATED = 0x03, 0x0F
MP750_PRODUCT, MP760 = 0x1706, 0x1708
OTHER_DISTANCES = {300: 3, 600: 6}  # of the MP760: lines from one colour to the next
STRIPE_DPI, STRIPE = 2400, 4
MEAN = (1, 1, 1)  # of colours in gray
CALIBRATE_TRIES, WARM_UP_TRIES, POLL_SECONDS = 60, 60, 10.0
ERROR_BYTES = 16
FIRST_ANSWER_SECONDS = 1.0
_ASK, _READ, _POLL = (0x00, 0x04), (0xC0, 0x04), (0xC0, 0x24)


def block_command(size: int, flags: int) -> bytes:
    """Return the command for an image block of at most *size* * 256 bytes."""
    return bytes((0xD4, 0x20, 0, 0, 0, 0, 0, size, flags, 0))


class Mp750(Unit):
    """One scanner of this family. Each page is a session of its own."""

    framing = c.SHORT
    head_bytes = c.SHORT_HEAD

    def plan(self, request: Request) -> Plan:
        plan = Plan(request)
        plan.fit()
        distance = self._distance(plan.dpi)
        stripe = STRIPE if plan.dpi == STRIPE_DPI else 0
        plan.wire_width = up(plan.width, 4)
        plan.wire_color, plan.wire_bits = True, 24
        plan.wire_lines = plan.lines + 2 * distance + 2 * stripe
        stagger = (0, distance, 2 * distance)
        plan.layout = Layout(
            *(plan.width, 3),
            wire_width=plan.wire_width,
            stagger=stagger if request.is_fed else stagger[::-1],
            column_lines=(2 * stripe, 0),
        )
        if not request.is_color:
            plan.weights = MEAN
        return plan

    def _distance(self, dpi: int) -> int:
        if self.model.product == MP760:
            return OTHER_DISTANCES.get(dpi, dpi // BASE_DPI)
        return 2 * dpi // BASE_DPI

    def status(self) -> bytes:
        """Return what the scanner says of paper, lamp and calibration."""
        return self.command(c.STATUS, want=STATUS_BYTES)

    def activate(self, argument: int) -> None:
        """Prepare the scanner for a step."""
        self.command(c.ACTIVATE, p.activate_block(argument))

    def opened(self) -> None:
        if self.model.product == MP750_PRODUCT or self.link.is_idle_silent:
            return
        try:  # they miss their first command
            self.link.exchange(
                bytes(self.framing.command(c.CALIBRATE, 0)), STATUS_BYTES, FIRST_ANSWER_SECONDS
            )
        except SaneError as exc:
            self.debug(1, "%s: opened: %s", self.link.name, exc)

    def begin_page(self, plan: Plan) -> None:
        self.drain()
        self.activate(0)
        if plan.request.is_fed and self.status()[PAPER]:
            self.is_begun = False
            raise NoDocs(f"{self.link.name}: the feeder is empty")
        if not plan.request.is_fed:
            self.status()
        self.activate(0)
        self.activate(0x20)
        self._calibrate()
        self.start_session()
        self.patiently(c.SELECT, p.short_source_block(plan, is_mp750=True))
        self.patiently(c.PARAMETERS, p.mp750_block(plan))
        self._await_ready()

    def _calibrate(self) -> None:
        for tries in range(CALIBRATE_TRIES, -1, -1):
            try:
                self.command(c.CALIBRATE)
                return
            except DeviceBusy:
                if not tries:
                    raise
            self.link.wait(1.0)

    def _await_ready(self) -> None:
        for _ in range(WARM_UP_TRIES):
            status = self.status()
            if status[CALIBRATION] == CALIBRATED:
                break
            if self.hear(1.0) is not None:
                self._ask_block(*_ASK)
        self.link.wait(0.1)
        status = self.status()
        if (status[LAMP], status[CALIBRATION]) != (LAMP_READY, CALIBRATED):
            raise DeviceIOError(f"{self.link.name}: not ready: {c.shown(status)}")
        self._ask_block(*_ASK)

    def _ask_block(self, size: int, flags: int) -> c.Block:
        """Ask for an image block; return its header."""
        command = block_command(size, flags)
        head = self.link.exchange(command, c.SHORT_HEAD, c.ANSWER_SECONDS)
        c.check_block(self.link.name, c.BLOCK, head, c.SHORT_HEAD)
        return c.short_block(head)

    def read_block(self, picture: Picture) -> bool:
        block = self._ask_block(*_READ)
        self.flags = block.flags
        left = block.announced
        while left:
            n = self.receive_more(picture, left)
            if not n:
                raise DeviceIOError(f"{self.link.name}: {left} bytes of a block did not come")
            left -= n
        return bool(block.flags)

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        is_over = self.flags & c.FEEDER_ENDS == c.FEEDER_ENDS
        if is_whole and not is_over:
            self.status()
            self._await_end()
        if not is_whole:
            self._abort()
        if not plan.request.is_fed:
            self.status()
            self._abort()
        self.status()
        self.activate(0)
        if not is_over:
            self.attempt(c.ABORT)

    def _abort(self) -> None:
        if not self.attempt(c.ABORT):
            self.attempt(c.ERROR_INFO, want=ERROR_BYTES)

    def _await_end(self) -> None:
        """Ask until the scanner says that the page is over."""
        end = monotonic() + POLL_SECONDS
        while self.flags & c.PAGE_ENDS != c.PAGE_ENDS and monotonic() < end:
            self.link.wait(0.01)
            self.flags = self._ask_block(*_POLL).flags
