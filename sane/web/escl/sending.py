"""A page as the body of a response, piece by piece as it comes.

A page that breaks in the middle ends the connection without the body's end, so that no client
takes the part for the whole. Source: specification escl 7.5 (2, 7, 8) and 6.4 (stalls).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .job import Job
    from .page import Page


class Vanished(Exception):
    """The client went away, or takes nothing any more."""


async def awaited(job: Job, gone: asyncio.Future[None]) -> Page:
    """Return the job's next page, as Job.next_page does; raises Vanished once *gone* is done."""
    coming = asyncio.ensure_future(job.next_page())
    either: set[asyncio.Future[Any]] = {coming, gone}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not coming.done() and job.is_waiting:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await coming
        raise Vanished
    return await coming


class PageResponse:
    """The ASGI response that sends *page* of *job*.

    gone: done once the client has hung up. stall_seconds: a client that takes nothing is gone.
    """

    def __init__(
        self,
        job: Job,
        page: Page,
        headers: dict[str, str],
        *,
        gone: asyncio.Future[None],
        stall_seconds: float,
    ) -> None:
        self._job = job
        self._page = page
        self._headers = headers
        self._gone = gone
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Returning before the end makes the server cut the connection."""
        job, page, gone = self._job, self._page, self._gone
        try:
            await self._send(send, gone)
        except Vanished:
            job.lost(page)
        except asyncio.CancelledError:  # the server ends
            job.lost(page)
            raise
        except Exception:
            await job.broken(page)
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _send(self, send: Send, gone: asyncio.Future[None]) -> None:
        page = self._page
        headers = [(name.lower().encode(), value.encode()) for name, value in self._headers.items()]
        if page.size >= 0:
            headers.append((b"content-length", str(page.size).encode()))
        await self._before(gone, send, _start(headers))
        position = 0
        while True:
            data = page.at_hand(position) or await self._awaited(position, gone)
            position += len(data)
            if not data or position == page.size:
                break
            await self._before(gone, send, _body(data, more=True))
        if data and gone.done():
            raise Vanished
        # Before the client has the last bytes: what it asks next finds the job as it is now.
        await self._job.sent(page)
        await send(_body(data, more=False))

    async def _awaited(self, position: int, gone: asyncio.Future[None]) -> bytes:
        """Return what comes next, as Page.more does; raises Vanished once *gone* is done."""
        coming = asyncio.ensure_future(self._page.more(position))
        first: set[asyncio.Future[Any]] = {coming, gone}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await coming
            raise Vanished
        return coming.result()

    async def _before(self, gone: asyncio.Future[None], send: Send, message: Any) -> None:
        """Send a message; raises Vanished for a client that takes nothing, or is gone."""
        if gone.done():
            raise Vanished
        try:
            await asyncio.wait_for(send(message), self._stall_seconds)
        except (TimeoutError, asyncio.TimeoutError, OSError):
            raise Vanished from None


def _start(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _body(data: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}
