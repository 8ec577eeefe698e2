"""Line art of gray rows, and means of samples, against slow copies of their definition."""

from __future__ import annotations

import random
from array import array
from math import pi, tan
from typing import Any

import pytest

from sane.image.lineart import Threshold, follow_rows, stretch_rows
from sane.image.scaling import mean_rows


def stretched(row: list[int]) -> list[int]:
    low, high = min(row), max(row)
    low = 0 if low > 80 else low
    high = 255 if high < 80 else high
    return row if high == low else [(g - low) * 255 // (high - low) for g in row]


def black(row: list[int], percent: int, curve: int, dpi: int) -> list[bool]:
    """Return which pixels of a row are black. Source: specification pixma 3.7."""
    row, level = stretched(row), int(2.55 * percent)
    if not curve:
        return [g <= level for g in row]
    r = tan(curve / 127 * pi / 2)
    v = 127.5 - r * 127.5 + (level - 127) / 127 * 127.5
    lut = [max(50, min(205, int(r * i + v))) for i in range(256)]
    n = 6 * dpi // 150
    n += 1 - n % 2
    o = 1 + n // 2 // 8
    total = sum(row[o : n + 1])
    found = []
    for j, g in enumerate(row):
        a = j + n // 2
        b = a - n
        if b >= o and a < len(row):
            total += row[a]
            total -= min(total, row[b])
        found.append(g <= lut[min(255, total // n)])
    return found


def packed(row: list[bool]) -> bytes:
    row = row + [False] * (-len(row) % 8)
    return bytes(sum(128 >> k for k in range(8) if row[at + k]) for at in range(0, len(row), 8))


@pytest.mark.parametrize("dpi", [75, 150, 300])
@pytest.mark.parametrize("curve", [0, 1, 60, 127])
@pytest.mark.parametrize("percent", [0, 50, 100])
def test_line_art_is_as_defined(percent: int, curve: int, dpi: int) -> None:
    source = random.Random(curve)
    width = 83
    spans = ((0, 255), (90, 200), (10, 70), (80, 80), (0, 0), (255, 255), (79, 81))
    rows = [[source.randint(*span) for _ in range(width)] for span in spans]
    gray = memoryview(bytearray(value for row in rows for value in row))
    wanted = b"".join(packed(black(row, percent, curve, dpi)) for row in rows)
    assert bytes(Threshold(percent, curve, dpi).bits(gray, width)) == wanted


def test_a_row_narrower_than_its_window() -> None:
    gray = memoryview(bytearray(range(0, 160, 20)))
    wanted = packed(black(list(gray), 50, 40, 600))
    assert bytes(Threshold(50, 40, 600).bits(gray, 8)) == wanted


def test_parts_of_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows of 4"):
        stretch_rows(memoryview(bytearray(7)), 4)
    view = memoryview(bytearray(8))
    for bits, width, levels in ((2, 4, 255), (1, 4, 256), (2, 0, 256), (2, 3, 256)):
        with pytest.raises(ValueError, match="samples in rows"):
            follow_rows(view, memoryview(bytearray(bits)), width, 3, 1, memoryview(bytes(levels)))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("scale", "channels"), [(1, 1), (2, 3), (4, 1), (4, 3)])
def test_means_are_rounded_down(scale: int, channels: int, depth: int) -> None:
    kind: Any = "H" if depth == 16 else "B"
    source, width, rows = random.Random(scale), 5, 3
    wide = width * scale
    samples = [source.randint(0, (1 << depth) - 1) for _ in range(wide * rows * scale * channels)]
    out = memoryview(bytearray(width * rows * channels * depth // 8))
    mean_rows(memoryview(array(kind, samples).tobytes()), out, width, channels, scale, depth)
    wanted = [
        sum(
            samples[((y * scale + i) * wide + x * scale + j) * channels + k]
            for i in range(scale)
            for j in range(scale)
        )
        // scale**2
        for y in range(rows)
        for x in range(width)
        for k in range(channels)
    ]
    assert list(out.cast(kind)) == wanted


def test_means_of_what_does_not_fit_are_refused() -> None:
    for size, out, width, scale in ((15, 4, 2, 2), (16, 3, 2, 2), (0, 0, 0, 2), (0, 0, 2, 0)):
        for depth in (8, 16):
            src, dst = memoryview(bytes(2 * size)), memoryview(bytearray(2 * out))
            view = (src, dst) if depth == 16 else (src[:size], dst[:out])
            if width and scale and not size:
                continue
            with pytest.raises(ValueError, match="no means"):
                mean_rows(*view, width, 1, scale, depth)
