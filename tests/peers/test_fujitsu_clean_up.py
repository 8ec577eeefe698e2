"""The clean-up of pages, of ours and of the original fujitsu: the same pixels, both sides.

The scanner is emulated (sane.testing.fujitsu); its sheets lie askew, have specks or are blank.
"""

from __future__ import annotations

import pytest

from sane.testing.fujitsu import Sheet, Slanted
from tests.peers.fujitsu import set_text, set_word
from tests.peers.fujitsu_pairs import DUPLEX, FRONT, Pair, page, pair, walker

__all__ = ["pair", "walker"]  # fixtures

# Without parameters behind the frame: the original keeps those of the picture that it has cropped.
SCAN = ("start 0", "params 0", "readall 0 32768 268435456")
BACKGROUND, OVERSCAN = 50, 54
HARDWARE_CROP, DESKEW, DESPECKLE, CROP, SKIP = 62, 63, 64, 65, 66
PERCENT = 65536


@pytest.mark.parametrize("mode", ["Color", "Gray", "Lineart"])
@pytest.mark.parametrize(
    ("model", "slope"), [("fi-7260", 0.05), ("fi-7260", -0.08), ("fi-7260", 0.0), ("iX500", 0.05)]
)
def test_clean_up(pair: Pair, mode: str, model: str, slope: float) -> None:
    """Deskew, crop, despeckle, alone and together, on both sides."""
    lying = Slanted(slope=slope, top=0.3 if slope >= 0 else 0.7, specks=80)
    commands = page(DUPLEX, mode, 100, 6600, 5400)
    for deskew, crop, diameter in ((1, 0, 0), (0, 1, 0), (0, 0, 3), (1, 1, 2)):
        commands += [*set_word(DESKEW, deskew), *set_word(CROP, crop)]
        commands += [*set_word(DESPECKLE, diameter), *SCAN, *SCAN, "cancel 0"]
    pair.check(commands, model, *[Sheet(lying, lying)] * 8)


@pytest.mark.parametrize("mode", ["Color", "Gray", "Lineart"])
def test_blank_sides_are_skipped(pair: Pair, mode: str) -> None:
    blank = Slanted(left=0, top=0, width=9, length=9, slope=0.0, is_blank=True)
    print_on = Slanted(left=0, top=0, width=9, length=9, slope=0.0)
    sheets = [Sheet(print_on, blank), Sheet(blank, blank), Sheet(blank, print_on)]
    commands = [*page(DUPLEX, mode, 100, 4800, 4800), *set_word(SKIP, 10 * PERCENT)]
    pair.check([*commands, *SCAN, *SCAN, "start 0", "cancel 0"], "fi-7260", *sheets)


@pytest.mark.parametrize("mode", ["Color", "Gray", "Lineart"])
@pytest.mark.parametrize("bits", [0, 0x81, 0x01])
def test_the_scanner_finds_the_paper(pair: Pair, mode: str, bits: int) -> None:
    """In line art as wide as whole bytes: the original cannot else."""
    commands = [*page(DUPLEX, mode, 100), *set_word(HARDWARE_CROP, 1), *SCAN, *SCAN, "cancel 0"]
    commands += [*set_word(CROP, 1), *set_word(DESKEW, 1), *SCAN, *SCAN, "cancel 0"]
    pair.check(commands, "fi-7260", *[Sheet(size=(1920, 1200), crop_bits=bits)] * 4)


@pytest.mark.parametrize("choice", ["On", "Off", "Default"])
def test_overscan_and_background(pair: Pair, choice: str) -> None:
    lying = Slanted()
    commands = [*set_text(OVERSCAN, choice), *set_text(BACKGROUND, "Black")]
    commands += [*page(FRONT, "Gray", 100, 6600, 5400), *set_word(DESKEW, 1), *SCAN, "cancel 0"]
    pair.check(commands, "fi-7260", Sheet(lying, lying))
