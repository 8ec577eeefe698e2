"""Emulated USB devices: one model (model.py) behind several transports.

The transports: umockdev (no kernel, for quick tests), usbredir (a virtual machine's xhci), usbip
(any Linux desktop). docs/testing-usb.md is the guide.
"""

from __future__ import annotations

from .descriptors import BULK, FULL, HIGH, INTERRUPT, LOW, SUPER, Endpoint, Interface
from .faults import Fault
from .model import Event, Setup, UsbDevice

__all__ = [
    "BULK",
    "FULL",
    "HIGH",
    "INTERRUPT",
    "LOW",
    "SUPER",
    "Endpoint",
    "Event",
    "Fault",
    "Interface",
    "Setup",
    "UsbDevice",
]
