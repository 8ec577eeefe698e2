"""A PNG of a device, row by row: every kind of PNG 1.0, interlaced ones when they are whole.

zlib of the standard library decompresses, by pieces that are no larger than what is asked for.
Source: RFC 2083; specification escl 4.4.
"""

from __future__ import annotations

import zlib
from struct import pack, unpack

from ..errors import DeviceIOError
from .picture import Picture
from .png_rows import look_up, on_white, spread, unfilter, white_where, words_on_white
from .rows import HIGH_BYTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Limits

SIGNATURE_BYTES = 8
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}  # of a pixel in the file
DEPTHS = {
    GRAY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GRAY_ALPHA: (8, 16),
    RGB_ALPHA: (8, 16),
}
KEPT = {b"IHDR": 13, b"PLTE": 768, b"tRNS": 256}  # chunks that are read whole, and their most bytes
# The passes of an interlaced picture: first column and row, and the steps between them.
PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
INVERT = bytes(range(255, -1, -1))
BLOCK_BYTES = 1 << 16  # of rows that are made at a time, but at least a row
PIECE_BYTES = 1 << 13  # of the file that are decompressed at a time: damage loses so much


class PngPicture(Picture):
    """A PNG. Gray of 1 bit stays so, but not where it is interlaced; of 2 and 4 it becomes 8."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._pending = bytearray()
        self._left = SIGNATURE_BYTES  # bytes of the chunk that come before its check sum
        self._chunk = b""  # what chunk they belong to, b"" for the signature
        self._zlib = zlib.decompressobj()
        self._data = bytearray()  # decompressed, not yet rows
        self._has_more = False  # zlib may give more without any input
        self._rows: Rows | None = None
        self._palette = self._transparent = b""
        self._head: tuple[int, ...] = ()
        self._interlaced: Interlaced | None = None
        self._out = memoryview(b"")  # finished, not yet read
        self._due = self._taken = 0  # bytes of the picture, and those of them that were read
        self._has_ended = self._is_over = False

    def feed(self, data: bytes | memoryview) -> None:
        if not (self._has_ended or self._is_over):
            self._pending += data

    def end(self) -> None:
        self._has_ended = True

    def prepare(self) -> bool:
        while not self.width and self._read_chunks():
            pass
        if not self.width and self._has_ended:
            raise DeviceIOError("PNG: it ends before the picture begins")
        return self.width > 0

    def read_into(self, view: memoryview) -> int:
        if not len(view):
            return 0
        while not self._out and not self._is_over:
            try:
                if not self._decode():
                    break
            except (ValueError, zlib.error) as exc:
                self._damaged(exc)
        if not self._out and self._has_ended:
            self._finish()
        n = min(len(view), len(self._out))
        view[:n] = self._out[:n]
        self._out = self._out[n:]
        self._taken += n
        self._is_over |= self._taken == self._due
        return n

    @property
    def is_done(self) -> bool:
        return self._is_over and not self._out

    def _damaged(self, exc: Exception) -> None:
        """Take note that no more rows can be made: what came before stays."""
        if not self._taken and self._interlaced is None:
            raise DeviceIOError(f"PNG: {exc}") from exc
        self._has_ended = True
        self._finish()

    def _finish(self) -> None:
        """End the picture where its data end."""
        if self._is_over:
            return
        self._is_over = True
        if self._interlaced is not None:
            self._out, self._interlaced = self._interlaced.pixels, None
            self.is_cut = True
        elif self._taken < self._due:
            if not self._taken:
                raise DeviceIOError("PNG: it ends before the first row")
            self.is_cut = True

    # Chunks

    def _read_chunks(self) -> bool:
        """Go on to the next image data; tell whether anything was read."""
        pending = self._pending
        if self._chunk == b"IDAT" and self._left:
            return False
        if self._left and self._chunk in KEPT:
            if len(pending) < self._left + 4:
                return False
            self._keep(bytes(pending[: self._left]))
            self._pass(self._left)
        if self._left:  # of a chunk that nobody needs, or the signature
            n = min(self._left, len(pending))
            self._pass(n)
            if self._left or not n:
                return n > 0
        check = 4 if self._chunk else 0
        if len(pending) < check + 8:
            return False
        self._left, self._chunk = unpack(">I4s", pending[check : check + 8])
        del pending[: check + 8]
        self._begin_chunk()
        return True

    def _pass(self, size: int) -> None:
        del self._pending[:size]
        self._left -= size

    def _begin_chunk(self) -> None:
        """Check the order and size of the chunk that begins."""
        if bool(self._head) == (self._chunk == b"IHDR") or self._left > 0x7FFFFFFF:
            raise DeviceIOError(
                f"PNG: chunk {self._chunk!r} of {self._left} bytes where none is due"
            )
        if self._left > KEPT.get(self._chunk, self._left):
            raise DeviceIOError(f"PNG: chunk {self._chunk!r} of {self._left} bytes")
        if self._chunk == b"IDAT" and not self.width:
            self._begin_picture()
        if self._chunk == b"IEND":
            self._has_ended = True

    def _keep(self, body: bytes) -> None:
        """Read a chunk that says how to understand the pixels."""
        if self._chunk == b"PLTE":
            self._palette = body
        elif self._chunk == b"tRNS":
            self._transparent = body
        elif len(body) == 13:
            self._head = unpack(">IIBBBBB", body)
            _, _, depth, color, *methods, interlace = self._head
            if depth not in DEPTHS.get(color, ()) or any(methods) or interlace > 1:
                raise DeviceIOError(f"PNG: a picture of type {color} with {depth} bits")
        else:
            raise DeviceIOError(f"PNG: a head of {len(body)} bytes")

    def _begin_picture(self) -> None:
        """Check the size and prepare for rows: all that comes before them is known."""
        width, lines, depth, color, _, _, interlace = self._head
        if max(width, lines) > 0x7FFFFFFF:
            raise DeviceIOError(f"PNG: a picture of {width} x {lines} pixels")
        self._rows = Rows(width, depth, color, self._palette, self._transparent)
        self._rows.packs = not interlace
        channels, depth = self._rows.form
        self.limits.check("PNG", width, lines, channels * max(1, depth // 8))
        if interlace:
            self.limits.check_whole("PNG", width, lines)
            self._interlaced = Interlaced(width, lines, channels * depth // 8)
        self.channels, self.depth = channels, depth
        self.width, self.lines = width, lines
        self._due = lines * self.row_bytes

    # Pixels

    def _decode(self) -> bool:
        """Make some rows; tell whether there was anything to do."""
        rows = self._rows
        if rows is None:
            return False
        if self._interlaced is not None:
            return self._decode_interlaced(rows, self._interlaced)
        size = rows.file_bytes + 1
        left = (self._due - self._taken) // self.row_bytes  # nothing is kept between the calls
        count = min(left, max(1, BLOCK_BYTES // size))
        is_busy = self._decompress(count * size)
        count = min(count, len(self._data) // size)
        if count:
            self._out = rows.decoded(self._take(count * size))
        return is_busy or count > 0

    def _decode_interlaced(self, rows: Rows, interlaced: Interlaced) -> bool:
        """Put the rows of a pass where they belong; the last one makes the picture ready."""
        width = interlaced.width
        if not width:
            self._out, self._interlaced = interlaced.pixels, None
            return True
        if rows.width != width or interlaced.is_first:
            rows.begin(width)
        size = rows.file_bytes + 1
        is_busy = self._decompress(size)
        if len(self._data) >= size:
            interlaced.put(rows.decoded(self._take(size)))
        return is_busy

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken

    def _decompress(self, size: int) -> bool:
        """Get up to *size* bytes of rows together; tell whether there was anything to do."""
        if len(self._data) >= size:
            return True
        source = b""
        if self._chunk == b"IDAT":
            source = bytes(self._pending[: min(self._left, PIECE_BYTES)])
        if not source and not self._has_more:
            return self._chunk != b"IEND" and self._read_chunks()
        if self._zlib.eof:
            raise ValueError("its data end early")
        room = size - len(self._data)
        data = self._zlib.decompress(source, room)
        self._has_more = len(data) == room
        self._data += data
        self._pass(len(source) - len(self._zlib.unconsumed_tail))
        return True


class Rows:
    """Rows of the file made rows as SANE has them: *form* is channels and depth of these."""

    packs = True
    """Gray of one bit stays so."""

    def __init__(
        self, width: int, depth: int, color: int, palette: bytes, transparent: bytes
    ) -> None:
        self._depth, self._color = depth, color
        self._step = max(1, SAMPLES[color] * depth // 8)
        self._key = memoryview(b"")
        self._table = b""
        if color == PALETTE:
            self._table = self._palette(palette, transparent)
        elif transparent:
            self._set_key(transparent)
        self.begin(width)

    @property
    def form(self) -> tuple[int, int]:
        """Channels and depth of the rows that come out."""
        channels = 3 if self._color in (RGB, RGB_ALPHA) or len(self._table) == 768 else 1
        if self._depth == 1 and self._color == GRAY and self.packs:
            return 1, 1
        return channels, 16 if self._depth == 16 else 8

    def begin(self, width: int) -> None:
        """Begin with rows of *width* pixels."""
        self.width = width
        self.file_bytes = (width * SAMPLES[self._color] * self._depth + 7) // 8
        self._prior = bytes(self.file_bytes)

    def _palette(self, palette: bytes, transparent: bytes) -> bytes:
        """Return 256 colours on white; 256 grays where there are no others."""
        if not palette or len(palette) % 3:
            raise DeviceIOError(f"PNG: a palette of {len(palette)} bytes")
        count = len(palette) // 3
        alpha = (transparent + b"\xff" * count)[:count]
        pixels = bytearray()
        for i in range(count):
            pixels += palette[3 * i : 3 * i + 3] + alpha[i : i + 1]
        table = memoryview(bytearray(3 * count))
        on_white(memoryview(pixels), table, 3)
        full = bytes(table) + b"\0" * (768 - 3 * count)
        is_gray = full[0::3] == full[1::3] == full[2::3]
        return full[0::3] if is_gray else full

    def _set_key(self, transparent: bytes) -> None:
        """Take note of the colour that is transparent, as a pixel that comes out has it."""
        count = SAMPLES[self._color]
        if self._color not in (GRAY, RGB) or len(transparent) != 2 * count:
            return  # an alpha channel needs none
        values = unpack(f">{count}H", transparent)
        if self._depth == 16:
            self._key = memoryview(pack(f"={count}H", *values))
        else:
            factor = 255 // ((1 << self._depth) - 1)
            self._key = memoryview(bytes(value * factor & 255 for value in values))

    def decoded(self, data: bytes) -> memoryview:
        """Return whole rows of the file, each behind its filter, as they should be."""
        size = self.file_bytes
        count = len(data) // (size + 1)
        rows = memoryview(bytearray(self._prior + bytes(count * size)))
        unfilter(memoryview(data), rows, size, self._step)
        self._prior = bytes(rows[count * size :])
        rows = rows[size:]
        if self.form[1] == 1:
            return self._bits(rows, count)
        if self._depth == 16:
            return self._words(rows)
        return self._bytes(rows, count)

    def _bits(self, rows: memoryview, count: int) -> memoryview:
        """Return rows of bits: 1 becomes black, and what fills the last byte white."""
        out = bytearray(bytes(rows).translate(INVERT))
        unused = 8 * self.file_bytes - self.width
        if unused:
            last = slice(self.file_bytes - 1, None, self.file_bytes)
            mask = 256 - (1 << unused)
            out[last] = bytes(value & mask for value in out[last])
        if len(self._key) and self._key[0] == 0:  # black is transparent
            out = bytearray(len(out))
        return memoryview(out)

    def _bytes(self, rows: memoryview, count: int) -> memoryview:
        """Return samples of 8 bits."""
        if self._depth < 8:
            samples = memoryview(bytearray(count * self.width))
            factor = 1 if self._table else 255 // ((1 << self._depth) - 1)
            spread(rows, samples, self.width, self._depth, factor)
            rows = samples
        if len(self._table) == 256:
            return memoryview(bytes(rows).translate(self._table))
        if self._table:
            pixels = memoryview(bytearray(3 * len(rows)))
            look_up(rows, memoryview(self._table), pixels)
            return pixels
        if self._color in (GRAY_ALPHA, RGB_ALPHA):
            channels = SAMPLES[self._color] - 1
            pixels = memoryview(bytearray(len(rows) // (channels + 1) * channels))
            on_white(rows, pixels, channels)
            return pixels
        if len(self._key):
            white_where(rows, self._key)
        return rows

    def _words(self, rows: memoryview) -> memoryview:
        """Return samples of 16 bits in native order."""
        out = bytearray(rows)
        if HIGH_BYTE:
            out[0::2], out[1::2] = out[1::2], out[0::2]
        pixels = memoryview(out)
        if self._color in (GRAY_ALPHA, RGB_ALPHA):
            channels = SAMPLES[self._color] - 1
            plain = memoryview(bytearray(len(out) // (channels + 1) * channels))
            words_on_white(pixels.cast("H"), plain.cast("H"), channels)
            return plain
        if len(self._key):
            white_where(pixels, self._key)
        return pixels


class Interlaced:
    """A picture of *step* bytes a pixel, put together of seven passes; white where none came."""

    def __init__(self, width: int, lines: int, step: int) -> None:
        self._size = width, lines
        self._step = step
        self._pixels = bytearray(b"\xff") * (width * lines * step)
        self._pass = -1
        self._next_pass()

    @property
    def pixels(self) -> memoryview:
        """The whole picture."""
        return memoryview(self._pixels)

    @property
    def is_first(self) -> bool:
        """The next row is the first one of its pass."""
        return self._row == PASSES[self._pass][1]

    def _next_pass(self) -> None:
        """Go on to a pass that has pixels; behind the last one width is 0."""
        self.width = 0
        while not self.width and self._pass < len(PASSES) - 1:
            self._pass += 1
            x, y, x_step, _ = PASSES[self._pass]
            self._row = y
            if y < self._size[1]:
                self.width = -(-max(0, self._size[0] - x) // x_step)

    def put(self, row: memoryview) -> None:
        """Put a row of the pass where it belongs."""
        x, _, x_step, y_step = PASSES[self._pass]
        width, lines = self._size
        step = self._step
        start, end = (self._row * width + x) * step, (self._row + 1) * width * step
        for byte in range(step):
            self._pixels[start + byte : end : x_step * step] = row[byte::step]
        self._row += y_step
        if self._row >= lines:
            self._next_pass()
