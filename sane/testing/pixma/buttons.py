"""The buttons of an emulated Canon scanner: the interrupt packet that one sends.

Source: specification pixma 2.10.
"""

from __future__ import annotations

from .models import MP730, MP750, Model

PACKET_BYTES, LONG_BYTES, SHORT_BYTES = 16, 32, 8


def packet(
    model: Model,
    button: int = 1,
    *,
    target: int = 0,
    original: int = 0,
    resolution: int = 0,
    document: int = 0,
    feeder: int = 0,
    orientation: int = 0,
) -> bytes:
    """Return the packet of a button, 1 or 2, and of what its menus say, as far as it tells that."""
    if model.buttons == "fields":
        data = bytearray(LONG_BYTES)
        data[7] = button
        data[11], data[10], data[12] = target, original, resolution
        data[6], data[8], data[16] = document, feeder, orientation
    elif model.buttons == "lide":
        data = bytearray(LONG_BYTES)
        data[19] = 6 if button == 2 else target or 1
    elif model.buttons == "top":
        data = bytearray(PACKET_BYTES)
        second = 7 if model.name == "8800F" else 5
        data[1] = (second if button == 2 else target or 1) << 4
    elif model.buttons == "short":
        data = bytearray(SHORT_BYTES)
        data[7] = 0x10
    elif model.is_framed_a:
        data = bytearray(PACKET_BYTES)
        data[0] = button | original << 4
        data[1] = target
    else:
        data = bytearray(PACKET_BYTES)
        data[15] = 1 if model.family not in (MP730, MP750) or button == 2 else 2
    return bytes(data)
