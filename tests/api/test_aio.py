"""The API for asyncio: pages, rows, cancelled tasks, closing, watching."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

import sane
import sane.aio
from sane import errors
from sane.aio.calls import Calls
from sane.aio.worker import Worker
from sane.api.scanner import Scanner as SyncScanner
from sane.api.scanner import machine_of
from sane.backend import Device
from tests.fakes.sheets import SECONDS, WIDTH, Deaf, Sheets, Waiting, gray, opened

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(coroutine, SECONDS))


def on(device: Device) -> sane.aio.Scanner:
    """Return an open scanner of *device*."""
    found = sane.aio.Scanner("sheets:0")
    sync: SyncScanner = opened(device)
    found._calls = Calls(sync, Worker(sync.name))
    return found


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sane-")]


def wait_for_workers() -> None:
    until = time.monotonic() + SECONDS
    while workers():
        assert time.monotonic() < until, workers()
        time.sleep(0.001)


def test_a_device_has_one_thread() -> None:
    async def main() -> None:
        sane.configure(backends=["test"])
        assert [item.name for item in await sane.aio.devices()] == ["test:0", "test:1"]
        assert (await sane.aio.find("test:1")).name == "test:1"
        async with sane.aio.Scanner("test") as scanner:
            assert workers() == ["sane-test:0"]
            assert (scanner.name, scanner.state, scanner.info.vendor) == (
                "test:0",
                "idle",
                "Noname",
            )
            applied = await scanner.configure(mode="color", resolution=50)
            assert applied["mode"] == "Color"
            page = await scanner.scan(timeout=SECONDS)
            assert page.mode == "color"
            assert (await scanner.capabilities()).sources == ("flatbed", "feeder")
            assert (await scanner.parameters()).depth == 8
            assert await scanner.run(lambda: scanner.options.mode) == "Color"
        assert workers() == []
        assert scanner.closed
        with pytest.raises(errors.Closed):
            await scanner.scan()
        await scanner.aclose()

    try:
        run(main())
    finally:
        sane.exit()
        sane.configure()


def test_what_is_not_open_says_so() -> None:
    scanner = sane.aio.Scanner("test:0")
    with pytest.raises(errors.Closed, match="use async with"):
        _ = scanner.name
    with pytest.raises(errors.Closed):
        run(scanner.scan())
    assert not scanner.closed


@pytest.mark.parametrize("prefetch", [0, 1, 4])
def test_pages(prefetch: int) -> None:
    device = Sheets(*map(gray, (1, 2, 3)))

    async def main() -> list[int]:
        async with on(device) as scanner:
            pages = scanner.pages(prefetch=prefetch)
            found = [int(page.array[0, 0]) async for page in pages]
            assert pages.pages_done == 3
            assert scanner.state == "idle"
            return found

    assert run(main()) == [1, 2, 3]
    assert device.calls.count("finish False") == 1


@pytest.mark.parametrize("prefetch", [0, 1, 4])
def test_no_sheet_more_than_the_limit(prefetch: int) -> None:
    device = Sheets(*map(gray, range(9)))

    async def main() -> None:
        async with on(device) as scanner:
            assert len([page async for page in scanner.pages(limit=2, prefetch=prefetch)]) == 2
            assert device.calls == ["start", "start", "finish False"]

    run(main())


def test_an_empty_feeder_and_a_jam() -> None:
    device = Sheets()

    async def main() -> None:
        async with on(device) as scanner:
            with pytest.raises(errors.NoDocs):
                await anext_of(scanner.pages())
            assert [page async for page in scanner.pages(empty_ok=True)] == []
            device.script = [gray(1), errors.Jammed("in the tray")]
            found = []
            with pytest.raises(errors.Jammed) as caught:
                async for page in scanner.pages():
                    found.append(page)
            assert (len(found), caught.value.pages_done) == (1, 1)

    run(main())


async def anext_of(items: Any) -> Any:
    return await items.__anext__()


@pytest.mark.parametrize("what", ["scan", "pages", "stream"])
@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_task_that_is_cancelled_ends_its_job(what: str, how: str) -> None:
    device = Waiting()

    async def main() -> None:
        async with on(device) as scanner:
            calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
                "scan": scanner.scan,
                "pages": lambda: anext_of(scanner.pages()),
                "stream": lambda: anext_of(scanner.stream()),
            }
            task = asyncio.ensure_future(calls[what]())
            await asyncio.to_thread(device.waits.wait, SECONDS)
            if how == "cancel":
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            else:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(task, 0.01)
            assert scanner.state == "idle"
            assert device.calls == ["start", "finish True"]
            device.on_read = None
            device.script = [gray(5)]
            assert (await scanner.scan()).array[0, 0] == 5

    run(main())


def test_a_scan_that_is_too_slow() -> None:
    device = Waiting()

    async def main() -> None:
        async with on(device) as scanner:
            with pytest.raises(errors.ScanTimeout):
                await scanner.scan(timeout=0.02)
            device.script = [gray(1)]
            with pytest.raises(errors.ScanTimeout):
                await anext_of(scanner.pages(timeout=0.02))
            assert scanner.state == "idle"

    run(main())


def test_cancel_of_the_scanner_is_an_error_of_the_scan() -> None:
    device = Waiting()

    async def main() -> None:
        async with on(device) as scanner:
            task = asyncio.ensure_future(scanner.scan())
            await asyncio.to_thread(device.waits.wait, SECONDS)
            scanner.cancel()
            with pytest.raises(errors.Cancelled):
                await task

    run(main())


def busy(scanner: sane.aio.Scanner, until: threading.Event) -> asyncio.Task[bool]:
    """Keep the device's thread busy; what is called meanwhile has not begun."""
    return asyncio.ensure_future(scanner.run(until.wait, SECONDS))


class Documents(Sheets):
    """It has its pages as files, too."""

    encoded = ("image/jpeg",)


@pytest.mark.parametrize("what", ["scan", "document", "pages", "stream", "run"])
def test_cancel_ends_what_has_not_begun(what: str) -> None:
    device = Documents(gray(1), gray(2))

    async def main() -> None:
        async with on(device) as scanner:
            calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
                "scan": scanner.scan,
                "document": scanner.document,
                "pages": lambda: anext_of(scanner.pages()),
                "stream": lambda: anext_of(scanner.stream()),
                "run": lambda: scanner.run(scanner.sync.scan),
            }
            free = threading.Event()
            before = busy(scanner, free)
            task = asyncio.ensure_future(calls[what]())
            await asyncio.sleep(0)
            scanner.cancel()
            after = asyncio.ensure_future(scanner.scan())
            await asyncio.sleep(0)
            free.set()
            with pytest.raises(errors.Cancelled):
                await task
            assert await before  # it is no scan
            if what == "stream":  # what comes after it is refused
                with pytest.raises(errors.DeviceBusy):
                    await after
                after = asyncio.ensure_future(scanner.scan())
            assert (await after).array[0, 0] == 1
            assert device.calls.count("start") == 1

    run(main())


@pytest.mark.parametrize("what", ["scan", "pages", "task"])
def test_cancel_ends_what_has_begun_but_for_its_job(what: str) -> None:
    device = Sheets(gray(1), gray(2))
    asked, free = threading.Event(), threading.Event()

    def before_the_job() -> None:  # the last moment, for which no device is asked
        asked.set()
        free.wait(SECONDS)

    async def main() -> None:
        async with on(device) as scanner:
            machine = machine_of(scanner.sync)
            frames = machine.turns.begin

            def begin() -> Any:
                before_the_job()
                return frames()

            machine.turns.begin = begin  # type: ignore[method-assign]
            made = scanner.pages() if what == "pages" else None
            task = asyncio.ensure_future(scanner.scan() if made is None else anext_of(made))
            await asyncio.to_thread(asked.wait, SECONDS)
            if what == "task":
                task.cancel()
                await asyncio.sleep(0)
            else:
                scanner.cancel()
            free.set()
            with pytest.raises((errors.Cancelled, asyncio.CancelledError)):
                await task
            assert "start" not in device.calls
            assert (await scanner.scan()).array[0, 0] == 1

    run(main())


def test_a_cancel_ends_one_job_of_a_function() -> None:
    device = Waiting(gray(1), gray(2))

    async def main() -> None:
        async with on(device) as scanner:
            sync = scanner.sync

            def twice() -> sane.Page:
                with pytest.raises(errors.Cancelled):
                    sync.scan()
                device.on_read = None
                return sync.scan()

            task = asyncio.ensure_future(scanner.run(twice))
            await asyncio.to_thread(device.waits.wait, SECONDS)
            scanner.cancel()
            assert (await task).array[0, 0] == 2

    run(main())


def test_a_scanner_that_is_closed_scans_nothing_that_waits() -> None:
    device = Sheets(gray(1))

    async def main() -> None:
        scanner = on(device)
        free = threading.Event()
        busy(scanner, free)
        task = asyncio.ensure_future(scanner.scan())
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(scanner.aclose())
        await asyncio.sleep(0)
        free.set()
        with pytest.raises(errors.Cancelled):
            await task
        await closing
        assert "start" not in device.calls

    run(main())


def test_the_loop_goes_on_while_a_driver_waits() -> None:
    device = Waiting()

    async def main() -> None:
        async with on(device) as scanner:
            task = asyncio.ensure_future(scanner.scan())
            await asyncio.to_thread(device.waits.wait, SECONDS)
            begin = time.monotonic()
            for _ in range(20):
                await asyncio.sleep(0)
            assert time.monotonic() - begin < 1
            task.cancel()
            await asyncio.wait({task})

    run(main())


def test_rows_of_a_page() -> None:
    async def main() -> None:
        async with on(Sheets(gray(7), gray(8))) as scanner:
            rows = [len(block.rows) async for block in scanner.stream(chunk_rows=3)]
            assert rows == [3, 1]
            async with scanner.stream() as stream:
                assert stream.sync.total == 4
                with pytest.raises(errors.DeviceBusy, match="stream"):
                    await scanner.scan()
            with pytest.raises(errors.NoDocs):
                await anext_of(scanner.stream())

    run(main())


def test_a_loop_that_is_left_ends_the_job() -> None:
    device = Sheets(*map(gray, range(9)))

    async def main() -> None:
        async with on(device) as scanner:
            async with scanner.pages() as pages:
                async for _ in pages:
                    break
            assert device.calls[-1].startswith("finish")
            async for _ in scanner.pages():
                break
            gc.collect()
            assert (await scanner.scan()).height == 4

    run(main())


@pytest.mark.parametrize("what", ["pages", "stream"])
def test_what_is_iterated_holds_its_scanner(what: str) -> None:
    device = Sheets(gray(1))

    async def main() -> int:
        scanner = on(device)
        items: Any = getattr(scanner, what)()
        del scanner
        gc.collect()
        return len([item async for item in items])

    with pytest.warns(ResourceWarning, match="was not closed"):
        assert run(main()) == 1
        gc.collect()
    assert device.calls[-1] == "close"
    wait_for_workers()


def test_rows_that_are_left_end_the_job() -> None:
    device = Sheets(*map(gray, range(9)), piece=WIDTH)

    async def main() -> None:
        async with on(device) as scanner:
            async for _ in scanner.stream(chunk_rows=1):
                break
            gc.collect()
            assert (await scanner.scan()).height == 4

    run(main())


def test_a_thread_that_was_stopped_takes_nothing_more() -> None:
    worker = Worker("device")
    before = worker.submit(lambda: 1)
    worker.stop()
    with pytest.raises(errors.Closed):
        worker.submit(lambda: 2)
    assert before.result(SECONDS) == 1
    wait_for_workers()


@pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
def test_a_function_that_ends_an_iteration_is_an_error(kind: type[Exception]) -> None:
    def ends() -> None:
        raise kind("of the program")

    async def main() -> None:
        async with on(Sheets(gray(1), gray(2))) as scanner:
            with pytest.raises(RuntimeError, match="of the program") as caught:
                await scanner.run(ends)
            assert isinstance(caught.value.__cause__, kind)
            with pytest.raises(RuntimeError, match=r"of the program|progress raised StopIteration"):
                await anext_of(scanner.pages(progress=lambda _: ends()))
            assert scanner.state == "idle"

    run(main())


@pytest.mark.filterwarnings("ignore:.*still in a call.*:ResourceWarning")
def test_a_driver_that_ignores_cancel_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sane.aio.calls", "sane.scanner"):
        monkeypatch.setattr(f"{module}.CLOSE_SECONDS", 0.05)
    device = Deaf()

    async def main() -> None:
        scanner = on(device)
        task = asyncio.ensure_future(scanner.scan())
        await asyncio.to_thread(device.blocks.wait, SECONDS)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert scanner.state == "cancelling"
        with pytest.warns(ResourceWarning, match="still in a call"):
            await scanner.aclose()
        device.free.set()
        while device.calls[-1] != "close":
            await asyncio.sleep(0.001)

    run(main())
    wait_for_workers()


def test_buttons() -> None:
    device = Sheets()

    async def main() -> None:
        async with on(device) as scanner:
            with pytest.raises(errors.ScanTimeout):
                await scanner.wait_button(timeout=0.01, interval=0.005)
            waiting = asyncio.ensure_future(scanner.wait_button(interval=0.001))
            assert await scanner.sensors() == {"scan": 0}
            device.button = 1
            assert await waiting == "scan"

    run(main())


@pytest.mark.parametrize("how", ["cancel", "close", "thread"])
def test_cancel_ends_a_wait_for_a_button(how: str) -> None:
    async def main() -> None:
        async with on(Sheets()) as scanner:
            task = asyncio.ensure_future(scanner.wait_button(interval=2 * SECONDS))
            await scanner.sensors()
            if how == "cancel":
                scanner.cancel()
            elif how == "close":
                await scanner.aclose()
            else:
                await scanner.run(scanner.cancel)
            with pytest.raises(errors.Cancelled):
                await task

    run(main())


def test_a_cancelled_task_leaves_a_wait_for_a_button() -> None:
    device = Waiting()

    async def main() -> None:
        async with on(device) as scanner:
            button = asyncio.ensure_future(scanner.wait_button(interval=0.001))
            task = asyncio.ensure_future(scanner.scan())
            await asyncio.to_thread(device.waits.wait, SECONDS)
            task.cancel()
            await asyncio.wait({task})
            device.button = 1
            assert await button == "scan"

    run(main())


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


@pytest.fixture
def on_test_backend() -> Iterator[None]:
    sane.configure(backends=["test"])
    yield
    sane.exit()
    sane.configure()


@pytest.mark.usefixtures("on_test_backend")
def test_a_scanner_that_was_closed_is_opened_anew() -> None:
    async def main() -> None:
        scanner = sane.aio.Scanner("test:0", settings={"resolution": 50})
        for _ in range(2):
            async with scanner:
                assert not scanner.closed
                assert (await scanner.scan()).dpi == (50, 50)
            with pytest.raises(errors.Closed):
                await scanner.scan()
        async with scanner:
            sane.exit()
            assert scanner.closed
            await scanner.open()
            assert not scanner.closed
            closing = asyncio.ensure_future(scanner.aclose())
            await asyncio.sleep(0)
            await scanner.open()
            await closing
            assert not scanner.closed

    run(main())
    wait_for_workers()


@pytest.mark.usefixtures("on_test_backend")
def test_all_who_open_a_scanner_at_once_have_it() -> None:
    async def main() -> None:
        scanner = sane.aio.Scanner("test:0")
        impatient, *others = [asyncio.ensure_future(scanner.open()) for _ in range(3)]
        await asyncio.sleep(0)
        impatient.cancel()
        assert await asyncio.gather(*others) == [scanner, scanner]
        assert impatient.cancelled()
        assert workers() == ["sane-test:0"]
        await scanner.aclose()

    run(main())
    wait_for_workers()


@pytest.mark.usefixtures("on_test_backend")
def test_an_opening_that_nobody_awaits_is_given_up() -> None:
    async def main() -> None:
        scanner = sane.aio.Scanner("test:0")
        task = asyncio.ensure_future(scanner.open())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await asyncio.to_thread(wait_for_workers)
        async with scanner:
            assert not scanner.closed
        opening = asyncio.ensure_future(scanner.open())
        await asyncio.sleep(0)
        await scanner.aclose()
        await opening
        assert scanner.closed
        with pytest.raises(errors.SaneError):
            await asyncio.gather(*(sane.aio.Scanner("none:0").open() for _ in range(2)))

    run(main())
    wait_for_workers()
