"""Scanners in worker processes for tests: the driver tstweb, which fails as it is told.

def test_it(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        await works(only(scanners))

    stack.run(job)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sane.web.config import ShareSettings
from sane.web.facts import ScanSettings
from sane.web.held import Held
from sane.web.scanner import Scanner
from sane.web.scanners import Scanners
from tests.support.share import Faults

SMALL = ScanSettings(mode="gray", dpi=75, width=300, height=300)
SECONDS = 60.0
Job = Callable[[Scanners], Awaitable[Any]]


class Stack:
    """Scanners on the driver tstweb, and its faults."""

    def __init__(self, folder: Path) -> None:
        self.faults = Faults(folder)
        self.folder = folder / "state"
        self.folder.mkdir()
        self.settings = ShareSettings()
        self.told: list[tuple[str, str]] = []

    def scanners(self) -> Scanners:
        """Return scanners, not listed yet."""
        return Scanners(self.settings, self.folder, logging.getLogger("pysane.test"))

    def run(self, job: Job) -> Any:
        """Run job(scanners) on a loop; whatever it leaves behind fails."""

        async def running() -> Any:
            scanners = self.scanners()
            scanners.subscribe(lambda kind, each: self.told.append((kind, each.title)))
            try:
                await scanners.refresh()
                return await asyncio.wait_for(job(scanners), SECONDS)
            finally:
                await scanners.close()

        return asyncio.run(running())


def only(scanners: Scanners) -> Scanner:
    (scanner,) = scanners
    return scanner


async def read_page(held: Held) -> bytes:
    data = b""
    while got := await held.read():
        data += got
    return data


async def works(scanner: Scanner) -> None:
    async with await scanner.acquire("again") as held:
        await held.configure(SMALL)
        await held.start()
        assert await read_page(held)
