"""Work that lasts as long as the server: a mistake in one turn is told, and the next one comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable

FAILED_SECONDS = 30.0  # between turns that fail: they fill the log


async def repeated(turn: Callable[[], Awaitable[float]], what: str, log: logging.Logger) -> None:
    """Call *turn* until cancelled; it returns the seconds until the next one.

    what: whose turns they are, for the log.
    """
    while True:
        try:
            pause = await turn()
        except Exception:  # of ours: what else the server does must not end with it
            log.exception("%s failed, and goes on in %.0f s", what, FAILED_SECONDS)
            pause = FAILED_SECONDS
        await asyncio.sleep(pause)
