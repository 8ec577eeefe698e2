"""An open ESC/I scanner: identified, set up for each page, read block by block.

Source: specification esci 2.14 (life cycle) and 2.15 (what its signals mean).
"""

from __future__ import annotations

from ...backend import Parameters, errors
from .capabilities import identify
from .commands import Commands
from .options import ADF, EpsonOptions
from .plan import LARGE_BLOCK_BYTES, Plan
from .scan import Impossible, StandardScan, WarmingUp, start_extended
from .wires import UsbWire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Debug
    from .capabilities import Capabilities
    from .commands import Wire
    from .scan import ExtendedScan, NetScan, UsbScan

    Scan = ExtendedScan | NetScan | UsbScan | StandardScan

WARMUP_SECONDS = 5.0  # between two questions
WARMUP_POLLS = 15
BUTTON_SECONDS = 1.0
AUTOFOCUS = 0xFF
WARMING_UP = 0x02
EMPTY_FEEDER, JAM, COVER_OPEN = 0x08, 0x04, 0x02


class Epson(EpsonOptions):
    """One scanner; it owns *wire* from the first line of its constructor on."""

    def __init__(self, wire: Wire, debug: Debug) -> None:
        self.wire = wire
        wire.belongs_to(self)
        self.commands = Commands(wire, debug, "@")
        self.caps = self._identify(debug)
        self.scan: Scan | None = None
        self.plan: Plan | None = None
        self.is_lost = False  # something failed: nobody knows what the scanner still says
        self.preset()

    def _identify(self, debug: Debug) -> Capabilities:
        """Ask the scanner what it can do; once more if it was in the middle of something."""
        try:
            return identify(self.commands)
        except errors.DeviceIOError as exc:
            dropped = self.wire.forget()
            if not dropped:
                raise
            debug(1, "%s; it had %d bytes more to say", exc, dropped)
        return identify(self.commands)

    # Parameters

    def make_plan(self) -> Plan:
        """Return the scan that the options mean now."""
        block_bytes = self.wire.block_bytes
        if self.wire.is_network and "large-blocks" in self.caps.quirks:
            block_bytes = LARGE_BLOCK_BYTES
        return Plan(self, block_bytes)

    def parameters(self) -> Parameters:
        plan = self.make_plan() if self.scan is None or self.plan is None else self.plan
        return plan.parameters()

    # Start

    def start(self) -> None:
        self._end_scan()
        if self.is_lost:
            self._recover()
        try:
            self._start()
        except errors.DeviceBusy:
            raise
        except (errors.Cancelled, errors.DeviceIOError, OSError):
            self.is_lost = True  # an answer may still come, or a parameter be due
            raise

    def _recover(self) -> None:
        """Bring the scanner to where it waits for a command, whatever was said last."""
        self.wire.forget()
        try:
            self.commands.reset()
        except errors.Invalid:  # it was taken for the parameter that a cancel kept back
            self.commands.reset()
        self.is_lost = False

    def _start(self) -> None:
        if self.is_option_used:
            self._check_paper()
        plan = self.plan = self.make_plan()
        plan.check()
        self._set_up(plan)
        if self.is_option_used:
            self._check_paper()
        if self._is_on("wait_for_button") and self.wait_for_button:
            self._wait_for_button()
        if self.caps.adf is not None and self.is_option_used and self.has("\x19"):
            self.commands.feed()
        self._wait_for_lamp()
        if self._is_on("autofocus") and self.autofocus:
            self.focus = self.commands.information("q", 2)[1]
        self.scan = self._begin(plan)
        self.reader = self.scan.reader()

    def _is_on(self, attribute: str) -> bool:
        return self.options.is_active(getattr(type(self), attribute))

    def _set_up(self, plan: Plan) -> None:
        if self.caps.is_extended:
            self.commands.set_block(plan.block())
        else:
            for letter, parameter in plan.commands():
                self.commands.set(letter, parameter)
        if self.caps.has_focus:
            self.commands.set("p", bytes((AUTOFOCUS if self.autofocus else self.focus,)))
        for table in plan.gamma_tables():
            self.commands.set("z", table)
        matrix = plan.matrix()
        if matrix is not None:
            self.commands.set("m", matrix)

    def _begin(self, plan: Plan) -> Scan:
        """Start the scanner; once more after its lamp was ready, if it refuses."""
        if not self.caps.is_extended:
            return self._begin_standard(plan)
        try:
            return start_extended(self.commands, plan)
        except Impossible:
            raise
        except errors.DeviceIOError as exc:
            self.debug(1, "%s: once more", exc)
        self._wait_for_lamp()
        return start_extended(self.commands, plan)

    def _begin_standard(self, plan: Plan) -> StandardScan:
        assert isinstance(self.wire, UsbWire)  # over the network all are extended
        for _ in range(WARMUP_POLLS):
            try:
                return StandardScan(self.commands, self.wire, plan)
            except WarmingUp:
                if not self.has("f") or not self._states()[0] & WARMING_UP:
                    raise
            self.wait(WARMUP_SECONDS)
        raise errors.DeviceBusy(f"{self.wire.name}: still warming up")

    # States

    def _states(self) -> bytes:
        """Return the status bytes of the scanner: main and feeder first."""
        if self.caps.is_extended:
            return self.commands.block("F", 16)
        return self.commands.information("f") if self.has("f") else bytes(16)

    def _check_paper(self) -> None:
        """Raise what is wrong with the paper or the cover of the feeder."""
        feeder = self._states()[1]
        name = f"{self.wire.name}: feeder status {feeder:02x}"
        if feeder & EMPTY_FEEDER:
            raise errors.NoDocs(name)
        if feeder & JAM:
            raise errors.Jammed(name)
        if feeder & COVER_OPEN:
            raise errors.CoverOpen(name)

    def _wait_for_lamp(self) -> None:
        for poll in range(WARMUP_POLLS):
            if not self._states()[0] & WARMING_UP:
                return
            self.debug(3, "%s: warming up, answer %d", self.wire.name, poll + 1)
            if poll < WARMUP_POLLS - 1:
                self.wait(WARMUP_SECONDS)
        raise errors.DeviceBusy(f"{self.wire.name}: still warming up")

    def _wait_for_button(self) -> None:
        """Wait until the button is pressed; a scanner that cannot tell does not hold up a scan."""
        try:
            while not self.commands.information("!", 1)[0]:
                self.wait(BUTTON_SECONDS)
        except (errors.Invalid, errors.Unsupported) as exc:
            self.debug(1, "%s: the button is not waited for", exc)

    # The image

    def read_into(self, view: memoryview) -> int:
        assert self.scan is not None
        try:
            return self.scan.read_into(view)
        except (errors.DeviceIOError, OSError):
            self.is_lost = True
            raise

    def frame_ended(self) -> None:
        """Eject the last sheet, if that is wanted: the image is complete already."""
        try:
            self._end_scan()
            wanted = self.source == ADF and self.auto_eject
            if wanted and self._states()[1] & EMPTY_FEEDER:
                self.commands.eject()
        except errors.SaneError as exc:
            self.report("frame_ended", exc)

    # End

    def _end_scan(self) -> None:
        scan, self.scan, self.reader = self.scan, None, None
        if scan is None:
            return
        try:
            scan.abort()
        except (errors.DeviceIOError, OSError):
            self.is_lost = True
            raise

    def finish(self, aborted: bool) -> None:
        self._end_scan()

    def close(self) -> None:
        self.wire.close()
