"""The API for asyncio: pages, rows, cancelled tasks, opening and closing."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

import sane
import sane.aio
from sane import errors
from sane.aio.worker import Worker
from tests.fakes.sheets import SECONDS, WIDTH, Deaf, Sheets, Waiting, gray
from tests.support.aio import anext_of, on, run, wait_for_workers, workers

Result = TypeVar("Result")


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
