"""An emulated Canon scanner for tests and for authors of drivers.

    with Umockdev() as bus:                             # or Usbredir, or Usbip
        device = bus.plug(pixma.usb.UsbScanner, "MP560")

    with pixma.network.Emulator(Scanner("MP560"), "127.0.0.5") as device:
        ...

``Scanner`` is the same without a bus: transfers in by `take`, transfers out in `replies`. It needs
nothing but the standard library, so that it runs in the system's Python as well.
"""

from __future__ import annotations

from ..fujitsu.paper import formula
from .answer import BUSY, DONE, FAILED, Answer
from .models import MODELS, VENDOR, Model
from .scanner import Command, Scanner

__all__ = [
    "BUSY",
    "DONE",
    "FAILED",
    "MODELS",
    "VENDOR",
    "Answer",
    "Command",
    "Model",
    "Scanner",
    "formula",
]
