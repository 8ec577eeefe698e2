"""The REST interface for tests: a real server in a thread, on made-up scanners, and a client of it.

with ApiServer([FakeScanner()]) as api:
    job = api.post("/jobs", {"scanner": api.scanners[0].id})
    assert api.finished(job)["state"] == "done"
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from sane.web.config import ShareSettings
from tests.support.web import FakeScanner, app

PREFIX = "/api/v1"
SECONDS = 60.0


class Reply:
    """What the server answered."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Client:
    """Asks a server on 127.0.0.1."""

    port: int

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        head = dict(headers or {})
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            head.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, PREFIX + path, data, head)
            answer = connection.getresponse()
            return Reply(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return the JSON at *path*."""
        reply = self.ask("GET", path)
        assert reply.status == 200, reply.body
        return reply.json

    def post(self, path: str, body: Any = None) -> Any:
        """Post; return the JSON of a success."""
        reply = self.ask("POST", path, body)
        assert reply.status in (200, 201, 202), reply.body
        return reply.json

    def finished(self, job: dict[str, Any]) -> Any:
        """Wait until a job is over; return it."""
        states = ("done", "failed", "cancelled")
        return wait_until(lambda: self.get(f"/jobs/{job['id']}"), lambda it: it["state"] in states)


class ApiServer(Client):
    """The application on a free port of 127.0.0.1. state: a folder that outlives it."""

    def __init__(
        self,
        scanners: Sequence[FakeScanner] = (),
        settings: ShareSettings | None = None,
        state: Path | None = None,
    ) -> None:
        self.scanners = list(scanners)
        self.app = app(self.scanners, settings, state)
        self.context = self.app.state.context
        config = uvicorn.Config(self.app, "127.0.0.1", 0, log_level="error", lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())

    def __enter__(self) -> ApiServer:
        self._thread.start()
        until = time.monotonic() + SECONDS
        while not self._server.started:
            assert self._thread.is_alive() and time.monotonic() < until
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        wait_until(lambda: self.parts.is_ready)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.parts.events.close)  # streams end with the server
        self._server.should_exit = True
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    @property
    def parts(self) -> Any:
        """What is behind the interface."""
        return self.context.parts["api"]

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call *function* on the server's loop; return what it returns."""
        assert self._loop is not None

        async def called() -> Any:
            result = function(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(SECONDS)

    def scanned(self, **order: Any) -> Any:
        """Scan; return the document."""
        job = self.finished(self.post("/jobs", {"scanner": self.scanners[0].id, **order}))
        assert job["state"] == "done", job
        return self.get(f"/documents/{job['document']}")


def wait_until(
    what: Callable[[], Any], is_right: Callable[[Any], object] = bool, seconds: float = SECONDS
) -> Any:
    """Ask until the answer is right; return it."""
    until = time.monotonic() + seconds
    while True:
        found = what()
        if is_right(found):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)
