"""Pages as PIL images. Only here PIL's modes and raw decoders are known."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from PIL.Image import Image as PilImage

    from .page import Page

NATIVE_16 = "I;16" if sys.byteorder == "little" else "I;16B"


def image_of(page: Page, *, is_deep: bool = True) -> PilImage:
    """Return *page* as an image; see Page.to_image. is_deep: gray may have 16 bits."""
    from PIL import Image

    size = page.width, page.height
    rows: Any = page.rows()
    if page.depth == 1:
        if page.channels == 1:
            image = Image.frombytes("1", size, bytes(rows), "raw", "1;I")
        else:
            image = Image.fromarray(page.array)
    elif page.depth == 8:
        image = image_of_bytes(size, page.channels, rows)
    elif page.channels == 1 and is_deep:
        image = Image.frombuffer(NATIVE_16, size, rows, "raw", NATIVE_16, 0, 1)
    else:
        image = Image.fromarray((page.array >> 8).astype("uint8"))
    if page.dpi is not None:
        image.info["dpi"] = page.dpi
    return image


def image_of_bytes(size: tuple[int, int], channels: int, rows: Any) -> PilImage:
    """Return the image of samples of 8 bits; one channel stays in the memory of *rows*."""
    from PIL import Image

    if channels == 3:
        mode, rows = "RGB", bytes(rows)  # Pillow 9.4 decodes nothing else
    else:
        mode = "L"
    return Image.frombuffer(mode, size, rows, "raw", mode, 0, 1)
