"""An emulated eSCL (AirPrint) scanner with every fault that devices have; docs/testing-network.md.

with Emulator(Scanner(feeder_model(), sheets=3)) as device:
    ...  # scan from device.url
    assert device.log.names()[0] == "GET capabilities 200"
"""

from __future__ import annotations

from .capabilities import Writing
from .emulator import Emulator, Exchange, Log
from .http import Reply
from .job import Sheet
from .knobs import Delivery
from .model import Model, Profile, Range, Source, feeder_model
from .scanner import Scanner

__all__ = [
    "Delivery",
    "Emulator",
    "Exchange",
    "Log",
    "Model",
    "Profile",
    "Range",
    "Reply",
    "Scanner",
    "Sheet",
    "Source",
    "Writing",
    "feeder_model",
]
