"""The settings of an emulated ESC/I scanner: as single commands and as the block of FS W.

Source: specification esci 2.3 (catalogue) and 2.7 (the block).
"""

from __future__ import annotations

import struct

from .model import Model
from .page import Window

COLOR_GRB, COLOR_RGB, COLOR_LINES = 0x03, 0x13, 0x02
COLORS = (COLOR_GRB, COLOR_RGB, COLOR_LINES)
GRAYS = (0x00, 0x10, 0x20, 0x30)
GAMMAS = (0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x20)
HALFTONES = (0x00, 0x01, 0x03, 0x10, 0x20, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0)
SLACK_PX = 8  # of an area beyond the bed: hosts round
BLOCK = struct.Struct("<IIIIIIBBBBBBbBBBBbBBB25x")
FIELDS = (
    *("x_dpi", "y_dpi", "left", "top", "width", "lines", "color", "bits", "option", "speed"),
    *("block_lines", "gamma", "brightness", "correction", "halftone", "threshold"),
    *("segmentation", "sharpness", "mirror", "film", "lamp"),
)
SINGLE = {  # commands with one byte that is one setting: the field, how the byte is read
    "C": ("color", "B"),
    "D": ("bits", "B"),
    "L": ("brightness", "b"),
    "Z": ("gamma", "B"),
    "B": ("halftone", "B"),
    "M": ("correction", "B"),
    "Q": ("sharpness", "b"),
    "g": ("speed", "B"),
    "d": ("block_lines", "B"),
    "K": ("mirror", "B"),
    "s": ("segmentation", "B"),
    "t": ("threshold", "B"),
    "N": ("film", "B"),
    "e": ("option", "B"),
}


class Refused(Exception):
    """The scanner does not take this value: it answers NAK."""


class Settings:
    """What one scan will be like; ESC @ resets it."""

    def __init__(self) -> None:
        self.x_dpi = self.y_dpi = 0
        self.left = self.top = self.width = self.lines = 0
        self.color = 0
        self.bits = 8
        self.option = 0
        self.speed = 0
        self.block_lines = 0
        self.gamma = 0x02
        self.brightness = 0
        self.correction = 0
        self.halftone = 0x01
        self.threshold = 0x80
        self.segmentation = 0
        self.sharpness = 0
        self.mirror = 0
        self.film = 0
        self.lamp = 0

    def set(self, command: str, data: bytes, model: Model) -> None:
        """Take the parameter of an ESC command; raises Refused."""
        if command == "R":
            self.x_dpi, self.y_dpi = struct.unpack("<HH", data)
            self.left = self.top = self.width = self.lines = 0
        elif command == "A":
            self.left, self.top, self.width, self.lines = struct.unpack("<HHHH", data)
        else:
            field, kind = SINGLE[command]
            setattr(self, field, struct.unpack(kind, data)[0])
            if command == "e":
                self.color = 0
        self.check(model)

    def set_block(self, data: bytes, model: Model) -> None:
        """Take the parameter of FS W; raises Refused."""
        if len(data) != BLOCK.size:
            raise Refused(f"a block of {len(data)} bytes")
        for field, value in zip(FIELDS, BLOCK.unpack(data), strict=True):
            setattr(self, field, value)
        if not self.width or not self.lines:
            raise Refused("nothing to scan")
        self.check(model)

    def block(self) -> bytes:
        """Return the reply to FS S."""
        return BLOCK.pack(*(getattr(self, field) for field in FIELDS))

    def check(self, model: Model) -> None:
        """Raise Refused for what this model cannot do."""
        for value, legal in (
            (self.color, GRAYS + COLORS),
            (self.bits, model.depths()),
            (self.gamma, GAMMAS),
            (self.halftone, HALFTONES),
            (self.correction, (0x00, 0x01, 0x10, 0x20, 0x40, 0x80)),
            (self.brightness, range(-4, 4)),
            (self.sharpness, range(-2, 3)),
            (self.mirror, (0, 1)),
            (self.segmentation, (0, 1)),
            (self.film, range(4)),
            (self.width % 8, (0,)),
        ):
            if value not in legal:
                raise Refused(f"{value} is not in {legal}")
        self._check_option(model)
        self._check_area(model)

    def _check_option(self, model: Model) -> None:
        bed = model.bed(self.option)
        legal = self.option in (0, 1, 2, 3, 5) and bed.is_there
        if not legal or (self.option == 2 and not model.is_duplex):
            raise Refused(f"no option unit {self.option}")

    def _check_area(self, model: Model) -> None:
        if not self.width:
            return
        if max(self.x_dpi, self.y_dpi) > max(model.maximum, *model.resolutions):
            raise Refused(f"{self.x_dpi} x {self.y_dpi} dpi")
        bed = model.bed(self.option)
        width = bed.width * self.x_dpi // model.basic + SLACK_PX
        lines = bed.height * self.y_dpi // model.basic + SLACK_PX
        if self.left + self.width > width or self.top + self.lines > lines:
            raise Refused(f"{self.left + self.width} x {self.top + self.lines} pixels")

    # What follows from the settings

    def channels(self) -> int:
        """Return the samples of a pixel."""
        return 1 if self.color in GRAYS else 3

    def line_bytes(self) -> int:
        """Return the bytes of one line of the image, all colours."""
        if self.bits == 1:
            return self.width // 8 * self.channels()
        return self.width * self.channels() * (1 if self.bits == 8 else 2)

    def window(self, margin: int = 0) -> Window:
        """Return what part of the page is meant, with *margin* more lines on either side."""
        area = (self.left, self.top - margin, self.width, self.lines + 2 * margin)
        window = Window((self.x_dpi, self.y_dpi), area, self.channels())
        window.option = self.option
        return window
