"""An emulated ESC/I-2 scanner for tests and for authors of drivers: ``Scanner`` on a transport.

    scanner = Scanner(Model(feeder=Bed(features=("DPLX",))), sheets=2)
    with epson_net.Server(scanner) as server: ...

Faults are attributes and methods of Scanner. Source: specification esci, sections 4 and 6.
"""

from __future__ import annotations

from .model import Bed, Model
from .scanner import Scanner, Sheet, reply

__all__ = ["Bed", "Model", "Scanner", "Sheet", "reply"]
