"""What a host asks an emulated Canon scanner to scan: its parameters, read and checked.

Source: specification pixma 2.2 (checksums) and 2.5 (parameter blocks).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .models import MP150, Model

FLATBED, FEEDER, INFRARED, FILM = 1, 2, 3, 4
BITS = {8: (1, 8), 24: (3, 8), 48: (3, 16), 1: (1, 1)}  # of a pixel: samples, bits of each
DUPLEX, JPEG = 0x03, 0x83
LAST_IMAGES = 1 << 20  # pixels or lines: no bed is larger
FIELDS = struct.Struct(">HHIIIIBB")  # resolutions, left, top, width, lines, kind, bits of a pixel


class Wrong(Exception):
    """The parameters are none that a scanner would obey; the text says why."""


@dataclass(frozen=True)
class Request:
    """A scan: resolutions, area in pixels, samples of a pixel, bits of a sample, where from."""

    dpi: tuple[int, int]
    left: int
    top: int
    width: int
    lines: int
    channels: int
    bits: int
    source: int = FLATBED
    is_duplex: bool = False
    is_jpeg: bool = False

    @property
    def line_bytes(self) -> int:
        """How many bytes a line has on the wire."""
        return self.width * self.channels * self.bits // 8


def checksum(data: bytes) -> int:
    """Return the byte that makes the sum of *data* and itself 0."""
    return -sum(data) & 0xFF


def summed(data: bytes) -> bytes:
    """Return *data* with its checksum."""
    return data + bytes((checksum(data),))


def check_sum(data: bytes, is_late: bool, is_activation: bool) -> None:
    """Raise Wrong if the checksum of parameters is not where it has to be."""
    if is_late:
        if checksum(data[:-2]) != data[-2]:
            raise Wrong("checksum before the last byte")
        if data[-1] != (-data[-2] & 0xFF if is_activation else 0):
            raise Wrong("byte behind the checksum")
    elif sum(data) & 0xFF:
        raise Wrong("checksum")


def read_source(data: bytes, model: Model) -> tuple[int, bool]:
    """Return the source of DD20's parameters, and whether both sides are scanned."""
    if data[0] not in (FLATBED, FEEDER, FILM) or (data[0] == FILM and not model.has_film):
        raise Wrong(f"source {data[0]}")
    return data[0], data[5] == DUPLEX


def read_parameters(data: bytes, model: Model, source: tuple[int, bool]) -> Request:
    """Return what DE20's or D820's parameters ask; *source*: of DD20."""
    is_jpeg = bool(model.jpeg) and model.jpeg != "feeder"
    offset = 4
    if model.has_window_command:
        source = (data[0], data[2] == DUPLEX)
        is_jpeg = data[0x21] == JPEG
        offset = 8
    x_dpi, y_dpi, left, top, width, lines, kind, bits = FIELDS.unpack_from(data, offset)
    flag = 0x8000 if model.is_framed_a or model.family == "mp750" else 0x1000
    if not (x_dpi & flag and y_dpi & flag):
        raise Wrong("resolution without its flag")
    if kind not in (0x01, 0x04, 0x08) or bits not in BITS:
        raise Wrong(f"pixels of kind {kind:#x} with {bits} bits")
    if model.family != MP150 and model.is_framed_a and kind != 0x08:
        raise Wrong("a CCD scans colours only")
    if not (0 < width < LAST_IMAGES and 0 < lines < LAST_IMAGES):
        raise Wrong(f"{width} x {lines} pixels")
    channels, depth = BITS[bits]
    dpi = (x_dpi & ~flag, y_dpi & ~flag)
    return Request(dpi, left, top, width, lines, channels, depth, *source, is_jpeg)
