"""An emulated scanner that the host drives register by register (LM9831, LM9832, LM9833).

    with Umockdev() as bus:                             # or Usbredir, or Usbip
        device = bus.plug(plustek.usb.UsbScanner, "LiDE 20")

``Scanner`` is the same without a bus: transfers in by `take`, transfers out in `replies`. It needs
nothing but the standard library, so that it runs in the system's Python as well.
"""

from __future__ import annotations

from .glass import graded
from .models import CANON, MODELS, Model
from .optics import NEW, USED, Wear
from .scanner import Command, Deed, Scanner

__all__ = [
    "CANON",
    "MODELS",
    "NEW",
    "USED",
    "Command",
    "Deed",
    "Model",
    "Scanner",
    "Wear",
    "graded",
]
