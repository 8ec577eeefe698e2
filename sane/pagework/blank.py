"""Which pages are blank: how much of a page is ink. NumPy alone.

It sees light and dark, not letters. Source: specification python-api-and-cli 12.4.
"""

from __future__ import annotations

from .libraries import require
from .light import small_gray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sheet import Array, Sheet

DEFAULT_PERCENT = 0.3  # of the page that may be ink
DPI = 100.0  # at which it is looked at: strokes of small print are about a pixel wide
MARGIN = 0.03  # of width and height at each edge: shadows, punched holes
CONTRAST = 40  # ink is darker than the paper by more; what shines through from the back does not
DARK = 80  # a median below is no paper: a black page is not blank
LEAST_NEIGHBOURS = 3  # dark pixels among nine, the pixel's own too: dust is smaller


def ink_percent(sheet: Sheet) -> float:
    """Return how much of the page is ink, in percent of its area without the margin.

    Ink is what is darker than the page's median. Specks of one or two pixels at 100 dpi do not
    count; what is left grows by a pixel on all sides, so that a line of small print weighs more
    than the dust that is left. A page whose median is dark is all ink.
    """
    np = require("numpy", "finding blank pages")
    light, _ = small_gray(sheet, DPI)
    top, left = round(light.shape[0] * MARGIN), round(light.shape[1] * MARGIN)
    light = light[top : light.shape[0] - top or None, left : light.shape[1] - left or None]
    paper = int(np.median(light))
    if paper < DARK:
        return 100.0
    dark = light < max(0, paper - CONTRAST)
    ink = _nine(dark.astype(np.uint8), "add") >= LEAST_NEIGHBOURS
    ink &= dark
    grown = _nine(ink.astype(np.uint8), "maximum")
    return 100.0 * float(np.count_nonzero(grown)) / grown.size


def _nine(values: Array, name: str) -> Array:
    """Return each pixel joined with its eight neighbours by NumPy's function *name*."""
    np = require("numpy", "finding blank pages")
    join = getattr(np, name)
    for axis in (0, 1):
        out = values.copy()
        before, behind = [slice(None)] * 2, [slice(None)] * 2
        before[axis], behind[axis] = slice(None, -1), slice(1, None)
        join(out[tuple(before)], values[tuple(behind)], out=out[tuple(before)])
        join(out[tuple(behind)], values[tuple(before)], out=out[tuple(behind)])
        values = out
    return values


def find_blank(sheet: Sheet, percent: float = DEFAULT_PERCENT) -> Sheet:
    """Return the page with the facts "ink" and "is_blank": whether ink is *percent* or less."""
    ink = ink_percent(sheet)
    return sheet.noted(ink=ink, is_blank=ink <= percent)
