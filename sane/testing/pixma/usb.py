"""The emulated Canon scanner on USB, whatever the transport (sane.testing.usb).

    with Umockdev() as bus:
        device = bus.plug(UsbScanner, "MP560")

How to reach the scanner from another process: usb_scanner.ScannerOnUsb.
"""

from __future__ import annotations

from ..usb import UsbDevice
from ..usb.descriptors import INTERRUPT, Endpoint, Interface
from ..usb_scanner import BULK_IN, BULK_OUT, OnUsb, ScannerOnUsb
from .models import VENDOR, Model
from .scanner import Scanner

INTERRUPT_IN = 0x83

__all__ = ["BULK_IN", "BULK_OUT", "INTERRUPT_IN", "Device", "UsbScanner"]


class Device(OnUsb, Scanner):
    """A scanner whose messages are transfers of *usb*."""

    def __init__(self, usb: UsbDevice, model: Model | str, sheets: int) -> None:
        super().__init__(model, sheets)
        self.usb = usb

    def notify(self, data: bytes) -> None:
        self.usb.send(INTERRUPT_IN, data)


class UsbScanner(ScannerOnUsb):
    """A scanner on the bus: a Model or its name; sheets as of Scanner, the rest as of UsbDevice."""

    vendor = VENDOR
    product = 0x173E
    strings = ("Canon", "emulated scanner", "123456")
    interfaces = (
        Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT), Endpoint(INTERRUPT_IN, INTERRUPT))),
    )

    scanner: Device

    def __init__(self, model: Model | str = "MP560", sheets: int = 0, **changes: object) -> None:
        scanner = Device(self, model, sheets)
        changes.setdefault("product", scanner.model.product)
        super().__init__(**changes)
        self.scanner = scanner
