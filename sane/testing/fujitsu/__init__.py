"""An emulated Fujitsu document scanner for tests and for authors of drivers.

    with Umockdev() as bus:                             # or Usbredir, or Usbip
        device = bus.plug(fujitsu.usb.UsbScanner, "iX500", sheets=2)

``Scanner`` is the same without a bus: transfers in by `take`, transfers out in `replies`. It needs
nothing but the standard library, so that it runs in the system's Python as well.
"""

from __future__ import annotations

from .model import MODELS, Model
from .paper import Sheet, Slanted, alike, formula
from .scanner import Command, Scanner
from .sense import Answer

__all__ = [
    "MODELS",
    "Answer",
    "Command",
    "Model",
    "Scanner",
    "Sheet",
    "Slanted",
    "alike",
    "formula",
]
