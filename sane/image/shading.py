"""Shading: an offset and a gain for each sensor pixel, from lines of dark and of white.

Corrected, a sample v of 16 bits is min(65535, max(0, v - offset) * gain >> bits), as the chips of
register scanners do it themselves. Tables are uint16, in the order of the samples of a row: with
three channels red, green, blue of the first pixel, then those of the second. Compiled with
shading.pxd, or uncompiled and slow: the same.

Source: specifications plustek 2 and 3.9, genesys 2.5 and 8.3.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, insort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Table = Sequence[int]

MOST = 65535
BITS = 14  # behind the point of a gain: 16384 is 1.0

_View = memoryview  # aliases, so that the types in shading.pxd decide when compiled
_Size = int
_Table = memoryview
_List = list  # Cython takes an item of list[int] for an int, also where it is a slice


class Limits:
    """What is dust or a dead pixel: it differs too much from its neighbours of the same colour.

    reach: how many neighbours on either side count. percent: by how much of their median contrast
    (white less dark) a pixel's contrast, or its dark, may differ from their median.
    """

    __slots__ = ("percent", "reach")

    def __init__(self, reach: int = 8, percent: int = 25) -> None:
        if reach < 1 or percent < 1:
            raise ValueError(f"limits of {percent} % among {reach} neighbours")
        self.reach = reach
        self.percent = percent


class Shading:
    """Tables of a row, of whole pixels. repaired: the samples that took their neighbours' values.

    Raises ValueError for tables that do not fit together.
    """

    __slots__ = ("bits", "channels", "gains", "offsets", "repaired")

    def __init__(
        self,
        offsets: Table,
        gains: Table,
        channels: int = 1,
        bits: int = BITS,
        repaired: Sequence[int] = (),
    ) -> None:
        if len(offsets) != len(gains) or not offsets or channels < 1 or len(gains) % channels:
            raise ValueError(f"{len(offsets)} offsets, {len(gains)} gains in {channels} channels")
        if not 0 <= bits <= 16:
            raise ValueError(f"gains with {bits} bits behind the point")
        self.offsets, self.gains = array("H", offsets), array("H", gains)
        self.channels = channels
        self.bits = bits
        self.repaired = tuple(repaired)

    def part(self, left: int, width_px: int) -> Shading:
        """Return the tables of *width_px* pixels from pixel *left* on; raises ValueError."""
        n = self.channels
        first, last = left * n, (left + width_px) * n
        if left < 0 or width_px < 1 or last > len(self.gains):
            raise ValueError(f"pixels {left} to {left + width_px} of {len(self.gains) // n}")
        repaired = [i - first for i in self.repaired if first <= i < last]
        return Shading(self.offsets[first:last], self.gains[first:last], n, self.bits, repaired)

    def apply(self, rows: memoryview, depth: int = 16) -> None:
        """Correct whole rows in place: uint8, of samples of 8 or of native samples of 16 bits.

        A sample of 8 bits counts as 257 times as much, and gets the high byte of the result.
        Raises ValueError for a part of a row.
        """
        if depth not in (8, 16) or len(rows) % (len(self.gains) * depth // 8):
            text = f"{len(rows)} bytes of samples of {depth} bits"
            raise ValueError(f"{text} are no whole rows of {len(self.gains)}")
        samples = rows.cast("B").cast("H") if depth == 16 else rows
        if depth == 16:
            correct_words(samples, memoryview(self.offsets), memoryview(self.gains), self.bits)
        else:
            correct_bytes(samples, memoryview(self.offsets), memoryview(self.gains), self.bits)


def measured(
    dark: Table,
    white: Table,
    count: int = 1,
    *,
    channels: int = 1,
    target: float = MOST,
    bits: int = BITS,
    limits: Limits | None = None,
) -> Shading:
    """Return what makes *white* the value *target*, and *dark* 0.

    dark, white: a value for each sample of a row, of one line (medians()) or of *count* lines
    together (sums()). The offset is dark / count and the gain target * 2^bits * count / (white -
    dark), both cut to whole numbers and to 0..65535; where white is not above dark, the gain is
    1.0. limits: samples beyond them take their neighbours' medians; without, dust in the white
    becomes a bright stripe. Raises ValueError when the sizes disagree.
    """
    if len(dark) != len(white) or not len(dark) or channels < 1 or len(dark) % channels:
        raise ValueError(f"{len(dark)} samples of dark, {len(white)} of white, {channels} channels")
    if count < 1 or not 0 < target <= MOST * 2 or not 0 <= bits <= 16:
        raise ValueError(f"{count} lines, target {target}, {bits} bits")
    darks = list(dark)
    spans = [light - black for light, black in zip(white, dark, strict=True)]
    repaired: set[int] = set()
    if limits is not None:
        for channel in range(channels):
            repaired |= _repair(darks, spans, slice(channel, None, channels), limits)
    unity = 1 << bits
    offsets = [min(MOST, max(0, value // count)) for value in darks]
    gains = [min(MOST, int(target * unity * count / span) if span > 0 else unity) for span in spans]
    return Shading(offsets, gains, channels, bits, sorted(repaired))


def _repair(darks: _List[int], spans: _List[int], mine: slice, limits: Limits) -> set[int]:
    """Put medians where samples are beyond the limits; return which those are."""
    found = set()
    usual_span = _medians_around(spans[mine], limits.reach)
    usual_dark = _medians_around(darks[mine], limits.reach)
    for i, span, dark in zip(range(len(spans))[mine], usual_span, usual_dark, strict=True):
        most = limits.percent * span
        if 100 * abs(spans[i] - span) > most or 100 * abs(darks[i] - dark) > most:
            spans[i], darks[i] = span, dark
            found.add(i)
    return found


def _medians_around(values: _List[int], reach: int) -> _List[int]:
    """Return the median of each value and its up to *reach* neighbours on either side."""
    window = sorted(values[:reach])
    found = []
    for i in range(len(values)):
        if i + reach < len(values):
            insort(window, values[i + reach])
        if i > reach:
            del window[bisect_left(window, values[i - reach - 1])]
        found.append(window[len(window) // 2])
    return found


# Lines of calibration


def sums(lines: memoryview, samples: int) -> array[int]:
    """Return the sum of each sample over all lines; see measured().

    lines: uint8, whole lines of *samples* native samples of 16 bits. Raises ValueError for none,
    and for a part of one.
    """
    words = _words(lines, samples)
    found = array("Q", bytes(8 * samples))
    add_words(words, memoryview(found))
    return found


def medians(lines: memoryview, samples: int) -> array[int]:
    """Return the median of each sample over all lines, which dust that moved on does not change.

    Of an even number of lines it is the upper one of both in the middle. lines: as for sums().
    """
    words = _words(lines, samples).tolist()
    middle = len(words) // samples // 2
    return array("H", [sorted(words[i::samples])[middle] for i in range(samples)])


def trimmed(lines: memoryview, samples: int, drop: int) -> array[int]:
    """Return the sum of each sample over all lines but the *drop* lightest and darkest.

    lines: as for sums(). Raises ValueError where nothing would be left.
    """
    words = _words(lines, samples).tolist()
    count = len(words) // samples
    if drop < 0 or count <= 2 * drop:
        raise ValueError(f"{count} lines less 2 times {drop}")
    return array("Q", [sum(sorted(words[i::samples])[drop : count - drop]) for i in range(samples)])


def _words(lines: memoryview, samples: int) -> memoryview:
    if samples < 1 or not len(lines) or len(lines) % (2 * samples):
        raise ValueError(f"{len(lines)} bytes are no whole lines of {samples} samples")
    return lines.cast("B").cast("H")


def packed(table: array[int], byteorder: str) -> bytes:
    """Return a table of uint16 as bytes, "little" or "big" end first, as a chip wants it."""
    if byteorder not in ("little", "big"):
        raise ValueError(f"byte order {byteorder!r}")
    words = array("H", table)
    if byteorder != sys.byteorder:
        words.byteswap()
    return words.tobytes()


# Kernels


def add_words(words: _View, sums: _Table) -> None:
    """Add lines of samples to *sums*; words: (n * len(sums),) uint16. sums: uint64."""
    n = len(sums)
    for start in range(0, len(words) - n + 1, n):
        for i in range(n):
            sums[i] += words[start + i]


def correct_words(words: _View, offsets: _Table, gains: _Table, bits: _Size) -> None:
    """Correct samples of 16 bits in place; words: (n * len(gains),) uint16."""
    n = len(gains)
    for start in range(0, len(words) - n + 1, n):
        for i in range(n):
            value = words[start + i]
            value = value - offsets[i] if value > offsets[i] else 0
            value = value * gains[i] >> bits
            words[start + i] = value if value < 65535 else 65535


def correct_bytes(samples: _View, offsets: _Table, gains: _Table, bits: _Size) -> None:
    """Correct samples of 8 bits in place; samples: (n * len(gains),) uint8."""
    n = len(gains)
    for start in range(0, len(samples) - n + 1, n):
        for i in range(n):
            value = samples[start + i] * 257
            value = value - offsets[i] if value > offsets[i] else 0
            value = value * gains[i] >> bits
            samples[start + i] = (value if value < 65535 else 65535) >> 8
