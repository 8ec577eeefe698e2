"""Every unit of the driver's table as an emulated one, for the comparison with the original.

The numbers are the driver's: what is wrong with them, or with what it makes of them, the original
shows. What the table does not have (strips, covered pixels, light) is as in specification plustek
8.1; film is left out, since the original crashes with it.
"""

from __future__ import annotations

from sane.backends.plustek.models import ALL, LM9831, LM9833, PLUSTEK, Unit
from sane.testing.plustek import Model
from sane.testing.plustek.models import UNIT_DPI

AHEAD, STRIP = 0.02, 0.26  # inches of white before the place where it is looked for, and behind
FROM_PAGE = 0.01
UNCOVERED = 2  # pixels behind those that are known to be covered
MCLK, FULL = 6, (3777, 3277, 2677)  # light of sheet-fed units; the flat model's
DUTY = 0x3F


def model_of(unit: Unit) -> Model:
    """Return the emulated unit for a row of the table."""
    hardware = unit.hardware
    white = unit.white_y / UNIT_DPI
    end = min(white + STRIP, unit.origin[1] / UNIT_DPI - FROM_PAGE)
    return Model(
        name_of(unit),
        unit.product,
        unit.optical_dpi,
        3 if hardware.chip == LM9831 else 4,
        16 if hardware.chip == LM9833 else 14,
        unit.origin[1],
        (-1.0, -1.0) if unit.is_sheet_fed else (max(0.0, white - AHEAD), end),
        None,
        FULL,
        MCLK,
        hardware.active,
        hardware.line_end,
        (hardware.home_speed, hardware.move_speed, hardware.high_speed),
        unit.buttons,
        vendor=unit.vendor,
        length=unit.height,
        width=unit.width,
        steps=hardware.steps_per_inch,
        memory=hardware.dram_kib,
        duty=DUTY,
        current=max(hardware.duty_low, hardware.duty_high),
        inputs=_inputs(hardware.pins),
        board=unit.board or 0 if unit.vendor == PLUSTEK else 0,
        is_contact=unit.is_cis,
        distance=0 if unit.is_cis else unit.distance,
        black=0 if unit.is_cis else hardware.black[1] + UNCOVERED,
        lamp=unit.lamp_pin,
        paper=unit.paper_bit if unit.is_sheet_fed else 0,
    )


def _inputs(pins: bytes) -> tuple[int, ...]:
    """Return the pins that the chip does not drive."""
    outputs = [byte >> shift & 1 for byte in pins for shift in (0, 4)]
    return tuple(pin for pin, is_output in enumerate(outputs, 1) if not is_output)


def name_of(unit: Unit) -> str:
    """Return a name that only this unit has."""
    board = "" if unit.board is None else f"-{unit.board}"
    return f"{unit.vendor:04x}:{unit.product:04x}{board} {unit.model}"


def _is_reachable(unit: Unit) -> bool:
    """Tell whether the original finds it: not without a board, nor by another `mov`."""
    return (unit.board is not None) == (unit.vendor in (PLUSTEK, 0x0400))


def _is_possible(unit: Unit) -> bool:
    """Tell whether its line is as long as its sensor: that of the ColorPage-HR6X is not."""
    pixels = unit.width * unit.optical_dpi // UNIT_DPI
    return pixels <= unit.hardware.line_end


UNITS = {
    name_of(unit): model_of(unit) for unit in ALL if _is_reachable(unit) and _is_possible(unit)
}
