"""Frames to rows to pages: padding cut off, three colour frames joined, pages until none is left.

It reads from a Source, which knows the device, and needs no NumPy. Rows of a page are those of a
frame without padding, as the encoders of sane.image take them.
"""

from __future__ import annotations

from .const import FRAME_BLUE, FRAME_GREEN, FRAME_RED
from .errors import DeviceIOError, NoDocs
from .param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    from .image.lines import Lines
    from .param import Parameters

    class Source(Protocol):
        """A device whose frames are read one after the other."""

        def start(self) -> Parameters:
            """Begin the next frame; raises NoDocs when there is none."""

        def read_into(self, view: memoryview) -> int:
            """Write the frame's next bytes into *view*; return how many, 0 at its end."""


COLORS = (FRAME_RED, FRAME_GREEN, FRAME_BLUE)
READ_BYTES = 1 << 18  # at a time, so that a cancel meets a short read
DOCUMENT_BYTES = 1 << 30  # of one page as it is sent: an A3 photograph has a tenth of it
FIRST_BYTES = 1 << 30  # of a page's memory, at most, that is set aside before any of it has come


class Page:
    """One scanned page: *lines* rows of *width_px* pixels.

    data: the rows, packed: depth 1 in bits (1 is black in gray, full colour in RGB), 8 in bytes,
    16 in native words; pixels of three samples where channels is 3. parameters: of its last frame,
    as the driver told them. is_cut: the driver promised more rows. encoded: the page as the device
    sent it, by MIME type, where the driver kept that.
    """

    __slots__ = (
        *("channels", "data", "depth", "encoded", "is_cut", "lines", "parameters", "row_bytes"),
        "width_px",
    )

    def __init__(self, parameters: Parameters, channels: int, data: bytearray) -> None:
        self.parameters = parameters
        self.width_px = parameters.pixels_per_line
        self.channels = channels
        self.depth = parameters.depth
        self.row_bytes = line_bytes(self.width_px, channels, self.depth)
        self.lines = len(data) // self.row_bytes if self.row_bytes else 0
        if not self.lines:
            raise DeviceIOError("the scanner has sent no whole row")
        self.data = data[: self.lines * self.row_bytes] if len(data) % self.row_bytes else data
        self.is_cut = self.lines < parameters.lines
        self.encoded: dict[str, bytes] = {}

    def to_bytes(self, format: str = "png", **options: Any) -> bytes:
        """Return the page as a file: "png", "pnm" or "jpeg"; options: of its encoder (dpi...)."""
        from .image.formats import encoder

        maker = encoder(format)(self.width_px, self.lines, self.channels, self.depth, **options)
        return maker.feed(self.data) + maker.end()

    def __repr__(self) -> str:
        size = f"{self.width_px} x {self.lines}"
        return f"<sane.Page {size} pixels, {self.channels} x {self.depth} bits>"


class PageStream:
    """One page as it comes; making one starts its first frame, and all three of a page that has so.

    lines: what the driver promises, -1 if it does not. fills: the page gets as many rows, whatever
    comes: too many are dropped, missing ones are white. Otherwise it has what comes, and may end
    within a row. Three frames are read before the first row is there.
    """

    def __init__(self, source: Source, *, fills: bool = False) -> None:
        self._source: Source | None = source
        self._scratch = memoryview(b"")
        params = source.start()
        planes: list[bytearray] = []
        if params.format in COLORS:
            params, planes = _three_frames(source, params)
            self._source = None
        self.parameters = params
        self.width_px, self.lines, self.depth = params.pixels_per_line, params.lines, params.depth
        self.channels = 3 if planes else params.channels
        self.row_bytes = line_bytes(self.width_px, self.channels, self.depth)
        padding = 0 if planes else params.bytes_per_line - self.row_bytes
        self._fills = fills and self.lines >= 0
        self._lines = self._assembly(padding)
        if planes:
            self._lines.feed(_joined(planes, 2 if self.depth > 8 else 1))
            self._end()

    def _assembly(self, padding: int) -> Lines:
        """Return what cuts the padding off; bytes are all the same to it, but for line art."""
        from .image.layout import Layout
        from .image.lines import Lines

        try:
            if self.depth == 1 and self.channels == 1:
                layout = Layout(self.width_px, 1, 1, padding=padding)
            else:
                layout = Layout(self.row_bytes, padding=padding)
        except ValueError as exc:
            raise DeviceIOError(f"a frame that cannot be, {self.parameters}: {exc}") from exc
        return Lines(layout, self.lines if self._fills else -1)

    def read_into(self, view: memoryview) -> int:
        """Write the page's next bytes into *view*; return how many, 0 at its end."""
        n = self._lines.read_into(view)
        while not n and self._source is not None:
            n = self._receive(self._source, view)
        return n

    def _receive(self, source: Source, view: memoryview) -> int:
        """Read from the source; return how many bytes of the page that has put into *view*."""
        lines = self._lines
        if lines.is_direct and lines.left_bytes:
            n = source.read_into(view if lines.left_bytes < 0 else view[: lines.left_bytes])
            if n:
                lines.passed(n)
                return n
        else:
            self._scratch = self._scratch or memoryview(bytearray(READ_BYTES))
            n = source.read_into(self._scratch)
            lines.feed(self._scratch[:n])
        if not n:
            self._end()
        return lines.read_into(view)

    def _end(self) -> None:
        self._source = None
        if self._fills:
            self._lines.end()


def _three_frames(source: Source, params: Parameters) -> tuple[Parameters, list[bytearray]]:
    """Read the frames of a page that begins like this; return the last parameters and the planes.

    The planes are red, green and blue, without padding and of the same height.
    """
    found: dict[int, bytearray] = {}
    first = params
    while True:
        if (params.pixels_per_line, params.depth) != (first.pixels_per_line, first.depth):
            raise DeviceIOError(f"the frames of one page differ: {first}, then {params}")
        if params.format not in COLORS:
            raise DeviceIOError(f"after {len(found)} of three colour frames came {params}")
        found[params.format] = read_frame(source, params)
        if params.last_frame:
            break
        try:
            params = source.start()
        except NoDocs as exc:
            raise DeviceIOError(f"only {len(found)} of three colour frames arrived") from exc
    if len(found) != len(COLORS):
        raise DeviceIOError(f"only {len(found)} of three colour frames arrived")
    size = min(len(plane) for plane in found.values())
    return params, [found[color][:size] for color in COLORS]


def read_frame(source: Source, params: Parameters) -> bytearray:
    """Return the whole rows of the frame that was started, without padding."""
    row_bytes = line_bytes(params.pixels_per_line, params.channels, params.depth)
    data = read_bytes(source.read_into, params.frame_bytes)
    pitch = params.bytes_per_line
    if not 0 < row_bytes <= pitch:
        raise DeviceIOError(f"a frame that cannot be: {params}")
    lines = len(data) // pitch
    if pitch > row_bytes:
        rows = range(0, lines * pitch, pitch)
        return bytearray().join([data[at : at + row_bytes] for at in rows])
    return data[: lines * pitch] if len(data) % pitch else data


def read_bytes(read_into: Callable[[memoryview], int], expected: int) -> bytearray:
    """Return all bytes until *read_into* gives 0; expected: how many, -1 if nobody knows."""
    data = bytearray(min(max(expected, 0), FIRST_BYTES))
    used = 0
    with memoryview(data) as view:
        while used < len(view):
            with view[used : used + READ_BYTES] as part:
                n = read_into(part)
            if not n:
                break
            used += n
    if used < len(data):
        return data[:used]  # not cut in place: a driver may have kept a view of it
    more = memoryview(bytearray(READ_BYTES))
    while n := read_into(more):
        data += more[:n]
    return data


def read_document(read_into: Callable[[memoryview], int]) -> bytes:
    """Return all bytes until *read_into* gives 0; raises DeviceIOError for none and too many."""
    data = bytearray()
    piece = memoryview(bytearray(READ_BYTES))
    while n := read_into(piece):
        data += piece[:n]
        if len(data) > DOCUMENT_BYTES:
            raise DeviceIOError(f"a document of more than {DOCUMENT_BYTES} bytes")
    if not data:
        raise DeviceIOError("the device has sent an empty document")
    return bytes(data)


def _joined(planes: list[bytearray], size: int) -> bytearray:
    """Return red, green and blue as pixels; size: bytes of a sample, of packed bits too."""
    out = bytearray(len(planes) * len(planes[0]))
    for i, plane in enumerate(planes):
        for byte in range(size):
            out[i * size + byte :: 3 * size] = plane[byte::size]
    return out


def read_page(source: Source) -> Page:
    """Read one page, as long as it really is; raises NoDocs when there is none."""
    stream = PageStream(source)
    rows = stream.row_bytes * stream.lines if stream.lines >= 0 else -1
    return Page(stream.parameters, stream.channels, read_bytes(stream.read_into, rows))


def read_pages(source: Source) -> Iterator[Page]:
    """Read pages until the feeder is empty."""
    while True:
        try:
            page = read_page(source)
        except NoDocs:
            return
        yield page
