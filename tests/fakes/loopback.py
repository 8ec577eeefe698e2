"""An emulated USB device that sends back what it gets, for the tests of the model's transports."""

from __future__ import annotations

from sane.testing.usb import INTERRUPT, Endpoint, Interface, Setup, UsbDevice

BULK_IN, BULK_OUT, EVENTS = 0x81, 0x02, 0x83
ECHO, LENGTH, ZLP, SINK = b"E", b"L", b"Z", b"S"  # the first byte of an OUT transfer
GET, SET = 0x01, 0x02  # vendor requests: a stored value


class Loopback(UsbDevice):
    """The first byte of an OUT transfer says what to do with the rest."""

    vendor, product = 0x1209, 0x0002
    strings = ("PySANE", "loopback", "42")
    interfaces = (
        Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT), Endpoint(EVENTS, INTERRUPT, 8))),
        Interface((Endpoint(0x84),), usb_class=7, subclass=1, protocol=2, number=1),
    )

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.stored = b"none"
        self.taken = 0
        self.resets = 0

    def on_out(self, endpoint: int, data: bytes) -> None:
        self.taken += len(data)
        kind, rest = data[:1], data[1:]
        if kind == ECHO:
            self.send(BULK_IN, rest)
        elif kind == ZLP:
            self.send(BULK_IN, rest, zlp=True)
        elif kind == LENGTH:
            size = int(rest)
            self.send(BULK_IN, bytes(range(256)) * (size // 256) + bytes(range(size % 256)))
        elif kind != SINK:
            self.stall(BULK_IN)

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        if (setup.request_type, setup.request) == (0xC0, GET):
            return self.stored
        if (setup.request_type, setup.request) == (0x40, SET):
            self.stored = bytes(data)
            return b""
        return None

    def on_reset(self) -> None:
        self.resets += 1

    def press(self, button: int) -> None:
        """Report a button on the interrupt endpoint."""
        self.send(EVENTS, bytes((button,)))
