"""The same API for asyncio: Scanner, devices, find and watch with coroutines in place of waiting.

It knows the API that waits (sane.api), and asyncio, which is imported here only. Each open device
has a thread of its own, ``sane-<device>``, in which all calls of its driver run.

    async with sane.aio.Scanner("epsonds") as scanner:
        async for page in scanner.pages():
            ...

A task that is cancelled, or meets asyncio.timeout(), ends its job: the driver is told at once, its
end is awaited for 5 seconds at most, and the scanner can be used again.
"""

from __future__ import annotations

from .devices import Watcher, devices, find, watch
from .pages import Pages
from .scanner import Scanner
from .stream import Stream

__all__ = ["Pages", "Scanner", "Stream", "Watcher", "devices", "find", "watch"]
