"""The calls to one open device: each in the device's thread, and ended by who does not wait.

It knows the Scanner that waits, and the device's thread.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary

from ..api.scanner import machine_of
from ..errors import Closed, DeviceBusy, ScanTimeout
from ..scanner import CLOSE_SECONDS
from .cancels import Cancels, Wait
from .worker import ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any, TypeVar

    from ..api.scanner import Scanner
    from .worker import Worker

    Result = TypeVar("Result")

SETTLE_SECONDS = 1.0  # what a driver may take to obey, after which its caller is told all the same


class Calls:
    """What an open device's thread is told to do.

    sync: the Scanner that waits. is_streaming: the thread reads a page until its end. waits: of
    coroutines, ended by cancel_all.
    """

    def __init__(self, sync: Scanner, worker: Worker) -> None:
        self.sync = sync
        self.machine = machine_of(sync)
        self.is_streaming = False
        self.is_closed = False
        self.waits: set[Wait] = set()
        self.cancels = Cancels(self.machine)
        self._numbers: WeakKeyDictionary[Future[Any], int] = WeakKeyDictionary()
        self._closing: Future[None] | None = None
        self._worker = worker

    def submit(self, function: Callable[[], Result]) -> Future[Result]:
        """Let the thread call *function*, after what it was told before."""
        if self.is_closed:
            raise Closed("the scanner is closed", device=self.sync.name)
        if self.is_streaming:
            raise DeviceBusy("a stream is under way: read it to its end, or close it")
        future = self._worker.submit(self.cancels.numbered(function))
        self._numbers[future] = self.cancels.submitted
        return future

    async def settled(self, future: Future[Result], timeout: float | None = None) -> Result:
        """Return what *future* brings; who goes away cancels the job, and awaits its end."""
        waiter = asyncio.wrap_future(future)
        try:
            await asyncio.wait({waiter}, timeout=timeout)
        except asyncio.CancelledError:
            await self._stop(future, waiter, CLOSE_SECONDS)
            raise
        if not waiter.done():
            await self._stop(future, waiter, SETTLE_SECONDS)
            if not waiter.done() or waiter.cancelled() or waiter.exception() is not None:
                raise ScanTimeout(
                    f"{self.sync.name}: not ready after {timeout:g} s", device=self.sync.name
                )
        return waiter.result()

    async def _stop(self, future: Future[Any], waiter: asyncio.Future[Any], seconds: float) -> None:
        if not future.cancel() and not future.done():
            self.cancels.cover(self._numbers[future])
            self.cancel()
        await ended(waiter, seconds)

    def cancel(self) -> None:
        """Tell the driver to end the job: its thread does, the event loop is not held up."""
        self.machine.cancel(attends=False)

    def cancel_idle(self) -> None:
        """Likewise, and have it done where the thread is in no call now."""
        self.cancel()
        if not self.is_streaming:
            with suppress(Closed):  # it is done at the end, then
                self._worker.submit(self.machine.turns.attend)

    def cancel_all(self) -> None:
        """Likewise, and end what was submitted before this and has not begun its job, and waits."""
        self.cancels.cover(self.cancels.submitted)
        self.cancel_idle()
        for wait in tuple(self.waits):
            wait.wake()

    async def finish(self, function: Callable[[], object]) -> None:
        """Let the thread call *function* at the end of a job; wait for that 5 seconds at most."""
        if not self.is_closed:
            await ended(asyncio.wrap_future(self._worker.submit(function)), CLOSE_SECONDS)

    async def close(self) -> bool:
        """Close the device; False: its driver is in a call that does not end, and does it then."""
        if self._closing is None:
            self.is_closed = True
            self.cancel_all()
            self._closing = self._worker.submit(self.sync.close)
            self._worker.stop()
        if not await ended(asyncio.wrap_future(self._closing), CLOSE_SECONDS):
            return False
        self._worker.thread.join(CLOSE_SECONDS)
        return True

    def drop(self) -> None:
        """End the thread; the Scanner that waits closes itself."""
        self.is_closed = True
        self._worker.stop()
