"""Cleaning whole pages: straightened, cut to the paper, rid of specks, left out if they are blank.

The algorithms of the original fujitsu driver, bit for bit, as steps that anybody may take. What
goes over all pixels is edges.py's and retouch.py's. Source: specification fujitsu 8.
"""

from __future__ import annotations

from array import array
from math import atan, cos, pi, sin, tan

from . import edges, retouch
from .memory import let_go, pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .memory import Memory

    Ints = array[int]

PASSES = 7
LEAST_SLOPE = 0.0001
EDGE_PART = 5  # the line along the upper edge has at least a fifth of the width's votes
CORNER_COLUMNS = 6  # that are looked at for the left edge
STRIP_ROWS = 64  # that are turned at a time
RUN = 4  # rows or columns in succession that are paper
MARGIN = 10  # by which a column of paper may miss the upper and lower edge


class Picture:
    """Rows of pixels: of *samples* bytes (1 or 3), or of bits (0), where 1 is black.

    image: may have bytes behind the last row, which are none of the picture's.
    """

    def __init__(self, image: Memory, width_px: int, lines: int, samples: int) -> None:
        self.image = image
        self.width_px = width_px
        self.lines = lines
        self.samples = samples
        self.pitch = width_px * samples if samples else (width_px + 7) // 8
        if len(image) < self.pitch * lines:
            raise ValueError(f"{len(image)} bytes for {lines} rows of {self.pitch}")

    def columns(self, dpi: int, *, is_up: bool) -> Ints:
        """Return where columns first change, seen from above or below; see edges."""
        found = array("i", bytes(4 * self.width_px))
        sums = array("i", bytes(4 * 21 * self.width_px))
        form = self.pitch, self.width_px, self.lines, self.samples, int(is_up)
        edges.column_profile(memoryview(self.image), *form, memoryview(found), memoryview(sums))
        edges.smooth(memoryview(found), -1 if is_up else self.lines, dpi // 2)
        return found

    def rows(self, dpi: int, *, is_left: bool) -> Ints:
        """Return where rows first change, seen from the left or the right."""
        found = array("i", bytes(4 * self.lines))
        sums = array("i", bytes(4 * self.width_px))
        form = self.pitch, self.width_px, self.lines, self.samples, int(is_left)
        edges.row_profile(memoryview(self.image), *form, memoryview(found), memoryview(sums))
        edges.smooth(memoryview(found), -1 if is_left else self.width_px, dpi // 2)
        return found


class Skew:
    """How a sheet lies: turned about a point by the angle whose tangent is *slope*."""

    __slots__ = ("slope", "x", "y")

    def __init__(self, x: int, y: int, slope: float) -> None:
        self.x = x
        self.y = y
        self.slope = slope

    def mirrored(self, width_px: int) -> Skew:
        """Return how the sheet lies for the other side's sensor."""
        return Skew(width_px - self.x, self.y, -self.slope)


# Deskew


def skew_of(picture: Picture, dpi: int) -> Skew | None:
    """Return how the sheet lies, None if it lies straight, or no upper edge is seen."""
    upper = picture.columns(dpi, is_up=False)
    edge = _upper_edge(upper, picture.lines, dpi)
    if edge is None or abs(edge[0]) < LEAST_SLOPE:
        return None
    slope, offset = edge
    upper_y = int(offset - slope * picture.width_px / 2)
    upper_x = int(upper_y / -slope)
    left = _left_edge(picture, upper, dpi, -1 / slope)
    if left is None:
        return None
    return _center(slope, upper_x, left)


def _upper_edge(upper: Ints, nothing: int, dpi: int) -> tuple[float, int] | None:
    """Return slope and height at mid-width of the line that most of the edge lies on."""
    slopes, offsets = (-1.0, 1.0), (-dpi, dpi)
    votes = array("i", bytes(4 * 4 * edges.BINS * edges.BINS))
    best = 0.0, 0
    for number in range(PASSES):
        slope_step = (slopes[1] - slopes[0]) / edges.BINS
        offset_step = (offsets[1] - offsets[0]) // edges.BINS
        shifts = slope_step / 2, offset_step // 2
        limits = *slopes, shifts[0], *offsets, shifts[1]
        edges.vote(memoryview(upper), nothing, *limits, memoryview(votes))
        weight = 0
        for grid in range(4):
            found, center = _best_bin(votes, grid, slopes, offsets, shifts)
            if found > weight:
                weight, best = found, center
        if not number and weight < len(upper) // EDGE_PART:
            return None
        is_finer = False
        if slope_step >= LEAST_SLOPE:
            slopes = best[0] - slope_step, best[0] + slope_step
            is_finer = True
        if offset_step:
            offsets = best[1] - offset_step, best[1] + offset_step
            is_finer = True
        if not is_finer:
            break
    return best


def _best_bin(
    votes: Ints,
    grid: int,
    slopes: tuple[float, float],
    offsets: tuple[int, int],
    shifts: tuple[float, int],
) -> tuple[int, tuple[float, int]]:
    """Return the weight of a grid's best bin, and its slope and offset; 0 if there is none."""
    bins = edges.BINS * edges.BINS
    counts = votes[grid * bins : (grid + 1) * bins]
    most = max(counts)
    best = 0, (0.0, 0)
    if not most:
        return best
    if grid >= 2:
        slopes = slopes[0] + shifts[0], slopes[1] + shifts[0]
    if grid % 2:
        offsets = offsets[0] + shifts[1], offsets[1] + shifts[1]
    steepest, highest = max(map(abs, slopes)), max(map(abs, offsets))
    for place, count in enumerate(counts):
        if not count:
            continue
        slope = _middle(*slopes, place // edges.BINS)
        offset = _middle(*offsets, place % edges.BINS)
        slope_weight = _nearness(slope, steepest)
        weight = int(_single(_single(count / most) * slope_weight * _nearness(offset, highest)))
        if weight > best[0]:
            best = weight, (slope, int(offset))
    return best


def _nearness(value: float, most: float) -> int:
    """Return how near to 0 a bin's middle is: 101 there, 1 at the limit *most*."""
    return int(101 - abs(value) / most * 100) if most else 101


def _middle(first: float, last: float, number: int) -> float:
    """Return the middle of a bin."""
    return first + (number + 0.5) * ((last - first) / edges.BINS)


def _single(value: float) -> float:
    """Return *value* in single precision."""
    return array("f", (value,))[0]


def _left_edge(picture: Picture, upper: Ints, dpi: int, slope: float) -> tuple[int, int] | None:
    """Return where the line along the left edge meets x axis and y axis."""
    best: tuple[int, int] | None = None
    lower = picture.columns(dpi, is_up=True)
    for profile, nothing in ((upper, picture.lines), (lower, -1)):
        seen = 0
        found: tuple[int, int] | None = None
        for x, y in enumerate(profile):
            if y == nothing:  # so short a run was no edge
                seen, found = 0, None
                continue
            at_y = int(y - slope * x)
            at_x = int(at_y / -slope)
            if found is None or at_x < found[0]:
                found = at_x, at_y
            seen += 1
            if seen == CORNER_COLUMNS:
                break
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return best


def _center(slope: float, upper_x: int, left: tuple[int, int]) -> Skew:
    """Return about which point the sheet is to be turned: as if it lay against its corner."""
    left_slope = -1 / slope
    along = tan(atan(slope) / 2)
    quarter = -pi / 2 if left_slope < 0 else pi / 2
    across = tan((atan(left_slope) + quarter) / 2)
    x = int((int(-across * upper_x) - left[1]) / (along - across))
    return Skew(x, int(along * x + left[1]), slope)


def deskew(picture: Picture, skew: Skew, background: int) -> Picture:
    """Return the picture turned so that the sheet lies straight; around it is *background*.

    background: of a byte; for bits 0 is white and 255 black. Of a picture that lies in pages() of
    memory nothing is left: they are given back row by row, so that there is no time at which both
    are there whole.
    """
    pitch, width_px, lines = picture.pitch, picture.width_px, picture.lines
    turned = pages(pitch * lines)
    angle = -atan(skew.slope)
    cosine, sine = cos(angle), sin(angle)
    form = pitch, width_px, lines, picture.samples, skew.x, skew.y, cosine, sine
    highest = min(skew.x * sine, (skew.x - width_px) * sine)  # what a row is made of, beside it
    with memoryview(picture.image) as source, memoryview(turned) as view:
        for first in range(0, lines, STRIP_ROWS):
            last = min(lines, first + STRIP_ROWS)
            ground = bytes((background,)) * (pitch * (last - first))
            view[pitch * first : pitch * last] = ground
            retouch.rotate(source, view, *form, first, last)
            needed = int(skew.y + highest - (skew.y - last) * cosine) - 2
            let_go(picture.image, pitch * max(0, needed))
    return Picture(turned, width_px, lines, picture.samples)


# Crop


def paper_of(picture: Picture, dpi: int) -> tuple[int, int, int, int] | None:
    """Return left, top, right and bottom of the paper, the latter two excluded; None without."""
    if not (picture.width_px and picture.lines):
        return None
    left, right = picture.rows(dpi, is_left=False), picture.rows(dpi, is_left=True)
    good = [last > first for first, last in zip(left, right, strict=True)]
    top, bottom = _first_run(good), _last_run(good)
    if top is None or bottom is None or top > bottom:
        return None
    upper, lower = picture.columns(dpi, is_up=False), picture.columns(dpi, is_up=True)
    good = [
        last > first and (last - MARGIN < bottom or first + MARGIN > top)
        for first, last in zip(upper, lower, strict=True)
    ]
    first, last = _first_run(good), _last_run(good)
    if first is None or last is None or first >= last or top == bottom:
        return None
    return first, top, last, bottom


def _first_run(good: list[bool]) -> int | None:
    """Return where the first run of four begins; one that an edge cuts off counts, too."""
    run = 0
    for i, is_good in enumerate(good):
        run = run + 1 if is_good else 0
        if run == RUN:
            return i + 1 - RUN
    return len(good) - run if run else None


def _last_run(good: list[bool]) -> int | None:
    found = _first_run(good[::-1])
    return None if found is None else len(good) - 1 - found


def crop(picture: Picture, dpi: int, multiple: int = 1) -> Picture:
    """Return the picture cut to the paper, in the same memory; as it is if none is seen.

    multiple: of which the width is to be one, so that bits can be made of it.
    """
    found = paper_of(picture, dpi)
    if found is None:
        return picture
    left, top, right, bottom = found
    right -= (right - left) % multiple
    if not picture.samples:
        left, right = left // 8 * 8, (right + 7) // 8 * 8
    if right <= left:
        return picture
    return cut(picture, left, top, min(right, 8 * picture.pitch), bottom)


def cut(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    """Return a part of the picture, in its memory; of bits, left and right lie between bytes."""
    pitch, samples = picture.pitch, picture.samples
    start = left * samples if samples else left // 8
    end = right * samples if samples else right // 8
    size = end - start
    with memoryview(picture.image) as view:
        for row in range(bottom - top):
            at = (top + row) * pitch + start
            view[row * size : (row + 1) * size] = view[at : at + size]
    return Picture(picture.image, right - left, bottom - top, samples)


# Specks, and blank pages


def despeckle(picture: Picture, size: int) -> None:
    """Remove specks of up to *size* pixels, in place."""
    form = picture.pitch, picture.width_px, picture.lines, picture.samples
    if min(picture.width_px, picture.lines) > size + 2:
        sums = array("i", bytes(4 * (size + 2) * picture.width_px))
        retouch.despeckle(memoryview(picture.image), *form, size, memoryview(sums))


def is_blank(picture: Picture, dpi: int, percent: float) -> bool:
    """Tell whether no square of half an inch is darker than *percent*."""
    margin = dpi // 4 // 8 * 8
    size = 2 * margin
    if not margin:
        return False
    most = percent / 100
    samples = size * size * (255 * picture.samples or 1)
    image = memoryview(picture.image)
    for row in range((picture.lines - size) // size):
        for column in range((picture.width_px - size) // size):
            at = margin + column * size, margin + row * size
            dark = retouch.darkness(image, picture.pitch, *at, picture.samples, size)
            if dark / samples > most:
                return False
    return True
