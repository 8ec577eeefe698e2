"""PNM files: P4 for bits, P5 for gray, P6 for RGB. Source: netpbm's pbm(5), pgm(5), ppm(5)."""

from __future__ import annotations

from .encoder import Encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .encoder import Rows


class PnmEncoder(Encoder):
    """A PBM, PGM or PPM file, as the frame wants it. Colour of one bit becomes colour of eight.

    The format has no place for the resolution.
    """

    def head(self) -> bytes:
        size = f"{self.width_px} {self.lines}"
        if self.depth == 1 and self.channels == 1:
            return f"P4\n{size}\n".encode()
        most = 0xFFFF if self.depth == 16 else 0xFF
        return f"{'P6' if self.channels == 3 else 'P5'}\n{size}\n{most}\n".encode()

    def encode(self, rows: Rows) -> bytes:
        if self.depth == 16:
            return bytes(self.big_endian(rows))
        if self.depth == 1 and self.channels == 3:
            return bytes(self.as_bytes(rows))
        return bytes(rows)

    def tail(self) -> bytes:
        return b""
