"""What would harm a real unit: the emulated one refuses it and says why.

The limits are wide: nothing of what the original driver does comes near them.
Source: specification plustek 3.2 to 3.8, 4.1 (speeds, lamp times, PWM), 11 (13).
"""

from __future__ import annotations

from collections.abc import Iterator

from .models import Model
from .setup import CLOCK, MOTOR_ON, PHASES, SLOW, Setup, word

FASTER = 4.0  # than moves, at most: a unit for A3 scans 3.7 times as fast at 100 dpi
FEEDS = 3  # a one-channel scan feeds so much faster than moves go
LONGEST = 0.1  # seconds that a lamp of a contact sensor may be on in one line
PIN_PAIRS = (0x59, 0x5A, 0x5B)
LAMPS = (0x2C, 0x30, 0x34)  # registers with the times of red, green and blue
IN_TURN_LIGHT = 2  # register 29: one lamp a line
AT_ONCE = 2.0  # lamps that the supply of the unit can feed
_Registers = bytes | bytearray


def first(harms: Iterator[str]) -> str:
    """Return the first of what would harm, "" if there is nothing."""
    return next(harms, "")


def harms_of_motor(registers: _Registers, model: Model) -> Iterator[str]:
    """Yield why the motor must not make fast steps as the registers say."""
    duty = registers[0x57]
    if duty > model.duty:
        yield f"motor duty {duty:#x} in 57: more than {model.duty:#x} overheats it"
    step = word(registers, 0x48)
    most = max(*model.speeds, FEEDS * model.speeds[1]) * FASTER
    speed = _speed(registers, step, model)
    if registers[0x45] & MOTOR_ON and speed > most:
        yield f"fast feed of {speed:.2f} inches a second ({step} in 48/49): {most:.2f} at most"


def harms_of_light(registers: _Registers, model: Model) -> Iterator[str]:
    """Yield why the lamps must not be on as the registers say."""
    line = word(registers, 0x20)
    if not registers[0x29] & 3 or not line:
        return  # they are off, or no line runs yet
    current = word(registers, 0x2A)
    if current > model.current:
        yield f"lamp current {current} in 2a/2b: more than {model.current}"
    if not model.is_contact:
        return
    clocks = 0
    for register in LAMPS:
        on, off = word(registers, register), word(registers, register + 2)
        if on < off:
            if on >= line:
                shown = f"{register:02x}-{register + 3:02x}"
                yield f"exposure from {on} to {off} in {shown}: the line ends at {line}"
            lit = min(off, line) - on
            clocks += lit
            seconds = lit * PHASES * (1 + registers[0x08] / 2) / CLOCK
            if seconds > LONGEST:
                yield f"a lamp is on for {seconds * 1000:.0f} ms of a line: 100 at most"
    if registers[0x29] & 3 != IN_TURN_LIGHT and clocks > AT_ONCE * line:
        yield f"lamps on for {clocks} of {line} clocks at once: too much current"


def harms_of_scan(
    registers: _Registers, setup: Setup, model: Model, place: float, room: int
) -> Iterator[str]:
    """Yield why a scan must not begin as the registers say.

    place: of the carriage. room: KiB of the memory that are left for lines.
    """
    line = word(registers, 0x20)
    if not setup.samples:
        yield f"no pixels from {setup.first} to {setup.end} in 22-25"
    if setup.end > line:
        yield f"exposure beyond the line: pixels up to {setup.end} in 24/25, it ends at {line}"
    for register in PIN_PAIRS if model.is_contact else ():  # probing other units leaves 5b = 03
        if _drives_button(registers[register], 2 * (register - PIN_PAIRS[0]), model):
            shown = f"{registers[register]:02x} in {register:02x}"
            yield f"an output on a pin that a button shorts: {shown}"
    yield from harms_of_light(registers, model)
    if setup.has_motor:
        yield from harms_of_motor(registers, model)
        yield from _harms_of_travel(registers, setup, model, place)
    pause = registers[0x4E] * model.memory / 256
    if setup.has_motor and pause + setup.line_bytes / 1024 > room:
        yield f"pause limit {registers[0x4E]:#x} in 4e: the buffer of {room} KiB overruns"


def _harms_of_travel(
    registers: _Registers, setup: Setup, model: Model, place: float
) -> Iterator[str]:
    speed = _speed(registers, setup.step, model)
    most = max(model.speeds) * FASTER
    if speed > most:
        yield f"scan at {speed:.2f} inches a second ({setup.step} in 46/47): {most:.2f} at most"
    last = place + setup.skipped + setup.most
    if last > model.stop:
        yield (
            f"the carriage hits the far stop at {model.stop}: it is at {place:.0f}, and 4a-4d "
            f"take it to {last:.0f}"
        )


def _speed(registers: _Registers, step: int, model: Model) -> float:
    """Return the inches a second that a step size makes."""
    mclk = 1 + registers[0x08] / 2
    adjust = registers[0x19] or 1
    return CLOCK / (mclk * PHASES * SLOW * max(step, 1) * model.steps) / adjust


def _drives_button(value: int, before: int, model: Model) -> bool:
    """Tell whether a pair of pins, after *before* others, has an output where a button is."""
    outputs = [before + 1] * (value & 1) + [before + 2] * (value >> 4 & 1)
    return any(pin in model.inputs for pin in outputs)
