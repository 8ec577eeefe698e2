"""Scanners of the API for asyncio on drivers of tests, and the threads that they leave."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import sane
import sane.aio
from sane.aio.calls import Calls
from sane.aio.worker import Worker
from sane.api.scanner import Scanner as SyncScanner
from sane.backend import Device
from tests.fakes.sheets import SECONDS, opened

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


async def anext_of(items: Any) -> Any:
    return await items.__anext__()
