"""A thread that works for an event loop, and a wait that cannot be interrupted.

It knows asyncio's futures and threads' ones; it knows no scanners.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from queue import SimpleQueue

from ..errors import Closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")


class Worker:
    """A thread that carries out one function after the other."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._is_stopped = False
        self.thread = threading.Thread(
            target=self._run, args=(self._queue,), name=f"sane-{name}", daemon=True
        )
        self.thread.start()

    @staticmethod
    def _run(queue: SimpleQueue[Any]) -> None:
        while (item := queue.get()) is not None:
            future, function = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except (StopIteration, StopAsyncIteration) as exc:
                    future.set_exception(_told_of(exc))
                except BaseException as exc:
                    future.set_exception(exc)
            del item, future, function  # nothing is kept while there is nothing to do

    def submit(self, function: Callable[[], Result]) -> Future[Result]:
        """Carry out *function* after what was submitted before; return what will be its result.

        Raises Closed after stop(): nobody would carry it out.
        """
        future: Future[Result] = Future()
        if not self._is_stopped:
            self._queue.put((future, function))
            if not (self._is_stopped and future.cancel()):  # stop() of another thread, meanwhile
                return future
        raise Closed(f"the thread {self.thread.name} has ended")

    def stop(self) -> None:
        """Let it end after what is submitted."""
        self._is_stopped = True
        self._queue.put(None)


def _told_of(exc: Exception) -> RuntimeError:
    """Return what to raise for *exc*, which would end an iteration, or stay in asyncio unheard."""
    told = RuntimeError(f"{exc!r} in the device's thread")
    told.__cause__ = exc
    return told


async def ended(waiter: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for the end of *waiter*, whatever it brings, also if this task is cancelled again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not waiter.done() and loop.time() < until:
        try:
            await asyncio.wait({waiter}, timeout=until - loop.time())
        except asyncio.CancelledError:
            continue
    if waiter.done() and not waiter.cancelled():
        waiter.exception()  # looked at: asyncio is not to complain
    return waiter.done()
