"""The rows of an emulated scanner's page, in the sample form of a colour mode.

A page is a function as in sane.testing.esci.page: a Window in, rows of 8-bit samples out. So a test
knows every pixel: reference() makes what the host must show in the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..esci.page import Page, Window, pattern
from .model import COLOR, COLOR16, GRAY, GRAY16, LINEART

__all__ = ["Page", "Window", "grid", "pattern", "reference", "rows_of"]

FORMS = {LINEART: (1, 1), GRAY: (1, 8), GRAY16: (1, 16), COLOR: (3, 8), COLOR16: (3, 16)}
GRID_MM, INCH_MM = 10, 25.4
_THRESHOLD = bytes(49 if value >= 128 else 48 for value in range(256))  # "1" is white
_LOW = bytes(value ^ 0x5A for value in range(256))  # the low byte of a 16-bit sample


def grid(window: Window) -> Iterator[bytes]:
    """Yield white paper with a line each 10 mm from the glass's corner, and the side as a number.

    The number is a bar at the top left, 10 mm for each side that was fed before.
    """
    black, white = b"\0" * window.channels, b"\xff" * window.channels
    x_step, y_step = (dpi * GRID_MM / INCH_MM for dpi in (window.x_dpi, window.y_dpi))
    columns = range(window.left, window.left + window.width)
    paper = b"".join(black if int(x / x_step) != int((x - 1) / x_step) else white for x in columns)
    line = black * window.width
    bar = b"".join(black if x < x_step * window.side else white for x in columns)
    for y in range(window.top, window.top + window.lines):
        if int(y / y_step) != int((y - 1) / y_step):
            yield line
        else:
            yield bar if y_step / 4 < y < y_step / 2 else paper


def rows_of(page: Page, window: Window, mode: str) -> Iterator[bytes]:
    """Yield the rows of *page* in the form of a colour mode.

    BlackAndWhite1: packed, 1 is white. 16 bits: big-endian, as in PNG.
    """
    channels, depth = FORMS[mode]
    window.channels = channels
    for row in page(window):
        if depth == 8:
            yield row
        elif depth == 16:
            words = bytearray(2 * len(row))
            words[0::2], words[1::2] = row, row.translate(_LOW)
            yield bytes(words)
        else:
            size = (len(row) + 7) // 8
            text = row.translate(_THRESHOLD).ljust(8 * size, b"0")
            yield int(text, 2).to_bytes(size, "big")


def reference(
    mode: str, dpi: int, area: tuple[int, int, int, int], side: int = 0, page: Page = pattern
) -> bytes:
    """Return a page's pixels as rows_of makes them; *area*: left, top, width, lines in pixels."""
    window = Window((dpi, dpi), area, FORMS[mode][0])
    window.side = side
    return b"".join(rows_of(page, window, mode))
