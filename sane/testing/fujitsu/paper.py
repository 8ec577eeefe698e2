"""What an emulated document scanner is fed with: sheets, and pages whose every pixel is known.

A page is a function that gets a window.Piece and yields rows of 8-bit samples, as for ESC/I
(sane.testing.esci.page): gray or R, G, B; 0 and 255 only where the piece has one bit a pixel.
Source: specification fujitsu 12 (the formulas).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..esci.page import Page, pattern
from ..esci.page import Window as PageWindow
from .sense import Code

PERIOD = 256
# Sample = a * x + b * y + c + d * sheet + e * back, modulo 256.
COLORS = ((3, 5, 0, 40, 17), (7, 2, 50, 11, 29), (1, 11, 100, 23, 7))
GRAYS = ((5, 3, 7, 31, 13),)
BITS = (7, 3, 0, 5, 11)  # black where this, modulo 16, is less than 5
_BLACK = bytes(0 if value % 16 < 5 else 255 for value in range(PERIOD))


def formula(piece: PageWindow) -> Iterator[bytes]:
    """Yield pixels that a test can compute: a wrong place, size, order or side shows everywhere."""
    is_bits = getattr(piece, "bits", 8) == 1
    factors = COLORS if piece.channels == 3 else (BITS,) if is_bits else GRAYS
    sheet, back = divmod(piece.side, 2)
    known: dict[int, bytes] = {}
    for y in range(piece.top, piece.top + piece.lines):
        if y % PERIOD not in known:
            row = bytearray(piece.width * piece.channels)
            for channel, (a, b, c, d, e) in enumerate(factors):
                start = a * piece.left + b * y + c + d * sheet + e * back
                row[channel :: piece.channels] = _ramp(a, start, piece.width)
            known[y % PERIOD] = bytes(row.translate(_BLACK) if is_bits else row)
        yield known[y % PERIOD]


def alike(piece: PageWindow) -> Iterator[bytes]:
    """Yield the pixels of the first sheet, whichever it is: only front and back differ."""
    piece.side %= 2
    return formula(piece)


def _ramp(step: int, start: int, width: int) -> bytes:
    """Return start, start + step, ... modulo 256."""
    period = bytes((start + step * x) % PERIOD for x in range(PERIOD))
    return (period * (1 + width // PERIOD))[:width]


@dataclass
class Sheet:
    """One sheet in the hopper.

    size: its width and length in 1/1200 inch, where the scanner is to find its edges itself; None
    for as large as the window. is_double: two at once. error: sense code that feeding it ends with,
    or, once *jams_after* bytes were read, a READ. more_lines: that come beyond the window, less
    than 0: that are missing. crop_bits: what the driver is told to do (byte 10 of the pixel size).
    """

    front: Page = formula
    back: Page = formula
    size: tuple[int, int] | None = None
    is_double: bool = False
    error: Code | None = None
    jams_after: int | None = None
    more_lines: int = 0
    crop_bits: int = 0


@dataclass(frozen=True)
class Slanted:
    """A page: paper that lies askew on a background, with lines of print, or blank.

    Lengths in inch: where the left end of its upper edge is, its size; slope of that edge. specks:
    so many black dots. paper, ground, ink: gray values.
    """

    left: float = 0.4
    top: float = 0.5
    width: float = 4.0
    length: float = 3.0
    slope: float = 0.05
    is_blank: bool = False
    specks: int = 0
    paper: int = 235
    ground: int = 20
    ink: int = 40

    def __call__(self, piece: PageWindow) -> Iterator[bytes]:
        """Yield the rows; the back is seen through the sheet: mirrored, with another print."""
        dpi, low = piece.x_dpi, 128 if getattr(piece, "bits", 8) == 1 else 0
        values = [255 * (v >= low) if low else v for v in (self.ground, self.paper)]
        corners = self._corners(dpi, is_back=bool(piece.side % 2))
        specks = self._specks(piece)
        for y in range(piece.top, piece.top + piece.lines):
            row = bytearray(bytes((values[0],)) * piece.width)
            first, last = (
                min(max(0, round(x) - piece.left), piece.width) for x in _crossing(corners, y)
            )
            if last > first:
                row[first:last] = self._paper_row(piece, y, last - first, values[1], low)
            for x in specks.get(y, ()):
                row[x : x + 2] = b"\0" * len(row[x : x + 2])
            yield bytes(row) if piece.channels == 1 else _colored(row)

    def _paper_row(self, piece: PageWindow, y: int, size: int, white: int, low: int) -> bytes:
        """Return *size* pixels of paper: blank, or at regular distances with print."""
        blank = bytes((white,)) * size
        row = y * 300 // piece.y_dpi
        if self.is_blank or row % 60 >= 24 or size < 40:
            return blank
        margin = piece.x_dpi // 4
        unit = max(2, piece.x_dpi // 30)
        ink = bytes((0 if low else self.ink,)) * unit + blank[:unit] * 2
        text = (ink * (1 + size // len(ink)))[: max(0, size - 2 * margin)]
        return (blank[:margin] + text + blank[:margin])[:size] if text else blank

    def _corners(self, dpi: int, is_back: bool) -> list[tuple[float, float]]:
        angle = math.atan(-self.slope if is_back else self.slope)
        across = (self.width * dpi * math.cos(angle), self.width * dpi * math.sin(angle))
        down = (-self.length * dpi * math.sin(angle), self.length * dpi * math.cos(angle))
        x, y = self.left * dpi, self.top * dpi
        return [
            (x, y),
            (x + across[0], y + across[1]),
            (x + across[0] + down[0], y + across[1] + down[1]),
            (x + down[0], y + down[1]),
        ]

    def _specks(self, piece: PageWindow) -> dict[int, list[int]]:
        """Return the columns of the specks by row; each is two pixels wide and high."""
        found: dict[int, list[int]] = {}
        for number in range(self.specks):
            x = (number * 7919 + 31 * piece.side) % max(1, piece.width - 2)
            y = piece.top + (number * 104729 + 17) % max(1, piece.lines - 2)
            found.setdefault(y, []).append(x)
            found.setdefault(y + 1, []).append(x)
        return found


def _crossing(corners: list[tuple[float, float]], y: int) -> tuple[float, float]:
    """Return where a row enters and leaves a convex shape, (0, 0) if it misses it."""
    found = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if min(y0, y1) <= y < max(y0, y1):
            found.append(x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    return (min(found), max(found)) if found else (0.0, 0.0)


def _colored(row: bytearray) -> bytes:
    """Return a gray row as one in colour, whose channels differ a little."""
    out = bytearray(3 * len(row))
    for channel in range(3):
        out[channel::3] = row.translate(bytes(max(0, v - 3 * channel) for v in range(PERIOD)))
    return bytes(out)


__all__ = ["Page", "Sheet", "Slanted", "alike", "formula", "pattern"]
