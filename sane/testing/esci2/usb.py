"""The emulated ESC/I-2 scanner on USB, whatever the transport (sane.testing.usb).

    with Umockdev() as bus:
        device = bus.plug(UsbScanner, Model(feeder=Bed()), product=0x0146)

How to reach the scanner from another process: usb_scanner.ScannerOnUsb.
"""

from __future__ import annotations

from ..epson_usb import EpsonUsb
from ..usb import UsbDevice
from ..usb_scanner import BULK_IN, BULK_OUT, OnUsb
from .model import Model
from .scanner import Scanner

__all__ = ["BULK_IN", "BULK_OUT", "Device", "UsbScanner"]


class Device(OnUsb, Scanner):
    """A scanner whose messages are transfers of *usb*."""

    def __init__(self, usb: UsbDevice, model: Model | None, sheets: int) -> None:
        super().__init__(model, sheets)
        self.usb = usb


class UsbScanner(EpsonUsb):
    """A scanner of *model* on the bus; sheets as of Scanner, the rest as of UsbDevice."""

    product = 0x0146

    def __init__(self, model: Model | None = None, sheets: int = 0, **changes: object) -> None:
        super().__init__(**changes)
        self.scanner = Device(self, model, sheets)
