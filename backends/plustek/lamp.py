"""The lamp: tubes that a line of the chip switches, LEDs that light in turn.

It knows when which is on and for how long in a line; who switches it off later is idle.py's.
Source: specification plustek 3.8.
"""

from __future__ import annotations

from . import registers as r
from .models import NORMAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip

MOST_TIME = 0x3FFF
ALWAYS_OFF = bytes.fromhex("3fff0000") * 3
FILM_PWM = 0x3FFF


class Lamp:
    """The lamps of one unit: times of red, green and blue, and what lights now.

    times: on and off of the three within a line. light: what register 29 is while it is on.
    """

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.times = [list(pair) for pair in chip.unit.hardware.lamps_color]
        self.light = chip.unit.hardware.light_color
        self._last: str | None = None  # the source whose lamp was switched on last

    def set_mode(self, *, is_color: bool, off: tuple[int, int, int]) -> None:
        """Take over the times of a mode. off: those of the options, which count if above 0."""
        hardware = self.chip.unit.hardware
        lamps = hardware.lamps_color if is_color else hardware.lamps_mono
        self.times = [list(pair) for pair in lamps]
        self.light = hardware.light_color if is_color else hardware.light_mono
        if self.chip.unit.is_cis:
            for pair, wanted in zip(self.times, off, strict=True):
                pair[1] = min(wanted, MOST_TIME) if wanted > 0 else pair[1]

    def time_bytes(self) -> bytes:
        """Return registers 2c to 37."""
        return b"".join(value.to_bytes(2, "big") for pair in self.times for value in pair)

    @property
    def _pins(self) -> tuple[int, int]:
        unit = self.chip.unit
        return unit.lamp_pin, unit.film_pin

    def is_on(self, source: str = NORMAL) -> bool:
        """Ask the chip whether the lamp of *source* is on, and no other one."""
        chip = self.chip
        normal, film = self._states()
        chip.registers.load(r.LIGHT.address, 1)
        return (normal and not film) if source == NORMAL else (film and not normal)

    def is_any_on(self) -> bool:
        """Ask the chip whether a lamp is on."""
        return any(self._states())

    def _states(self) -> tuple[bool, bool]:
        """Return whether the normal lamp and the film lamp are on."""
        chip, unit = self.chip, self.chip.unit
        registers = chip.registers
        if unit.has("L"):
            if not unit.lamp_pin:
                return bool(registers.read(r.LIGHT) & 3), False
            if unit.has("BFC") and not unit.is_sheet_fed:  # the D660U
                registers.load(r.LIGHT.address, 3)
            normal = self._pin_level(unit.lamp_pin)
            return normal, bool(unit.film_pin) and self._pin_level(unit.film_pin)
        data = registers.load(r.LIGHT.address, 15)
        is_lit = data[0] & 3 == 1
        if not unit.hardware.motor.is_plustek:
            return is_lit, False
        end = unit.hardware.line_end
        green, blue = int.from_bytes(data[5:7], "big"), int.from_bytes(data[13:15], "big")
        return is_lit and green > end, is_lit and blue > end

    def _pin_level(self, pin: int) -> bool:
        address, level, _ = pin_bits(pin)
        return bool(self.chip.registers.read(address) & level)

    def _set_pin(self, pin: int, *, is_on: bool) -> None:
        if not pin:
            return
        address, level, enable = pin_bits(pin)
        value = self.chip.registers[address]
        value = value | level | enable if is_on else value & ~level
        self.chip.registers.write(address, value)

    # Switching

    def start(self, source: str) -> bool:
        """Switch the lamp on for a page; return whether it was off before."""
        unit = self.chip.unit
        was_on = self.is_on(source)
        self.chip.registers.load(r.PINS, 3)
        if unit.is_cis:
            self.send_times()
            self.is_on(source)
        if unit.has("LOFF") and was_on:
            self.off()
            was_on = False
        if not was_on:
            self.on(source)
            self.is_on(source)
        return not was_on

    def on(self, source: str = NORMAL) -> None:
        """Switch the lamp of *source* on, and the other one off."""
        chip, unit = self.chip, self.chip.unit
        registers = chip.registers
        if self._last != source and unit.has_film_unit:
            self._set_pin(unit.film_pin if source == NORMAL else unit.lamp_pin, is_on=False)
        self._last = source
        registers.note(r.LIGHT.address, bytes(15))
        registers[r.LIGHT] = self.light
        self._set_pin(unit.lamp_pin if source == NORMAL else unit.film_pin, is_on=True)
        if unit.is_cis:
            self.send_times()
        if unit.has("L") or unit.is_cis:
            registers[r.LAMP_DUTY] = unit.hardware.duty_low
            registers.note(r.LAMPS, self.time_bytes())
        elif not unit.lamp_pin:
            at = r.LAMPS + (2 if source == NORMAL else 10)
            registers.note(at, FILM_PWM.to_bytes(2, "big"))
        self._set_led(is_on=True)
        registers.send(r.LIGHT.address, 15)

    def off(self) -> None:
        """Switch all lamps off."""
        chip, unit = self.chip, self.chip.unit
        registers = chip.registers
        registers.note(r.LIGHT.address, bytes(15))
        for pin in self._pins:
            self._set_pin(pin, is_on=False)
        if unit.is_cis:
            chip.port.write(r.LAMPS, ALWAYS_OFF)
        if unit.has("L") or unit.is_cis:
            registers[r.LAMP_DUTY] = unit.hardware.duty_low
            registers.note(r.LAMPS, self.time_bytes())
        self._set_led(is_on=False)
        registers.send(r.LIGHT.address, 15)
        self._last = None

    def _set_led(self, *, is_on: bool) -> None:
        """Let the light beside the button show whether the lamp is on, where there is one."""
        if self.chip.unit.hardware.motor.name == "P2":
            self.chip.registers.write(r.LED, int(is_on))

    def send_times(self) -> None:
        """Give the chip the times."""
        self.chip.write(r.LAMPS, self.time_bytes())

    # In a calibration

    def darken(self) -> None:
        """Let no light fall on the sensor in the next scans."""
        registers = self.chip.registers
        registers[r.LIGHT] = 0
        if self.chip.unit.is_cis:
            self.chip.port.write(r.LAMPS, ALWAYS_OFF)
        else:
            self._set_pin(self.chip.unit.lamp_pin, is_on=False)

    def lighten(self, source: str = NORMAL) -> None:
        """End what darken() did."""
        unit = self.chip.unit
        if unit.is_cis:
            self.send_times()
        else:
            self._set_pin(unit.lamp_pin if source == NORMAL else unit.film_pin, is_on=True)
        self.chip.registers.write(r.LIGHT, self.light)

    def set_times(self, times: list[list[int]]) -> None:
        """Take over measured times; the chip gets them."""
        self.times = [list(pair) for pair in times]
        self.send_times()


def pin_bits(pin: int) -> tuple[int, int, int]:
    """Return the register of a line of the chip, and its bits for level and output."""
    address = r.PINS + (pin - 1) // 2
    return (address, 0x08, 0x01) if pin % 2 else (address, 0x80, 0x10)


def has_film_unit(chip: Chip) -> bool:
    """Ask the chip whether the film unit is there."""
    unit = chip.unit
    hardware = unit.hardware
    if unit.vendor == 0x04B8:
        pins = chip.registers[r.PINS]
        address, level, _ = pin_bits(unit.film_pin)
        chip.registers.write(address, chip.registers[address] & ~level)
        chip.registers.write(r.PAPER_SENSE, 0x1D)
        chip.registers.write(r.PINS, 0x49)
        found = chip.status()
        chip.registers.write(r.PAPER_SENSE, hardware.paper_sense)
        chip.registers.write(r.PINS, pins)
    elif (unit.vendor, unit.product) in ((0x1606, 0x0050), (0x1606, 0x0060)):
        chip.status()
        chip.registers.write(r.PAPER_SENSE, hardware.paper_sense)
        for i in (1, 2):
            chip.registers.write(r.PINS + i, hardware.pins[i])
        found = chip.status()
    else:
        return False
    return bool(found & 2)
