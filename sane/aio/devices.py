"""Which devices there are, and what becomes of them, for asyncio."""

from __future__ import annotations

import asyncio

from ..api import devices as sync_devices
from ..scanner import CLOSE_SECONDS
from .worker import Worker, ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..api.listing import DeviceEvent, DeviceList
    from ..api.watch import Watcher as SyncWatcher
    from ..listed import DeviceInfo


class Watcher:
    """An async iterator of DeviceEvent, see sane.Watcher."""

    def __init__(self, watcher: SyncWatcher) -> None:
        self._sync = watcher
        self._worker = Worker("watch")
        self._next: asyncio.Future[DeviceEvent | None] | None = None
        self._is_over = False

    def __aiter__(self) -> Watcher:
        return self

    async def __aenter__(self) -> Watcher:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def __anext__(self) -> DeviceEvent:
        waiter = self._next
        if waiter is None:  # else that of a task that was cancelled
            if self._is_over:
                raise StopAsyncIteration
            waiter = asyncio.wrap_future(self._worker.submit(lambda: next(self._sync, None)))
            self._next = waiter
        await asyncio.wait({waiter})
        if self._next is waiter:
            self._next = None
        event = None if waiter.cancelled() else waiter.result()
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """End the iteration; who waits for an event is told within 5 seconds."""
        self._is_over = True
        self._sync.close()
        waiter = self._next
        if waiter is not None and not await ended(waiter, CLOSE_SECONDS):
            waiter.cancel()  # a list is made that does not end
        self._worker.stop()

    def __del__(self) -> None:
        if hasattr(self, "_worker"):
            self._sync.close()
            self._worker.stop()


async def devices(
    *,
    local_only: bool = False,
    timeout: float | None = None,
    refresh: bool = False,
    backend: str | None = None,
) -> DeviceList:
    """As sane.devices."""
    options = {"local_only": local_only, "timeout": timeout, "refresh": refresh}
    return await asyncio.to_thread(sync_devices.devices, backend=backend, **options)  # type: ignore[arg-type]


async def find(
    text: str = "",
    *,
    type: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
    backend: str | None = None,
) -> DeviceInfo:
    """As sane.find."""
    wanted = {"type": type, "vendor": vendor, "model": model, "backend": backend}
    return await asyncio.to_thread(sync_devices.find, text, **wanted)


def watch(*, local_only: bool = False, interval: float = 5.0) -> Watcher:
    """As sane.watch: an async iterator, and an async context manager."""
    return Watcher(sync_devices.watch(local_only=local_only, interval=interval))
