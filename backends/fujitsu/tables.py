"""What is sent to the scanner before a scan: brightness table, quantisation tables, endorser.

Bytes only. Source: specification fujitsu 2.9 and 2.10.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .settings import Settings

LUT_HEAD = b"\x00\x00\x10\x00"
LUT_VALUES = 256
FONTS = {  # font, and whether it is bold
    "Horizontal": (0, False),
    "Horizontal bold": (0, True),
    "Horizontal narrow": (2, False),
    "Vertical": (1, False),
    "Vertical bold": (1, True),
}
DIRECTIONS = {"Top to bottom": 1, "Bottom to top": 3}
LONG_COUNTER = 24

# The tables that the original sends to an iX500: luminance, then chrominance, in zigzag order.
QUANTISATION = bytes.fromhex(
    "0403030403030404030405050405070C07070606070E0A0B080C110F1212110F"
    "101013151B1713141A1410101820181A1C1D1E1F1E12172124211E241B1E1E1D"
    "0505050706070E07070E1D1310131D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D"
    "1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D1D"
)


def lut(bits: int, brightness: int, contrast: int) -> bytes:
    """Return the data of SEND for a table of 2 ** *bits* entries.

    brightness, contrast: -127 to 127. The line is turned about its middle by the contrast and
    moved by the brightness.
    """
    from math import pi, tan

    count = 1 << bits
    slope = tan((contrast + 127) / 254 * pi / 2) * LUT_VALUES / count
    offset = 127.5 - slope * count / 2
    shift = brightness / 127 * (256 - offset)
    values = (min(255.0, max(0.0, slope * i + offset + shift)) for i in range(count))
    head = LUT_HEAD + struct.pack(">HHH", count, LUT_VALUES, 0)
    return head + bytes(map(int, values))


def quantisation() -> bytes:
    """Return the data of SEND for the quantisation tables."""
    return bytes(4) + struct.pack(">HHH", 64, 64, 0) + QUANTISATION


def is_front_endorser(settings: Settings) -> bool:
    """Tell which of the endorsers is meant."""
    able = settings.capabilities
    if able.front_endorser and able.back_endorser:
        return bool(settings.endorser_side == "Front")
    return able.front_endorser


def endorser_text(settings: Settings) -> bytes:
    """Return the data of SEND for what is printed on sheets."""
    step = settings.endorser_step
    font, is_bold = FONTS[settings.endorser_font]
    text: bytes = settings.endorser_string.encode("latin-1", "replace")
    counter = abs(step) & 3 | (0x20 if step < 0 else 0)
    if settings.endorser_bits == LONG_COUNTER:
        counter |= 0x10
    look = DIRECTIONS[settings.endorser_dir] | (0x04 if is_bold else 0)
    side = 0x80 if is_front_endorser(settings) else 0
    head = struct.pack(">BBIIBBB", side, counter, 0, settings.endorser_y, font, 0, look)
    return b"".join((head, bytes(4), bytes((len(text),)), text))


def endorser_counter(settings: Settings) -> bytes:
    """Return the data of ENDORSER: on or off, and where it begins to count."""
    is_front = is_front_endorser(settings)
    flags = (0 if settings.endorser else 0x80) | (0 if is_front else 0x40)
    side = 0x80 if is_front else 0
    count: int = settings.endorser_val
    if settings.endorser_bits == LONG_COUNTER:
        return bytes((side, flags | 0x20, 0)) + (count & 0xFFFFFF).to_bytes(3, "big")
    return bytes((side, flags)) + (count & 0xFFFF).to_bytes(2, "big")
