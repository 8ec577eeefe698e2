"""TIFF files as the original writes them: one strip, not compressed. Source: TIFF 6.0.

It does no I/O.
"""

from __future__ import annotations

import sys
from struct import pack

from ...image.encoder import Encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...image.encoder import Rows

SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
SIZES = {SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}
CODES = {SHORT: "H", LONG: "I", RATIONAL: "I"}
MOST_SHORT, MOST_LONG = 0xFFFF, 0xFFFFFFFF
HEAD_BYTES = 8
BITS_PER_SAMPLE = 258
DPI_SCALE = 10000  # of a resolution that is no whole number


class TiffEncoder(Encoder):
    """A TIFF file: samples of 16 bits in native order, others big-endian. icc: a colour profile.

    Colour of one bit becomes colour of eight.
    """

    def __init__(
        self,
        width_px: int,
        lines: int,
        channels: int = 1,
        depth: int = 8,
        *,
        dpi: float = 0,
        icc: bytes = b"",
    ) -> None:
        super().__init__(width_px, lines, channels, depth, dpi=dpi)
        self._icc = icc
        self._bits = 8 if depth == 1 and channels == 3 else depth
        is_little = self._bits > 8 and sys.byteorder == "little"
        self._order = "<" if is_little else ">"

    def head(self) -> bytes:
        tags = self._tags()
        place = HEAD_BYTES + 2 + 12 * len(tags) + 4  # of what does not fit into an entry
        strip = place + sum(len(data) for _, _, _, data in tags if len(data) > 4)
        tags = self._tags(strip)
        order = self._order
        entries, behind = pack(f"{order}H", len(tags)), b""
        for number, kind, count, data in tags:
            value = data.ljust(4, b"\0")
            if len(data) > 4:
                value = pack(f"{order}I", place + len(behind))
                behind += data
            entries += pack(f"{order}HHI", number, kind, count) + value
        mark = b"II*\0" if order == "<" else b"MM\0*"
        return mark + pack(f"{order}I", HEAD_BYTES) + entries + pack(f"{order}I", 0) + behind

    def _tags(self, strip: int = 0) -> list[tuple[int, int, int, bytes]]:
        """Return number, type, count and data of all tags, for image data at *strip*."""
        is_bitmap = self._bits == 1
        row_bytes = self.row_bytes if is_bitmap else self.width_px * self.channels * self._bits // 8
        size = row_bytes * self.lines
        if strip + size > MOST_LONG:
            raise ValueError(f"TIFF: a picture of {size} bytes, at most 4 GiB")
        each = self.channels
        kind = 0 if is_bitmap else 2 if each == 3 else 1
        tags = [
            self._tag(254, LONG, 0),
            self._side(256, self.width_px),
            self._side(257, self.lines),
        ]
        tags += [self._tag(BITS_PER_SAMPLE, SHORT, *[self._bits] * each)]
        tags += [self._tag(259, SHORT, 1), self._tag(262, SHORT, kind)]
        if is_bitmap:
            tags.append(self._tag(266, SHORT, 1))
        tags += [self._tag(273, LONG, strip), self._tag(274, SHORT, 1)]
        tags += [self._tag(277, SHORT, each), self._tag(278, LONG, self.lines)]
        tags.append(self._tag(279, LONG, size))
        if not is_bitmap:
            tags.append(self._tag(280, SHORT, *[0] * each))
            tags.append(self._tag(281, SHORT, *[(1 << self._bits) - 1] * each))
        if self.dpi > 0:
            scale = 1 if float(self.dpi).is_integer() else DPI_SCALE
            ratio = (round(self.dpi * scale), scale)
            tags += [self._tag(282, RATIONAL, *ratio), self._tag(283, RATIONAL, *ratio)]
            tags.append(self._tag(296, SHORT, 2))
        if self._icc:
            tags.append((34675, UNDEFINED, len(self._icc), self._icc))
        return tags

    def _side(self, number: int, pixels: int) -> tuple[int, int, int, bytes]:
        return self._tag(number, SHORT if pixels <= MOST_SHORT else LONG, pixels)

    def _tag(self, number: int, kind: int, *values: int) -> tuple[int, int, int, bytes]:
        data = pack(f"{self._order}{len(values)}{CODES[kind]}", *values)
        return number, kind, len(data) // SIZES[kind], data

    def encode(self, rows: Rows) -> bytes:
        if self._bits != self.depth:
            return bytes(self.as_bytes(rows))
        return bytes(rows)

    def tail(self) -> bytes:
        return b""
