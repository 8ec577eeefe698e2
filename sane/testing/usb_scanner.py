"""An emulated scanner on USB, whatever its protocol and the transport (sane.testing.usb).

It knows that each message is one transfer, and nothing of what the messages say. The scanner's own
attributes and methods are reached by get_scanner, set_scanner and call_scanner, since it may live
in another process.
"""

from __future__ import annotations

from typing import Any

from .machine import Machine
from .usb import Endpoint, Interface, UsbDevice

BULK_IN, BULK_OUT = 0x81, 0x02


class OnUsb(Machine):
    """Beside a Machine's class, in front of it: hands each message on as one transfer."""

    usb: UsbDevice

    def forget(self) -> None:
        """Drop what the host has not read, on its way as well."""
        super().forget()
        self.usb.forget(BULK_IN)

    def reply(self, data: bytes, name: str = "") -> bytes:
        """Send one message as one transfer."""
        sent = super().reply(data, name)
        while self.replies:
            message = self.replies.popleft()
            if not self.is_silent:
                self.usb.send(BULK_IN, message, zlp=len(message) < self.expected)
        return sent


class ScannerOnUsb(UsbDevice):
    """A scanner on the bus; a subclass makes ``scanner``."""

    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    scanner: OnUsb

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
