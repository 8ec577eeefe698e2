"""Line art of gray rows: each row stretched to black and white, and a threshold that may follow it.

Compiled with lineart.pxd, or uncompiled and slow: the same. Source: specification pixma 3.7.
"""

from __future__ import annotations

LEVELS = 256
CURVE_LOW, CURVE_HIGH = 50, 205  # between which a threshold follows its surroundings
MOST_CURVE = 127

_View = memoryview  # aliases, so that the types in lineart.pxd decide when compiled
_Size = int


def stretch_rows(gray: _View, width: _Size) -> None:
    """Spread the samples of each row from 0 to 255, in place.

    gray: (rows * width,) uint8. A row that is all darker than 80 keeps its light end, one that is
    all lighter its dark end. Raises ValueError for parts of a row.
    """
    if width <= 0 or len(gray) % width:
        raise ValueError(f"{len(gray)} samples are no rows of {width}")
    for row in range(len(gray) // width):
        start = row * width
        low, high = 255, 0
        for i in range(start, start + width):
            value = gray[i]
            low = min(low, value)
            high = max(high, value)
        if low > 80:
            low = 0
        if high < 80:
            high = 255
        span = high - low
        if span in {0, 255}:
            continue
        for i in range(start, start + width):
            gray[i] = (gray[i] - low) * 255 // span


def follow_rows(
    gray: _View, bits: _View, width: _Size, window: _Size, first: _Size, levels: _View
) -> None:
    """Write rows as bits, 1 for black: up to the threshold that the mean around a pixel has.

    gray: (rows * width,) uint8. bits: (rows * ceil(width / 8),) uint8, all 0. window: pixels of
    which the mean is, from *first* on. levels: (256,) uint8, the threshold for each mean.
    Raises ValueError when the sizes disagree.
    """
    row_bytes = (width + 7) // 8
    rows = len(gray) // width if width > 0 else 0
    is_wrong = rows * width != len(gray) or rows * row_bytes != len(bits) or len(levels) != 256
    if width <= 0 or is_wrong or window <= 0 or first < 0:
        raise ValueError(f"{len(gray)} samples in rows of {width}, window {window} from {first}")
    half = window // 2
    for row in range(rows):
        start = row * width
        total = 0
        for i in range(first, min(window + 1, width)):
            total += gray[start + i]
        for j in range(width):
            ahead = j + half
            behind = ahead - window
            if behind >= first and ahead < width:
                total += gray[start + ahead]
                value = gray[start + behind]
                total -= min(value, total)
            mean = total // window
            if gray[start + j] <= levels[min(mean, 255)]:
                bits[row * row_bytes + j // 8] |= 128 >> j % 8


class Threshold:
    """Line art at *percent*, with *curve* (0: the same threshold everywhere) at *dpi*."""

    def __init__(self, percent: int, curve: int, dpi: int) -> None:
        self.level = int(2.55 * percent)
        self._curve = curve
        window = 6 * dpi // 150
        self._window = window + 1 - window % 2
        self._first = 1 + self._window // 2 // 8
        self._levels = memoryview(curve_levels(self.level, curve)) if curve else memoryview(b"")

    def bits(self, gray: memoryview, width: int) -> bytearray:
        """Return rows of *width* gray samples as bits; *gray* is changed."""
        from .rows import bits_from_gray

        stretch_rows(gray, width)
        found = bytearray(len(gray) // width * ((width + 7) // 8))
        with memoryview(found) as view:
            if self._curve:
                follow_rows(gray, view, width, self._window, self._first, self._levels)
            else:
                bits_from_gray(gray, view, width, self.level + 1)
        return found


def curve_levels(level: int, curve: int) -> bytes:
    """Return the threshold for each mean: the steeper, the greater *curve* is (1 to 127)."""
    from math import pi, tan

    rise = tan(curve / MOST_CURVE * pi / 2)
    offset = 127.5 - rise * 127.5 + (level - 127) / 127 * 127.5
    return bytes(
        max(CURVE_LOW, min(CURVE_HIGH, int(rise * mean + offset))) for mean in range(LEVELS)
    )
