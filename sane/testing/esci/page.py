"""What lies on the glass of an emulated scanner, as rows of samples, and how it is scanned.

A page is a function: it gets a Window and yields rows of 8-bit samples, gray or R, G, B. Nothing
here computes pixel by pixel: bytes are sliced and translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

PERIOD = 1531  # of the pattern, in pixels
STEP = 7  # by which each row is shifted against the one before
_LOW = bytes(value ^ 0x5A for value in range(256))


class Window:
    """What a host asked for: a part of a bed at a resolution.

    left, top, width, lines: in pixels. channels: 1 or 3. option: which bed, as ESC e names
    it. side: how many sides were fed from the feeder before.
    """

    def __init__(
        self, dpi: tuple[int, int], area: tuple[int, int, int, int], channels: int
    ) -> None:
        self.x_dpi, self.y_dpi = dpi
        self.left, self.top, self.width, self.lines = area
        self.channels = channels
        self.option = 0
        self.side = 0


Page = Callable[[Window], Iterator[bytes]]


def pattern(window: Window) -> Iterator[bytes]:
    """Yield diagonal waves with a grain: a wrong offset, size, order or side shows everywhere."""
    start = window.left + 11 * window.option + 13 * window.side + window.x_dpi
    base = b"".join(_pixel(i, window.channels) for i in range(PERIOD))
    base *= 2 + window.width // PERIOD
    for line in range(window.top, window.top + window.lines):
        first = (start + STEP * line) % PERIOD * window.channels
        yield base[first : first + window.width * window.channels]


def _pixel(number: int, channels: int) -> bytes:
    grain = number * number * 37 % 61
    values = []
    for channel in range(channels):
        wave = abs((number + 97 * channel) * 3 % 388 - 194)
        values.append(min(255, wave + grain))
    return bytes(values)


class Picture:
    """A page with a picture on it: 8-bit R, G, B in rows, lying at the top left of the glass."""

    def __init__(self, width: int, height: int, rgb: bytes, dpi: float = 300) -> None:
        if len(rgb) != 3 * width * height:
            raise ValueError(f"{len(rgb)} bytes are no {width} x {height} pixels in colour")
        self.width, self.height, self.rgb, self.dpi = width, height, rgb, dpi

    @classmethod
    def from_ppm(cls, path: Path, dpi: float = 300) -> Picture:
        """Return the picture in a binary PPM file (P6, 8 bits, no comments)."""
        kind, width, height, top, rest = path.read_bytes().split(maxsplit=4)
        if kind != b"P6" or top != b"255":
            raise ValueError(f"{path} is no binary PPM of 8 bits")
        size = 3 * int(width) * int(height)
        return cls(int(width), int(height), rest[-size:], dpi)

    def __call__(self, window: Window) -> Iterator[bytes]:
        """Yield the rows, each pixel the nearest one of the picture; white around it."""
        x_scale, y_scale = self.dpi / window.x_dpi, self.dpi / window.y_dpi
        columns = [int((window.left + x) * x_scale) for x in range(window.width)]
        columns = [x for x in columns if x < self.width]
        white = b"\xff" * (window.width * window.channels)
        for line in range(window.top, window.top + window.lines):
            y = int(line * y_scale)
            if y >= self.height:
                yield white
                continue
            row = self.rgb[3 * self.width * y : 3 * self.width * (y + 1)]
            planes = [bytes(map(row[c::3].__getitem__, columns)) for c in range(3)]
            yield (_join(planes) if window.channels == 3 else planes[1]) + white[
                len(columns) * window.channels :
            ]


def _join(planes: list[bytes]) -> bytes:
    row = bytearray(3 * len(planes[0]))
    for channel, plane in enumerate(planes):
        row[channel::3] = plane
    return bytes(row)


def mirrored(row: bytes, channels: int) -> bytes:
    """Return *row* with its pixels in reverse order."""
    planes = [row[channel::channels][::-1] for channel in range(channels)]
    return planes[0] if channels == 1 else _join(planes)


def green_first(row: bytes) -> bytes:
    """Return an R, G, B row in the order G, R, B of ESC C 03."""
    return _join([row[1::3], row[0::3], row[2::3]])


def bits(row: bytes, threshold: int) -> bytes:
    """Return a gray row of whole bytes of pixels as bits: 1 is white, the left pixel first."""
    text = row.translate(bytes(49 if value >= threshold else 48 for value in range(256)))
    return int(text, 2).to_bytes(len(row) // 8, "big")


def words(row: bytes) -> bytes:
    """Return 16-bit little-endian samples for 8-bit ones; the low byte differs from the high."""
    data = bytearray(2 * len(row))
    data[0::2] = row.translate(_LOW)
    data[1::2] = row
    return bytes(data)
