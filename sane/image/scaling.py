"""Rows of another resolution: the nearest pixel for line art, a mean or a mixture otherwise.

Smaller pictures are made by the mean over what a new pixel covers (box), larger ones by mixing
neighbours (linear). Compiled with scaling.pxd, or uncompiled and slow: the same.
"""

from __future__ import annotations

from array import array

from .rows import gather_bits

WHOLE = 1 << 16  # all weights of a sample together

_View = memoryview  # aliases, so that the types in scaling.pxd decide when compiled
_Size = int
_Table = memoryview


def mix_columns(
    src: _View, dst: _View, channels: _Size, firsts: _Table, ends: _Table, weights: _Table
) -> None:
    """Write the pixels of one row, each a weighted sum of neighbours in *src*.

    src, dst: uint8 or native uint16 samples. firsts: int32, the first pixel that each pixel is
    made of. ends: int32, one more than pixels; weights[ends[x]:ends[x + 1]], uint32, are those of
    pixel x.
    """
    for x in range(len(firsts)):
        for channel in range(channels):
            total = 32768
            at = firsts[x] * channels + channel
            for k in range(ends[x], ends[x + 1]):
                total += weights[k] * src[at]
                at += channels
            dst[x * channels + channel] = total >> 16


def mix_column_words(
    src: _View, dst: _View, channels: _Size, firsts: _Table, ends: _Table, weights: _Table
) -> None:
    """Do it with samples of 16 bits."""
    for x in range(len(firsts)):
        for channel in range(channels):
            total = 32768
            at = firsts[x] * channels + channel
            for k in range(ends[x], ends[x + 1]):
                total += weights[k] * src[at]
                at += channels
            dst[x * channels + channel] = total >> 16


def mix_rows(src: _View, dst: _View, weights: _Table) -> None:
    """Write a row that is the weighted sum of the rows in *src*: uint8."""
    n = len(dst)
    if len(src) != n * len(weights):
        raise ValueError(f"{len(src)} samples are no {len(weights)} rows of {n}")
    for i in range(n):
        total = 32768
        for k in range(len(weights)):
            total += weights[k] * src[k * n + i]
        dst[i] = total >> 16


def mix_row_words(src: _View, dst: _View, weights: _Table) -> None:
    """Do it with samples of 16 bits: native uint16."""
    n = len(dst)
    if len(src) != n * len(weights):
        raise ValueError(f"{len(src)} samples are no {len(weights)} rows of {n}")
    for i in range(n):
        total = 32768
        for k in range(len(weights)):
            total += weights[k] * src[k * n + i]
        dst[i] = total >> 16


def mean_rows(
    src: memoryview, dst: memoryview, width: int, channels: int, scale: int, depth: int
) -> None:
    """Write rows of *width* pixels, each the mean of *scale* x *scale* of *src*, rounded down.

    src, dst: uint8, whole rows of samples of *depth* bits, 8 or native 16. Raises ValueError when
    the sizes disagree.
    """
    if depth == 16:
        mean_words(src.cast("B").cast("H"), dst.cast("B").cast("H"), width, channels, scale)
    else:
        mean_bytes(src, dst, width, channels, scale)


def mean_bytes(src: _View, dst: _View, width: _Size, channels: _Size, scale: _Size) -> None:
    """Do it for samples of 8 bits."""
    row = width * channels
    rows = len(dst) // row if row > 0 else 0
    if rows * row != len(dst) or rows * row * scale * scale != len(src) or row <= 0 or scale <= 0:
        raise ValueError(f"{len(src)} samples are no means of {scale} for {len(dst)}")
    whole = scale * scale
    for y in range(rows):
        for x in range(width):
            for channel in range(channels):
                total = 0
                for line in range(scale):
                    at = ((y * scale + line) * width + x) * scale * channels + channel
                    for _ in range(scale):
                        total += src[at]
                        at += channels
                dst[y * row + x * channels + channel] = total // whole


def mean_words(src: _View, dst: _View, width: _Size, channels: _Size, scale: _Size) -> None:
    """Do it for samples of 16 bits: native uint16."""
    row = width * channels
    rows = len(dst) // row if row > 0 else 0
    if rows * row != len(dst) or rows * row * scale * scale != len(src) or row <= 0 or scale <= 0:
        raise ValueError(f"{len(src)} samples are no means of {scale} for {len(dst)}")
    whole = scale * scale
    for y in range(rows):
        for x in range(width):
            for channel in range(channels):
                total = 0
                for line in range(scale):
                    at = ((y * scale + line) * width + x) * scale * channels + channel
                    for _ in range(scale):
                        total += src[at]
                        at += channels
                dst[y * row + x * channels + channel] = total // whole


def share(at: int, ratio: float, size: int) -> tuple[int, list[int]]:
    """Return what sample *at* of a scaled line is made of: the first old one, and the weights.

    ratio: old samples for a new one. size: how many old ones there are, -1 while that is unknown.
    """
    last = size - 1 if size > 0 else 1 << 40
    if ratio <= 1:  # neighbours on both sides of the new sample's centre
        place = min(max(0.0, (at + 0.5) * ratio - 0.5), last)
        first = int(place)
        second = round((place - first) * WHOLE)
        return (first, [WHOLE - second, second]) if second else (first, [WHOLE])
    start, end = at * ratio, min((at + 1) * ratio, last + 1)
    first = min(int(start), last)
    weights: list[int] = []
    place = first
    while place < end or not weights:
        covered = min(place + 1, end) - max(place, start)
        weights.append(max(0, round(covered / ratio * WHOLE)))
        place += 1
    weights[weights.index(max(weights))] += WHOLE - sum(weights)
    return first, weights


class Scaler:
    """Rows of *width* pixels become rows of *new_width*; feed some, get those that are finished.

    channels, depth: of both, 1 bit with one channel, 8, or native 16. ratio: old lines for a new
    one. lines: how many rows will come, -1 if that is unknown.
    """

    def __init__(
        self, width: int, new_width: int, channels: int, depth: int, ratio: float, lines: int
    ) -> None:
        self._form = channels, depth
        self._ratio, self._lines = ratio, lines
        size = channels * depth // 8
        self._old_bytes = (width + 7) // 8 if depth == 1 else width * size
        self._new_bytes = (new_width + 7) // 8 if depth == 1 else new_width * size
        self._rows: list[bytes] = []  # that new ones are still made of, as wide as those
        self._first = 0  # which one the first of them is
        self._at = 0  # the next new one
        across = width / new_width
        if depth == 1:
            columns = (min(width - 1, int((x + 0.5) * across)) for x in range(new_width))
            self._sources, self._targets = array("i", columns), array("i", range(new_width))
        else:
            self._tabulate(across, width, new_width)

    def _tabulate(self, across: float, width: int, new_width: int) -> None:
        """Work out what each pixel of a row is made of."""
        self._firsts, self._ends, self._weights = array("i"), array("i", [0]), array("I")
        for x in range(new_width):
            first, weights = share(x, across, width)
            self._firsts.append(first)
            self._weights.extend(weights)
            self._ends.append(len(self._weights))

    def feed(self, rows: memoryview) -> bytes:
        """Take whole rows; return new ones."""
        for start in range(0, len(rows), self._old_bytes):
            self._rows.append(self._across(rows[start : start + self._old_bytes]))
        out: list[bytes] = []
        come = self._first + len(self._rows)
        while self._lines < 0 or self._at < round(self._lines / self._ratio):
            first, weights = self._share()
            self._forget(first)
            if first + len(weights) > come:
                break
            out.append(self._down(first, weights))
        return b"".join(out)

    def end(self) -> bytes:
        """Return the last new rows: what they should be made of may be missing."""
        come = self._first + len(self._rows)
        out: list[bytes] = []
        while come and self._at < round(come / self._ratio):
            first, weights = self._share(come)
            out.append(self._down(first, weights))
        return b"".join(out)

    def _share(self, come: int = -1) -> tuple[int, list[int]]:
        """Return what the next new row is made of; *come*: of that many, no more will come."""
        size = come if come > 0 else self._lines
        if self._form[1] == 1:
            first = int((self._at + 0.5) * self._ratio)
            return (min(first, size - 1) if size > 0 else first), [WHOLE]
        return share(self._at, self._ratio, size)

    def _forget(self, first: int) -> None:
        """Drop rows before *first*, but not the last one: the end may be made of it."""
        count = min(len(self._rows) - 1, first - self._first)
        if count > 0:
            del self._rows[:count]
            self._first += count

    def _down(self, first: int, weights: list[int]) -> bytes:
        """Return the next new row."""
        self._at += 1
        start = first - self._first
        rows = self._rows[start : start + len(weights)]
        if len(rows) == 1:
            return rows[0]
        row = memoryview(bytearray(self._new_bytes))
        src, table = memoryview(b"".join(rows)), memoryview(array("I", weights))
        if self._form[1] == 16:
            mix_row_words(src.cast("H"), row.cast("H"), table)
        else:
            mix_rows(src, row, table)
        return bytes(row)

    def _across(self, row: memoryview) -> bytes:
        """Return *row* with its new width."""
        channels, depth = self._form
        new = memoryview(bytearray(self._new_bytes))
        if depth == 1:
            gather_bits(row, 0, new, 0, 1, self._sources, self._targets, 0)
            return bytes(new)
        tables = memoryview(self._firsts), memoryview(self._ends), memoryview(self._weights)
        if depth == 16:
            mix_column_words(row.cast("B").cast("H"), new.cast("H"), channels, *tables)
        else:
            mix_columns(row, new, channels, *tables)
        return bytes(new)
