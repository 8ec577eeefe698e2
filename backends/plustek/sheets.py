"""Sheet-fed units: waiting for paper, drawing it in, and bringing it out.

Source: specification plustek 3.13.
"""

from __future__ import annotations

from ...backend import errors
from . import registers as r
from . import tables
from .calibration import Found, Wanted
from .chip import FORWARD, IDLE
from .motor import MOTOR_BIT, OPEN_PINS, Carriage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip
    from .plan import Scan
    from .scanner import Scanner

PAPER_SECONDS, EJECT_SECONDS = 20.0, 20.0
SETTLE_SECONDS, POLL_SECONDS = 0.1, 0.02
EJECT_FASTER = 0.8  # inch/s above that of other moves
BEHIND_UNITS = 300  # so far the rollers turn on behind a sheet
FIRST_GAIN = 0x0A


def has_paper(chip: Chip) -> bool:
    """Ask the chip whether there is paper."""
    return bool(chip.status() & chip.unit.paper_bit)


def await_paper(chip: Chip) -> None:
    """Wait until a sheet lies in the unit; raises NoDocs."""
    for _ in range(int(PAPER_SECONDS / POLL_SECONDS)):
        if has_paper(chip):
            chip.wait(SETTLE_SECONDS)
            return
        chip.wait(POLL_SECONDS)
    raise errors.NoDocs(f"{chip.name}: no paper came for {PAPER_SECONDS:g} s")


def eject(chip: Chip, *, is_first: bool = False) -> None:
    """Bring out what lies in the unit. is_first: it may be that nothing does."""
    unit = chip.unit
    if unit.hardware.motor.name == "Q6":
        return
    was_there = has_paper(chip)
    if was_there:
        _run(chip)
    if was_there or not is_first:
        Carriage(chip).forward(BEHIND_UNITS, faster=EJECT_FASTER)
        chip.command(IDLE)
        chip.set_paper_sense(unit.hardware.paper_sense)


def _run(chip: Chip) -> None:
    """Turn the rollers until the paper has left them; raises Jammed."""
    hardware, registers = chip.unit.hardware, chip.registers
    clock = int(hardware.motor.fast[2])
    chip.await_ready()
    chip.write(r.TURBO.address, bytes(1))
    chip.write(r.CLOCK.address, bytes(((clock - 1) * 2, 0x1F)))
    chip.write(r.INTEGRATION.address, bytes(1))
    chip.write(r.FRONT_END.address, b"\x0c")
    registers[r.FAST_STEP] = r.step_of(hardware, hardware.move_speed + EJECT_FASTER, clock)
    registers[r.FIRST_STEPS] = 0
    registers.send(r.FAST_STEP.address, 4)
    chip.set_paper_sense(hardware.paper_sense & OPEN_PINS)
    chip.port.write(r.MOTOR_CONTROL.address, bytes((hardware.motor_control | MOTOR_BIT,)))
    chip.command(FORWARD)
    try:
        for _ in range(int(EJECT_SECONDS / POLL_SECONDS)):
            if not has_paper(chip):
                return
            chip.wait(POLL_SECONDS)
        raise errors.Jammed(f"{chip.name}: the paper does not leave in {EJECT_SECONDS:g} s")
    finally:
        chip.command(IDLE)
        chip.set_paper_sense(hardware.paper_sense)


def calibration(scanner: Scanner, scan: Scan, wanted: Wanted) -> Found:
    """Return what a page needs: what is kept, or else no correction at all."""
    cache = scanner.cache
    if cache is not None:
        kept, shading = cache.coarse(scan), cache.fine(scan)
        if kept is not None and shading is not None:
            kept.shading = shading
            scanner.apply(kept)
            return kept
    found = Found()
    if min(wanted.gains) >= 0:  # as elsewhere, all three or none
        found.gains = list(wanted.gains)
    else:
        found.gains = [FIRST_GAIN] * 3
    if -1 not in wanted.offsets:
        found.offsets = list(wanted.offsets)
    found.times = [list(pair) for pair in scanner.lamp.times]
    found.correction = tables.BYPASSED
    scanner.apply(found)
    return found
