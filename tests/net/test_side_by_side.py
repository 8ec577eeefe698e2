"""Tasks side by side: how many threads, what time is left, and no thread at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from sane.net import client
from sane.net.client import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 10.0


def test_side_by_side_takes_a_limited_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "THREADS", 4)
    before = threading.active_count()
    done: list[int] = []
    most = 0

    def task(number: int) -> Callable[[], None]:
        def run() -> None:
            nonlocal most
            most = max(most, len(threads()))
            done.append(number)

        return run

    def threads() -> list[str]:
        import os

        return os.listdir("/proc/self/task")

    existing = len(threads())
    side_by_side([task(number) for number in range(500)], LONG)
    assert sorted(done) == list(range(500))
    assert most <= existing + 4
    assert threading.active_count() == before


def test_side_by_side_without_a_thread_does_the_work_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(run: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("sane.threads.start_thread", refuse)
    done: list[int] = []
    side_by_side([lambda n=n: done.append(n) for n in range(5)], LONG)  # type: ignore[misc]
    assert done == [0, 1, 2, 3, 4]


def test_side_by_side_does_not_wait_longer_than_it_may() -> None:
    released = threading.Event()
    ended = threading.Semaphore(0)

    def wait() -> None:
        released.wait(LONG)
        ended.release()

    side_by_side([wait, wait], 0.05)
    assert not released.is_set()
    released.set()
    assert ended.acquire(timeout=LONG)
    assert ended.acquire(timeout=LONG)


def test_side_by_side_begins_nothing_when_the_time_is_over() -> None:
    done: list[int] = []
    side_by_side([lambda: done.append(1), lambda: done.append(2)], 0.0)
    assert done == []
