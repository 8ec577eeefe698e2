"""The emulated ESC/I-2 scanner on USB, whatever the transport (sane.testing.usb).

    with Umockdev() as bus:
        device = bus.plug(UsbScanner, Model(feeder=Bed()), product=0x0146)

The scanner's own attributes and methods are reached by get_scanner, set_scanner and call_scanner,
since it may live in another process.
"""

from __future__ import annotations

from typing import Any

from ..usb import Endpoint, Interface, UsbDevice
from .model import Model
from .scanner import Scanner

VENDOR = 0x04B8
BULK_IN, BULK_OUT = 0x81, 0x02


class Device(Scanner):
    """A scanner that hands each message on as one transfer."""

    def __init__(self, usb: UsbScanner, model: Model | None, sheets: int) -> None:
        super().__init__(model, sheets)
        self.usb = usb

    def reply(self, data: bytes, name: str = "") -> bytes:
        """Send one message as one transfer."""
        sent = super().reply(data, name)
        while self.replies:
            message = self.replies.popleft()
            if not self.is_silent:
                self.usb.send(BULK_IN, message)
        return sent


class UsbScanner(UsbDevice):
    """A scanner of *model* on the bus; sheets as of Scanner, the rest as of UsbDevice."""

    vendor = VENDOR
    product = 0x0146
    strings = ("EPSON", "EPSON Scanner", "EMU0000001")
    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    def __init__(self, model: Model | None = None, sheets: int = 0, **changes: object) -> None:
        super().__init__(**changes)
        self.scanner = Device(self, model, sheets)

    def on_out(self, endpoint: int, data: bytes) -> None:
        self.scanner.take(data)

    def on_reset(self) -> None:
        self.scanner.connected()

    # From another process

    def get_scanner(self, attribute: str) -> Any:
        """Return an attribute of the scanner."""
        return getattr(self.scanner, attribute)

    def set_scanner(self, attribute: str, value: Any) -> None:
        """Set an attribute of the scanner, which must exist."""
        getattr(self.scanner, attribute)
        setattr(self.scanner, attribute, value)

    def call_scanner(self, method: str, *arguments: Any) -> Any:
        """Call a method of the scanner."""
        return getattr(self.scanner, method)(*arguments)
