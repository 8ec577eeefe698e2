"""The API for asyncio: what a cancel covers, and waits for buttons."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

import sane
import sane.aio
from sane import errors
from sane.api.scanner import machine_of
from tests.fakes.sheets import SECONDS, Sheets, Waiting, gray
from tests.support.aio import anext_of, on, run

Result = TypeVar("Result")


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
