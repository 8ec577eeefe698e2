"""An emulated WS-Scan (WSD) device: it answers WS-Discovery, metadata and scan jobs.

    with Emulator(Scanner()) as device:      # device.url: of its scan service
        ...
    with Emulator(Scanner()) as device, Beacon(device):   # found by WS-Discovery
        ...

``python -m sane.testing.wsd`` runs it for other programs. Source: specification escl 9.
"""

from .beacon import Beacon
from .emulator import Emulator
from .scanner import Knobs, Scanner

__all__ = ["Beacon", "Emulator", "Knobs", "Scanner"]
