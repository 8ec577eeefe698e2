"""A page row by row for asyncio: the device's thread reads it, the event loop is told."""

from __future__ import annotations

import asyncio

from ..api.streaming import Stream as SyncStream
from ..api.streaming import begun
from ..errors import Invalid
from ..scanner import CLOSE_SECONDS
from .worker import ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..api.streaming import Reader, RowBlock
    from .calls import Calls
    from .scanner import Scanner


class Stream:
    """A page as it comes, see sane.Stream."""

    def __init__(
        self, scanner: Scanner, calls: Calls, options: dict[str, Any], *, copy: bool
    ) -> None:
        self._scanner = scanner  # which is open as long as this lives
        self._calls = calls
        self._options = options
        self._copy = copy
        self._sync: SyncStream | None = None
        self._reader: Reader | None = None
        self._is_over = False

    def __aiter__(self) -> Stream:
        return self

    async def __aenter__(self) -> Stream:
        await self._begin()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def sync(self) -> SyncStream:
        """The stream whose calls wait; for parameters, rows_done, total and preview()."""
        if self._sync is None:
            raise Invalid("the stream has not begun: use async with, or async for")
        return self._sync

    async def _begin(self) -> None:
        if self._sync is not None:
            return
        loop = asyncio.get_running_loop()
        changed = self._changed = asyncio.Event()

        def told() -> None:  # it holds no Stream: one that is left is to end
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        calls = self._calls
        reader = begun(calls.machine, **self._options, start=calls.submit, told=told)
        self._reader = reader
        calls.is_streaming = True
        try:
            while reader.parameters is None and not reader.has_news:
                await self._change()
            self._sync = SyncStream(
                self._calls.sync, self._calls.machine, self._reader, copy=self._copy
            )
        except BaseException:
            await self.aclose()
            raise

    async def _change(self) -> None:
        """Wait until the reader tells something new."""
        await self._changed.wait()
        self._changed.clear()

    async def __anext__(self) -> RowBlock:
        if self._is_over:
            raise StopAsyncIteration
        try:
            await self._begin()
            sync = self.sync
            sync.give_back()
            while self._reader is not None and not self._reader.has_news:
                await self._change()
            return next(sync)
        except StopIteration:
            await self.aclose()
            raise StopAsyncIteration from None
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the job, if it has not ended."""
        self._is_over = True
        reader, self._reader = self._reader, None
        if reader is None:
            return
        reader.stop(self._calls.cancel, 0.0)
        loop = asyncio.get_running_loop()
        until = loop.time() + CLOSE_SECONDS
        while not reader.has_ended and loop.time() < until:
            change = asyncio.ensure_future(self._change())
            await ended(change, until - loop.time())
            change.cancel()
        self._calls.is_streaming = False

    def __del__(self) -> None:
        """End the job of a loop that was left."""
        reader = getattr(self, "_reader", None)
        if reader is not None:
            reader.stop(self._calls.cancel, 0.0)
            self._calls.is_streaming = False
