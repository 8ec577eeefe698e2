"""plustek without a scanner: registers, sizes, tables, searches, configuration, buttons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sane import errors
from sane.backends.plustek import ccd, cis, models, plan, registers, tables
from sane.backends.plustek.buttons import pressed
from sane.backends.plustek.picture import columns_of
from sane.backends.plustek.settings import KEYS, Section, Settings, read_sections
from sane.config import Line
from sane.usb.registers import BulkPort, Registers
from tests import ROOT
from tests.backends.plustek_samples import VECTORS, request_of, unit_of, values
from tests.fakes.usb import FakeLink, fake_usb

CALIBRATED = {
    *range(0x29, 0x43),
    0x45,
    0x58,
    0x59,
    0x5A,
    0x5B,
}  # what a scan finds, or is told later


def vectors() -> Iterator[tuple[list[str], bytes]]:
    """Yield requests and registers that the original sent."""
    lines = [line for line in VECTORS.read_text().splitlines() if line[0] != "#"]
    for start in range(0, len(lines), 5):
        yield lines[start].split(), bytes.fromhex(" ".join(lines[start + 1 : start + 5]))


def chip_registers() -> Registers:
    return Registers(BulkPort(fake_usb(FakeLink())), 0x80)


@pytest.mark.parametrize(("words", "wanted"), list(vectors()))
def test_registers_of_a_page_are_the_originals(words: list[str], wanted: bytes) -> None:
    ids, mode, depth, dpi, *rest = words
    area, sizes = tuple(map(float, rest[:4])), list(map(int, rest[4:]))
    request = request_of(unit_of(ids), mode, int(depth), int(dpi), area)
    scan = plan.page_scan(request, Settings())
    told = chip_registers()
    registers.fill(told, scan)
    given = told.held(8, len(wanted))
    wrong = [
        f"{i:02x}: {given[i - 8]:02x}, not {wanted[i - 8]:02x}"
        for i in range(8, 8 + len(wanted))
        if given[i - 8] != wanted[i - 8] and i not in CALIBRATED
    ]
    assert wrong == []
    size = scan.line_bytes * scan.total_lines
    assert [*request.size(), size, 2 * scan.pixels] == sizes


def test_registers_of_the_lamp_search_are_the_originals() -> None:
    page = plan.page_scan(request_of(unit_of("04a9:220d"), "Color", 8, 300), Settings())
    page.clock = registers.clock_of(page)
    told = chip_registers()
    registers.fill(told, plan.line_scan(page))
    assert told.held(0x08, 2).hex() == "0a20"
    assert told.held(0x20, 7).hex() == "17ba004a143615"
    assert told.held(0x46, 14).hex() == "08ef012d000000000d0100fc4200"
    registers.fill(told, plan.fine_scan(page, 32))
    assert told.held(0x22, 4).hex() == "022407ac"
    assert told.held(0x4E, 6).hex() == "400100fc4200"


def test_all_units_are_there_and_scan_something() -> None:
    assert len(models.ALL) == 49
    for unit in models.ALL:
        for mode in ("Color", "Gray", "Lineart"):
            depth = 14 if unit.sends_14_bits and mode != "Lineart" else 8
            scan = plan.page_scan(request_of(unit, mode, depth, 300, (0, 0, 50, 50)), Settings())
            told = chip_registers()
            registers.fill(told, scan)
            assert 0 < scan.start < scan.end <= told[registers.LINE_END], unit.model
            assert told[registers.STEP] >= 2


@pytest.mark.parametrize(
    ("quotient", "wanted"),
    [(0.5, (1, 0)), (1.49, (1, 0)), (1.5, (1.5, 1)), (2.99, (2, 2)), (7.9, (6, 5)), (24, (12, 7))],
)
def test_the_divider_is_the_largest_that_the_resolution_allows(
    quotient: float, wanted: tuple[float, int]
) -> None:
    assert plan.divider_of(quotient) == wanted


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0.01, 10)])
def test_an_area_of_nothing_is_refused(size: tuple[float, float]) -> None:
    request = request_of(unit_of("04a9:220d"), "Color", 8, 75, (10, 10, *size))
    with pytest.raises(errors.Invalid, match="nothing to scan"):
        plan.page_scan(request, Settings())


def test_corners_in_the_wrong_order_are_exchanged() -> None:
    request = request_of(unit_of("04a9:220d"), "Gray", 8, 300, (80, 60, -60, -30))
    assert request.size() == (708, 354)


def test_origins_of_the_configuration_are_subtracted() -> None:
    request = request_of(unit_of("04a9:220d"), "Color", 8, 300)
    moved = plan.page_scan(request, values("posOffX 10", "posOffY 20"))
    plain = plan.page_scan(request, Settings())
    assert (plain.start - moved.start, plain.steps - moved.steps) == (20, 80)


def test_columns_of_another_resolution_are_those_of_the_original() -> None:
    request = request_of(unit_of("04a9:220d"), "Color", 8, 1000, (20, 30, 10, 10))
    scan = plan.page_scan(request, Settings())
    columns = columns_of(request, scan, 393)
    assert columns is not None
    assert (scan.pixels, scan.sent, len(columns)) == (235, 236, 393)
    assert columns[:6] == [0, 0, 1, 1, 2, 3]
    assert columns[-1] == 234  # the original shows the pixel that fills the line up, in black


# Tables


def test_gamma_tables_are_cut_to_whole_numbers() -> None:
    curve = tables.curve(2.0)
    assert (curve[0], curve[1], curve[1024], curve[4095]) == (0, 3, 127, 255)


@pytest.mark.parametrize(
    ("brightness", "black"), [(0, 2048), (50, 1024), (100, 0), (-100, 4096), (10, 1844)]
)
def test_line_art_is_a_threshold_in_the_table(brightness: int, black: int) -> None:
    (table, _, _) = tables.page_tables("Lineart", [], brightness, 0)
    assert table == b"\xff" * black + b"\x00" * (4096 - black)


def test_contrast_works_without_brightness() -> None:
    (table, _, _) = tables.page_tables("Gray", [tables.curve(1.0)], 0, 100)
    assert table[2000] == min(255, 2 * tables.curve(1.0)[2000])
    (inverted, _, _) = tables.page_tables("Gray", [tables.curve(1.0)], 0, 0, is_negative=True)
    assert (inverted[0], inverted[4095]) == (255, 0)


def test_tables_go_where_the_chip_looks_for_them() -> None:
    color = plan.page_scan(request_of(unit_of("04a9:220d"), "Color", 8, 300), Settings())
    gray = plan.page_scan(request_of(unit_of("04a9:220d"), "Gray", 8, 300), Settings())
    umax = plan.page_scan(request_of(unit_of("1606:0060"), "Color", 8, 300), Settings())
    assert [tables.places(scan) for scan in (color, gray, umax)] == [[0, 4, 8], [8], [8, 4, 0]]


def test_the_same_scanner_under_another_name_has_no_film_unit() -> None:
    """The original never offers films on the S4-100, not even with enableTPA."""
    assert unit_of("1606:0060").films
    assert not unit_of("049f:001a").films
    assert not unit_of("049f:001a").has_film_unit


# Searches


def test_the_lamps_time_is_found_as_by_the_original() -> None:
    search = cis.Bisection(23, 0x3FFF, 3800)
    seen = []
    for light in (65535, 65535, 32918, 49298, 57487):
        assert not cis.adjust_time(search, light)
        seen.append(search.value)
    assert seen == [1911, 967, 1439, 1675, 1675]
    assert search.is_done


def test_the_lamps_time_ends_at_its_limit() -> None:
    search = cis.Bisection(23, 0x3FFF, 3800)
    for _ in range(20):
        cis.adjust_time(search, 100)
    assert search.value <= 0x3FFF
    assert search.is_done


def test_a_search_divides_towards_zero_as_c_does() -> None:
    search = cis.Bisection(-32, 31, -5)
    search.down()
    assert search.value == -18
    search.low = -32
    search.value = -1
    search.up()
    assert search.value == cis.cut_half(-1 - 5)


@pytest.mark.parametrize(
    ("value", "code"), [(61440, 1), (20000, 33), (30000, 17), (65535, 0), (1, 63), (0, 63)]
)
def test_the_gain_of_a_lamp_sensor(value: int, code: int) -> None:
    assert ccd.gain_for(value, ccd.TARGET, 1) == code


@pytest.mark.parametrize(("value", "code"), [(0, 0), (30, 30), (-16, 48), (-31, 63)])
def test_offsets_below_zero_have_the_sixth_bit(value: int, code: int) -> None:
    assert ccd.offset_code(value) == code


# Configuration


def sections_of(text: str) -> tuple[list[Section], list[str]]:
    complaints: list[str] = []
    lines = [Line("f", n, line) for n, line in enumerate(text.splitlines(), 1)]
    wanted = [line for line in lines if not (line.is_blank or line.is_comment)]
    return read_sections(wanted, complaints), complaints


def test_the_shipped_configuration_is_understood() -> None:
    text = (ROOT / "etc" / "plustek.conf").read_text()
    found, complaints = sections_of(text)
    assert complaints == []
    (section,) = found
    assert (section.device, section.ids) == ("auto", None)
    assert section.settings.number("lampOff") == 300
    commented = {line[1:].split()[1] for line in text.splitlines() if line.startswith("#option")}
    assert commented | {"warmup", "lampOff", "lOffOnEnd"} == set(KEYS)
    every, complaints = sections_of(text.replace("#option", "option"))
    assert complaints == []
    assert vars(every[0].settings) == vars(section.settings)


def test_sections_are_for_ids_and_options_belong_to_them() -> None:
    found, complaints = sections_of(
        "option warmup 3\n[usb] 0x04a9 8717\noption posOffX -7\noption incDarkTarget\n"
        "device auto\n[usb]\noption lampOff what\noption nonsense 1\ndevice libusb:001:002\n[usb]\n"
        "surplus\n"
    )
    first, second = found
    assert first.ids == (0x04A9, 0x220D)
    assert [first.settings.number(key) for key in ("warmup", "posOffX", "incDarkTarget")] == [
        *(-1, -7, 0)
    ]
    assert (second.ids, second.device) == (None, "libusb:001:002")
    assert second.settings.number("lampOff") == 0
    assert len(complaints) == 3


@pytest.mark.parametrize("line", ["[usb] 0x04a9", "[usb] 0x104a9 1", "[usb] what 1"])
def test_ids_that_are_none_are_refused(line: str) -> None:
    assert len(sections_of(f"{line}\ndevice auto")[1]) == 1


@pytest.mark.parametrize(
    ("word", "gamma"), [("1.0", 2.0), ("1", 2.0), ("1.8", 1.8), ("99", 5.0), ("nan", 0.1)]
)
def test_a_gamma_of_one_is_the_units_own(word: str, gamma: float) -> None:
    found = Settings()
    try:
        found.take(["grayGamma", word], "here")
    except errors.Invalid:
        assert word == "nan"
    assert found.gamma("gray", 2.0) == gamma


# Buttons


@pytest.mark.parametrize(
    ("ids", "status", "wanted"),
    [
        ("04a9:220d", 0x04, {0}),
        ("04a9:220d", 0x18, {1, 2}),
        ("04a9:2206", 0x1C, {0}),
        ("04b8:010f", 0x40, {3}),
        ("0458:2007", 0x04, {1}),
        ("07b3:0013", 0x20, {0}),
    ],
)
def test_buttons_are_lines_of_the_chip(ids: str, status: int, wanted: set[int]) -> None:
    unit = unit_of(ids)
    assert pressed(unit, unit.hardware.pins, status) == wanted
