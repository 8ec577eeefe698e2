"""Pages that are drawn, for tests of page work: print, forms, dust, receipts, photographs."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sane.pagework.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.pagework.sheet import Mode

DPI = 150
PAPER = 247
A4 = 210.0, 297.0
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "seven", "wizards")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write longer files, as it refuses where the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def dots(mm: float, dpi: int) -> int:
    return round(mm / 25.4 * dpi)


def blank(dpi: int = DPI, size: tuple[float, float] = A4, light: int = PAPER, seed: int = 1) -> Any:
    """Return a sheet of paper as a scanner sees it: with a little noise."""
    noise = np.random.default_rng(seed).normal(light, 2.0, (dots(size[1], dpi), dots(size[0], dpi)))
    return np.clip(noise, 0, 255).astype(np.uint8)


def font_of(size: float) -> Any:
    """Return a font; Pillow before 10.1 has none of its own that can be scaled."""
    try:
        return ImageFont.load_default(size)
    except TypeError:
        return ImageFont.truetype("DejaVuSans.ttf", round(size))


@lru_cache(maxsize=8)
def text_image(dpi: int, size: tuple[float, float], points: float, lines: int | None = None) -> Any:
    """Return black print on white, as Pillow's gray image with soft edges."""
    width, height = (dots(mm, dpi) for mm in size)
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    font = font_of(points / 72 * dpi)
    pitch = points * 1.3 / 72 * dpi
    margin = width // 10
    rng = np.random.default_rng(7)
    for row in range(lines or int((height - 2 * margin) / pitch)):
        words: list[str] = []
        while pen.textlength(" ".join(words), font) < width * 0.72:
            words.append(WORDS[rng.integers(len(WORDS))])
        pen.text((margin, margin + row * pitch), " ".join(words), 0, font)
    return image


def printed(
    dpi: int = DPI,
    size: tuple[float, float] = A4,
    *,
    points: float = 11,
    lines: int | None = None,
    angle: float = 0.0,
) -> Any:
    """Return a page of print, turned clockwise by *angle* degrees about its middle."""
    image = text_image(dpi, size, points, lines)
    if angle:
        image = image.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=255)
    ink = 255 - np.asarray(image).astype(np.float32)
    return np.clip(blank(dpi, size) - ink * 0.9, 0, 255).astype(np.uint8)


def photograph(dpi: int = DPI, size: tuple[float, float] = (150.0, 100.0), seed: int = 3) -> Any:
    """Return soft hills of light in colour, with grain and a slanting edge or two."""
    width, height = (dots(mm, dpi) for mm in size)
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(0, 255, (9, 13, 3), dtype=np.uint8))
    soft = np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width]
    soft[y > height * 0.6 + x * 0.11] *= 0.7  # a horizon that hangs
    soft += rng.normal(0, 4, soft.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


def on_backing(paper: Any, backing: int, at_mm: tuple[float, float], dpi: int = DPI) -> Any:
    """Return an A4 scan with *paper* lying on a backing of that light."""
    page = blank(dpi, light=backing, seed=2)
    left, top = (dots(mm, dpi) for mm in at_mm)
    page[top : top + paper.shape[0], left : left + paper.shape[1]] = paper
    return page


def turned_on_backing(paper: Any, backing: int, angle: float, dpi: int = DPI) -> Any:
    """Return an A4 scan with *paper* in its middle, turned clockwise by *angle*."""
    width, height = (dots(mm, dpi) for mm in A4)
    whole = Image.new("L", (width, height), backing)
    whole.paste(
        Image.fromarray(paper), ((width - paper.shape[1]) // 2, (height - paper.shape[0]) // 2)
    )
    return np.asarray(whole.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=backing))


def dusty(page: Any, count: int, pixels: int, seed: int = 5) -> Any:
    """Return *page* with *count* black specks of up to *pixels* across."""
    out = page.copy()
    rng = np.random.default_rng(seed)
    for _ in range(count):
        size = int(rng.integers(1, pixels + 1))
        y, x = rng.integers(out.shape[0] - size), rng.integers(out.shape[1] - size)
        out[y : y + size, x : x + size] = 40
    return out


def sheet_of(array: Any, mode: Mode | None = None, dpi: int = DPI, **known: Any) -> Sheet:
    """Return an array as a page."""
    return Sheet(
        array, mode=mode or ("color" if array.ndim == 3 else "gray"), dpi=(dpi, dpi), **known
    )
