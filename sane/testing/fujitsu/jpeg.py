"""JPEG files of an emulated document scanner: of a side, or of both sides of a sheet in one.

A file of both sides is twice as wide, with the back to the right of the front; its restart
intervals are half a row of blocks, so that they belong to front and back in turns.

Source: specification fujitsu 7.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..esci2 import turbojpeg
from .paper import Page
from .window import Piece

BLOCK = 8  # pixels, where colours are not reduced
QUALITY, QUALITY_STEP = 92, 10  # by the compression argument, 0 to 7


def jpeg_chunks(sides: Sequence[tuple[Piece, Page]], argument: int) -> Iterator[bytes]:
    """Yield one JPEG file with *sides* beside each other, made when it is first read."""
    first = sides[0][0]
    lines = [page(piece) for piece, page in sides]
    pixels = b"".join(b"".join(row) for row in zip(*lines, strict=True))
    restart = first.width // BLOCK if len(sides) > 1 else 0
    width = first.width * len(sides)
    quality = QUALITY - QUALITY_STEP * argument
    yield turbojpeg.compress(pixels, width, first.lines, quality, "444", restart=restart)
