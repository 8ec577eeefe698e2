"""What the virtual scanners see: each frame described as a few rows that repeat.

Source: functional specification of the test backend, section 4 (pictures).
"""

from __future__ import annotations

import os
import sys

from ... import errors
from ...const import FRAME_BLUE, FRAME_GRAY, FRAME_GREEN, FRAME_RED, FRAME_RGB, MM_PER_INCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...param import Parameters

# An alias: to a slice of what it knows to be a bytearray, Cython 3.3 assigns only a bytearray.
_Buffer = bytearray

SOLID_BYTES = 1 << 16  # long enough that a copy costs more than the call that makes it
PERIOD_BYTES = 1 << 12  # shorter periods are repeated up to this length, for the same reason

_LIGHT_GRID, _DARK_GRID = b"0", b"1"  # digits, because int() packs them eight to a byte
_GRID_SAMPLES = bytes.maketrans(b"01", b"\xff\x00")
_INVERSE = bytes(range(255, -1, -1))

# Which of red, green and blue (0, 1, 2) a frame of the Color pattern shows.
_CHANNELS = {
    FRAME_GRAY: (0,),
    FRAME_RGB: (0, 1, 2),
    FRAME_RED: (0,),
    FRAME_GREEN: (1,),
    FRAME_BLUE: (2,),
}
_CROSS = 0x55  # every byte of the lines between the squares


class Picture:
    """A frame as rows that repeat, to be copied piece by piece and never held as a whole.

    Line y of the frame looks like line m = y mod T, T = len(row_index) // 2. A line starts with
    body_bytes bytes: the row with number row_index[2 * m] + 256 * row_index[2 * m + 1], repeated.
    The rest of its line_bytes bytes, the tail, is particular to m.

    tile: the rows, row_period bytes each, then from tail_start on the T tails.
    fill: the byte that the whole frame consists of, or -1; lines then mean nothing.
    """

    __slots__ = (
        "body_bytes",
        "fill",
        "line_bytes",
        "row_index",
        "row_period",
        "tail_start",
        "tile",
    )

    def __init__(
        self,
        rows: bytes,
        row_index: bytes,
        *,
        line_bytes: int,
        row_period: int,
        body_bytes: int,
        tails: bytes = b"",
        fill: int = -1,
    ) -> None:
        self.tile = rows + tails
        self.row_index = row_index
        self.line_bytes = line_bytes
        self.row_period = row_period
        self.body_bytes = body_bytes
        self.tail_start = len(rows)
        self.fill = fill


def make_picture(name: str, params: Parameters, resolution: float, *, swap_bytes: bool) -> Picture:
    """Return the picture called *name* as a frame with *params* shows it at *resolution* dpi.

    swap_bytes: 16-bit samples in the other than the host's byte order. Raises errors.Invalid where
    the picture has no data.
    """
    if params.bytes_per_line <= 0:
        raise errors.Invalid(f"a line of {params.bytes_per_line} bytes shows no picture")
    if name in ("Solid black", "Solid white"):
        return _solid(name == "Solid white", params)
    if name == "Grid":
        return _grid(params, resolution)
    big_endian = (sys.byteorder == "big") != swap_bytes
    return _color_pattern(params, big_endian)


def _solid(white: bool, params: Parameters) -> Picture:
    # One-bit gray is the only kind of frame in which 1 means black (4.1).
    inverse = params.format == FRAME_GRAY and params.depth == 1
    fill = 0xFF if white != inverse else 0x00
    size = SOLID_BYTES
    row = bytes((fill,)) * size
    return Picture(row, b"\0\0", line_bytes=size, row_period=size, body_bytes=size, fill=fill)


def _grid(params: Parameters, resolution: float) -> Picture:
    """Return squares of 10 mm; what lies right of pixels_per_line is random (4.2).

    A cell is what is drawn at once: 8 pixels of depth 1, else one pixel. Up to the last step a
    cell is one byte, since all its bytes are equal.
    """
    square = (10.0 * resolution) / MM_PER_INCH
    period = int(2 * square + 0.5)
    if period <= 0:
        raise errors.Invalid(f"a grid of {square} pixels per square at {resolution} dpi")
    light_lines = min(int(square + 0.5) + 1, period)
    one_bit = params.depth == 1
    # Depths that are neither 1 nor 16 advance by one byte per channel, whatever a sample takes.
    cell_bytes = params.channels * (2 if params.depth == 16 else 1)
    cell_pixels = 8 if one_bit else 1
    cells = params.bytes_per_line // cell_bytes
    columns = _grid_columns(cells * cell_pixels, square)
    if one_bit:
        upper = int(columns, 2).to_bytes(cells, "big")
        if params.format == FRAME_RGB:
            upper = upper.translate(_INVERSE)
    else:
        upper = columns.translate(_GRID_SAMPLES)
    lower = upper.translate(_INVERSE)
    body = max(0, min(params.pixels_per_line // cell_pixels, cells))
    tails = _Buffer(os.urandom(period * (cells - body)))
    if body < cells:
        known = 0xFF00 >> params.pixels_per_line % cell_pixels & 0xFF  # bits left of the padding
        marks = bytes((upper[body],)) * light_lines + bytes((lower[body],)) * (period - light_lines)
        first = slice(None, None, cells - body)
        tails[first] = bytes(
            mark & known | noise & ~known for mark, noise in zip(marks, tails[first], strict=True)
        )
    return Picture(
        _interleave([upper[:body] + lower[:body]] * cell_bytes),
        _row_index([0] * light_lines + [1] * (period - light_lines)),
        line_bytes=cells * cell_bytes,
        row_period=body * cell_bytes,
        body_bytes=body * cell_bytes,
        tails=_interleave([bytes(tails)] * cell_bytes),
    )


def _grid_columns(width_px: int, square: float) -> bytes:
    """Return a digit per pixel, 1 where the upper band is dark: trunc(x / square) is odd."""
    parts = []
    x = 0
    while x < width_px:
        number = int(x / square)
        # The product can be off by a rounding; the quotient decides.
        end = max(x + 1, int((number + 1) * square) - 1)
        while int(end / square) <= number:
            end += 1
        parts.append((_DARK_GRID if number % 2 else _LIGHT_GRID) * (min(end, width_px) - x))
        x = end
    return b"".join(parts)


def _color_pattern(params: Parameters, big_endian: bool) -> Picture:
    if params.depth == 1:
        rows, index = _color_pattern_1(params.format)
    elif params.depth == 8:
        rows, index = _color_pattern_8(params.format)
    elif params.depth == 16:
        rows, index = _color_pattern_16(params.format, big_endian)
    else:
        raise errors.Invalid(f"no Color pattern of depth {params.depth}, only of 1, 8 and 16")
    line_bytes = params.bytes_per_line
    true_period = len(rows[0])
    repeats = -(-PERIOD_BYTES // true_period)
    row_period = min(true_period * repeats, line_bytes)
    return Picture(
        b"".join([(row * repeats)[:row_period] for row in rows]),
        _row_index(index),
        line_bytes=line_bytes,
        row_period=row_period,
        body_bytes=line_bytes,
    )


def _color_pattern_1(format: int) -> tuple[list[bytes], list[int]]:
    """Return squares of 16 pixels in eight colours: bits 2, 1, 0 of their number are R, G, B."""
    planes = []
    # Gray alternates between white and black: the lowest bit, which is blue's.
    for channel in (2,) if format == FRAME_GRAY else _CHANNELS[format]:
        bits = [number >> (2 - channel) & 1 for number in range(8)]
        planes.append(b"".join(b"\xff\xff" if bit else b"\0\0" for bit in bits))
    upper = _interleave(planes)
    # The lower squares run from 7 down to 0: every bit is the other one.
    return [upper, upper.translate(_INVERSE)], [0] * 16 + [1] * 16


def _color_pattern_8(format: int) -> tuple[list[bytes], list[int]]:
    """Return squares of 4 pixels, rising and falling, in one band of squares per channel."""
    rising = b"".join(bytes((_CROSS, k, k, k, k)) for k in range(256))
    falling = b"".join(bytes((_CROSS, k, k, k, k)) for k in range(255, -1, -1))
    other = bytes((_CROSS, 0, 0, 0, 0)) * 256
    channels = _CHANNELS[format]
    rows = [bytes((_CROSS,)) * (len(other) * len(channels))]
    index = []
    for band in range(2 if format == FRAME_GRAY else 6):
        shown = falling if band % 2 else rising
        rows.append(_interleave([shown if band // 2 == c else other for c in channels]))
        index += [0] + [band + 1] * 4
    return rows, index


def _color_pattern_16(format: int, big_endian: bool) -> tuple[list[bytes], list[int]]:
    """Return squares of 256 pixels that hold every 16-bit value once, one square per channel."""
    channels = _CHANNELS[format]
    pixel_bytes = 2 * len(channels)
    square_bytes = 260 * pixel_bytes
    squares = 1 if format == FRAME_GRAY else 3
    row = _Buffer(square_bytes * squares)
    for start in range(0, len(row), square_bytes):
        row[start : start + 4 * pixel_bytes] = bytes((_CROSS,)) * (4 * pixel_bytes)
    low_bytes = []
    for i, channel in enumerate(channels):
        start = channel * square_bytes + 4 * pixel_bytes + 2 * i
        end = (channel + 1) * square_bytes
        high, low = (start, start + 1) if big_endian else (start + 1, start)
        row[high:end:pixel_bytes] = bytes(range(256))
        low_bytes.append(slice(low, end, pixel_bytes))
    rows = [bytes((_CROSS,)) * len(row)]
    for value in range(256):
        for run in low_bytes:
            row[run] = bytes((value,)) * 256
        rows.append(bytes(row))
    return rows, [0] * 4 + list(range(1, 257))


def _row_index(numbers: Iterable[int]) -> bytes:
    return b"".join([number.to_bytes(2, "little") for number in numbers])


def _interleave(planes: list[bytes]) -> bytes:
    """Return the first byte of every plane, then the second of every plane, and so on."""
    step = len(planes)
    mixed = _Buffer(step * len(planes[0]))
    for i, plane in enumerate(planes):
        mixed[i::step] = plane
    return bytes(mixed)
