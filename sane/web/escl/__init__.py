"""Shared scanners as eSCL scanners (AirScan, AirPrint scanning), for every client of it.

It knows eSCL; who has which scanner, and what runs it, is known by scanner.py.
Source: specification escl 7.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from .paths import Paths
from .resources import Call, answer, soon, text
from .service import Service
from .words import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive, Scope, Send

    from ..context import ShareContext
    from ..scanner import Scanner

PART = "escl"
FOLDER = "pages"  # of the state directory: for copies of pages, which have no names
STARTING = "the server is looking for its scanners"
THREADS = min(8, (os.cpu_count() or 1) + 1)  # for codecs, which work without the GIL


class Escl:
    """All scanners of a server as an ASGI application, for the paths /eSCL and /UUID."""

    def __init__(self, context: ShareContext) -> None:
        self.context = context
        self.paths = Paths(context)
        self.services: dict[str, Service] = {}
        self._threads = ThreadPoolExecutor(THREADS, "pages")
        context.scanners.subscribe(self._changed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        parameters = scope["path_params"]
        name = str(parameters.get("id", ""))
        scanner, is_coming = await self._awaited(scope, name)
        if scanner is None:
            gone = text(404, "there is no such scanner")
            await (soon(STARTING) if is_coming else gone)(scope, receive, send)
            return
        place = f"/{self.paths.name_of(scanner)}" if "id" in parameters else ROOT
        call = Call(self.service(scanner), request, self.paths.prefix, place)
        response = await answer(call, parameters["rest"])
        await response(scope, receive, send)

    async def _awaited(self, scope: Scope, name: str) -> tuple[Scanner | None, bool]:
        """Return the scanner called *name*, and whether one that is not there may come yet.

        "" is the first of all, which only the whole list can tell.
        """
        scanners = self.context.scanners
        found = self._find(scope, name, scanners) if name else None
        if found is not None:
            return found, False
        is_listed = await scanners.looked()
        found = self._find(scope, name, scanners)
        return found, not is_listed or self._find(scope, name, scanners.unopened()) is not None

    def _find(self, scope: Scope, name: str, scanners: Iterable[Scanner]) -> Scanner | None:
        if name:
            return self.paths.find(name, scanners)
        is_secret = self.paths.are_secret
        return None if is_secret else self.context.scanner_at(scope.get("server"), scanners)

    def service(self, scanner: Scanner) -> Service:
        """Return the eSCL side of a scanner."""
        found = self.services.get(scanner.id)
        if found is None or found.scanner is not scanner:
            found = Service(self.context, scanner, self.context.state / FOLDER, self._threads)
            self.services[scanner.id] = found
        return found

    def _changed(self, kind: str, scanner: Scanner) -> None:
        """Forget a scanner that is gone; what it was scanning ends by itself."""
        if kind == "removed":
            self.services.pop(scanner.id, None)

    async def close(self) -> None:
        """End all jobs."""
        await asyncio.gather(*(service.close() for service in self.services.values()))
        self._threads.shutdown()  # they have nothing to do any more


def routes(context: ShareContext) -> list[Route]:
    """Return the routes: of the scanner that /eSCL means, and of each by its UUID."""
    if not context.settings.escl.enabled:
        return []
    app = Escl(context)
    context.parts[PART] = app
    return [
        Route(f"{ROOT}/{{rest:path}}", app, include_in_schema=False),
        Route("/{id:uuid}/{rest:path}", app, include_in_schema=False),
    ]


async def run(context: ShareContext) -> None:
    """Last as long as the server, and end the jobs with it."""
    try:
        await asyncio.Event().wait()
    finally:
        if PART in context.parts:
            await context.parts[PART].close()
