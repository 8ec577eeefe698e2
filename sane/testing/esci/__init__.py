"""An emulated ESC/I scanner: what it can do, what lies on its glass, and the protocol.

    scanner = Scanner(Model(level="B7"), page=pattern)
    with Server(scanner, "127.0.0.5"): ...        # and scanimage on net:127.0.0.5

The same object works on the network (epson_net.Server) and on USB (esci.usb). It needs nothing
but the standard library, so that it runs in the system's Python as well.
"""

from __future__ import annotations

from .model import Bed, Model
from .page import Picture, Window, pattern
from .scanner import Scanner

__all__ = ["Bed", "Model", "Picture", "Scanner", "Window", "pattern"]
