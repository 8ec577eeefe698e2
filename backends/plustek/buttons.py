"""The buttons of a unit: which are pressed, by the lines of its chip.

Source: specification plustek 3.14.
"""

from __future__ import annotations

from .lamp import pin_bits
from .models import PLUSTEK
from .registers import PINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .models import Unit

KYE = 0x0458
MOST = 5
BY_CODE = {1: 1, 2: 0, 3: 2, 4: 3, 6: 4}  # of lines 1 to 3, of units with two or five buttons
BY_HIGH_CODE = {1: 0, 2: 1, 4: 2, 6: 3}  # of lines 4 to 6, of units with four


def pressed(unit: Unit, pins: bytes, status: int) -> set[int]:
    """Return the buttons that *status*, register 02, says to be pressed. pins: 59 to 5b."""
    if unit.vendor in (PLUSTEK, KYE):
        return coded(unit, status)
    lines = unit.button_pins or [pin for pin in range(1, 7) if is_input(pins, pin)]
    found = {n for n, pin in enumerate(lines[:MOST]) if status >> (pin + 1) & 1}
    return {number for number in found if number < unit.buttons}


def coded(unit: Unit, status: int) -> set[int]:
    """Return the one button of units that have a code for each."""
    if unit.buttons in (2, 5):
        code = BY_CODE.get(status >> 2 & 7)
    elif unit.buttons == 4:
        code = BY_HIGH_CODE.get(status >> 5 & 7)
    else:
        code = None
    return set() if code is None or code >= unit.buttons else {code}


def is_input(pins: bytes, pin: int) -> bool:
    """Tell whether a line of the chip is one that it reads."""
    address, _, enable = pin_bits(pin)
    return not pins[address - PINS] & enable
