"""Shading: tables from dark and white lines, dust and dead pixels, samples corrected bit by bit."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.image.shading import Limits, Shading, measured, medians, packed, sums, trimmed

WORDS = st.integers(0, 65535)


def view(values: Any) -> memoryview:
    return memoryview(bytearray(array("H", values).tobytes()))


def corrected(shading: Shading, values: list[int], depth: int = 16) -> list[int]:
    rows = view(values) if depth == 16 else memoryview(bytearray(values))
    shading.apply(rows, depth)
    return list(rows.cast("H") if depth == 16 else rows)


# Tables


@pytest.mark.parametrize(
    ("dark", "white", "form", "offset", "gain"),
    [
        # plustek 3.9: multiplier word = int(65535 * 16384 * 32 / sum), offsets are in the chip.
        (0, 32 * 30000, {"count": 32}, 0, 65535 * 16384 // 30000),
        (0, 32 * 30000 + 17, {"count": 32}, 0, 65535 * 16384 * 32 // (32 * 30000 + 17)),
        (0, 32 * 3000, {"count": 32}, 0, 65535),
        (0, 32 * 30000, {"count": 32, "target": 65535 * 1000 / 952}, 0, 37595),  # class cisB
        (32 * 1000 + 31, 32 * 31000 + 31, {"count": 32}, 1000, 65535 * 16384 // 30000),
        # genesys 8.3: F * target div (white - dark), F = 2000h, target dc00h; white = dark: F.
        (300, 45000, {"bits": 13, "target": 0xDC00}, 300, 0x2000 * 0xDC00 // 44700),
        (300, 300, {"bits": 13, "target": 0xDC00}, 300, 0x2000),
        (400, 300, {}, 400, 1 << 14),
        (-5, 65535, {}, 0, 65535 * 16384 // 65540),
        (70000, 80000, {}, 65535, 65535),
    ],
)
def test_tables_are_what_the_chips_want(
    dark: int, white: int, form: dict[str, Any], offset: int, gain: int
) -> None:
    shading = measured([dark], [white], **form)
    assert (list(shading.offsets), list(shading.gains)) == ([offset], [gain])
    assert shading.repaired == ()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(20000, 65535)), min_size=1))
def test_dark_becomes_0_and_white_the_target(pixels: list[tuple[int, int]]) -> None:
    dark, white = [pixel[0] for pixel in pixels], [pixel[1] for pixel in pixels]
    shading = measured(dark, white, target=60000)
    assert set(corrected(shading, dark)) == {0}
    for value in corrected(shading, white):
        assert 59990 <= value <= 60000


@pytest.mark.parametrize("channels", [1, 3])
def test_dust_and_dead_pixels_take_their_neighbours_values(channels: int) -> None:
    width = 50
    levels = [40000 + 100 * x + 3000 * c for x in range(width) for c in range(channels)]
    dark = [500 + 10 * c for _ in range(width) for c in range(channels)]
    dirty, hot = list(levels), list(dark)
    dirty[0], dirty[20 * channels], dirty[-1] = 9000, 600, 600
    hot[30 * channels + channels - 1] = 39000
    hidden = measured(hot, dirty, channels=channels)
    assert max(hidden.gains) == 65535
    shading = measured(hot, dirty, channels=channels, limits=Limits())
    expected = measured(dark, levels, channels=channels)
    assert shading.repaired == tuple(
        sorted({0, 20 * channels, 30 * channels + channels - 1, len(dirty) - 1})
    )
    for i in range(len(levels)):
        assert abs(shading.offsets[i] - expected.offsets[i]) <= 1
        assert abs(shading.gains[i] - expected.gains[i]) < 600
        if i not in shading.repaired:
            assert shading.gains[i] == expected.gains[i]


def test_limits_leave_slow_changes_alone() -> None:
    white = [60000 - 300 * abs(x - 50) for x in range(100)]
    assert measured([0] * 100, white, limits=Limits(percent=10)).repaired == ()


def test_a_row_that_is_all_dark_has_gains_of_1() -> None:
    shading = measured([700] * 9, [700] * 9, limits=Limits())
    assert set(shading.gains) == {1 << 14}


def test_the_medians_do_not_depend_on_how_they_are_found() -> None:
    source = random.Random(2)
    for count in (1, 5, 9, 60):
        white = [source.randint(30000, 50000) for _ in range(count)]
        shading = measured([0] * count, white, limits=Limits(4, 5))
        for i in range(count):
            around = sorted(white[max(0, i - 4) : i + 5])
            usual = around[len(around) // 2]
            is_dust = 100 * abs(white[i] - usual) > 5 * usual
            assert (i in shading.repaired) is is_dust
            span = usual if is_dust else white[i]
            assert shading.gains[i] == int(65535 * 16384 / span)


# Lines


def test_lines_become_sums_and_medians() -> None:
    lines = [[1, 10, 65535], [3, 30, 65535], [2, 65535, 0], [9, 0, 0]]
    data = view([value for line in lines for value in line])
    assert list(sums(data, 3)) == [15, 65575, 131070]
    assert list(medians(data, 3)) == [3, 30, 65535]
    assert list(medians(data[:18], 3)) == [2, 30, 65535]


@pytest.mark.parametrize("function", [sums, medians])
@pytest.mark.parametrize(("size", "samples"), [(0, 3), (5, 3), (8, 3), (6, 0), (6, -1)])
def test_lines_that_are_not_whole(function: Any, size: int, samples: int) -> None:
    with pytest.raises(ValueError, match="no whole lines"):
        function(memoryview(bytes(size)), samples)


def test_many_lines_do_not_overflow() -> None:
    assert list(sums(view([65535] * 70000), 1)) == [65535 * 70000]


# Samples


@settings(max_examples=100)
@given(
    st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4),
    st.lists(WORDS, min_size=12, max_size=12),
    st.integers(0, 16),
)
def test_samples_are_corrected_bit_by_bit(
    tables: list[tuple[int, int]], values: list[int], bits: int
) -> None:
    shading = Shading([one for one, _ in tables], [two for _, two in tables], bits=bits)

    def due(i: int, value: int) -> int:
        offset, gain = tables[i % len(tables)]
        return min(65535, max(0, value - offset) * gain >> bits)

    assert corrected(shading, values) == [due(i, value) for i, value in enumerate(values)]
    small = [value >> 8 for value in values]
    expected = [due(i, value * 257) >> 8 for i, value in enumerate(small)]
    assert corrected(shading, small, 8) == expected


def test_a_part_of_the_tables() -> None:
    whole = Shading(range(12), range(100, 112), 3, repaired=(0, 3, 8, 11))
    part = whole.part(1, 2)
    assert (list(part.offsets), list(part.gains)) == ([*range(3, 9)], [*range(103, 109)])
    assert (part.channels, part.bits, part.repaired) == (3, 14, (0, 5))


@pytest.mark.parametrize("pixels", [(-1, 2), (0, 0), (3, 2), (0, 5)])
def test_a_part_that_is_not_there(pixels: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="of 4"):
        Shading(range(12), range(12), 3).part(*pixels)


@pytest.mark.parametrize(("count", "depth"), [(7, 16), (2, 16), (7, 8), (6, 12)])
def test_rows_that_are_not_whole(count: int, depth: int) -> None:
    shading = Shading([0] * 3, [1] * 3)
    rows = memoryview(bytearray(count * (2 if depth == 16 else 1)))
    with pytest.raises(ValueError, match="no whole rows of 3"):
        shading.apply(rows, depth)


def test_tables_as_bytes() -> None:
    table = array("H", [0x0102, 0xFF00])
    assert packed(table, "big") == b"\x01\x02\xff\x00"
    assert packed(table, "little") == b"\x02\x01\x00\xff"
    assert list(table) == [0x0102, 0xFF00]
    with pytest.raises(ValueError, match="byte order"):
        packed(table, "middle")


# What cannot be


@pytest.mark.parametrize(
    ("offsets", "gains", "form"),
    [([1], [1, 2], {}), ([], [], {}), ([1, 2], [1, 2], {"channels": 3}), ([1], [1], {"bits": 17})],
)
def test_tables_that_cannot_be(offsets: Any, gains: Any, form: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gains"):
        Shading(offsets, gains, **form)


@pytest.mark.parametrize(
    ("dark", "white", "form"),
    [
        ([1], [1, 2], {}),
        ([], [], {}),
        ([1, 2], [1, 2], {"channels": 3}),
        ([1, 2], [1, 2], {"channels": 0}),
        ([1], [2], {"count": 0}),
        ([1], [2], {"target": 0}),
        ([1], [2], {"target": 1 << 18}),
        ([1], [2], {"bits": -1}),
    ],
)
def test_measurements_that_cannot_be(dark: Any, white: Any, form: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"samples of dark|lines, target"):
        measured(dark, white, **form)


@pytest.mark.parametrize(("reach", "percent"), [(0, 20), (3, 0), (-1, 20)])
def test_limits_that_cannot_be(reach: int, percent: int) -> None:
    with pytest.raises(ValueError, match="limits of"):
        Limits(reach, percent)


def test_the_lightest_and_the_darkest_lines_are_left_out() -> None:
    lines = array("H", [7, 100, 9, 50, 8, 65535, 0, 60, 65535, 70])
    with memoryview(lines).cast("B") as view:
        assert list(trimmed(view, 2, 1)) == [7 + 9 + 8, 100 + 60 + 70]
        assert trimmed(view, 2, 0) == sums(view, 2)
        with pytest.raises(ValueError, match="5 lines less 2 times 3"):
            trimmed(view, 2, 3)
