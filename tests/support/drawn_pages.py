"""Pages that look like something: drawn letters, lists and photographs, for the page's pictures."""

from __future__ import annotations

import functools
import io
import random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

RATIO = 297 / 210
INK, SOFT, PAPER = (45, 50, 56), (150, 155, 160), (253, 252, 249)
COLOURS = ((28, 92, 140), (170, 60, 48), (34, 120, 96), (140, 98, 30))


class Scaled:
    """Draws in parts of the width."""

    def __init__(self, image: Image.Image) -> None:
        self.drawing = ImageDraw.Draw(image)
        self.width = image.width

    def rounded_rectangle(self, box: tuple[float, ...], radius: float, fill: object) -> None:
        """Draw a box with round corners."""
        self.drawing.rounded_rectangle(
            [part * self.width for part in box], radius * self.width, fill=fill
        )


def _lines(draw: Scaled, dice: random.Random, top: float, count: int) -> float:
    """Draw *count* lines of words from *top*, in parts of the width; return where they end."""
    for line in range(count):
        x, end = 0.12, 0.88 if line < count - 1 else dice.uniform(0.3, 0.7)
        while x < end:
            word = min(dice.uniform(0.02, 0.09), end - x)
            draw.rounded_rectangle((x, top, x + word, top + 0.009), 0.003, fill=INK)
            x += word + 0.012
        top += 0.024
    return top + 0.022


def _letter(pen: Scaled, dice: random.Random) -> None:
    colour = dice.choice(COLOURS)
    pen.rounded_rectangle((0.12, 0.1, 0.2, 0.18), 0.02, fill=colour)
    pen.rounded_rectangle((0.23, 0.115, 0.5, 0.135), 0.004, fill=colour)
    pen.rounded_rectangle((0.23, 0.15, 0.4, 0.162), 0.004, fill=SOFT)
    for line in range(4):
        pen.rounded_rectangle(
            (0.12, 0.26 + line * 0.026, 0.33, 0.27 + line * 0.026), 0.003, fill=INK
        )
    pen.rounded_rectangle((0.12, 0.42, 0.55, 0.438), 0.004, fill=INK)
    top = 0.5
    for count in (dice.randint(4, 6), dice.randint(5, 8), dice.randint(3, 5)):
        top = _lines(pen, dice, top, count)


def _table(pen: Scaled, dice: random.Random) -> None:
    colour = dice.choice(COLOURS)
    pen.rounded_rectangle((0.12, 0.1, 0.45, 0.13), 0.004, fill=colour)
    top = _lines(pen, dice, 0.2, 3)
    pen.rounded_rectangle((0.12, top, 0.88, top + 0.045), 0.004, fill=colour)
    for row in range(14):
        y = top + 0.065 + row * 0.042
        if row % 2:
            pen.rounded_rectangle((0.12, y - 0.014, 0.88, y + 0.024), 0, fill=(240, 240, 236))
        pen.rounded_rectangle((0.14, y, 0.14 + dice.uniform(0.15, 0.3), y + 0.01), 0.003, fill=INK)
        pen.rounded_rectangle((0.56, y, 0.6, y + 0.01), 0.003, fill=SOFT)
        pen.rounded_rectangle((0.78, y, 0.86, y + 0.01), 0.003, fill=INK)


def _photo(image: Image.Image, dice: random.Random) -> None:
    """Draw a landscape on the upper half, and words below it."""
    width = image.width
    box = [round(part * width) for part in (0.12, 0.12, 0.88, 0.68)]
    sky = Image.linear_gradient("L").resize((box[2] - box[0], box[3] - box[1]))
    scene = ImageOps.colorize(sky, (92, 148, 190), (248, 216, 170))
    pen = ImageDraw.Draw(scene)
    for layer, colour in enumerate(((110, 140, 150), (70, 108, 112), (38, 72, 72))):
        base = scene.height * (0.55 + 0.14 * layer)
        points = [
            (x * scene.width / 8, base - dice.uniform(0, 0.16) * scene.height) for x in range(9)
        ]
        pen.polygon([(0, scene.height), *points, (scene.width, scene.height)], fill=colour)
    image.paste(scene.filter(ImageFilter.GaussianBlur(width / 400)), (box[0], box[1]))
    _lines(Scaled(image), dice, 0.76, 9)


@functools.lru_cache(maxsize=64)
def draw(name: int | str, width: int, mode: str = "color") -> Image.Image:
    """Return page *name*, *width* pixels wide, of A4; "glass" is one that lies on a glass."""
    double = 2 * width
    image = Image.new("RGB", (double, round(double * RATIO)), PAPER)
    number = 1 if name == "glass" else int(name)
    dice = random.Random(number)
    if number % 3 == 0:
        _photo(image, dice)
    else:
        (_letter if number % 3 == 1 else _table)(Scaled(image), dice)
    if name == "glass":
        turned = image.rotate(-1.2, expand=True, fillcolor=(228, 229, 228), resample=Image.BICUBIC)
        turned.thumbnail((round(double * 0.86), double * 2))
        image = Image.new("RGB", image.size, (228, 229, 228))
        image.paste(turned, (round(double * 0.04), round(double * 0.04)))
    image = image.resize((width, round(width * RATIO)), Image.LANCZOS)
    if mode == "gray":
        return image.convert("L")
    return image.convert("1").convert("L") if mode == "lineart" else image


def jpeg(image: Image.Image) -> bytes:
    """Return *image* as JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
