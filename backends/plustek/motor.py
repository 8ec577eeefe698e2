"""Moving the head: forward to a strip, and home. Sheets are moved by sheets.py.

It knows where the head may go; a move that does not end is told and the motor is switched off.
Source: specification plustek 3.7.
"""

from __future__ import annotations

from time import monotonic

from ...backend import errors
from ...chips.steps import ramp
from . import registers as r
from .chip import AHEAD, AT_HOME, HOME, IDLE, PAUSE_SECONDS, RESET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip

MOVE_SECONDS, HOME_SECONDS = 200.0, 150.0  # at most; a move gets three times what it needs
SLACK_SECONDS = 10.0
LEAST_UNITS = 30  # of a move after which the head has left the home sensor
UNITS_PER_INCH = 300
POLL_SECONDS, SOON_SECONDS = 0.001, 0.1  # most moves of a test or a short way end soon
ALL_PIXELS = 0x1F
ONE_CHANNEL, ONE_CHANNEL_HOME = 0x0C, 0x8C
MOTOR_BIT = 0x10  # of 45
OPEN_PINS = 0xF8  # of 58, during a move
BED_MARGIN = 300  # units behind the area and its origin that a head may still go


class Carriage:
    """The head of one unit. is_speeding: moves are sped up where the unit can do that.

    is_stuck: a move did not end, or not where it should; then nothing is moved unasked.
    """

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.is_speeding = True
        self.is_stuck = False

    def _step(self, speed: float) -> int:
        hardware = self.chip.unit.hardware
        return r.step_of(hardware, speed, self._clock())

    def _clock(self) -> int:
        motor = self.chip.unit.hardware.motor
        return 6 if motor.is_plustek else int(motor.fast[2])

    def forward(self, units: int, *, is_white: bool = False, faster: float = 0.0) -> None:
        """Move the head *units* away from home, and wait.

        is_white: to the white strip. faster: than usual, in inch/s.
        """
        if units <= 0:
            return
        chip, unit = self.chip, self.chip.unit
        hardware, registers = unit.hardware, chip.registers
        bed = unit.height + unit.origin[1] + BED_MARGIN
        if units > bed:
            raise errors.DeviceIOError(f"{chip.name}: {units} units lie beyond the bed of {bed}")
        speed = hardware.move_speed + faster
        if is_white and hardware.motor.name == "P2" and unit.optical_dpi == 600:
            speed -= 0.5
        chip.await_ready()
        chip.write(r.TURBO.address, bytes(1))
        self._set_clock(ONE_CHANNEL)
        registers[r.FAST_STEP] = self._step(speed)
        registers.send(r.FAST_STEP.address, 2)
        registers[r.FIRST_STEPS] = units * hardware.steps_per_inch // 300
        registers.send(r.FIRST_STEPS.address, 2)
        chip.set_paper_sense(hardware.paper_sense & OPEN_PINS)
        self._switch_motor_on()
        chip.command(AHEAD)
        seconds = min(MOVE_SECONDS, 3 * units / UNITS_PER_INCH / speed + SLACK_SECONDS)
        self._await_end(seconds, "does not reach its place")
        chip.set_paper_sense(hardware.paper_sense)
        if units >= LEAST_UNITS and registers[r.STATUS] & AT_HOME:
            self.is_stuck = True
            chip.stop_motor()
            text = f"after {units / UNITS_PER_INCH:.2f} inch forward the head is still at home"
            raise errors.DeviceIOError(f"{chip.name}: the carriage is stuck: {text}")

    def _switch_motor_on(self) -> None:
        """Give the motor current for a move; whether it runs in scans is another matter."""
        control = self.chip.unit.hardware.motor_control | MOTOR_BIT
        self.chip.port.write(r.MOTOR_CONTROL.address, bytes((control,)))

    def _set_clock(self, front_end: int) -> None:
        chip = self.chip
        chip.write(r.CLOCK.address, bytes(((self._clock() - 1) * 2,)))
        chip.write(r.DIVIDER.address, bytes((ALL_PIXELS,)))
        chip.write(r.INTEGRATION.address, bytes(1))
        chip.write(r.FRONT_END.address, bytes((front_end,)))

    def home(self, *, waits: bool = True) -> None:
        """Move the head home; without *waits* it goes on by itself, and stops at the sensor."""
        chip = self.chip
        hardware = chip.unit.hardware
        chip.set_paper_sense(hardware.paper_sense)
        if chip.is_home():
            return
        if chip.state() != HOME:
            self._go_home()
        if waits or (self.is_speeding and hardware.high_speed):
            bed = (chip.unit.height + chip.unit.origin[1]) / UNITS_PER_INCH
            seconds = min(HOME_SECONDS, 3 * bed / hardware.home_speed + SLACK_SECONDS)
            self._await_end(seconds, "does not come home", waits=waits)

    def _go_home(self) -> None:
        chip = self.chip
        hardware, registers = chip.unit.hardware, chip.registers
        motor = hardware.motor
        if motor.name == "P3":
            chip.command(IDLE)
        else:
            chip.reset()
        chip.wait(PAUSE_SECONDS)
        self._set_clock(ONE_CHANNEL_HOME)
        registers[r.FAST_STEP] = self._step(hardware.home_speed)
        registers[r.FIRST_STEPS] = 0
        registers.send(r.FAST_STEP.address, 4)
        chip.write(r.PWM.address, bytes((*self._pwm(), hardware.paper_sense)))
        self._switch_motor_on()
        chip.write(r.TURBO.address, bytes(1))
        if motor.name == "P2" and chip.unit.optical_dpi == 600:
            chip.wait(0.1)
        chip.command(HOME)

    def _pwm(self) -> tuple[int, int]:
        """Return frequency and duty of the motor's current on the way home."""
        unit = self.chip.unit
        motor = unit.hardware.motor
        if not motor.is_plustek:
            return motor.fast[0], motor.fast[1]
        if unit.optical_dpi == 1200 or unit.number == 2:
            return 1, 63
        return {"P3": (4, 4), "P2": (32, 16)}.get(motor.name, (64, 20))

    def _await_end(self, seconds: float, what: str, *, waits: bool = True) -> None:
        """Wait until a move has ended, or only while it is sped up."""
        chip = self.chip
        high = chip.unit.hardware.high_speed
        if high and self.is_speeding:
            self.speed_up()
        if waits:
            start = monotonic()
            while monotonic() - start < SOON_SECONDS:
                if not chip.state():
                    self.is_stuck = False
                    return
                chip.wait(POLL_SECONDS)
            try:
                chip.await_idle(seconds, what)
            except errors.DeviceIOError:
                self.is_stuck = True
                raise
            self.is_stuck = False

    def speed_up(self) -> None:
        """Shorten the steps of a move or a fast feed that is on its way, down to the least."""
        chip = self.chip
        registers = chip.registers
        clock, front_end = chip.port.read(r.CLOCK.address, 1)[0], registers.read(r.FRONT_END)
        channels = 1 if front_end & 7 > 1 else 3
        pixels = r.CRYSTAL / ((clock // 2 + 1) * 32 * channels)
        least = int(pixels / (chip.unit.hardware.high_speed * chip.unit.hardware.steps_per_inch))
        for step, seconds in ramp(registers[r.FAST_STEP], least):
            if not chip.state():
                return
            chip.wait(seconds)
            chip.write(r.FAST_STEP.address, step.to_bytes(2, "big"))

    def position(self) -> None:
        """Bring the head home before a page: it may be anywhere after a program that died."""
        chip = self.chip
        if chip.is_home():
            if chip.state():
                for value in (IDLE, RESET, IDLE):
                    chip.command(value)
                chip.write(r.PAPER_SENSE.address, self._port_values())
                for _ in range(2):
                    chip.status()
            chip.registers.write(r.MOTOR_ON, 0)
        else:
            self.home()

    def _port_values(self) -> bytes:
        return bytes((self.chip.unit.hardware.paper_sense,)) + self.chip.registers.held(r.PINS, 3)
