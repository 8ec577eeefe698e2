"""What a listing must never import."""

from __future__ import annotations

# What neither a listing nor an open may need: slow, or with effects on the host.
NEVER = {
    *("site", "threading", "signal", "inspect", "dataclasses", "typing", "logging", "asyncio"),
    *("importlib.metadata", "re", "enum", "socket", "numpy", "usb", "functools", "collections"),
    *("subprocess", "ctypes", "contextlib", "random", "selectors", "datetime"),
}
