"""Pictures as files, row by row: what png.py, pnm.py and jpeg_encoder.pyx have in common.

An encoder takes the rows of a frame and gives the bytes of the file; it does no I/O. Every encoder
takes every form of frame; what a format cannot hold becomes samples of 8 bits.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Rows = bytes | bytearray | memoryview


class Encoder:
    """One picture: *lines* rows of *width_px* pixels of *channels* samples of *depth* bits.

    channels: 1 or 3. The rows are those of a SANE frame without padding: depth 1 packed, 1 is
    black in gray and full colour in RGB; 16 in native order. feed() takes them in pieces of any
    size and returns bytes of the file, perhaps none yet; end() returns the last ones. dpi: for the
    file's head, 0 if unknown.

    Raises ValueError for a form that no frame has, from feed() for more than *lines* rows and from
    end() for fewer: the height stands in the file's head, so it must be known.
    """

    def __init__(
        self, width_px: int, lines: int, channels: int = 1, depth: int = 8, *, dpi: float = 0
    ) -> None:
        if channels not in (1, 3) or depth not in (1, 8, 16):
            raise ValueError(f"a picture of {channels} channels of {depth} bits")
        if width_px < 1 or lines < 1:
            raise ValueError(f"a picture of {width_px} x {lines} pixels")
        self.width_px, self.lines = width_px, lines
        self.channels, self.depth = channels, depth
        self.dpi = dpi
        if depth == 1:
            self.row_bytes = channels * ((width_px + 7) // 8)
        else:
            self.row_bytes = channels * width_px * depth // 8
        self._left = self.row_bytes * lines
        self._part = b""  # of a row whose rest has not come
        self._has_begun = False

    def feed(self, data: Rows) -> bytes:
        """Take the next bytes of the frame; return the bytes of the file that are ready."""
        if len(data) > self._left:
            raise ValueError(f"{len(data) - self._left} bytes more than the picture has")
        self._left -= len(data)
        out = self._begun()
        part = self._part
        whole = (len(part) + len(data)) // self.row_bytes * self.row_bytes
        with memoryview(data) as view:
            if not whole:
                self._part = part + view
                return out
            cut = whole - len(part)
            self._part = bytes(view[cut:])
            first = self.row_bytes - len(part) if part else 0  # that row alone is copied
            if first:
                out += self.encode(part + view[:first])
            return out + self.encode(view[first:cut]) if first < cut else out

    def flush(self) -> bytes:
        """Return what is ready and was held back; the file grows a little by each call."""
        return self._begun() + self.held_back()

    def end(self) -> bytes:
        """Return the last bytes of the file."""
        if self._left:
            raise ValueError(f"{-(-self._left // self.row_bytes)} rows of {self.lines} are missing")
        return self.tail()

    def _begun(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return self.head()

    # What formats do

    def head(self) -> bytes:
        """Return the bytes before the first row."""
        raise NotImplementedError

    def encode(self, rows: Rows) -> bytes:
        """Return what whole *rows* become."""
        raise NotImplementedError

    def held_back(self) -> bytes:
        """Return the bytes of rows that have been encoded and wait for more."""
        return b""

    def tail(self) -> bytes:
        """Return the bytes behind the last row."""
        raise NotImplementedError

    # What formats need

    def as_bytes(self, rows: Rows) -> Rows:
        """Return *rows* with 8 bits a sample: the high ones of 16, 0 or 255 for one bit."""
        if self.depth == 8:
            return rows
        from .rows import HIGH_BYTE, bytes_from_bits

        if self.depth == 16:
            return bytes(rows)[HIGH_BYTE::2]
        count = len(rows) // self.row_bytes
        samples = bytearray(count * self.width_px * self.channels)
        bytes_from_bits(memoryview(rows), memoryview(samples), self.width_px, self.channels)
        return samples

    @staticmethod
    def big_endian(rows: Rows) -> Rows:
        """Return samples of 16 bits with their high bytes first."""
        from .rows import HIGH_BYTE

        swapped = bytearray(rows)
        if HIGH_BYTE:
            swapped[0::2], swapped[1::2] = swapped[1::2], swapped[0::2]
        return swapped
