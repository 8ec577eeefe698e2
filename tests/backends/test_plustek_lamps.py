"""How units with a lamp are calibrated, and sheet-fed ones emptied: what the original tells them.

The numbers are the registers that the original (1.2.1) writes to the same emulated units.
"""

from __future__ import annotations

import pytest

from sane.testing.plustek import Deed, Scanner
from sane.testing.plustek.setup import word
from tests.backends.plustek_samples import cancel, opened, page, set_up
from tests.peers.plustek_units import UNITS

SCAN, AHEAD = 3, 5
DIVIDER, LED, FIRST, LAST, FAST_STEP, PAUSE = 0x09, 0x0D, 0x22, 0x24, 0x48, 0x4E
BEARPAW = [(0x24, 150, 5250, 1, 2552), (0x24, 150, 5250, 0x26, 81664), (0x1E, 918, 2342, 3, 10800)]
SCANJET = [
    (0x24, 158, 5258, 2, 7652),
    (0x24, 158, 5258, 0x76, 244864),
    (0x1F, 1958, 3614, 0x16, 50752),
]
OPTICPRO = [  # of 1200 dpi
    (0x23, 328, 10528, 1, 6802),
    (0x23, 328, 10528, 0x33, 435328),
    (0x1B, 7000, 7708, 1, 12852),
]
Area = tuple[float, float, float, float]


def deeds_of(name: str, mode: str, dpi: int, area: Area) -> list[Deed]:
    """Scan a page from a unit of the table; return what it was told."""
    model = next(model for key, model in UNITS.items() if key.startswith(name))
    scanner = Scanner(model)
    unit = f"{model.product:04x}"
    with opened(unit, "warmup 0", scanner=scanner, vendor=model.vendor) as (handle, *_):
        set_up(handle, mode, 8, dpi, area)
        page(handle)
        cancel(handle)
    assert scanner.problems == []
    return scanner.deeds


def scans(deeds: list[Deed]) -> list[tuple[int, int, int, int, int]]:
    """Return of each scan: divider, first and last pixel, limit of the memory, bytes fetched."""
    return [
        (r[DIVIDER], word(r, FIRST), word(r, LAST), r[PAUSE], deed.fetched)
        for deed in deeds
        if deed.command == SCAN and (r := deed.registers)
    ]


@pytest.mark.parametrize(
    ("name", "mode", "dpi", "area", "wanted"),
    [
        ("0400:1000", "Gray", 75, (33.0, 50.0, 60.0, 20.0), BEARPAW),
        ("03f0:0505", "Color", 50, (77.0, 20.0, 70.0, 20.0), SCANJET),
        ("07b3:0013-4", "Gray", 400, (141.4, 20.0, 15.0, 3.0), OPTICPRO),
    ],
)
def test_the_first_chip_is_measured_over_the_whole_width(
    name: str, mode: str, dpi: int, area: Area, wanted: list[tuple[int, ...]]
) -> None:
    """Dark, white, and the page."""
    assert scans(deeds_of(name, mode, dpi, area))[-3:] == wanted


def test_what_does_not_fit_into_the_memory_is_measured_in_passes() -> None:
    found = scans(deeds_of("07b3:0013-0", "Color", 600, (50.0, 50.0, 5.0, 2.0)))
    assert [fetched for *_, fetched in found[-9:-1]] == [8 * 30602] * 8


def test_covered_pixels_begin_at_whole_units() -> None:
    found = scans(deeds_of("04a9:2208", "Color", 100, (20.0, 30.0, 10.0, 5.0)))
    assert 12 in [first for _, first, *_ in found]
    assert 14 not in [first for _, first, *_ in found]


def test_a_light_follows_the_lamp() -> None:
    deeds = deeds_of("0458:2007", "Gray", 100, (20.0, 30.0, 10.0, 5.0))
    assert {deed.registers[LED] for deed in deeds} == {0x37}


def test_rollers_turn_on_as_fast_as_they_ejected() -> None:
    deeds = deeds_of("0a82:4600", "Color", 150, (20.0, 30.0, 40.0, 20.0))
    assert [word(deed.registers, FAST_STEP) for deed in deeds if deed.command == AHEAD] == [0x13E]
