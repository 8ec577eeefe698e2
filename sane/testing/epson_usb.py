"""An emulated Epson scanner on USB: its ids; the rest is usb_scanner's."""

from __future__ import annotations

from .usb_scanner import ScannerOnUsb

VENDOR = 0x04B8


class EpsonUsb(ScannerOnUsb):
    """A scanner on the bus; a subclass makes ``scanner``."""

    vendor = VENDOR
    strings = ("EPSON", "EPSON Scanner", "EMU0000001")
