"""The emulated document scanner on USB, whatever the transport (sane.testing.usb).

    with Umockdev() as bus:
        device = bus.plug(UsbScanner, "iX500", sheets=3)

How to reach the scanner from another process: usb_scanner.ScannerOnUsb.
"""

from __future__ import annotations

from collections.abc import Callable

from ..usb import UsbDevice
from ..usb_scanner import BULK_IN, BULK_OUT, OnUsb, ScannerOnUsb
from .model import Model
from .scanner import Scanner

VENDOR = 0x04C5

__all__ = ["BULK_IN", "BULK_OUT", "Device", "UsbScanner"]


class Device(OnUsb, Scanner):
    """A scanner whose messages are transfers of *usb*."""

    def __init__(self, usb: UsbDevice, model: Model | str, sheets: int) -> None:
        super().__init__(model, sheets)
        self.usb = usb

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        if seconds:
            self.usb.call_later(seconds, function)
        else:
            function()


class UsbScanner(ScannerOnUsb):
    """A scanner on the bus: a Model or its name; sheets as of Scanner, the rest as of UsbDevice."""

    vendor = VENDOR
    product = 0x132F
    strings = ("Fujitsu", "emulated document scanner", "0001")

    scanner: Device

    def __init__(self, model: Model | str = "fi-7260", sheets: int = 0, **changes: object) -> None:
        scanner = Device(self, model, sheets)
        changes.setdefault("product", scanner.model.product)
        super().__init__(**changes)
        self.scanner = scanner
