"""PNG files: bits, bytes and words, gray and RGB. Source: RFC 2083 (PNG 1.0)."""

from __future__ import annotations

import zlib
from struct import pack

from .encoder import Encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .encoder import Rows

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB = 0, 2
METRE = 1 / 0.0254  # in inches
CHUNK_BYTES = 1 << 16  # of compressed data, at least, but for the last
INVERT = bytes(range(255, -1, -1))


class PngEncoder(Encoder):
    """A PNG file. Colour of one bit becomes colour of eight, since PNG has none.

    level: of zlib, from 1 (fast) to 9 (small).
    """

    def __init__(
        self,
        width_px: int,
        lines: int,
        channels: int = 1,
        depth: int = 8,
        *,
        dpi: float = 0,
        level: int = 6,
    ) -> None:
        super().__init__(width_px, lines, channels, depth, dpi=dpi)
        self._compressor = zlib.compressobj(level)
        self._data = b""

    def head(self) -> bytes:
        depth = 8 if self.depth == 1 and self.channels == 3 else self.depth
        color = RGB if self.channels == 3 else GRAY
        head = pack(">IIBBBBB", self.width_px, self.lines, depth, color, 0, 0, 0)
        out = SIGNATURE + chunk(b"IHDR", head)
        if self.dpi > 0:
            density = round(self.dpi * METRE)
            out += chunk(b"pHYs", pack(">IIB", density, density, 1))
        return out

    def encode(self, rows: Rows) -> bytes:
        count = len(rows) // self.row_bytes
        if self.depth == 16:
            rows = self.big_endian(rows)
        elif self.depth == 1:  # in PNG 1 is white
            rows = self.as_bytes(rows) if self.channels == 3 else bytes(rows).translate(INVERT)
        size = len(rows) // count
        # Each row begins with its filter: none.
        filtered = b"".join(b"\0" + rows[y * size : (y + 1) * size] for y in range(count))
        self._data += self._compressor.compress(filtered)
        if len(self._data) < CHUNK_BYTES:
            return b""
        out, self._data = chunk(b"IDAT", self._data), b""
        return out

    def held_back(self) -> bytes:
        data, self._data = self._data + self._compressor.flush(zlib.Z_SYNC_FLUSH), b""
        return chunk(b"IDAT", data)

    def tail(self) -> bytes:
        return chunk(b"IDAT", self._data + self._compressor.flush()) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk: length, kind, body, CRC."""
    return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))
