"""Sensors and buttons of an emulated document scanner, as GET HARDWARE STATUS tells them.

Source: specification fujitsu 2.11, and 2.3 for the M3091, which tells them in its sense data.
"""

from __future__ import annotations

from collections.abc import Mapping

from .sense import sense

BLOCK_BYTES = 12
HOPPER_EMPTY = (3, 0x80)

# By the driver's option: byte and bit.
SENSORS = {
    "top-edge": (2, 0x80),
    "a3-paper": (2, 0x08),
    "b4-paper": (2, 0x04),
    "a4-paper": (2, 0x02),
    "b5-paper": (2, 0x01),
    "omr-df": (3, 0x40),
    "cover-open": (3, 0x20),
    "card-loaded": (3, 0x01),
    "power-save": (4, 0x80),
    "long-press": (4, 0x20),
    "email": (4, 0x04),
    "manual-feed": (4, 0x02),
    "scan": (4, 0x01),
    "ink-low": (6, 0x80),
    "double-feed": (6, 0x01),
}
NUMBERS = {"error-code": 7, "skew-angle": 9, "ink-remain": 10}  # by option: byte
FUNCTION = 5  # byte: its low half
OLD_SENSORS = {"cover-open": 0x80, "email": 0x20, "scan": 0x10, "duplex": 0x04, "top-edge": 0x02}
OLD_LOADED = 0x01


class HardwareStatus:
    """What the sensors say: *values* by option, and whether the hopper is empty."""

    def __init__(self, values: Mapping[str, int], is_empty: bool) -> None:
        unknown = set(values) - {*SENSORS, *NUMBERS, *OLD_SENSORS, "function", "density"}
        if unknown:
            raise ValueError(f"no sensors {', '.join(sorted(unknown))}")
        self.values = values
        self.is_empty = is_empty

    def block(self) -> bytes:
        """Return the 12 bytes of GET HARDWARE STATUS."""
        data = bytearray(BLOCK_BYTES)
        for name, value in self.values.items():
            if name in SENSORS and value:
                byte, bit = SENSORS[name]
                data[byte] |= bit
            elif name in NUMBERS:
                data[NUMBERS[name]] = value
        data[FUNCTION] |= self.values.get("function", 0) & 0x0F
        if self.is_empty:
            data[HOPPER_EMPTY[0]] |= HOPPER_EMPTY[1]
        return bytes(data)


def old_sense(status: HardwareStatus) -> bytes:
    """Return the sense data of an M3091 that has nothing else to tell."""
    bits = sum(bit for name, bit in OLD_SENSORS.items() if status.values.get(name))
    bits |= 0 if status.is_empty else OLD_LOADED
    data = bytearray(sense((0, 0x80, bits)))
    function, density = status.values.get("function", 0), status.values.get("density", 0)
    data[0x0F] = (function & 0x0F) << 3 | density & 0x07
    return bytes(data)
