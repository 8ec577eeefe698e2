"""Shared scanners as eSCL scanners (AirScan, AirPrint scanning), for every client of it.

It knows eSCL; who has which scanner, and what runs it, is known by scanners.py.
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
from .resources import Call, answer, text
from .service import Service
from .words import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from ..context import ShareContext
    from ..scanners import Scanner

PART = "escl"
FOLDER = "pages"  # of the state directory: for copies of pages, which have no names
THREADS = min(8, (os.cpu_count() or 1) + 1)  # for codecs, which work without the GIL


class Escl:
    """All scanners of a server as an ASGI application, for the paths /eSCL and /UUID."""

    def __init__(self, context: ShareContext) -> None:
        self.context = context
        self.paths = Paths(context)
        self.services: dict[str, Service] = {}
        self._threads = ThreadPoolExecutor(THREADS, "pages")
        self._folder: Path | None = None
        context.scanners.subscribe(self._changed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        parameters = scope["path_params"]
        scanner = self._scanner(scope, str(parameters.get("id", "")))
        if scanner is None:
            await text(404, "there is no such scanner")(scope, receive, send)
            return
        place = f"/{self.paths.name_of(scanner)}" if "id" in parameters else ROOT
        call = Call(self.service(scanner), request, self.paths.prefix, place)
        response = await answer(call, parameters["rest"])
        await response(scope, receive, send)

    def _scanner(self, scope: Scope, name: str) -> Scanner | None:
        if name:
            return self.paths.find(name)
        found: Scanner | None = self.context.scanner_at(scope.get("server"))
        return None if self.paths.are_secret else found

    def service(self, scanner: Scanner) -> Service:
        """Return the eSCL side of a scanner."""
        found = self.services.get(scanner.id)
        if found is None or found.scanner is not scanner:
            found = Service(self.context, scanner, self._pages(), self._threads)
            self.services[scanner.id] = found
        return found

    def _pages(self) -> Path:
        if self._folder is None:
            self._folder = self.context.state / FOLDER
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

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
