"""Cutting pages to what lies on the bed: a receipt on the lid's white or black. OpenCV.

It finds the backing's colour along the edges, and the areas that differ from it. Paper that cannot
be told from the backing is cut to its print. Source: specification python-api-and-cli 12.4.
"""

from __future__ import annotations

from .libraries import opencv, require
from .light import small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .sheet import Array, Sheet

    Box = tuple[int, int, int, int]  # left, top, right, bottom

DPI = 75.0  # at which it is looked for
EDGE_MM = 2.0  # strips along the edges, whose colour is the backing's
DARK = 80  # a strip that is darker is a black backing, whatever the others are
UNEVEN = 8.0  # a strip that differs so much from its own median is no backing
CONTRAST = 10  # by which what lies on the backing differs from it, at least
JOINED_MM = 1.0  # areas that are so near are one
SPECK_MM2 = 1.0  # a smaller area is dust
SHARE = 0.01  # beside a sheet of paper, of which a smaller area is dust as well
SHEET_MM2 = 1000.0  # a receipt has as much, a word has not
SOLID = 0.85  # of its narrowest frame is filled by a sheet of paper
PRINT_MARGIN_MM = 3.0  # around print whose paper is not seen
WHOLE = 0.98  # of width and height: no more is there to cut


def content_of(sheet: Sheet) -> tuple[Box, bool] | None:
    """Return where something lies on the backing, in pixels, and whether it is seen as paper.

    None: nothing is found, or the edges of the page are no backing.
    """
    colors, dpi = small(sheet, DPI)
    backing = _backing(colors, dpi)
    if backing is None:
        return None
    boxes, is_paper = _boxes(_difference(colors, backing), dpi)
    if not boxes:
        return None
    wide, high = sheet.width / colors.shape[1], sheet.height / colors.shape[0]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    found = int(left * wide), int(top * high), round(right * wide), round(bottom * high)
    return found, is_paper


def _backing(colors: Array, dpi: float) -> Array | None:
    """Return the samples of the backing, None if the page reaches all edges."""
    np = require("numpy", "crop")
    edge = max(1, round(EDGE_MM / 25.4 * dpi))
    strips = (colors[:edge], colors[-edge:], colors[:, :edge], colors[:, -edge:])
    even = []
    for strip in strips:
        middle = np.median(strip, axis=(0, 1))
        if float(np.median(np.abs(strip - middle))) <= UNEVEN:
            even.append(np.atleast_1d(middle))
    if not even:
        return None
    darkest = min(even, key=lambda color: float(color.mean()))
    found: Array = darkest if darkest.mean() < DARK else np.median(even, axis=0)
    return found


def _difference(colors: Array, backing: Array) -> Array:
    """Return by how much each pixel differs from the backing, in the sample that differs most."""
    np = require("numpy", "crop")
    samples = np.abs(colors.reshape(*colors.shape[:2], -1).astype(np.int16) - backing.astype(int))
    difference: Array = samples.max(axis=2)
    return difference


def _boxes(difference: Array, dpi: float) -> tuple[list[Box], bool]:
    """Return the areas that differ from the backing, and whether the largest is paper."""
    cv2 = opencv("crop")
    np = require("numpy", "crop")
    differs = (difference > CONTRAST).astype(np.uint8)
    size = round(JOINED_MM / 25.4 * dpi) | 1
    joined = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    outlines = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[-2]
    mm2 = (25.4 / dpi) ** 2
    areas = [(_pixels(cv2, outline) * mm2, outline) for outline in outlines]
    if not areas:
        return [], False
    largest, outline = max(areas, key=lambda item: item[0])
    (_, (width, height), _) = cv2.minAreaRect(outline)
    is_paper = largest >= SHEET_MM2 and largest >= SOLID * (width + 1) * (height + 1) * mm2
    least = max(SPECK_MM2, SHARE * largest if is_paper else 0)
    kept = [outline for area, outline in areas if area >= least]
    if is_paper:
        kept = _without_dust(cv2, kept, differs.shape, dpi)
    boxes = [cv2.boundingRect(outline) for outline in kept]
    return [(x, y, x + width, y + height) for x, y, width, height in boxes], is_paper


def _without_dust(cv2: Any, outlines: list[Any], shape: tuple[int, ...], dpi: float) -> list[Any]:
    """Return the outlines of papers without the specks that touch their edges."""
    np = require("numpy", "crop")
    papers = np.zeros(shape, np.uint8)
    cv2.drawContours(papers, outlines, -1, 1, cv2.FILLED)
    size = round(2 * JOINED_MM / 25.4 * dpi) | 1
    edge = cv2.BORDER_REPLICATE  # paper that reaches the edge of the bed goes on there
    opened = cv2.morphologyEx(papers, cv2.MORPH_OPEN, np.ones((size, size)), borderType=edge)
    return list(cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[-2])


def _pixels(cv2: Any, outline: Any) -> float:
    """Return how many pixels an outline goes round, those that it is made of too."""
    area, length = cv2.contourArea(outline), cv2.arcLength(outline, True)
    return float(area + length / 2 + 1)


def crop(sheet: Sheet, margin_mm: float | None = None) -> Sheet:
    """Return the page cut to what lies on the backing, and *margin_mm* around it.

    margin_mm: None is 0 around paper, and PRINT_MARGIN_MM around print whose paper is not seen.
    The fact "cropped" is what was cut off at left, top, right and bottom in mm, None for nothing.
    """
    np = require("numpy", "crop")
    found = content_of(sheet)
    if found is None:
        return sheet.noted(cropped=None)
    (left, top, right, bottom), is_paper = found
    margin = (0.0 if is_paper else PRINT_MARGIN_MM) if margin_mm is None else margin_mm
    across, down = (round(margin / 25.4 * dots) for dots in sheet.dots)
    left, top = max(0, left - across), max(0, top - down)
    right, bottom = min(sheet.width, right + across), min(sheet.height, bottom + down)
    if right - left < 1 or bottom - top < 1:  # a margin below 0 that leaves nothing
        return sheet.noted(cropped=None)
    if right - left > WHOLE * sheet.width and bottom - top > WHOLE * sheet.height:
        return sheet.noted(cropped=None)
    cut = (left, top, sheet.width - right, sheet.height - bottom)
    scale = tuple(25.4 / dots for dots in (*sheet.dots, *sheet.dots))
    millimetres = tuple(round(pixels * mm, 1) for pixels, mm in zip(cut, scale, strict=True))
    array = np.ascontiguousarray(sheet.array[top:bottom, left:right])
    return sheet.replaced(array, cropped=millimetres)
