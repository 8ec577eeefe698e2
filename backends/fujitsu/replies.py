"""The small replies: pixel size, sensors and buttons, serial number.

Bytes only; a reply that is cut short is DeviceIOError. Source: specification fujitsu 2.8, 2.11,
2.13 and 3.1; for M3091, 2.3.
"""

from __future__ import annotations

import struct

from ...backend import errors
from .commands import SENSE_BYTES, SERIAL_BYTES, SIZE_BYTES

MOST_PIXELS, MOST_LINES = 1 << 16, 1 << 20  # of a side: 4800 dpi on 34 cm, 5.5 m
STATUS_NEEDED = 4  # bytes, up to the hopper's; what is missing behind them counts as 0
FLAGS = (  # option, byte of the reply, bit
    ("top_edge", 2, 0x80),
    ("a3_paper", 2, 0x08),
    ("b4_paper", 2, 0x04),
    ("a4_paper", 2, 0x02),
    ("b5_paper", 2, 0x01),
    ("omr_df", 3, 0x40),
    ("cover_open", 3, 0x20),
    ("card_loaded", 3, 0x01),
    ("power_save", 4, 0x80),
    ("email", 4, 0x04),
    ("manual_feed", 4, 0x02),
    ("scan", 4, 0x21),  # a tap, or held
    ("ink_low", 6, 0x80),
    ("double_feed", 6, 0x01),
)
M3091_FLAGS = (
    ("cover_open", 0x80),
    ("email", 0x20),
    ("scan", 0x10),
    ("duplex", 0x04),
    ("top_edge", 0x02),
    ("page_loaded", 0x01),
)
INK = 10


class PixelSize:
    """What a scanner makes of a window: the picture's size, and what it leaves to the driver.

    paper_width, paper_lines: of the paper that it has found, 0 if it has not. leaves_crop: it
    cannot cut the picture to the paper by itself; None: it does not say.
    """

    def __init__(self, raw: bytes) -> None:
        if len(raw) < SIZE_BYTES:
            raise errors.DeviceIOError(f"pixel size: {len(raw)} bytes came ({raw.hex(' ')})")
        self.width_px, self.lines, self.paper_width, self.paper_lines = struct.unpack_from(
            ">IIII", raw
        )
        sizes = (self.width_px, self.paper_width), (self.lines, self.paper_lines)
        for numbers, most in zip(sizes, (MOST_PIXELS, MOST_LINES), strict=True):
            if max(numbers) > most:
                raise errors.DeviceIOError(f"pixel size: {raw[:16].hex(' ')}")
        if not (self.width_px and self.lines):
            raise errors.DeviceIOError(f"pixel size: {raw[:16].hex(' ')}")
        self.leaves_crop = bool(raw[0x10] & 0x80) if raw[0x10] & 0x01 else None


def hardware_status(raw: bytes) -> dict[str, int]:
    """Return the values of the sensor options that *raw* tells."""
    if len(raw) < STATUS_NEEDED:
        raise errors.DeviceIOError(f"hardware status: {len(raw)} bytes came ({raw.hex(' ')})")
    has_ink = len(raw) > INK
    raw = raw.ljust(INK + 1, b"\0")
    found = {name: int(bool(raw[place] & bits)) for name, place, bits in FLAGS}
    found["page_loaded"] = int(not raw[3] & 0x80)
    found |= {"function": raw[5] & 0x0F, "error_code": raw[7], "skew_angle": raw[9]}
    if has_ink:
        found["ink_remain"] = raw[INK]
    return found


def sense_status(raw: bytes) -> dict[str, int]:
    """Return the values of the sensor options that an M3091's sense data tell."""
    if len(raw) < SENSE_BYTES:
        raise errors.DeviceIOError(f"status: {len(raw)} bytes came ({raw.hex(' ')})")
    bits = raw[13] if raw[12] == 0x80 else 0
    found = {name: int(bool(bits & bit)) for name, bit in M3091_FLAGS}
    found |= {"function": raw[15] >> 3 & 0x0F, "density": raw[15] & 0x07, "double_feed": 0}
    return found


def serial_number(raw: bytes) -> str:
    """Return the serial number as it stands in device names: a signed number."""
    if len(raw) < SERIAL_BYTES:
        raise errors.DeviceIOError(f"serial number: {len(raw)} bytes came ({raw.hex(' ')})")
    return str(struct.unpack_from(">i", raw)[0])
