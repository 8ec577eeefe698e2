"""Scan parameters, the scan area, fixed point and lengths: arithmetic only."""

from __future__ import annotations

import sys

from .const import FIXED_SCALE, FRAME_RGB, MM_PER_INCH

WORD_MIN = -(1 << 31)
WORD_MAX = (1 << 31) - 1


def fix(value: float) -> int:
    """Return *value* as a SANE_Fixed word: 16.16, truncated toward zero as SANE_FIX does."""
    return int(value * FIXED_SCALE)


def unfix(word: int) -> float:
    """Return the real value of a SANE_Fixed word."""
    return word / FIXED_SCALE


def wrap_word(value: int) -> int:
    """Return *value* reduced to a signed 32-bit SANE_Word, as a C conversion would."""
    return (value - WORD_MIN) % (1 << 32) + WORD_MIN


def c_long(value: object) -> int:
    """Return *value* as Python hands it to C as a long: raises TypeError, OverflowError."""
    from _operator import index  # no listing needs it

    number = index(value)  # type: ignore[arg-type]
    if not -sys.maxsize - 1 <= number <= sys.maxsize:
        raise OverflowError("Python int too large to convert to C long")
    return number


def c_int(value: object) -> int:
    """Return *value* as Python hands it to C as an int: raises TypeError, OverflowError."""
    number = c_long(value)
    if not WORD_MIN <= number <= WORD_MAX:
        bound = "greater than maximum" if number > 0 else "less than minimum"
        raise OverflowError(f"signed integer is {bound}")
    return number


def pixels(mm: float, dpi: float) -> int:
    """Return how many whole pixels *mm* millimetres hold at *dpi*.

    The ends of a length that went through words are cut off already, which is not to cost a
    pixel: 25.4 mm hold 300 at 300 dpi.
    """
    return int(dpi * (mm + 2 / FIXED_SCALE) / MM_PER_INCH)


def line_bytes(width_px: int, channels: int, depth: int) -> int:
    """Return the minimal bytes per line (standard 3.2.1): depth 1 packs 8 pixels to a byte."""
    if depth == 1:
        return channels * ((width_px + 7) // 8)
    return channels * width_px * ((depth + 7) // 8)


class Area:
    """A scan area in mm from the top left corner of the bed, corners in order."""

    __slots__ = ("br_x", "br_y", "tl_x", "tl_y")

    def __init__(self, tl_x: float, tl_y: float, br_x: float, br_y: float) -> None:
        self.tl_x, self.br_x = (tl_x, br_x) if tl_x <= br_x else (br_x, tl_x)
        self.tl_y, self.br_y = (tl_y, br_y) if tl_y <= br_y else (br_y, tl_y)

    @property
    def width(self) -> float:
        """Width in mm, never negative."""
        return self.br_x - self.tl_x

    @property
    def height(self) -> float:
        """Height in mm, never negative."""
        return self.br_y - self.tl_y

    def pixels(self, dpi_x: float, dpi_y: float | None = None, *, multiple: int = 1) -> PixelArea:
        """Return the area in pixels, at least one of *multiple* wide and one line high.

        dpi_y: dpi_x by default. multiple: the width is cut to a multiple of it, as many scanners
        want. As many pixels as Parameters.for_area has.
        """
        dpi_y = dpi_y or dpi_x
        width_px = max(1, pixels(self.width, dpi_x) // multiple) * multiple
        lines = max(1, pixels(self.height, dpi_y))
        return PixelArea(pixels(self.tl_x, dpi_x), pixels(self.tl_y, dpi_y), width_px, lines)

    def __repr__(self) -> str:
        return f"Area({self.tl_x}, {self.tl_y}, {self.br_x}, {self.br_y})"


class PixelArea:
    """A scan area in pixels: left and top from the edges of the bed, width_px and lines."""

    __slots__ = ("left", "lines", "top", "width_px")

    def __init__(self, left: int, top: int, width_px: int, lines: int) -> None:
        self.left = left
        self.top = top
        self.width_px = width_px
        self.lines = lines

    def __repr__(self) -> str:
        return f"PixelArea({self.left}, {self.top}, {self.width_px}, {self.lines})"


class Parameters:
    """What a frame looks like (standard 4.3.8).

    format: a FRAME_ constant. last_frame: no further frame belongs to this image.
    bytes_per_line, pixels_per_line: of one row. lines: rows, or -1 while the height is unknown.
    depth: bits per sample, 1, 8 or 16.
    """

    __slots__ = ("bytes_per_line", "depth", "format", "last_frame", "lines", "pixels_per_line")

    def __init__(
        self,
        format: int,
        pixels_per_line: int,
        lines: int,
        depth: int = 8,
        *,
        last_frame: bool = True,
        bytes_per_line: int | None = None,
    ) -> None:
        if bytes_per_line is None:
            channels = 3 if format == FRAME_RGB else 1
            bytes_per_line = line_bytes(pixels_per_line, channels, depth)
        self.format = format
        self.last_frame = last_frame
        self.bytes_per_line = bytes_per_line
        self.pixels_per_line = pixels_per_line
        self.lines = lines
        self.depth = depth

    @classmethod
    def for_area(cls, format: int, area: Area, dpi: float, depth: int = 8) -> Parameters:
        """Return the parameters of *area* (mm) scanned at *dpi*: at least one pixel and line."""
        width_px = max(1, pixels(area.width, dpi))
        lines = max(1, pixels(area.height, dpi))
        return cls(format, width_px, lines, depth)

    @property
    def channels(self) -> int:
        """Samples per pixel in this frame: 3 for RGB, else 1."""
        return 3 if self.format == FRAME_RGB else 1

    @property
    def frame_bytes(self) -> int:
        """Bytes in the frame, or -1 while the height is unknown."""
        return self.bytes_per_line * self.lines if self.lines >= 0 else -1

    def as_tuple(self) -> tuple[int, bool, int, int, int, int]:
        """Return the six fields in the order of the C structure."""
        return (
            self.format,
            self.last_frame,
            self.bytes_per_line,
            self.pixels_per_line,
            self.lines,
            self.depth,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameters) and self.as_tuple() == other.as_tuple()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = ("format", "last_frame", "bytes_per_line", "pixels_per_line", "lines", "depth")
        fields = (f"{name}={value}" for name, value in zip(names, self.as_tuple(), strict=True))
        return f"Parameters({', '.join(fields)})"
