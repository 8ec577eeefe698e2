"""The emulated register scanner on USB, whatever the transport (sane.testing.usb).

    with Umockdev() as bus:
        device = bus.plug(UsbScanner, "LiDE 20")

How to reach the scanner from another process: usb_scanner.ScannerOnUsb.
"""

from __future__ import annotations

from ..machine import Machine
from ..usb import UsbDevice
from ..usb.descriptors import FULL, INTERRUPT, Endpoint, Interface
from ..usb_scanner import ScannerOnUsb
from .models import Model
from .optics import NEW, Wear
from .scanner import Scanner

INTERRUPT_IN, BULK_IN, BULK_OUT = 0x81, 0x82, 0x03

__all__ = ["BULK_IN", "BULK_OUT", "INTERRUPT_IN", "Device", "UsbScanner"]


class Device(Scanner):
    """A scanner whose replies are transfers of *usb*."""

    def __init__(self, usb: UsbDevice, unit: Model | str, wear: Wear) -> None:
        super().__init__(unit, wear)
        self.usb = usb

    def reply(self, data: bytes, name: str = "") -> bytes:
        sent = Machine.reply(self, data, name)
        while self.replies:
            self.usb.send(BULK_IN, self.replies.popleft())
        return sent


class UsbScanner(ScannerOnUsb):
    """A scanner on the bus: a unit as of Scanner, the rest as of UsbDevice."""

    speed = FULL
    codes = (0xFF, 0, 0)
    strings = ("Canon", "CanoScan")
    interfaces = (
        Interface(
            (Endpoint(INTERRUPT_IN, INTERRUPT), Endpoint(BULK_IN), Endpoint(BULK_OUT)),
            *(0xFF, 0, 0xFF),
        ),
    )

    scanner: Device  # type: ignore[assignment] # its endpoints are others

    def __init__(self, unit: Model | str = "LiDE 20", wear: Wear = NEW, **changes: object) -> None:
        scanner = Device(self, unit, wear)
        changes.setdefault("vendor", scanner.model.vendor)
        changes.setdefault("product", scanner.model.product)
        super().__init__(**changes)
        self.scanner = scanner
