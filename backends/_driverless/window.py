"""Which part of a bed is scanned: millimetres in, what is asked for and what is cut off out.

Arithmetic only. A window that is smaller than the scanner can do is asked for larger, one that
reaches over the edge is moved; what lies before the wanted part is skipped when the image comes.
Source: specification escl 3.4 and 4.6.
"""

from __future__ import annotations

from ...const import MM_PER_INCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .capabilities import Bed


class Span:
    """One axis: *start* and *size* as asked for, *skip* units before the *wanted* ones."""

    __slots__ = ("size", "skip", "start", "wanted")

    def __init__(self, start: int, size: int, skip: int, wanted: int) -> None:
        self.start = start
        self.size = size
        self.skip = skip
        self.wanted = wanted

    def __repr__(self) -> str:
        return f"Span({self.start}, {self.size}, skip {self.skip}, wanted {self.wanted})"


def span(start: int, wanted: int, least: int, most: int, most_start: int | None) -> Span:
    """Return what is asked for where *wanted* units from *start* on are wanted of *most*."""
    start = max(0, start)
    wanted = max(1, min(wanted, most))
    size = min(max(wanted, least, 1), most)
    asked = min(start, most - size)
    if most_start is not None and asked > most_start:
        asked = max(0, most_start)
        size = min(most - asked, max(size, start - asked + wanted))
    return Span(asked, size, min(start - asked, size - 1), wanted)


class Window:
    """A part of a bed, in its units: *across* and *along* are its spans."""

    __slots__ = ("across", "along", "per_inch")

    def __init__(self, across: Span, along: Span, per_inch: int) -> None:
        self.across = across
        self.along = along
        self.per_inch = per_inch

    @classmethod
    def of(cls, bed: Bed, area: tuple[float, float, float, float]) -> Window:
        """Return the window of *area*: left, top, right and bottom in mm, corners in any order."""
        left, right = sorted(_units(mm, bed.per_inch) for mm in (area[0], area[2]))
        top, bottom = sorted(_units(mm, bed.per_inch) for mm in (area[1], area[3]))
        across = span(left, right - left, bed.least_width, bed.most_width, bed.most_left)
        along = span(top, bottom - top, bed.least_height, bed.most_height, bed.most_top)
        return cls(across, along, bed.per_inch)

    def within(self, bed: Bed) -> Window:
        """Return the same part, cut out of all that the scanner can scan."""
        across = Span(0, bed.most_width, self._left, self.across.wanted)
        along = Span(0, bed.most_height, self._top, self.along.wanted)
        return Window(across, along, self.per_inch)

    @property
    def _left(self) -> int:
        return self.across.start + self.across.skip

    @property
    def _top(self) -> int:
        return self.along.start + self.along.skip

    def pixels(self, units: int, dpi: float) -> int:
        """Return how many pixels *units* are, to the nearest."""
        return int(units * dpi / self.per_inch + 0.5)

    def size(self, dpi: int) -> tuple[int, int]:
        """Return width and height of the wanted part in pixels, each at least 1."""
        wanted = self.across.wanted, self.along.wanted
        width_px, lines = (max(1, self.pixels(units, dpi)) for units in wanted)
        return width_px, lines

    def __repr__(self) -> str:
        return f"Window({self.across}, {self.along})"


def _units(mm: float, per_inch: int) -> int:
    return int(mm * per_inch / MM_PER_INCH + 0.5)
