"""How an emulated document scanner puts the lines of a side on the wire.

Source: specification fujitsu 3.2 (inverted samples), 7.4 and 7.5 (orders of colours and sides).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from ..esci.page import Page, bits
from .model import BGR_PIXELS, LINES, Model
from .window import Piece, Window

INVERTED = bytes(255 - value for value in range(256))
THRESHOLD = 128  # of line art, where the window leaves it to the scanner


class Stream:
    """The bytes of a side, or of two in one, as a host reads them."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.is_read = False

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes, fewer at the end."""
        parts, count = [self._rest], len(self._rest)
        while count < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            count += len(chunk)
        whole = b"".join(parts)
        self._rest = whole[size:]
        self.is_read = self.is_read or bool(whole)
        return whole[:size]


def side_rows(window: Window, piece: Piece, page: Page, model: Model) -> Iterator[bytes]:
    """Return the lines of a side as they go over the wire."""
    if window.is_color:
        return _color_lines(window, piece, page, model)
    if window.bits == 8:
        return page(piece) if model.is_old else _translated(page(piece), INVERTED)
    white_is_one = model.is_old != window.is_reverse
    return _bit_lines(window, piece, page, white_is_one)


def _translated(rows: Iterator[bytes], table: bytes) -> Iterator[bytes]:
    return (row.translate(table) for row in rows)


def _bit_lines(window: Window, piece: Piece, page: Page, white_is_one: bool) -> Iterator[bytes]:
    """Yield lines of bits, to whole bytes filled up with white."""
    threshold = window.threshold or THRESHOLD
    fill = b"\xff" * (-piece.width % 8)
    for row in page(piece):
        packed = bits(row + fill, threshold)
        yield packed if white_is_one else packed.translate(INVERTED)


def _color_lines(window: Window, piece: Piece, page: Page, model: Model) -> Iterator[bytes]:
    if model.is_old:
        yield from _distant_lines(piece, page, model.raster[0])
        return
    for row in page(piece):
        inverted = row.translate(INVERTED)
        if window.order == LINES:
            yield inverted[0::3] + inverted[1::3] + inverted[2::3]
        elif window.order == BGR_PIXELS:
            swapped = bytearray(inverted)
            swapped[0::3], swapped[2::3] = inverted[2::3], inverted[0::3]
            yield bytes(swapped)
        else:
            yield inverted


def _distant_lines(piece: Piece, page: Page, raster: int) -> Iterator[bytes]:
    """Yield lines of red, green and blue whose sensors are lines apart, not inverted."""
    green, blue = raster * piece.y_dpi // 150, raster * piece.y_dpi // 300
    before = max(green, blue)
    area = (piece.left, piece.top - before, piece.width, piece.lines + before)
    earlier = Piece((piece.x_dpi, piece.y_dpi), area, piece.channels)
    earlier.side = piece.side
    held: deque[bytes] = deque(maxlen=before + 1)
    for row in page(earlier):
        held.append(row)
        if len(held) == before + 1:
            yield held[before][0::3] + held[before - green][1::3] + held[before - blue][2::3]


def interleaved(front: Iterator[bytes], back: Iterator[bytes], ahead: int) -> Iterator[bytes]:
    """Yield the lines of both sides as one stream: *ahead* of the front, then in turns."""
    yield from islice(front, ahead)
    for row in front:
        yield row
        other = next(back, None)
        if other is not None:
            yield other
    yield from back
