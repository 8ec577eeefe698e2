"""One side of a sheet: what the scanner sends of it becomes rows of a frame.

A side is fed as data come and taken from as the frontend reads; it does no I/O. Its stream counts
what is still to come. Source: specification fujitsu 7.3, 7.4, 7.7 and 7.8.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from ...image.layout import Layout
from ...image.lines import Lines
from ...image.memory import pages
from ...image.rows import bits_from_gray, gray_from_rgb
from .capabilities import LINEART
from .models import PLANES, SWAPPED
from .settings import CHANNELS, DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...image.cleanup import Picture
    from ...image.memory import Memory
    from .settings import Settings

SCRATCH_BYTES = 1 << 18
MOST_RESERVED = 1 << 28  # bytes: 600 dpi on A3; for what is announced to be more it comes first
EVEN_THRESHOLD = 127  # of line art that is made here, where the option says 0
WEIGHTS = {DEFAULT: (1, 1, 1), "Red": (1, 0, 0), "Green": (0, 1, 0), "Blue": (0, 0, 1)}
DEPTHS = {LINEART: 1, "Halftone": 1}


def depth_of(mode: str) -> int:
    """Return the bits of a sample."""
    return DEPTHS.get(mode, 8)


class Stream:
    """What comes from one window: where it goes, and how much is still to come.

    expected: bytes of all of it, -1 where only the scanner knows the end. line_bytes: of a line of
    all colours. is_whole: no more is asked for than is missing. after: the stream that has to end
    before this one may be read. lines: where data may be received at once, instead of being fed.
    failure: why reading it ahead has failed: told when its turn comes.
    """

    def __init__(
        self,
        window: int,
        expected: int,
        line_bytes: int,
        feed: Callable[[memoryview], object],
        end: Callable[[], object],
    ) -> None:
        self.window = window
        self.expected = expected
        self.line_bytes = line_bytes
        self.is_whole = False
        self.is_jpeg = False
        self.received = 0
        self.has_ended = False
        self.after: Stream | None = None
        self.lines: Lines | None = None
        self.failure: Exception | None = None
        self._feed = feed
        self._end = end

    def redirect(self, feed: Callable[[memoryview], object], end: Callable[[], object]) -> None:
        """Let its data go elsewhere, before any have come."""
        self._feed, self._end = feed, end

    @property
    def missing(self) -> int:
        """Bytes that are still to come, -1 if unknown."""
        return self.expected - self.received if self.expected >= 0 else -1

    def feed(self, data: memoryview) -> None:
        """Take data, received in lines.room() if there are lines; drop what is too much."""
        size = len(data) if self.expected < 0 else min(len(data), self.missing)
        if self.lines is not None:
            self.lines.filled(size)
        else:
            self._feed(data[:size])
        self.received += size

    def end(self) -> None:
        """Note that nothing more comes."""
        if not self.has_ended:
            self.has_ended = True
            self._end()


class Side:
    """What both kinds have in common: width_px, lines, channels and depth are the frame's.

    lines: -1 while only the scanner knows. is_back: which side of the sheet it is.
    """

    def __init__(self, settings: Settings, width_px: int, lines: int, *, is_back: bool) -> None:
        self.settings = settings
        self.width_px = width_px
        self.wire_lines = lines
        self.lines = -1 if settings.length_varies else lines
        self.channels, self.depth = settings.channels, settings.depth
        self.is_back = is_back
        self.kept = bytearray()  # JPEG, as the scanner sends it

    def fit(self, width_px: int, lines: int) -> None:
        """Take over another size, before anything is taken."""
        self.width_px = width_px
        self.lines = -1 if self.settings.length_varies else lines

    def feed(self, data: memoryview) -> None:
        """Take the next bytes of the scanner."""
        raise NotImplementedError

    def end(self) -> None:
        """Note that nothing more comes."""
        raise NotImplementedError

    def take(self, view: memoryview) -> int:
        """Write the next bytes of the frame into *view*; return how many, 0: none are there."""
        raise NotImplementedError


class RawSide(Side):
    """Lines of samples; gray and line art may be made of colour."""

    def __init__(self, settings: Settings, width_px: int, lines: int, *, is_back: bool) -> None:
        super().__init__(settings, width_px, lines, is_back=is_back)
        self.layout = _layout(settings, width_px)
        self._lines = Lines(self.layout)
        row_bytes = self.layout.row_bytes
        size = max(row_bytes, SCRATCH_BYTES // row_bytes * row_bytes)
        self._has_ended = False
        self._makes = settings.is_software_mode
        self._rows = memoryview(bytearray(size if self._makes else 0))  # of what is to be converted
        self._filled = 0
        self._made = memoryview(b"")  # what is ready

    @property
    def wire_bytes(self) -> int:
        """Bytes that the scanner sends of all of it, with the lines that late colours need."""
        return (self.wire_lines + max(self.layout.stagger)) * self.line_bytes

    @property
    def line_bytes(self) -> int:
        """Bytes of a line of all colours on the wire."""
        return self.layout.pitch * self.layout.planes

    def received_lines(self, *, is_kept: bool) -> Lines:
        """Return where the scanner's bytes belong; is_kept: all of them, until they are wanted."""
        if is_kept:
            self._lines.reserve(min(self.wire_bytes, MOST_RESERVED))
        return self._lines

    def feed(self, data: memoryview) -> None:
        self._lines.feed(data)

    def end(self) -> None:
        self._has_ended = True
        self._lines.end()

    def fit(self, width_px: int, lines: int) -> None:
        super().fit(width_px, lines)
        self.wire_lines = lines
        if width_px != self.layout.width_px:
            self.layout = self.layout.changed(width_px=width_px, wire_width=width_px)
            rows = max(0, self._lines.fed // self.line_bytes - max(self.layout.stagger))
            self._lines.fit(width_px, rows if self._has_ended else -1, width_px)

    def take(self, view: memoryview) -> int:
        if self._makes and not len(self._made):
            self._convert()
        if not len(self._made):
            return 0 if self._makes else self._lines.read_into(view)
        size = min(len(view), len(self._made))
        view[:size] = self._made[:size]
        self._made = self._made[size:] or memoryview(b"")  # without the last one's memory
        return size

    def picture(self) -> tuple[Memory, int, int]:
        """Return all that has come, in the scanner's mode, once it has ended; and its size.

        It is not kept here any more: replace() gives what is to be delivered.
        """
        rows = max(0, min(self._lines.lines, self.wire_lines))
        image = pages(rows * self.layout.row_bytes)
        with memoryview(image) as view:
            done = 0
            while size := self._lines.read_into(view[done : done + SCRATCH_BYTES]):
                done += size
                self._lines.let_go()
        self._lines = Lines(self.layout)
        return image, self.width_px, rows

    def replace(self, picture: Picture) -> None:
        """Deliver *picture*, in the scanner's mode, in place of what has come."""
        width_px = picture.width_px
        self.width_px, self.lines = width_px, picture.lines
        self._made = memoryview(picture.image)[: picture.pitch * picture.lines]
        if self._makes:
            self._made = memoryview(converted(self._made, width_px, self.settings))

    def _convert(self) -> None:
        """Convert whole rows, if there are any."""
        row_bytes = self.layout.row_bytes
        self._filled += self._lines.read_into(self._rows[self._filled :])
        rows = self._filled // row_bytes
        if not rows:
            return
        whole = rows * row_bytes
        self._made = memoryview(converted(self._rows[:whole], self.width_px, self.settings))
        rest = bytes(self._rows[whole : self._filled])
        self._rows[: len(rest)] = rest
        self._filled = len(rest)


def _layout(settings: Settings, width_px: int) -> Layout:
    """Return how the scanner sends what is asked for."""
    mode = settings.scanner_mode
    channels = CHANNELS[mode]
    form: dict[str, object] = {}
    if channels == 3 and settings.order == SWAPPED:
        form["colors"] = "BGR"
    elif channels == 3 and settings.order == PLANES:
        form["plane_lines"] = 1
    if settings.has_color_gap:
        form["stagger"] = (0, settings.green_lag, settings.blue_lag)
    return Layout(width_px, channels, depth_of(mode), invert=settings.is_inverted, **form)  # type: ignore[arg-type]


def converted(rows: memoryview, width_px: int, settings: Settings) -> bytearray:
    """Return gray or line art that is made of rows of colour. Source: 7.7."""
    gray = bytearray(len(rows) // 3)
    gray_from_rgb(rows, memoryview(gray), WEIGHTS[settings.dropoutcolor])
    if settings.mode != LINEART:
        return gray
    bits = bytearray(len(gray) // width_px * ((width_px + 7) // 8))
    threshold = settings.threshold or EVEN_THRESHOLD
    bits_from_gray(memoryview(gray), memoryview(bits), width_px, threshold)
    return bits


class JpegSide(Side):
    """A JPEG: decoded, or kept as the scanner sends it, or both."""

    def __init__(
        self,
        settings: Settings,
        width_px: int,
        lines: int,
        *,
        is_back: bool,
        decodes: bool = True,
        keeps: bool = False,
    ) -> None:
        super().__init__(settings, width_px, lines, is_back=is_back)
        self._decodes, self._keeps = decodes, keeps
        self._begin(lines)

    def _begin(self, lines: int) -> None:
        from ...image.page import JpegPage

        self.lines = lines
        self._page = JpegPage(Layout(self.width_px, self.channels, 8), lines)

    @property
    def line_bytes(self) -> int:
        """Bytes of a line, by which READs are measured."""
        return self.width_px * self.channels

    def fit(self, width_px: int, lines: int) -> None:
        if (width_px, lines) == (self.width_px, self.lines):
            return
        if self._page.has_begun:
            raise DeviceIOError(f"a back of {width_px} x {lines} pixels, after its data have come")
        super().fit(width_px, lines)
        self._begin(lines)

    def feed(self, data: memoryview) -> None:
        self._page.announce(len(data))
        if self._decodes:
            self._page.feed(data)
        if self._keeps:
            self.kept += data

    def end(self) -> None:
        self._page.end(self.width_px, self.lines)

    def take(self, view: memoryview) -> int:
        return self._page.take(view)
