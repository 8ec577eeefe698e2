"""Gamma: tables as devices want them, and samples that go through them."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest

from sane.image.gamma import adjusted, apply, resampled, table


def test_tables_of_devices() -> None:
    """Their formulas: plustek 3.11 (cut), pixma EE20 (rounded), genesys 11 (one point more)."""
    for gamma in (0.3, 1.0, 1.8, 2.2, 5.0):
        plustek = [int(255 * (j / 4095) ** (1 / gamma)) for j in range(4096)]
        assert list(table(4096, 255, gamma)) == plustek
        pixma = [int(65535 * (i / 1023) ** (1 / gamma) + 0.5) for i in range(1024)]
        assert list(table(1024, 65535, gamma, is_rounded=True)) == pixma
        genesys = [int(65535 * (i / 257) ** (1 / gamma)) for i in range(257)]
        assert list(table(257, 65535, gamma, last=257)) == genesys
    assert list(table(4, 3, 1.0)) == [0, 1, 2, 3]
    assert list(table(4, 255, 1.0, last=2)) == [0, 127, 255, 255]


@pytest.mark.parametrize(
    ("entries", "most", "gamma", "last"),
    [
        (1, 255, 1.0, 0),
        (256, 0, 1.0, 0),
        (256, 70000, 1.0, 0),
        (256, 255, 0.0, 0),
        (256, 255, -1.0, 0),
        (256, 255, 101.0, 0),
        (256, 255, float("nan"), 0),
        (256, 255, 1.0, -1),
    ],
)
def test_tables_that_cannot_be(entries: int, most: int, gamma: float, last: int) -> None:
    with pytest.raises(ValueError, match="gamma"):
        table(entries, most, gamma, last=last)


@pytest.mark.parametrize(
    ("brightness", "contrast", "expected"),
    [
        (0, 0, [0, 50, 100, 255]),
        (50, 0, [96, 146, 196, 255]),
        (-50, 0, [0, 0, 4, 159]),
        (0, 50, [0, 75, 150, 255]),
        (0, -100, [0, 0, 0, 0]),
        (10, 20, [23, 83, 143, 255]),
    ],
)
def test_brightness_and_contrast(brightness: int, contrast: int, expected: list[int]) -> None:
    found = adjusted([0, 50, 100, 255], 255, brightness=brightness, contrast=contrast)
    assert list(found) == expected


@pytest.mark.parametrize(
    ("most", "brightness", "contrast"), [(0, 0, 0), (255, 101, 0), (255, 0, -101)]
)
def test_adjustments_that_cannot_be(most: int, brightness: int, contrast: int) -> None:
    with pytest.raises(ValueError, match="brightness"):
        adjusted([0], most, brightness=brightness, contrast=contrast)


def test_the_points_of_an_option_become_a_table() -> None:
    points = list(range(256))
    assert list(resampled(points, 256, 255, 255)) == points
    large = resampled(points, 4096, 255, 65535)
    assert (len(large), large[0], large[-1]) == (4096, 0, 65535)
    assert list(large) == sorted(large)
    assert list(resampled(large, 256, 65535, 255)) == points
    assert list(resampled([0, 10], 5, 10, 20)) == [0, 0, 20, 20, 20]


@pytest.mark.parametrize(
    ("values", "entries", "most", "new_most"),
    [
        ([1], 4, 9, 9),
        ([1, 2], 1, 9, 9),
        ([1, 2], 4, 9, 0),
        ([1, 2], 4, 9, 70000),
        ([1, 10], 4, 9, 9),
        ([-1, 2], 4, 9, 9),
        ([0, 0], 4, 0, 9),
    ],
)
def test_points_that_cannot_be(values: list[int], entries: int, most: int, new_most: int) -> None:
    with pytest.raises(ValueError, match="values"):
        resampled(values, entries, most, new_most)


# Samples


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("depth", "bits"), [(8, 8), (8, 4), (8, 1), (16, 16), (16, 12), (16, 8)])
def test_samples_go_through_the_table_of_their_channel(
    depth: int, bits: int, channels: int
) -> None:
    source = random.Random(depth + bits)
    tables = [[source.getrandbits(depth) for _ in range(1 << bits)] for _ in range(channels)]
    values = [source.getrandbits(depth) for _ in range(30)]
    kind: Any = "H" if depth == 16 else "B"
    rows = memoryview(bytearray(array(kind, values).tobytes()))
    apply(rows, tables, depth)
    expected = [tables[i % channels][value >> (depth - bits)] for i, value in enumerate(values)]
    assert list(rows.cast(kind)) == expected


@pytest.mark.parametrize(
    ("size", "tables", "depth", "message"),
    [
        (4, [[0, 1]] * 3, 8, "no whole pixels of 3"),
        (5, [[0, 1]], 16, "no whole pixels of 1"),
        (4, [], 8, "0 tables"),
        (4, [[0, 1]], 12, "samples of 12 bits"),
        (4, [[0, 1, 2]], 8, "a table of 3 entries"),
        (4, [[0]], 8, "a table of 1 entries"),
        (4, [[0] * 512], 8, "a table of 512 entries"),
        (4, [[0, 256]], 8, "values 0 to 256 for 8 bits"),
        (4, [[-1, 2]], 8, "values -1 to 2"),
        (4, [[0, 65536]], 16, "values 0 to 65536 for 16 bits"),
    ],
)
def test_rows_and_tables_that_do_not_fit(size: int, tables: Any, depth: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apply(memoryview(bytearray(size)), tables, depth)
