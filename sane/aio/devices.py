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

    def __aiter__(self) -> Watcher:
        return self

    async def __aenter__(self) -> Watcher:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def __anext__(self) -> DeviceEvent:
        if self._next is None:  # else that of a task that was cancelled
            self._next = asyncio.wrap_future(self._worker.submit(lambda: next(self._sync, None)))
        event = await asyncio.shield(self._next)
        self._next = None
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """End the iteration."""
        self._sync.close()
        if self._next is not None:
            await ended(self._next, CLOSE_SECONDS)
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
