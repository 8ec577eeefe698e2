"""What the sensor sees wherever the carriage is: the strips under the cover, then the page.

A page is a function of a Window (sane.testing.esci.page): the same as the other scanners have.
Source: specification plustek 8.1 (places), 9.3 (the test page).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..esci.page import Page, Window
from .models import UNIT_DPI, Model

COVER = 0.95 * 255  # what reflects beside strips and page
MARGIN = 0.02  # inches from the bed's origin to the page: the lines that hosts throw away
NEAR = 4  # rows that are rather skipped than asked for anew
Row = Sequence[float]  # reflectance of sensor pixels, 255 is white
Planes = tuple[Row, Row, Row]


class Speck(NamedTuple):
    """Dust on the white strip: sensor pixels, full steps, and how much light it lets through."""

    left: int
    right: int
    top: float
    bottom: float
    through: float


def graded(window: Window) -> Iterator[bytes]:
    """Yield the test page of the vectors: slopes in x, in y, and in both, at 600 dpi."""
    places = [int((window.left + x) * 600 / window.x_dpi) for x in range(window.width)]
    red = bytes(a // 16 % 256 for a in places)
    for line in range(window.top, window.top + window.lines):
        b = int(line * 600 / window.y_dpi)
        blue = bytes([(a + b) // 32 % 256 for a in places])
        green = bytes((b // 16 % 256,)) * window.width
        if window.channels == 1:
            yield green
            continue
        row = bytearray(3 * window.width)
        row[0::3], row[1::3], row[2::3] = red, green, blue
        yield bytes(row)


class Glass:
    """The bed of *model*, on which *page* lies; the carriage may look at any place of it."""

    def __init__(self, model: Model, page: Page) -> None:
        self.model = model
        self.page = page
        self.dust: tuple[Speck, ...] = ()
        self.white = 1.0  # what the white strip reflects
        self._rows: Iterator[bytes] | None = None
        self._next = (0, 0, 0)  # row, left, width of what comes next out of _rows

    def lay(self, page: Page) -> None:
        """Put another page on the bed."""
        self.page, self._rows = page, None

    def lay_dust(self, count: int, seed: int) -> None:
        """Put *count* specks on the white strip, the same for the same *seed*."""
        rng = random.Random(seed)
        model = self.model
        first, last = (place * model.steps for place in model.white)
        specks = []
        for _ in range(count):
            left = rng.randrange(model.first, model.first + model.width * model.optical // UNIT_DPI)
            top = rng.uniform(first, last)
            right, bottom = left + rng.randrange(1, 4), top + rng.uniform(2, 8)
            specks.append(Speck(left, right, top, bottom, rng.uniform(0.2, 0.7)))
        self.dust = tuple(specks)

    def look_down(self, position: float, first: int, end: int) -> Planes:
        """Return what each line of pixels sees: only those of a contact sensor see one place."""
        away = self.model.distance * self.model.steps / self.model.optical
        if not away:
            return self.look(position, first, end)
        rows = [self.look(position - rank * away, first, end)[rank] for rank in range(3)]
        return rows[0], rows[1], rows[2]

    def look(self, position: float, first: int, end: int) -> Planes:
        """Return R, G, B of the sensor pixels from *first* on at a place in full steps."""
        model = self.model
        inch = position / model.steps
        size = end - first
        if model.white[0] <= inch < model.white[1]:
            return self._strip(position, first, size)
        if model.dark is not None and model.dark[0] <= inch < model.dark[1]:
            return ((0.0,) * size,) * 3
        down = inch - model.origin / UNIT_DPI - MARGIN
        if not 0 <= down < model.length / UNIT_DPI:
            return ((COVER,) * size,) * 3
        return self._page_row(int(down * model.optical + 1e-6), first, end)

    def _strip(self, position: float, first: int, size: int) -> Planes:
        row: Row = (255.0 * self.white,) * size
        specks = [speck for speck in self.dust if speck.top <= position < speck.bottom]
        if specks:
            dusty = list(row)
            for speck in specks:
                for pixel in range(max(0, speck.left - first), min(size, speck.right - first)):
                    dusty[pixel] *= speck.through
            row = dusty
        return row, row, row

    def _page_row(self, row: int, first: int, end: int) -> Planes:
        """Return a row of the page, at the resolution of the sensor; cover beside it."""
        model = self.model
        wide = model.width * model.optical // UNIT_DPI
        left, right = max(0, first - model.first), min(wide, end - model.first)
        if right <= left:
            return ((COVER,) * (end - first),) * 3
        data = self._fetch(row, left, right - left)
        before = (COVER,) * (left + model.first - first)
        after = (COVER,) * (end - model.first - right)
        if not before and not after:
            return data[0::3], data[1::3], data[2::3]
        red, green, blue = ((*before, *data[colour::3], *after) for colour in range(3))
        return red, green, blue

    def _fetch(self, row: int, left: int, width: int) -> bytes:
        expected, *place = self._next
        if self._rows is None or place != [left, width] or not 0 <= row - expected <= NEAR:
            dpi = self.model.optical
            lines = self.model.length * dpi // UNIT_DPI - row
            self._rows = self.page(Window((dpi, dpi), (left, row, width, lines), 3))
            expected = row
        for _ in range(row - expected):
            next(self._rows)
        self._next = (row + 1, left, width)
        return next(self._rows)


def averaged(row: Row, divider: float, count: int) -> Row:
    """Return *count* samples, each the mean of *divider* sensor pixels."""
    if isinstance(row, tuple) and row and row[0] == row[-1] and row.count(row[0]) == len(row):
        return row[:1] * count
    if divider == 1:
        return row[:count]
    if divider == int(divider):
        size = int(divider)
        groups = zip(*(row[k : count * size : size] for k in range(size)), strict=False)
        return [total / size for total in map(sum, groups)]
    halves = [value for pixel in row for value in (pixel, pixel)]  # of a pixel each
    return averaged(halves, int(2 * divider), count)
