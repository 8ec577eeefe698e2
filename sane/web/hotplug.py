"""Notices that something was plugged in or out, and waits until the bus is quiet.

It looks at the names of USB devices: that works without rights, in containers, and without udev.
Source: specification escl 7.1.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOOK_SECONDS = 2.0
QUIET_SECONDS = 3.0  # drivers load firmware, and devices come back under other numbers
BUS = "/dev/bus/usb"
SYSFS = "/sys/bus/usb/devices"


def bus_names(bus: str = BUS, sysfs: str = SYSFS) -> frozenset[str]:
    """Return the names of what is on the bus; each plugging changes some."""
    found: set[str] = set()
    for folder in (bus, sysfs):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = f"{folder}/{name}"
            try:
                found.update(f"{path}/{each}" for each in os.listdir(path) if each.isdecimal())
            except OSError:
                continue
            found.add(path)
    return frozenset(found)


async def watch(
    changed: Callable[[], Awaitable[None]],
    look: Callable[[], frozenset[str]] = bus_names,
    *,
    look_seconds: float = LOOK_SECONDS,
    quiet_seconds: float = QUIET_SECONDS,
) -> None:
    """Call changed() whenever the bus has changed and then been quiet; for ever."""
    loop = asyncio.get_running_loop()
    before = settled = look()
    since: float | None = None
    while True:
        await asyncio.sleep(look_seconds)
        now = look()
        if now != before:
            before, since = now, loop.time()
        elif since is not None and loop.time() - since >= quiet_seconds:
            since = None
            if now != settled:
                settled = now
                await changed()
