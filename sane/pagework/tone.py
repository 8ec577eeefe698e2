"""Light and dark: brightness, contrast, threshold, white paper, specks taken out.

It knows one page and no other. Brightness, contrast and threshold need NumPy, the rest OpenCV.
Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

from .libraries import opencv, require
from .light import gray_of, paper_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sheet import Array, Sheet

SPECK_MM = 0.25  # the widest speck that is taken out: a full stop of 8 points is 0.3 mm
LONELY_MM = 1.5  # how far a speck is from anything larger: i has a dot, a sentence its stop
INK_CONTRAST = 40  # by which ink is darker than the paper
BACKGROUND_DPI = 25.0  # at which the paper's light is looked at
STROKE_MM = 5.0  # ink is narrower: paper is seen beside it
LEAST_PAPER = 0.6  # of the page's paper, below which a place is a picture and not paper


def adjust(sheet: Sheet, brightness: float = 0.0, contrast: float = 0.0) -> Sheet:
    """Return the page lighter (brightness -100 to 100) and harder (contrast -100 to 100).

    100 of brightness turns black white; 100 of contrast leaves full colours alone. Line art has
    neither. Raises ValueError outside of the ranges.
    """
    for name, value in (("brightness", brightness), ("contrast", contrast)):
        if not -100 <= value <= 100:
            raise ValueError(f"{name} {value} is not in -100 to 100")
    if sheet.mode == "lineart" or not (brightness or contrast):
        return sheet
    np = require("numpy", "brightness and contrast")
    array = sheet.array
    most = np.iinfo(array.dtype).max
    steepness = 1 + contrast / 100 if contrast <= 0 else 100 / max(100 - contrast, 0.1)
    levels = np.arange(most + 1, dtype=np.float64) / most
    levels = (levels - 0.5) * steepness + 0.5 + brightness / 100
    table = np.rint(np.clip(levels, 0, 1) * most).astype(array.dtype)
    return sheet.replaced(table[array])


def threshold(sheet: Sheet, limit: float) -> Sheet:
    """Return the page as line art: what has less light than *limit*, of 0 to 255, is black."""
    if not 0 <= limit <= 255:
        raise ValueError(f"threshold {limit} is not in 0 to 255")
    if sheet.mode == "lineart":
        return sheet
    np = require("numpy", "threshold")
    array = sheet.array
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    black = gray_of(array) < limit
    return sheet.replaced(np.where(black, np.uint8(0), np.uint8(255)), mode="lineart")


def white_background(sheet: Sheet) -> Sheet:
    """Return the page with its paper white: shadows and tints gone, pictures kept.

    Each place is divided by the light of the paper around it. Line art is white already.
    """
    if sheet.mode == "lineart":
        return sheet
    cv2 = opencv("white background")
    np = require("numpy", "white background")
    array = np.ascontiguousarray(sheet.array)
    most = int(np.iinfo(array.dtype).max)
    across, down = sheet.dots
    small_size = (
        max(1, round(sheet.width * BACKGROUND_DPI / across)),
        max(1, round(sheet.height * BACKGROUND_DPI / down)),
    )
    small = cv2.resize(array, small_size, interpolation=cv2.INTER_AREA)
    stroke = round(STROKE_MM / 25.4 * BACKGROUND_DPI) | 1
    paper = cv2.dilate(small, np.ones((stroke, stroke), np.uint8))
    paper = cv2.blur(paper, (stroke, stroke))
    least = (LEAST_PAPER * np.array(paper_of(sheet))).astype(array.dtype)
    paper = np.maximum(paper, np.maximum(least, 1).astype(array.dtype))
    paper = cv2.resize(paper, (sheet.width, sheet.height), interpolation=cv2.INTER_LINEAR)
    return sheet.replaced(cv2.divide(array, paper, scale=most))


def despeckle(sheet: Sheet) -> Sheet:
    """Return the page without specks: spots of SPECK_MM that stand alone, on light paper."""
    cv2 = opencv("despeckle")
    np = require("numpy", "despeckle")
    light = sheet.array
    if light.dtype == np.uint16:
        light = (light >> 8).astype(np.uint8)
    light = gray_of(light)
    paper = int(np.median(light[::4, ::4]))
    if paper <= INK_CONTRAST:
        return sheet
    ink = (light < paper - INK_CONTRAST).astype(np.uint8)
    specks = _specks(ink, min(sheet.dots))
    if specks is None:
        return sheet
    grown = cv2.dilate(specks, np.ones((3, 3), np.uint8)).astype(bool)  # with its soft edge
    out = sheet.array.copy()
    out[grown] = np.array(paper_of(sheet), out.dtype) if out.ndim == 3 else paper_of(sheet)[0]
    return sheet.replaced(out)


def _specks(ink: Array, dpi: float) -> Array | None:
    """Return the pixels of lonely specks as 1, None if there are none."""
    cv2 = opencv("despeckle")
    np = require("numpy", "despeckle")
    widest = max(1, round(SPECK_MM / 25.4 * dpi))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    sizes = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    is_speck = sizes <= widest
    is_speck[0] = False  # the paper
    if count < 2 or not is_speck.any():
        return None
    small = is_speck[labels].astype(np.uint8)
    far = 2 * round(LONELY_MM / 25.4 * dpi) + 1
    near = cv2.dilate(ink & (small ^ 1), np.ones((far, far), np.uint8))
    specks: Array = small & (near ^ 1)
    return specks if specks.any() else None
