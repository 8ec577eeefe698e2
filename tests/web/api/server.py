"""A server on a made-up scanner in a process of its own, for tests that kill it.

server.py STATE [CONFIG]: prints the port; the scanner's reads wait while STATE/gate is there.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

from sane.web import config
from tests.support.web import FakeHeld, FakeScanner, app


class GatedHeld(FakeHeld):
    """Its reads wait while a file is there."""

    gate: Path

    async def read(self) -> bytes:
        while self.gate.exists() and self.number > 1:
            await asyncio.sleep(0.02)
        return await super().read()


class GatedScanner(FakeScanner):
    """A feeder of three sheets, of which the second one stops at the gate."""

    async def acquire(self, owner: str, replace: object = None) -> FakeHeld:
        return await GatedHeld(self, owner, replace).open()


async def serve(state: Path, settings: config.ShareSettings) -> None:
    GatedHeld.gate = state / "gate"
    web = app([GatedScanner(pages=3)], settings, state)
    server = uvicorn.Server(uvicorn.Config(web, "127.0.0.1", 0, log_level="error"))
    task = asyncio.create_task(server.serve())
    while not server.started or not web.state.context.parts["api"].is_ready:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await task


def main() -> None:
    settings = config.read(sys.argv[2] if len(sys.argv) > 2 else "")
    asyncio.run(serve(Path(sys.argv[1]), settings))


main()
