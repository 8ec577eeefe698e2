"""An emulated USB scanner with a protocol that fits on a page, for the tests of the transports.

Commands, each one OUT transfer: I (identify: answer "PAGE", width and lines as two LE16), S (start:
answer 06, or 15 when the feeder is empty), R and LE32 n (read: answer up to n bytes of the page,
nothing but an empty packet at its end), E (end: answer 06).
"""

from __future__ import annotations

import struct

from sane.testing.usb import Endpoint, Interface, UsbDevice

BULK_IN, BULK_OUT = 0x81, 0x02
ACK, NAK = b"\x06", b"\x15"


class PageScanner(UsbDevice):
    """A gray page whose byte x of line y is (7 * x + 13 * y + seed) % 256."""

    vendor, product = 0x1209, 0x0003
    strings = ("PySANE", "page scanner", "7")
    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    def __init__(self, width: int = 800, lines: int = 1000, seed: int = 0, **more: object) -> None:
        super().__init__(**more)
        self.width, self.lines = width, lines
        self.pages = 1000
        self.image = page(width, lines, seed)
        self.position = 0
        self.jobs = 0  # begun less ended

    def on_out(self, endpoint: int, data: bytes) -> None:
        kind = data[:1]
        if kind == b"I":
            self.send(BULK_IN, b"PAGE" + struct.pack("<HH", self.width, self.lines))
        elif kind == b"S" and not self.pages:
            self.send(BULK_IN, NAK)
        elif kind == b"S":
            self.pages -= 1
            self.position = 0
            self.jobs += 1
            self.send(BULK_IN, ACK)
        elif kind == b"R":
            start, self.position = self.position, self.position + struct.unpack("<I", data[1:])[0]
            self.send(BULK_IN, self.image[start : self.position])
        elif kind == b"E":
            self.jobs -= 1
            self.send(BULK_IN, ACK)
        else:
            self.stall(BULK_IN)

    def on_reset(self) -> None:
        self.position = self.jobs = 0


def page(width: int, lines: int, seed: int) -> bytes:
    """Return the page of a scanner with these attributes."""
    ramp = bytes(7 * x % 256 for x in range(256))
    row = ramp * (width // 256 + 2)
    inverse = 183  # of 7 modulo 256: moving by it adds 1
    starts = ((13 * y + seed) * inverse % 256 for y in range(lines))
    return b"".join(row[start : start + width] for start in starts)
