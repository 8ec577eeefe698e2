"""How units with a lamp are calibrated, and sheet-fed ones emptied: what the original tells them.

The numbers are the registers that the original (1.2.1) writes to the same emulated units.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sane.testing.esci.page import Window
from sane.testing.plustek import USED, Deed, Model, Scanner
from sane.testing.plustek.setup import word
from tests.backends.plustek_samples import cancel, opened, page, set_up
from tests.peers.plustek_units import UNITS

SCAN, AHEAD = 3, 5
CLOCK, DIVIDER, TURBO, LINE_END = 0x08, 0x09, 0x0A, 0x20
LED, FIRST, LAST, FAST_STEP, PAUSE = 0x0D, 0x22, 0x24, 0x48, 0x4E
OFFSETS, GAINS = 0x38, 0x3B
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


def model_of(name: str) -> Model:
    """Return the first unit of the table whose name begins so."""
    return next(model for key, model in UNITS.items() if key.startswith(name))


def scanned(scanner: Scanner, mode: str, dpi: int, area: Area, **options: int) -> bytes:
    """Scan a page from a unit of the table."""
    model = scanner.model
    unit = f"{model.product:04x}"
    with opened(unit, "warmup 0", scanner=scanner, vendor=model.vendor) as (handle, *_):
        set_up(handle, mode, 8, dpi, area, **options)
        _, data = page(handle)
        cancel(handle)
    assert scanner.problems == []
    return data


def deeds_of(name: str, mode: str, dpi: int, area: Area) -> list[Deed]:
    """Scan a page from a unit of the table; return what it was told."""
    scanner = Scanner(model_of(name))
    scanned(scanner, mode, dpi, area)
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


@pytest.mark.parametrize("left", [50.0, 60.0, 100.0, 190.0])
def test_the_first_chip_takes_the_columns_of_the_page_where_three_pixels_make_two(
    left: float,
) -> None:
    """The whole width is measured from an even pixel on, and each column has its own gain."""
    scanner = Scanner(model_of("07b3:0013-0"), USED._replace(noise=0, spread=0.02))
    scanner.page = gray
    data = scanned(scanner, "Color", 400, (left, 50.0, 10.0, 1.0))
    *_, white, sheet = scans(scanner.deeds)
    assert (sheet[1] - white[1]) % 3 == 0
    assert white[1] % 2 == 0
    assert max(data[1::3]) - min(data[1::3]) <= 1


def gray(window: Window) -> Iterator[bytes]:
    """Yield a sheet that is the same all over."""
    for _ in range(window.lines):
        yield bytes((0xE0,)) * (window.width * window.channels)


@pytest.mark.parametrize(
    ("mode", "dpi", "wanted"),
    [
        ("Color", 300, (0x06, 0x18, 0)),
        ("Gray", 100, (0x08, 0x1A, 1)),
        ("Gray", 200, (0x08, 0x18, 1)),
        ("Gray", 400, (0x0A, 0x18, 0)),
        ("Lineart", 100, (0x08, 0x02, 1)),
    ],
)
def test_a_sensor_of_400_dpi_is_clocked_as_one_of_1200(
    mode: str, dpi: int, wanted: tuple[int, ...]
) -> None:
    deeds = deeds_of("07b3:0014-1", mode, dpi, (20.0, 30.0, 10.0, 5.0))
    last = [deed.registers for deed in deeds if deed.command == SCAN][-1]
    assert (last[CLOCK], last[DIVIDER], last[TURBO]) == wanted


def test_what_does_not_fit_into_the_memory_is_measured_in_passes() -> None:
    found = scans(deeds_of("07b3:0013-0", "Color", 600, (50.0, 50.0, 5.0, 2.0)))
    assert [fetched for *_, fetched in found[-9:-1]] == [8 * 30602] * 8


def test_covered_pixels_begin_at_whole_units() -> None:
    found = scans(deeds_of("04a9:2208", "Color", 100, (20.0, 30.0, 10.0, 5.0)))
    assert 12 in [first for _, first, *_ in found]
    assert 14 not in [first for _, first, *_ in found]


@pytest.mark.parametrize(("dpi", "ends"), [(150, {5384}), (200, {7000}), (300, {7000})])
def test_light_is_measured_as_long_as_the_page_is_exposed(dpi: int, ends: set[int]) -> None:
    """Units with motor P2 and a sensor of 600 dpi have a longer line at two resolutions."""
    deeds = deeds_of("0458:2007", "Color", dpi, (20.0, 30.0, 10.0, 5.0))
    assert {word(deed.registers, LINE_END) for deed in deeds if deed.command == SCAN} == ends


def test_a_light_follows_the_lamp() -> None:
    deeds = deeds_of("0458:2007", "Gray", 100, (20.0, 30.0, 10.0, 5.0))
    assert {deed.registers[LED] for deed in deeds} == {0x37}


@pytest.mark.parametrize(
    ("gains", "offsets", "wanted"),
    [
        ((5, -1, -1), (3, 4, -1), "000000 0a0a0a"),
        ((5, 6, 7), (1, 2, 3), "010203 050607"),
        ((-1, 6, 7), (1, 2, 3), "010203 0a0a0a"),
    ],
)
def test_sheets_are_scanned_with_all_three_gains_of_the_options_or_none(
    gains: tuple[int, ...], offsets: tuple[int, ...], wanted: str
) -> None:
    values = zip(("red", "green", "blue"), gains, offsets, strict=True)
    options = {
        f"{color}_{kind}": value
        for color, gain, offset in values
        for kind, value in (("gain", gain), ("offset", offset))
    }
    scanner = Scanner(model_of("0a82:6620"))
    scanned(scanner, "Color", 150, (10.0, 20.0, 10.0, 5.0), **options)
    last = [deed.registers for deed in scanner.deeds if deed.command == SCAN][-1]
    assert f"{last[OFFSETS:GAINS].hex()} {last[GAINS : GAINS + 3].hex()}" == wanted


@pytest.mark.parametrize(
    ("dpi", "left", "first"), [(150, 90.0, 2148), (200, 88.64, 2112), (300, 91.1, 2172)]
)
def test_sheets_begin_at_whole_pixels(dpi: int, left: float, first: int) -> None:
    deeds = deeds_of("0a82:4600", "Color", dpi, (left, 20.0, 10.0, 5.0))
    assert [word(deed.registers, FIRST) for deed in deeds if deed.command == SCAN] == [first]


def test_rollers_turn_on_as_fast_as_they_ejected() -> None:
    deeds = deeds_of("0a82:4600", "Color", 150, (20.0, 30.0, 40.0, 20.0))
    assert [word(deed.registers, FAST_STEP) for deed in deeds if deed.command == AHEAD] == [0x13E]
