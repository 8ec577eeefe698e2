"""The API for asyncio: watching which devices come and go."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TypeVar

import pytest

import sane
import sane.aio
from tests.fakes.sheets import SECONDS
from tests.support.aio import anext_of, run, wait_for_workers, workers

Result = TypeVar("Result")


def test_a_watch_ends_with_its_block() -> None:
    async def main() -> None:
        sane.configure(backends=["test"])
        async with sane.aio.watch(interval=60) as watcher:
            found = [await anext_of(watcher) for _ in range(2)]
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext_of(watcher), 0.02)
        assert [event.kind for event in found] == ["added", "added"]
        while workers():
            await asyncio.sleep(0.001)

    try:
        run(main())
    finally:
        sane.exit()
        sane.configure()


class Slow:
    """A watcher that waits until it is closed, as sane.Watcher; *is_deaf*: also then."""

    def __init__(self, is_deaf: bool = False) -> None:
        self.events = [sane.DeviceEvent("added", sane.DeviceInfo("test:0", "", "", ""))]
        self.waits, self.free = threading.Event(), threading.Event()
        self.is_deaf = is_deaf

    def __iter__(self) -> Slow:
        return self

    def __next__(self) -> sane.DeviceEvent:
        if self.events:
            return self.events.pop()
        self.waits.set()
        self.free.wait(SECONDS)
        raise StopIteration

    def close(self) -> None:
        if not self.is_deaf:
            self.free.set()


def test_a_watch_that_is_closed_has_ended() -> None:
    async def main() -> None:
        watcher = sane.aio.Watcher(Slow())  # type: ignore[arg-type]
        assert (await anext_of(watcher)).kind == "added"
        await watcher.aclose()
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext_of(watcher)
        await watcher.aclose()

    run(main())
    wait_for_workers()


@pytest.mark.parametrize("is_deaf", [False, True])
def test_closing_a_watch_wakes_who_waits(is_deaf: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.05 if is_deaf else SECONDS
    monkeypatch.setattr(sys.modules["sane.aio.devices"], "CLOSE_SECONDS", seconds)
    slow = Slow(is_deaf)

    async def main() -> None:
        watcher = sane.aio.Watcher(slow)  # type: ignore[arg-type]

        async def kinds() -> list[str]:
            return [event.kind async for event in watcher]

        task = asyncio.ensure_future(kinds())
        await asyncio.to_thread(slow.waits.wait, SECONDS)
        await watcher.aclose()
        assert await task == ["added"]

    run(main())
    slow.free.set()
    wait_for_workers()


def test_an_event_that_came_before_the_end_is_given() -> None:
    async def main() -> None:
        watcher = sane.aio.Watcher(Slow())  # type: ignore[arg-type]
        task = asyncio.ensure_future(anext_of(watcher))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await watcher.aclose()
        assert [event.kind async for event in watcher] == ["added"]

    run(main())
    wait_for_workers()
