"""A window of SET WINDOW, as a host asks for it: read, refused or obeyed.

Source: specification fujitsu 2.7.
"""

from __future__ import annotations

import struct

from ..esci.page import Window as PageWindow
from .model import COLOR, GRAY, HALFTONE, LINEART, UNITS, Model
from .sense import BAD_FIELD, Refused

HEADER_BYTES, WINDOW_BYTES = 8, 64
FRONT, BACK = 0x00, 0x80
COMPOSITIONS = {0: LINEART, 1: HALFTONE, 2: GRAY, 5: COLOR}
COLOR_COMPOSITION = 5
JPEG = 0x81
BLOCK_GRAY, BLOCK_COLOR, BLOCK_OLD = 0x00, 0xC1, 0xC0
ENLARGED = 2 * UNITS  # wider than the paper by so much is no mistake


class Window:
    """One descriptor of 64 bytes; raises Refused, with the place, for what *model* cannot do."""

    def __init__(self, raw: bytes, model: Model) -> None:
        self.raw = raw
        numbers: tuple[int, ...] = struct.unpack(">BxHHIIII", raw[:0x16])
        self.side, self.x_dpi, self.y_dpi, self.left, self.top, self.width, self.length = numbers
        self.threshold, self.composition, self.bits = raw[0x17], raw[0x19], raw[0x1A]
        self.is_reverse = bool(raw[0x1D] & 0x80)
        self.compression, self.quality = raw[0x20], raw[0x21]
        self.block, self.order = raw[0x28], raw[0x2A:0x2C]
        self._check(model)
        if model.is_old and self.is_color:
            self.order = model.orders[0]

    @property
    def is_color(self) -> bool:
        """Whether pixels have three samples."""
        return self.composition == COLOR_COMPOSITION

    @property
    def is_jpeg(self) -> bool:
        """Whether a JPEG file is asked for."""
        return self.compression == JPEG

    @property
    def pixels(self) -> int:
        """How many pixels a line has."""
        return (self.width * self.x_dpi + UNITS // 2) // UNITS

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return (self.length * self.y_dpi + UNITS // 2) // UNITS

    @property
    def line_bytes(self) -> int:
        """How many bytes a line has."""
        return self.size_of(self.pixels)

    def size_of(self, pixels: int) -> int:
        """Return how many bytes *pixels* of a line have."""
        return 3 * pixels if self.is_color else pixels if self.bits == 8 else (pixels + 7) // 8

    def on_page(self, sheet: int) -> Piece:
        """Return what part of side *sheet*, counted from 0, is asked for."""
        dpi = (self.x_dpi, self.y_dpi)
        corner = (self.left * self.x_dpi // UNITS, self.top * self.y_dpi // UNITS)
        piece = Piece(dpi, (*corner, self.pixels, self.lines), 3 if self.is_color else 1)
        piece.side = 2 * sheet + (self.side == BACK)
        piece.bits = self.bits
        return piece

    def _check(self, model: Model) -> None:
        low, high = model.resolutions
        bits = 8 if self.composition in (2, COLOR_COMPOSITION) else 1
        block = BLOCK_OLD if model.is_old else BLOCK_COLOR if self.is_color else BLOCK_GRAY
        width, length = (side + ENLARGED for side in model.area)
        is_known_order = model.is_old or not self.is_color or self.order in model.orders
        is_known_mode = model.has(0x1C, COMPOSITIONS.get(self.composition, 0))
        for offset, is_good in (
            (0x00, self.side == FRONT or (self.side == BACK and model.has(0x20, 0x10))),
            (0x02, low <= self.x_dpi <= high and low <= self.y_dpi <= high),
            (0x06, self.left + self.width <= width),
            (0x0A, self.top + self.length <= length),
            (0x0E, self.pixels > 0),
            (0x12, self.lines > 0),
            (0x19, is_known_mode),
            (0x1A, self.bits == bits),
            (0x20, not self.compression or (self.compression == JPEG and model.has(0x5A, 0x08))),
            (0x28, self.block == block),
            (0x2A, is_known_order),
        ):
            if not is_good:
                raise Refused(BAD_FIELD, HEADER_BYTES + offset)


class Piece(PageWindow):
    """A part of a side at a resolution; side: 2 for each sheet before it, and 1 for a back."""

    bits = 8


def read_windows(data: bytes, model: Model) -> dict[int, Window]:
    """Return the windows of SET WINDOW's data, by side; raises Refused."""
    size, rest = data[6:8], data[HEADER_BYTES:]
    if size != WINDOW_BYTES.to_bytes(2, "big") or not rest or len(rest) % WINDOW_BYTES:
        raise Refused(BAD_FIELD, 6)
    found = {}
    for start in range(0, len(rest), WINDOW_BYTES):
        window = Window(rest[start : start + WINDOW_BYTES], model)
        found[window.side] = window
    return found
