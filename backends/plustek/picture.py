"""A page between chip and frontend: its stream in, rows of the frame out.

It knows the order of lines, colours and pixels, and what is made of colour and of 8 bits; it does
no I/O. Source: specification plustek 3.12.
"""

from __future__ import annotations

from array import array

from ...backend import image
from ...image.rows import bits_from_gray, smooth_words
from .plan import LINEART, STATUS_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .plan import Request, Scan

    class Picture(Protocol):
        """What all pictures have."""

        @property
        def is_done(self) -> bool:
            """All of the frame was read."""

        def feed(self, data: memoryview) -> None:
            """Take the next lines of the chip."""

        def read_into(self, view: memoryview) -> int:
            """Write what is finished into *view*; return how many bytes."""


THOUSANDTHS = 1000
DARKEST_WHITE = 255  # inverted, what is left of a pixel that is white


def columns_of(request: Request, scan: Scan, width: int) -> list[int] | None:
    """Return which pixel of a line each of *width* pixels is; None: one follows the other.

    Pixels that only fill a line up have no tables, so the last real one stands for them.
    """
    if scan.dpi_x == request.dpi:
        return None
    step = int(THOUSANDTHS / (request.dpi / scan.dpi_x))
    found: list[int] = []
    rest = 0
    for pixel in range(scan.sent):
        rest -= THOUSANDTHS
        while rest < 0 and len(found) < width:
            found.append(min(pixel, scan.pixels - 1))
            rest += step
        if len(found) == width:
            break
    return found + [scan.pixels - 1] * (width - len(found))


def layout_of(request: Request, scan: Scan) -> image.Layout:
    """Return where the samples of a page are in the stream of *scan*, behind the lines to skip."""
    width, _ = request.size()
    unit = scan.unit
    is_picked = scan.is_color and request.channels == 1
    wanted = "G" if is_picked else "RGB"
    stagger = tuple(unit.order.index(color) * scan.stagger for color in wanted)
    colors = (unit.order if unit.is_cis else "RGB") if scan.is_color else ""
    if unit.has("ORD") and scan.is_color and scan.dpi_x > unit.number:
        colors = "RGB"
    columns = None if makes_words(request, scan) else columns_of(request, scan, width)
    return image.Layout(
        scan.pixels if makes_words(request, scan) else width,
        request.channels,
        scan.bits,
        colors=colors,
        pick="G" if is_picked else "",
        plane_lines=1 if scan.sublines == 3 else 0,
        stagger=stagger if scan.is_color else (),
        wire_width=scan.sent,
        padding=STATUS_BYTES,
        row_ratio=(scan.dpi_y, request.dpi) if scan.dpi_y > request.dpi else (1, 1),
        columns=columns,
        byteorder="big",
        invert=request.mode == LINEART and scan.bits == 8,
    )


def makes_words(request: Request, scan: Scan) -> bool:
    """Tell whether samples of more than 8 bits are made of such of 8 (LM9831)."""
    return request.bits == 16 and scan.bits == 8


def picture_of(request: Request, scan: Scan) -> Picture:
    """Return the picture of a page."""
    _, lines = request.size()
    rows: Picture = image.Lines(layout_of(request, scan), lines)
    if request.mode == LINEART and scan.bits == 8:
        return Converted(rows, request, BitsOfBytes(request))
    if makes_words(request, scan):
        return Converted(rows, request, WordsOfBytes(request, scan))
    return rows


class BitsOfBytes:
    """Line art of green samples that are 0 where it is white."""

    def __init__(self, request: Request) -> None:
        self.width, _ = request.size()
        self.source_bytes, self.row_bytes = self.width, (self.width + 7) // 8

    def convert(self, source: memoryview, target: memoryview) -> None:
        """Convert one row."""
        bits_from_gray(source, target, self.width, DARKEST_WHITE)


class WordsOfBytes:
    """Samples of 16 bits: each the sum of two neighbours of 8 bits."""

    def __init__(self, request: Request, scan: Scan) -> None:
        width, _ = request.size()
        self.channels = request.channels
        self.source_bytes = scan.pixels * self.channels
        self.row_bytes = 2 * width * self.channels
        columns = columns_of(request, scan, width) or list(range(width))
        self.columns = memoryview(array("i", columns))
        self.shift = 0 if scan.unit.has("SH0") else 7

    def convert(self, source: memoryview, target: memoryview) -> None:
        """Convert one row."""
        smooth_words(source, target.cast("H"), self.columns, self.channels, self.shift)


class Converted:
    """Rows that become the frame's by *converter*, some at a time."""

    def __init__(
        self, rows: Picture, request: Request, converter: BitsOfBytes | WordsOfBytes
    ) -> None:
        self._rows = rows
        self._converter = converter
        _, self._left_rows = request.size()
        self._source = memoryview(bytearray(converter.source_bytes))
        self._come = 0  # bytes of the row that is not whole yet
        self._row = memoryview(bytearray(converter.row_bytes))
        self._left = 0  # bytes of the row that was converted last, still to be read

    @property
    def is_done(self) -> bool:
        """All of the frame was read."""
        return not self._left_rows and not self._left

    def feed(self, data: memoryview) -> None:
        """Take the next lines of the chip."""
        self._rows.feed(data)

    def read_into(self, view: memoryview) -> int:
        """Write what is finished into *view*; return how many bytes."""
        done = 0
        while done < len(view):
            if not self._left and not self._next():
                break
            n = min(self._left, len(view) - done)
            start = len(self._row) - self._left
            view[done : done + n] = self._row[start : start + n]
            self._left -= n
            done += n
        return done

    def _next(self) -> bool:
        """Convert the next row; return whether there is one."""
        if not self._left_rows:
            return False
        n = self._rows.read_into(self._source[self._come :])
        self._come += n
        if self._come < len(self._source):
            return False
        self._converter.convert(self._source, self._row)
        self._come, self._left = 0, len(self._row)
        self._left_rows -= 1
        return True
