"""Work that is done to its end, however often whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    T = TypeVar("T")


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work*, which takes a bounded time, returns; a cancel counts when it is over.

    A device that is left open, or a scanner that is not marked as free, would be lost for good.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled
    return task.result()
