"""The page that lies on the emulated scanner's glass when pictures are taken: drawn, not found."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 2550, 3508  # the glass of the emulated scanner at 300 dpi
INK, BLUE, GRAY, PAPER = (28, 34, 40), (11, 92, 122), (96, 104, 112), (253, 252, 248)
TEXT = (
    "The morning was clear when we set out, and from the pass",
    "we saw the lake below us, blue as the ink of this letter.",
    "By noon the wind had turned. We kept to the eastern shore,",
    "where the path is dry, and came to the hut before the rain.",
    "",
    "I enclose the one picture that came out. Keep it well: the",
    "negative is lost. Write to me soon.",
)


def photograph(width: int, height: int) -> Any:
    """Return hills, a lake and the sun."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:height, 0:width]
    down, across = y / height, x / width
    sky = np.stack([150 + 95 * down, 190 + 40 * down, 228 - 10 * down], axis=-1)
    sun = np.hypot((x - 0.72 * width) / height, (y - 0.2 * height) / height)
    sky += (np.clip(1 - sun / 0.35, 0, 1) ** 3)[..., None] * [105, 70, -20]
    image = np.where((sun < 0.055)[..., None], [255, 246, 214], sky)
    for number, (base, swing, color) in enumerate(
        [(0.42, 0.10, (128, 152, 172)), (0.52, 0.08, (86, 122, 128)), (0.60, 0.05, (52, 88, 82))]
    ):
        ridge = base + sum(
            swing
            / wave
            * np.sin(across * math.tau * wave * (1 + 0.3 * number) + 2.1 * wave + number)
            for wave in (1, 2, 3.7, 7.3)
        )
        image = np.where((down > ridge)[..., None], color, image)
    lake = np.stack([40 + 60 * down, 96 + 70 * down, 128 + 70 * down], axis=-1)
    lake += (8 * np.sin(down * 420 + 5 * np.sin(across * 9)))[..., None]
    image = np.where((down > 0.72)[..., None], lake, image)
    return Image.fromarray(np.clip(image, 0, 255).astype("uint8"))


def letter() -> Any:
    """Return the page: a letter with a photograph and a colour chart."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(page)
    font, head, small = (ImageFont.load_default(size) for size in (62, 128, 44))
    draw.text((240, 250), "Letter from the lake", BLUE, head)
    draw.line((240, 440, WIDTH - 240, 440), BLUE, 6)
    draw.text((240, 480), "no. 17 of the collection, second sheet", GRAY, small)
    for number, line in enumerate(TEXT):
        draw.text((240, 680 + 108 * number), line, INK, font)
    page.paste(photograph(WIDTH - 480, 1240), (240, 1540))
    draw.rectangle((240, 1540, WIDTH - 240, 2780), outline=INK, width=4)
    draw.text((240, 2810), "The lake from the eastern shore, before the rain", GRAY, small)
    chart = ("#1c2228", "#8a9299", "#d9dde0", "#b3261e", "#e8871e", "#ffd166", "#2e7d4f", "#0b5c7a")
    for number, color in enumerate(chart):
        left = 240 + number * 262
        draw.rectangle((left, 3000, left + 220, 3180), fill=color)
    draw.text((240, 3230), "colour chart of the archive", GRAY, small)
    return page


def write_letter(path: Path) -> None:
    """Write the page as PPM, as the emulator reads it."""
    letter().save(path)
