"""One side of a sheet between device and frontend: raw lines or JPEG in, rows of the image out.

A page is fed as the data come and taken from as the frontend reads; it does no I/O. It has the size
that was promised, cropped or padded with white at right and bottom, or the size that the device
makes of it; and it may be turned by 180 degrees, as backs of sheets are that come upside down.
"""

from __future__ import annotations

from ..errors import DeviceIOError, Unsupported
from .layout import Layout
from .lines import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .jpeg import Decoder

FLIP = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))  # the bits of a byte, reversed
JPEG_ROWS = 64  # that are converted at a time
FILL_BYTES = 1 << 16
SPARE_BYTES = 1 << 20  # a JPEG of noise is larger than its pixels, by less than they
MOST_PIXELS = 1 << 16  # of a line that a device announces
MOST_PADDING = 4096  # bytes behind a line, beyond the line's own size


class Page:
    """What both kinds have in common.

    layout: of the image, and of the device's lines where it sends such. width_px, lines: of the
    image, promised first and real once the page has ended. fits: the real size is what the device
    tells at the end; nothing can be read before. is_turned: it comes upside down.

    Too much data raises DeviceIOError from announce(). Too little: after end() the rest of the
    image is white.
    """

    is_turned = False

    def __init__(self, layout: Layout, lines: int, *, fits: bool = False) -> None:
        self.layout = layout
        self.lines = lines
        self.fits = fits
        self.has_begun = self.has_ended = False
        self.taken = 0  # bytes that the frontend has
        self.left = self.bytes_per_line * lines  # that it still has to get
        self._turned = memoryview(b"")

    @property
    def width_px(self) -> int:
        """Pixels of a row of the image."""
        return self.layout.width_px

    @property
    def bytes_per_line(self) -> int:
        """Bytes of a row of the image."""
        return self.layout.row_bytes

    @property
    def is_direct(self) -> bool:
        """The device's next bytes are the image's: they may go where they are wanted; passed()."""
        return False

    def passed(self, size: int) -> None:
        """Count *size* bytes that went past from device to frontend, where is_direct allows it."""
        raise ValueError(f"{size} bytes may not pass by")

    def begin(self, width_px: int, padding: int) -> None:
        """Take note of the page's start: width, and bytes behind each raw line."""
        self.has_begun = True

    def announce(self, size: int) -> None:
        """Take note that *size* bytes will be fed; raises DeviceIOError for too many."""
        raise NotImplementedError

    def feed(self, data: memoryview) -> None:
        """Take image data of the device, which were announced."""
        raise NotImplementedError

    def end(self, width_px: int, lines: int) -> None:
        """Take note of the page's end and its real size; raises DeviceIOError if it cannot be."""
        self.has_begun = self.has_ended = True
        if self.fits:
            if not (0 < width_px <= MOST_PIXELS and 0 < lines <= self.lines):
                raise DeviceIOError(f"a page of {width_px} x {lines} pixels")
            self.layout = self.layout.changed(width_px=width_px)
            self.lines = lines
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
        self._took(n)
        return n

    def _took(self, size: int) -> None:
        self.taken += size
        self.left -= size

    def _take(self, view: memoryview) -> int:
        n = self.decode(view) if len(view) else 0
        if not n and self.has_ended:
            n = min(len(view), FILL_BYTES)
            view[:n] = bytes((self.layout.white,)) * n
        return n

    def _turn(self) -> memoryview:
        """Return the whole image, turned."""
        image = bytearray(self.left)
        with memoryview(image) as view:
            while self.left:
                self._took(self._take(view[self.taken :]))
        self.left, self.taken = self.taken, 0
        turned(image, self.layout)
        return memoryview(image)


def turned(image: bytearray, layout: Layout) -> None:
    """Turn an image by 180 degrees, in place: its last pixel becomes the first.

    image: whole rows of layout.row_bytes. Raises ValueError for a part of a row.
    """
    if len(image) % layout.row_bytes:
        raise ValueError(f"{len(image)} bytes are no whole rows of {layout.row_bytes}")
    image.reverse()
    if layout.depth == 1:
        image[:] = image.translate(FLIP)
        if layout.width_px % 8:
            _shift_left(image, layout)
        return
    size = layout.sample_bytes
    if size == 2:  # the bytes of each sample back in their order
        image[0::2], image[1::2] = image[1::2], image[0::2]
    if layout.channels == 3:
        for byte in range(size):
            first, last = slice(byte, None, 3 * size), slice(byte + 2 * size, None, 3 * size)
            image[first], image[last] = image[last], image[first]


def _shift_left(image: bytearray, layout: Layout) -> None:
    """Let rows of bits begin with their first pixel again, not with what filled the last byte."""
    width_px, row_bytes = layout.width_px, layout.row_bytes
    form = Layout(width_px, 1, 1, wire_width=8 * row_bytes, left=-width_px % 8)
    rows = Lines(form, len(image) // row_bytes)
    rows.feed(bytes(image))
    with memoryview(image) as view:
        done = 0
        while done < len(view):
            done += rows.read_into(view[done:])


class RawPage(Page):
    """A page whose lines come as *layout* says; begin() may tell other width and padding."""

    def __init__(self, layout: Layout, lines: int, *, fits: bool = False) -> None:
        super().__init__(layout, lines, fits=fits)
        self._lines = Lines(layout, lines)
        self._expected = -1  # bytes that may still come, once they have begun to

    @property
    def is_direct(self) -> bool:
        return not (self.fits or self.is_turned or self.has_ended) and self._lines.is_direct

    def passed(self, size: int) -> None:
        self._lines.passed(size)
        self._took(size)

    def begin(self, width_px: int, padding: int) -> None:
        """Take note of the page's start; the width counts where the page fits, and is not 0."""
        super().begin(width_px, padding)
        most = self.bytes_per_line + MOST_PADDING
        if not 0 <= padding <= most or not 0 <= width_px <= MOST_PIXELS:
            raise DeviceIOError(f"a page of {width_px} pixels and {padding} bytes behind a line")
        if self._expected >= 0:
            raise DeviceIOError("a page began again amid its data")
        width = width_px if self.fits and width_px else self.layout.wire_width
        self.layout = self.layout.changed(wire_width=width, padding=padding)
        self._lines = Lines(self.layout, self.lines)

    def announce(self, size: int) -> None:
        self.has_begun = True
        if self._expected < 0:
            self._expected = self.layout.stream_bytes(self.lines)
        if size > self._expected:
            raise DeviceIOError(f"{size - self._expected} bytes more than the page has")
        self._expected -= size

    def feed(self, data: memoryview) -> None:
        self._lines.feed(data)

    def end(self, width_px: int, lines: int) -> None:
        super().end(width_px, lines)
        if self.fits:
            self._lines.fit(width_px, lines)
        self._lines.end()

    def decode(self, view: memoryview) -> int:
        if self.fits and not self.has_ended:
            return 0
        return self._lines.read_into(view)


class JpegPage(Page):
    """A page that comes as a JPEG, for line art as a gray one.

    waits: nothing is decoded before the page's end, which tells how many lines of it are paper.
    threshold: gray from which on a pixel of line art is white. is_exact: a JPEG of another width
    or other colours than promised raises DeviceIOError; else it is cropped or padded, gray becomes
    colour and colour gray. What is no JPEG raises DeviceIOError when it is read; of one that is cut
    off or damaged, the rest is what libjpeg makes of it (gray).
    """

    def __init__(
        self,
        layout: Layout,
        lines: int,
        *,
        fits: bool = False,
        waits: bool = False,
        threshold: int = 128,
        is_exact: bool = False,
    ) -> None:
        if layout.depth > 8:
            raise ValueError(f"a JPEG has no samples of {layout.depth} bits")
        super().__init__(layout, lines, fits=fits)
        self._promised = (layout.width_px, lines)
        self._waits = waits or fits
        self._threshold = threshold
        self._is_exact = is_exact
        self._waiting: list[bytes] = []
        self._size = 0
        self._paper_lines = lines
        self._decoder: Decoder | None = None
        self._rows: Lines | None = None  # where those of the JPEG are not those of the image

    def announce(self, size: int) -> None:
        self.has_begun = True
        self._size += size
        width_px, lines = self._promised
        if self._size > 2 * self.layout.channels * width_px * lines + SPARE_BYTES:
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
            try:
                from .jpeg import Decoder
            except ImportError as exc:
                raise Unsupported(f"{exc}: this build reads no JPEG") from exc
            width_px, lines = self._promised
            channels = 0 if self._is_exact else self.layout.channels
            self._decoder = Decoder(4 * width_px * lines + (1 << 20), channels)
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
                if self.layout.depth == 8 and self._is_as_promised(decoder):
                    return decoder.read_into(paper)
                return self._converted(decoder, paper)
        except ValueError as exc:
            raise DeviceIOError(str(exc)) from exc
        if self.has_ended:
            raise DeviceIOError(f"a JPEG of {self._size} bytes without a picture")
        return 0

    def _is_as_promised(self, decoder: Decoder) -> bool:
        due = self.width_px, self.layout.channels
        if self._is_exact and (decoder.width, decoder.channels) != due:
            raise DeviceIOError(
                f"a JPEG of {decoder.width} pixels in {decoder.channels} channels where "
                f"{due[0]} in {due[1]} are due"
            )
        return decoder.width == self.width_px

    def _converted(self, decoder: Decoder, view: memoryview) -> int:
        """Write rows that are made of those of the JPEG: cropped, padded, or of bits."""
        if self._rows is None:
            self._is_as_promised(decoder)
            form = self.width_px, self.layout.channels, self.layout.depth
            self._rows = Lines(Layout(*form, wire_width=decoder.width))
        n = self._rows.read_into(view)
        while not n and (rows := self._decoded(decoder)):
            self._rows.feed(rows)
            n = self._rows.read_into(view)
        return n

    def _decoded(self, decoder: Decoder) -> memoryview:
        """Return the next rows of the JPEG, as bits for line art; none if none are there."""
        row_bytes = decoder.width * decoder.channels
        samples = memoryview(bytearray(JPEG_ROWS * row_bytes))
        samples = samples[: decoder.read_into(samples)]
        if self.layout.depth == 8 or not len(samples):
            return samples
        from .rows import bits_from_gray

        size = (decoder.width + 7) // 8
        bits = memoryview(bytearray(len(samples) // row_bytes * size))
        bits_from_gray(samples, bits, decoder.width, self._threshold)
        return bits
