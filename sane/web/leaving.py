"""A client that hangs up while it is worked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Receive

    T = TypeVar("T")


async def gone(receive: Receive) -> None:
    """Return once the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* returns; raises ClientDisconnect once nobody waits for it any more.

    It is cancelled then, and has ended when this does.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone(receive))
    either: set[asyncio.Future[Any]] = {working, leaving}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for each in either:
            each.cancel()
        await asyncio.gather(*either, return_exceptions=True)
