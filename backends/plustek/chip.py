"""The chip of one unit over USB: registers, commands, its state, uploads and image data.

It knows what the host may tell the chip and how it is asked; which values a scan needs is
registers.py's. Source: specification plustek 1, 2, 3.5.9, 3.6, 3.11.
"""

from __future__ import annotations

from ...backend import BulkPort, Garbled, Overflowed, Registers, TimedOut, errors
from . import registers as r
from .models import LM9831, PLUSTEK, units_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Usb
    from .models import Unit
    from .plan import Scan

SIZE = 0x80
TIMEOUT_SECONDS = 10.0  # of a transfer: the longest line and a pause of the motor take two
IDLE, FORWARD, HOME, SCAN, AHEAD, RESET = 0x00, 0x01, 0x02, 0x03, 0x05, 0x20
AT_HOME = 0x01
REVISIONS = {3: (1,), 4: (2, 3)}  # low bits of register 69, and the chips that have them
PAUSE_SECONDS = 0.2  # while the chip sets its sensor timing up
POLL_SECONDS = 0.005
FILL_SECONDS = 30.0
READY_SLACK_INCHES = 5
LEAST_READY_SECONDS = 10.0
BOARD_PINS = bytes((0x22, 0x02, 0x03))
OFFSET_TABLE, GAIN_TABLE, GAMMA_TABLE = 0, 1, 2
COLORS = (0, 4, 8)  # of a table, in register 03
GAMMA_ENTRIES = 4096
CHUNK = 60


class Chip:
    """The chip of *unit*; registers: what it should have."""

    def __init__(self, usb: Usb, unit: Unit) -> None:
        usb.timeout = TIMEOUT_SECONDS
        self.usb = usb
        self.unit = unit
        self.port = BulkPort(usb)
        self.registers = Registers(self.port, SIZE, fickle=(r.COMMAND.address, r.STATUS))
        hardware = unit.hardware
        self.registers[r.FIXED_GAIN], self.registers[r.CORRECTION] = 0x4000, 0x20
        self.registers[r.MOTOR_CONTROL] = hardware.motor_control
        self.registers[r.PAPER_SENSE] = hardware.paper_sense
        self.registers.note(r.PINS, hardware.pins)
        height = unit.height / 300 + READY_SLACK_INCHES
        self.ready_seconds = max(LEAST_READY_SECONDS, height / hardware.move_speed)

    @property
    def name(self) -> str:
        """How the unit is called in messages."""
        return self.usb.name

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.usb.wait(seconds)

    # Registers

    def write(self, address: int, data: bytes) -> None:
        """Write registers from *address* on, whatever they had."""
        self.registers.note(address, data)
        self.registers.send(address, len(data))

    def command(self, value: int) -> None:
        """Give the chip a command: it must be read back."""
        self.registers.command(r.COMMAND, value)

    def state(self) -> int:
        """Return the command that the chip is at."""
        return self.registers.read(r.COMMAND)

    def status(self) -> int:
        """Return the sensors: home, paper, the lines of the chip."""
        return self.registers.read(r.STATUS)

    def is_home(self) -> bool:
        """Tell whether the head is under the home sensor."""
        return bool(self.status() & AT_HOME)

    def set_paper_sense(self, value: int) -> None:
        """Set how the chip senses paper and home; what it has latched is read away."""
        self.registers.write(r.PAPER_SENSE, value)
        for _ in range(2):
            self.status()

    # States

    def reset(self) -> None:
        """Bring the chip to rest after it was found."""
        if self.unit.hardware.chip == LM9831:
            for value in (IDLE, RESET, IDLE):
                self.command(value)
            self.state()
        elif self.state():
            self.command(IDLE)

    def await_ready(self) -> None:
        """Wait until the chip has done what it does; a scan is stopped."""
        value = self.state()
        if value == SCAN or value >= RESET:
            self.command(IDLE)
            return
        if value:
            self.await_idle(self.ready_seconds, "is busy")
        elif self.unit.hardware.chip == LM9831:
            self.reset()

    def await_idle(self, seconds: float, what: str) -> None:
        """Wait until the chip's command has ended; raises DeviceIOError, and stops it."""
        try:
            self.registers.poll(r.COMMAND, IDLE, seconds, POLL_SECONDS)
        except TimedOut as exc:
            value = self.registers[r.COMMAND]
            self.stop_motor()
            text = f"{self.name}: the carriage {what}: command {value:02x} has not ended"
            raise errors.DeviceIOError(f"{text} after {seconds:g} s") from exc

    def stop_motor(self) -> None:
        """End the command, and take the current from the motor."""
        self.command(IDLE)
        self.registers.write(r.MOTOR_ON, 0)

    def stop(self) -> None:
        """End a scan, not a return of the carriage."""
        if self.state() not in (IDLE, HOME):
            self.command(IDLE)

    # A scan

    def send_block(self, scan: Scan) -> None:
        """Tell the chip what *scan* is."""
        registers = self.registers
        r.fill(registers, scan)
        self.await_ready()
        self.port.write(r.SENSOR + 9, b"\x18")
        self.wait(PAUSE_SECONDS)
        self.command(RESET)
        self.port.write(r.INTEGRATION.address, b"\x06")
        self.write(r.SELECT, bytes(3))
        for first in range(r.FIRST, r.LAST + 1, CHUNK):
            registers.send(first, min(CHUNK, r.LAST + 1 - first))
        self.wait(0.0001)
        self.command(IDLE)

    def begin(self) -> None:
        """Let the chip scan."""
        self.command(SCAN)
        self.port.read(r.FILL, 1)

    def prepare(self) -> None:
        """Do what goes before tables are loaded: nothing old is left in the chip."""
        self.set_paper_sense(0)
        self.await_ready()
        if self.unit.hardware.chip == LM9831:
            self._empty()

    def _empty(self) -> None:
        """Read away what an LM9831 still has."""
        scratch = memoryview(bytearray(4 * self.unit.hardware.dram_kib * 255))
        for _ in range(255):
            fill = self.port.read(r.FILL, 1)[0]
            if not fill:
                return
            self.port.read_into(0, scratch[: 4 * self.unit.hardware.dram_kib * fill])
        raise errors.DeviceIOError(f"{self.name}: the chip's memory does not become empty")

    def await_data(self, pause: float) -> None:
        """Wait for the first data, and a moment more."""
        from time import monotonic

        end = monotonic() + FILL_SECONDS
        view = memoryview(bytearray(3))
        while True:
            self.port.read_into(r.FILL, view)
            if view[0] and (view[0] == view[1] or view[1] == view[2]):
                break
            if monotonic() > end:
                self.stop_motor()
                text = f"the chip sends no data for {FILL_SECONDS:g} s"
                raise errors.DeviceIOError(f"{self.name}: {text}")
            self.wait(POLL_SECONDS)
        self.wait(pause)
        self.registers.send(r.FAST_STEP.address, 2)

    def read_image(self, view: memoryview) -> None:
        """Fill *view* with image data."""
        self.port.read_into(0, view)

    # Tables

    def upload(self, kind: int, color: int, data: bytes | memoryview) -> None:
        """Load a table of offsets or gains."""
        self.write(r.SELECT, bytes((kind + color,)))
        self.write(r.ADDRESS, bytes(2))
        self.port.upload(r.DATA, data)

    def upload_gamma(self, tables: list[bytes]) -> None:
        """Load the gamma tables of red, green and blue."""
        self.command(IDLE)
        for color, table in zip(COLORS, tables, strict=True):
            self.write(r.SELECT, bytes((GAMMA_TABLE + color,)))
            self.write(r.ADDRESS, bytes(1))
            self.write(r.ADDRESS + 1, bytes(1))
            self.port.upload(r.DATA, table)

    def set_correction(self, value: int) -> None:
        """Set where the chip has its offsets and gains from."""
        self.registers.write(r.CORRECTION, value | (0x40 if self.has_large_memory else 0))

    @property
    def has_large_memory(self) -> bool:
        """Its memory is 2 MiB."""
        return self.unit.hardware.dram_kib > 512


# Which unit it is


def revision(port: BulkPort) -> int:
    """Return register 69 of whatever chip is behind *port*.

    A program that was killed may have left an answer unread, which comes first: it is dropped, and
    the register asked for once more.
    """
    try:
        value = port.read(r.REVISION, 1)[0]
        if value & 7 in REVISIONS:
            return value
    except (Garbled, Overflowed):
        pass
    port.usb.is_out_of_step = True
    return port.read(r.REVISION, 1)[0]


def identify(usb: Usb, mov: int = 0) -> Unit:
    """Return the unit behind *usb*; raises DeviceIOError for one that is not known.

    mov: which of two units with equal ids it is, by the configuration.
    """
    usb.timeout = TIMEOUT_SECONDS
    port = BulkPort(usb)
    value = revision(port)
    if value & 7 not in REVISIONS:
        text = f"register 69 is {value:02x}, which no chip has that is known"
        raise errors.DeviceIOError(f"{usb.name}: {text}")
    chips = REVISIONS[value & 7]
    if 1 in chips:
        registers = Registers(port, SIZE, fickle=(r.COMMAND.address,))
        for command in (IDLE, RESET, IDLE):
            registers.command(r.COMMAND, command)
    board: int | None = None
    found = units_of(usb.vendor, usb.product)
    if usb.vendor == PLUSTEK:
        board = board_number(port)
    elif any(unit.board is not None for unit in found):
        board = mov if mov in (0, 1) else 0
    for unit in found:
        if unit.board == board:
            return unit
    ids = f"{usb.vendor:04x}:{usb.product:04x}"
    which = "" if board is None else f", board {board}"
    raise errors.DeviceIOError(f"{usb.name}: no unit {ids}{which} is known")


def board_number(port: BulkPort) -> int:
    """Return which board a unit of Plustek's has."""
    port.read(r.PINS, 3)
    port.write(r.PINS, BOARD_PINS)
    value = port.read(r.STATUS, 1)[0]
    port.read(r.PINS, 3)
    return value >> 2 & 7
