"""One side of a sheet between device and frontend: raw lines or JPEG in, lines of the image out.

A page is fed as the data come and taken from as the frontend reads; it does no I/O. What the
device does not send of it is white. Source: specification esci 4.6.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from ...param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...image.jpeg import Decoder

INVERT = bytes(255 - value for value in range(256))
FLIP = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))  # the bits of a byte, reversed
WHITE, WHITE_BITS = b"\xff", b"\x00"
BIT_ROWS = 64  # that are converted at a time
THRESHOLD = 110  # gray from which on a pixel of line art is white
FILL_BYTES = 1 << 16
SPARE_BYTES = 1 << 20  # a JPEG of noise is larger than its pixels, by less than they


class Page:
    """What both kinds have in common.

    width_px, lines: of the image, announced first and real once the page has ended. depth: 1 for
    line art, else 8. fits: the size is what the device makes of it, else what was announced.
    is_turned: it comes upside down.
    """

    is_turned = False

    def __init__(self, width_px: int, lines: int, channels: int, depth: int, *, fits: bool) -> None:
        self.width_px = width_px
        self.lines = lines
        self.channels = channels
        self.depth = depth
        self.fits = fits
        self.has_begun = self.has_ended = False
        self.taken = 0  # bytes that the frontend has
        self.left = self.bytes_per_line * lines  # that it still has to get
        self._turned = memoryview(b"")

    @property
    def bytes_per_line(self) -> int:
        """Bytes of one line of the image."""
        return line_bytes(self.width_px, self.channels, self.depth)

    @property
    def is_direct(self) -> bool:
        """The next bytes of the device are the next bytes of the image: none need be kept."""
        return False

    def begin(self, width_px: int, padding: int) -> None:
        """Take note of the page's start: width, and bytes behind each raw line."""
        self.has_begun = True

    def announce(self, size: int) -> None:
        """Take note that *size* bytes will be fed; raises DeviceIOError for too many."""
        raise NotImplementedError

    def feed(self, data: memoryview) -> None:
        """Take image data of the device, which were announced."""
        raise NotImplementedError

    def took(self, size: int) -> None:
        """Count *size* bytes that the frontend got."""
        self.taken += size
        self.left -= size

    def end(self, width_px: int, lines: int) -> None:
        """Take note of the page's end and its real size."""
        self.has_begun = self.has_ended = True
        if self.fits:
            if not (0 < width_px <= 1 << 16 and 0 < lines <= self.lines):
                raise DeviceIOError(f"a page of {width_px} x {lines} pixels")
            self.width_px, self.lines = width_px, lines
            self.left = self.bytes_per_line * lines

    def decode(self, view: memoryview) -> int:
        """Write the next bytes of the image into *view*; return how many, 0: none are there."""
        raise NotImplementedError

    def take(self, view: memoryview) -> int:
        """Do the same, with white for what is missing once the page has ended."""
        view = view[: self.left]
        if not self.is_turned:
            n = self._take(view)
        elif self.has_ended:
            self._turned = self._turned or self._turn()
            n = len(view)
            view[:] = self._turned[self.taken : self.taken + n]
        else:
            n = 0
        self.took(n)
        return n

    def _take(self, view: memoryview) -> int:
        n = self.decode(view) if len(view) else 0
        if not n and self.has_ended:
            n = min(len(view), FILL_BYTES)
            view[:n] = (WHITE_BITS if self.depth == 1 else WHITE) * n
        return n

    def _turn(self) -> memoryview:
        """Return the whole image, turned by 180 degrees: its last pixel is the first."""
        image = bytearray(self.left)
        with memoryview(image) as view:
            while self.left:
                self.took(self._take(view[self.taken :]))
        self.left, self.taken = self.taken, 0
        image.reverse()
        if self.depth == 1:
            image = image.translate(FLIP)
        elif self.channels == 3:
            image[0::3], image[2::3] = image[2::3], image[0::3]
        return memoryview(image)


class RawPage(Page):
    """A page whose lines come as they are, with padding behind each; in line art 1 is white."""

    def __init__(self, width_px: int, lines: int, channels: int, depth: int, *, fits: bool) -> None:
        super().__init__(width_px, lines, channels, depth, fits=fits)
        self.padding = 0
        self._wire_width = width_px
        self._column = 0  # where in its line the next byte of the device lies
        self._expected = -1  # bytes that may still come, once they have begun to
        self._stored = bytearray()  # lines without their padding
        self._start = 0  # what of it was taken

    @property
    def is_direct(self) -> bool:
        stored = len(self._stored) - self._start
        special = self.padding or self.depth == 1 or self.fits or self.is_turned
        return not (special or stored or self.has_ended)

    def begin(self, width_px: int, padding: int) -> None:
        super().begin(width_px, padding)
        if not 0 <= padding <= self.bytes_per_line + 4096 or not 0 <= width_px <= 1 << 16:
            raise DeviceIOError(f"a page of {width_px} pixels and {padding} bytes behind a line")
        if self._expected >= 0:
            raise DeviceIOError("a page began again amid its data")
        self.padding = padding
        if self.fits and width_px:
            self._wire_width = width_px

    @property
    def _wire_bytes(self) -> int:
        return line_bytes(self._wire_width, self.channels, self.depth)

    def announce(self, size: int) -> None:
        self.has_begun = True
        if self._expected < 0:
            self._expected = (self._wire_bytes + self.padding) * self.lines
        if size > self._expected:
            raise DeviceIOError(f"{size - self._expected} bytes more than the page has")
        self._expected -= size

    def feed(self, data: memoryview) -> None:
        if self._start == len(self._stored):
            self._stored.clear()
            self._start = 0
        if not self.padding:
            self._stored += self._converted(data)
            return
        line = self._wire_bytes
        period = line + self.padding
        at = 0
        while at < len(data):
            wanted = max(0, line - self._column)
            self._stored += self._converted(data[at : at + wanted])
            step = min(period - self._column, len(data) - at)
            at += step
            self._column = (self._column + step) % period

    def _converted(self, data: memoryview) -> bytes | memoryview:
        return bytes(data).translate(INVERT) if self.depth == 1 else data

    def end(self, width_px: int, lines: int) -> None:
        wire_bytes = self._wire_bytes
        super().end(width_px, lines)
        keep = self.bytes_per_line
        if self.fits and keep < wire_bytes:
            rows = range(0, len(self._stored), wire_bytes)
            self._stored = bytearray().join(self._stored[at : at + keep] for at in rows)

    def decode(self, view: memoryview) -> int:
        if self.fits and not self.has_ended:
            return 0
        n = min(len(view), len(self._stored) - self._start)
        view[:n] = memoryview(self._stored)[self._start : self._start + n]
        self._start += n
        return n


class JpegPage(Page):
    """A page that comes as a JPEG, for line art as a gray one.

    waits: nothing is decoded before the page's end, which tells how many lines of it are paper.
    """

    def __init__(
        self, width_px: int, lines: int, channels: int, depth: int, *, fits: bool, waits: bool
    ) -> None:
        super().__init__(width_px, lines, channels, depth, fits=fits)
        self._announced = (width_px, lines)
        self._waits = waits or fits
        self._waiting: list[bytes] = []
        self._size = 0
        self._paper_lines = lines
        self._decoder: Decoder | None = None
        self._bits = memoryview(b"")  # converted lines that were not taken

    def announce(self, size: int) -> None:
        self.has_begun = True
        self._size += size
        width_px, lines = self._announced
        if self._size > 2 * self.channels * width_px * lines + SPARE_BYTES:
            raise DeviceIOError(f"a JPEG of {self._size} bytes for {width_px} x {lines} pixels")

    def feed(self, data: memoryview) -> None:
        if self._waits and not self.has_ended:
            self._waiting.append(bytes(data))
        else:
            self._started().feed(data)

    def end(self, width_px: int, lines: int) -> None:
        super().end(width_px, lines)
        self._paper_lines = min(self.lines, lines)
        if self._waiting:
            self._started().feed(b"".join(self._waiting))
            self._waiting.clear()
        if self._decoder is not None:
            self._decoder.end()

    def _started(self) -> Decoder:
        if self._decoder is None:
            from ...image.jpeg import Decoder

            width_px, lines = self._announced
            self._decoder = Decoder(4 * width_px * lines + (1 << 20))
        return self._decoder

    def decode(self, view: memoryview) -> int:
        decoder = self._decoder
        if decoder is None or (self._waits and not self.has_ended):
            return 0
        paper = view[: max(0, self.bytes_per_line * self._paper_lines - self.taken)]
        if not len(paper):
            return 0
        try:
            if decoder.prepare():
                self._check_size(decoder)
                if self.depth == 1:
                    return self._decode_bits(decoder, paper)
                return decoder.read_into(paper)
        except ValueError as exc:
            raise DeviceIOError(str(exc)) from exc
        if self.has_ended:
            raise DeviceIOError(f"a JPEG of {self._size} bytes without a picture")
        return 0

    def _check_size(self, decoder: Decoder) -> None:
        if (decoder.width, decoder.channels) != (self.width_px, self.channels):
            raise DeviceIOError(
                f"a JPEG of {decoder.width} pixels in {decoder.channels} channels where "
                f"{self.width_px} in {self.channels} are due"
            )

    def _decode_bits(self, decoder: Decoder, view: memoryview) -> int:
        """Turn gray lines into bits, 1 for black; a line that does not fit is kept."""
        if not self._bits:
            from ...image.rows import bits_from_gray

            gray = memoryview(bytearray(BIT_ROWS * self.width_px))
            rows = decoder.read_into(gray) // self.width_px
            bits = memoryview(bytearray(rows * self.bytes_per_line))
            bits_from_gray(gray[: rows * self.width_px], bits, self.width_px, THRESHOLD)
            self._bits = bits
        n = min(len(view), len(self._bits))
        view[:n] = self._bits[:n]
        self._bits = self._bits[n:]
        return n
