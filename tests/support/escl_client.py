"""A client of the shared scanners in the same process: requests to the ASGI application.

async with posted(settings(), tmp_path, FakeScanner()) as (client, job):
    answer = await client.page(job)
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sane.backends._driverless.xml import Element, parse
from sane.backends.escl.schema import PWG, SCAN
from sane.web.config import EsclSettings, ShareSettings
from tests.support.web import FakeScanner, app

HERE = "127.0.0.1"
HOST = "scanbox.local:8090"
TIMEOUT = 60.0
WIDTH, HEIGHT = 400, 300  # units of 1/300 inch that settings() asks for


def looped(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a test of a coroutine function."""

    @functools.wraps(test)
    def run(*arguments: Any, **rest: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **rest), TIMEOUT))

    return run


@dataclass
class Answer:
    """What came back. is_whole: the body has its end, nobody cut the connection."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False

    @property
    def xml(self) -> Element:
        """The body as a document."""
        return parse(self.body)


class Client:
    """Asks an application; *address* is where the client says to be."""

    def __init__(self, application: Any, address: str = HERE) -> None:
        self.app = application
        self.address = address

    def at(self, address: str) -> Client:
        """Return the same client somewhere else."""
        return Client(self.app, address)

    @property
    def escl(self) -> Any:
        """The server's eSCL part."""
        return self.app.state.context.parts["escl"]

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        leaves_after: int | None = None,
        leaves: asyncio.Event | None = None,
        arrived: asyncio.Event | None = None,
        **headers: str,
    ) -> Answer:
        """Return the answer to one request.

        leaves_after: hang up once so many bytes of the body have come. leaves: hang up when it is
        set. arrived: set when the first byte of the body has.
        """
        answer = Answer()
        gone = leaves or asyncio.Event()
        bodies = [body]

        async def receive() -> dict[str, Any]:
            if bodies:
                return {"type": "http.request", "body": bodies.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
                return
            if gone.is_set():
                return
            answer.body += message["body"]
            answer.is_whole = not message.get("more_body", False)
            if arrived is not None and answer.body:
                arrived.set()
            if leaves_after is not None and len(answer.body) >= leaves_after:
                gone.set()
                await asyncio.sleep(0)

        given = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": (self.address, 50_000),
            "server": (HERE, 8090),
        }
        path, _, query = path.partition("?")
        scope["path"], scope["query_string"] = path, query.encode()
        try:
            await self.app(scope, receive, send)
        finally:
            gone.set()
        return answer

    async def get(self, path: str, **rest: Any) -> Answer:
        """Return the answer to a GET."""
        return await self.ask("GET", path, **rest)

    async def post(self, body: bytes, root: str = "/eSCL") -> str:
        """Create a job; return its path."""
        answer = await self.ask("POST", f"{root}/ScanJobs", body, content_type="text/xml")
        assert answer.status == 201, answer
        return answer.headers["location"]

    async def page(self, job: str, **rest: Any) -> Answer:
        """Return the answer to a request for the next page of *job*, a path."""
        return await self.get(f"{job}/NextDocument", **rest)

    async def status(self) -> Element:
        """Return ScannerStatus."""
        return (await self.get("/eSCL/ScannerStatus")).xml


@contextlib.asynccontextmanager
async def served(
    folder: Path, *scanners: FakeScanner, settings: ShareSettings | None = None, **escl: Any
) -> AsyncIterator[Client]:
    """Give a client of a server with *scanners*, whose state is in *folder*."""
    given = settings or ShareSettings(escl=EsclSettings(**escl))
    application = app(scanners or [FakeScanner()], given, folder)
    try:
        yield Client(application)
    finally:
        await application.state.context.parts["escl"].close()


@contextlib.asynccontextmanager
async def posted(
    body: bytes, folder: Path, *scanners: FakeScanner, **escl: Any
) -> AsyncIterator[tuple[Client, str]]:
    """Give a client of such a server, and the path of the job that it made by *body*."""
    async with served(folder, *scanners, **escl) as client:
        yield client, await client.post(body)


def settings(
    source: str = "Platen",
    mode: str = "RGB24",
    format: str = "image/png",
    dpi: int = 75,
    *,
    extra: str = "",
    **region: int,
) -> bytes:
    """Return ScanSettings as sane-airscan writes them."""
    area = {"XOffset": 0, "YOffset": 0, "Width": WIDTH, "Height": HEIGHT, **region}
    inner = "".join(f"<pwg:{name}>{value}</pwg:{name}>" for name, value in area.items())
    units = "<pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<scan:ScanSettings xmlns:pwg="{PWG}" xmlns:scan="{SCAN}"><pwg:Version>2.0</pwg:Version>'
        f"<pwg:ScanRegions><pwg:ScanRegion>{units}{inner}</pwg:ScanRegion></pwg:ScanRegions>"
        f"<pwg:InputSource>{source}</pwg:InputSource><scan:ColorMode>{mode}</scan:ColorMode>"
        f"<pwg:DocumentFormat>{format}</pwg:DocumentFormat><scan:XResolution>{dpi}"
        f"</scan:XResolution><scan:YResolution>{dpi}</scan:YResolution>{extra}</scan:ScanSettings>"
    ).encode()
