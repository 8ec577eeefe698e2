"""Straightening pages: the angle at which the lines of print lie, and turning by it. OpenCV.

The angle is found in the projection profile: where print lies level, rows are either full of the
lower edges of letters or empty. Print stands on paper, which is of one light nearly everywhere:
where that is not so, it is a photograph, whose edges say nothing. Angles are degrees; a positive
one is a page that was turned clockwise: its lines fall to the right. Source: specification
python-api-and-cli 12.4.
"""

from __future__ import annotations

from math import radians, tan

from .libraries import opencv, require
from .light import paper_of, small_gray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sheet import Array, Sheet

DPI = 150.0
WIDEST = 10.0  # degrees, either way
COARSE, FINE = 0.5, 0.05
LEAST = 0.05  # a smaller angle is not worth new pixels
MARGIN = 0.02  # at each edge, which is not looked at: shadows of the lid
MOST_EDGES = 60_000  # that are looked at: a page of print has some 20,000
LEAST_EDGES = 300  # a page with fewer has no lines
CONFIDENCE = 1.6  # how much sharper the best angle is than the middle one: handwriting has 2,
# noise, and print that lies beyond WIDEST, have 1.1
BLOCK = 51  # pixels at DPI around each one, whose mean it is compared with
CONTRAST = 20  # by which ink is darker than that mean
PAPER_MM = 5.0  # no letter's stroke is as wide: the lightest pixel so near is the paper's
PAPER_LIGHT = 80  # what is darker is the lid
PAPER_RANGE = 20  # by which the paper's light may differ over a page
PAPER_SHARE = 0.5  # of what is no lid is paper, or the page is a photograph


def skew_of(sheet: Sheet) -> tuple[float, float]:
    """Return the angle, and how sure it is: below CONFIDENCE it means nothing.

    Lines may run across, or down, as on a page that lies on its side.
    """
    light, dpi = small_gray(sheet, DPI)
    best = 0.0, 0.0
    paper = _paper(light, dpi)
    if paper is None:
        return best
    dark = _ink(light, dpi, paper)
    for is_across in (True, False):
        angle, confidence = _profile_angle(dark if is_across else dark.T)
        if confidence > best[1]:
            best = angle if is_across else -angle, confidence
        if best[1] >= 2 * CONFIDENCE:
            break
    return best


def _paper(light: Array, dpi: float) -> Array | None:
    """Return what is paper, with the print on it, as 1; None if the page is a photograph."""
    cv2 = opencv("deskew")
    np = require("numpy", "deskew")
    half = np.ascontiguousarray(light[::2, ::2])
    size = max(3, round(PAPER_MM / 25.4 * dpi / 2) | 1)
    lightest = cv2.dilate(half, np.ones((size, size), np.uint8))
    counts = np.bincount(lightest.ravel(), minlength=256)[PAPER_LIGHT:]
    near = np.convolve(counts, np.ones(2 * PAPER_RANGE + 1), "same")
    level = PAPER_LIGHT + int(np.argmax(near))
    if near.max() < PAPER_SHARE * counts.sum() or not counts.sum():
        return None
    paper = (cv2.absdiff(lightest, np.full_like(lightest, level)) <= PAPER_RANGE).astype(np.uint8)
    found: Array = paper.repeat(2, axis=0).repeat(2, axis=1)[: light.shape[0], : light.shape[1]]
    return found


def _ink(light: Array, dpi: float, paper: Array) -> Array:
    """Return which pixels of the paper are darker than those around, without the page's margin."""
    cv2 = opencv("deskew")
    block = max(3, round(BLOCK * dpi / DPI) | 1)
    mean, inverted = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV
    dark: Array = cv2.adaptiveThreshold(light, 1, mean, inverted, block, CONTRAST)
    dark &= paper
    top, left = (round(size * MARGIN) for size in dark.shape)
    return dark[top : dark.shape[0] - top or None, left : dark.shape[1] - left or None]


def _profile_angle(dark: Array) -> tuple[float, float]:
    """Return the angle of lines that run across, and how sure it is."""
    np = require("numpy", "deskew")
    edges = np.flatnonzero(dark[:-1] > dark[1:])  # lower ones: sharper than the letters
    if len(edges) < LEAST_EDGES:
        return 0.0, 0.0
    edges = edges[:: -(-len(edges) // MOST_EDGES)]
    rows, columns = (part.astype(np.float32) for part in np.divmod(edges, dark.shape[1]))
    columns -= dark.shape[1] / 2
    coarse = [i * COARSE for i in range(round(-WIDEST / COARSE), round(WIDEST / COARSE) + 1)]
    scores = [_sharpness(rows, columns, angle) for angle in coarse]
    middle = float(np.median(scores))
    near = coarse[int(np.argmax(scores))]
    fine = [near + i * FINE for i in range(round(-COARSE / FINE), round(COARSE / FINE) + 1)]
    scores = [_sharpness(rows, columns, angle) for angle in fine]
    # The sharp angles around the best one, weighed: finer than a step, and steadier.
    weights = np.maximum(np.array(scores) - 0.9 * max(scores), 0)
    angle = float((weights * fine).sum() / weights.sum())
    return angle, max(scores) / middle if middle else 0.0


def _sharpness(rows: Array, columns: Array, angle: float) -> float:
    """Return how uneven the profile is along lines at *angle*."""
    np = require("numpy", "deskew")
    levels = rows - columns * np.float32(tan(radians(angle)))
    counts = np.bincount((levels - levels.min()).astype(np.int32))
    return float(np.square(counts, dtype=np.float64).sum())


def turned(sheet: Sheet, degrees: float) -> Sheet:
    """Return the page turned clockwise about its middle, of the same size; the paper fills up."""
    cv2 = opencv("deskew")
    np = require("numpy", "deskew")
    array = np.ascontiguousarray(sheet.array)
    size = sheet.width, sheet.height
    across, down = sheet.dots
    matrix = cv2.getRotationMatrix2D(((size[0] - 1) / 2, (size[1] - 1) / 2), -degrees, 1.0)
    if across != down:  # a turn in millimetres is none in pixels
        matrix[0, 1] *= across / down
        matrix[1, 0] *= down / across
        middle = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2])
        matrix[:, 2] = middle - matrix[:, :2] @ middle
    form = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_CONSTANT}
    out = cv2.warpAffine(array, matrix, size, borderValue=paper_of(sheet), **form)
    if sheet.mode == "lineart":
        out = np.where(out < 128, np.uint8(0), np.uint8(255))
    return sheet.replaced(out)


def deskew(sheet: Sheet) -> Sheet:
    """Return the page straightened, with the fact "skew": the angle it had, None if unknown.

    A page without clear lines, or one that lies straight, keeps its pixels.
    """
    angle, confidence = skew_of(sheet)
    if confidence < CONFIDENCE:
        return sheet.noted(skew=None)
    if abs(angle) < LEAST:
        return sheet.noted(skew=round(angle, 2))
    out = turned(sheet, -angle)
    out.facts["skew"] = round(angle, 2)
    return out
