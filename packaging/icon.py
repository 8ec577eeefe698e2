"""Draws the icon that eSCL clients show for a shared scanner: python packaging/icon.py.

A flatbed with its lid open and a line of light, by Pillow, four times as large and made smaller.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parents[1] / "sane" / "web" / "escl" / "icons"
SIZES = (128, 256, 512)
UNITS = 512  # of the drawing's sides
SCALE = 4
LID, RIM, BODY, EDGE = "#3d4a5c", "#5b6b80", "#e8ecf1", "#b9c2ce"
GLASS, PAPER, PRINT, LIGHT = "#23303f", "#ffffff", "#9fb0c3", "#7ee0ff"


def scaled(*values: float) -> list[float]:
    """Return lengths of the drawing in pixels."""
    return [value * SCALE for value in values]


def drawn() -> Image.Image:
    """Return the icon, large."""
    side = UNITS * SCALE
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    shadow = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(shadow).rounded_rectangle(scaled(52, 410, 460, 470), 24 * SCALE, "#00000060")
    image.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(10 * SCALE)))
    draw = ImageDraw.Draw(image)
    draw.polygon(scaled(96, 60, 416, 60, 452, 214, 60, 214), fill=LID)  # the lid, seen from below
    draw.polygon(scaled(118, 80, 394, 80, 422, 198, 90, 198), fill=RIM)
    draw.polygon(scaled(60, 220, 452, 220, 492, 380, 20, 380), fill=BODY)
    draw.rounded_rectangle(scaled(20, 372, 492, 446), 18 * SCALE, EDGE)
    draw.polygon(scaled(92, 236, 420, 236, 446, 356, 66, 356), fill=GLASS)
    draw.polygon(scaled(150, 244, 362, 244, 376, 346, 136, 346), fill=PAPER)
    for top, left, right in ((260, 176, 336), (276, 173, 339), (292, 171, 300)):
        draw.line(scaled(left, top, right, top), fill=PRINT, width=6 * SCALE)
    glow = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(glow).line(scaled(78, 316, 434, 316), fill=LIGHT, width=16 * SCALE)
    image.alpha_composite(glow.filter(ImageFilter.GaussianBlur(9 * SCALE)))
    draw.line(scaled(78, 316, 434, 316), fill="#f2fdff", width=6 * SCALE)
    draw.rounded_rectangle(scaled(48, 398, 168, 418), 10 * SCALE, "#8d99a8")
    draw.ellipse(scaled(436, 398, 458, 420), fill="#37c871")
    return image


def main() -> None:
    """Write the icons."""
    FOLDER.mkdir(exist_ok=True)
    large = drawn()
    for size in SIZES:
        icon = large.resize((size, size), Image.Resampling.LANCZOS)
        icon.save(FOLDER / f"scanner-{size}.png", optimize=True)


if __name__ == "__main__":
    main()
