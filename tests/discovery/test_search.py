"""Asking many at once: how many threads, what time is left, no thread at all, and who is heard."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.config import Environment
from sane.debug import Debug
from sane.discovery import search as searching
from sane.discovery.identity import usb_of, uuid_of
from sane.discovery.search import search, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.cancel import Cancels

LONG = 10.0
QUIET = Debug("tst", Environment({}))


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_side_by_side_takes_a_limited_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "THREADS", 4)
    before = threading.active_count()
    done: list[int] = []
    most = 0

    def task(number: int) -> Callable[[Cancels], None]:
        def run(_cancel: Cancels) -> None:
            nonlocal most
            most = max(most, threads())
            done.append(number)

        return run

    existing = threads()
    side_by_side([task(number) for number in range(500)], LONG)
    assert sorted(done) == list(range(500))
    assert most <= existing + 4
    assert threading.active_count() == before


@pytest.mark.parametrize("allowed", [0, 2])
def test_side_by_side_with_few_threads_or_none_does_the_work(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    from sane.threads import start_thread

    started: list[int] = []

    def refuse(run: Callable[[], None]) -> None:
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(1)
        start_thread(run)

    monkeypatch.setattr("sane.threads.start_thread", refuse)
    done: list[int] = []

    def task(number: int) -> Callable[[Cancels], None]:
        return lambda _cancel: done.append(number)

    side_by_side([task(n) for n in range(5)], LONG, lambda _cancel: [task(5), task(6)])
    assert sorted(done) == list(range(7))


def test_side_by_side_does_not_wait_longer_than_it_may() -> None:
    released = threading.Event()
    seen: list[bool] = []
    before = threads()

    def wait(cancel: Cancels) -> None:
        released.wait(LONG)
        seen.append(cancel.is_set())

    begin = time.monotonic()
    side_by_side([wait, wait], 0.05)
    assert time.monotonic() - begin < LONG / 2
    released.set()
    while threads() > before and time.monotonic() - begin < LONG:
        os.sched_yield()
    assert seen == [True, True]


def test_side_by_side_begins_nothing_when_the_time_is_over() -> None:
    done: list[object] = []
    side_by_side([done.append, done.append], 0.0, lambda _cancel: [done.append])
    assert done == []


def test_side_by_side_a_failure_meanwhile_ends_the_others() -> None:
    seen: list[bool] = []

    def wait(cancel: Cancels) -> None:
        with pytest.raises(errors.Cancelled):
            cancel.wait(LONG)
        seen.append(cancel.is_set())

    def fail(_cancel: Cancels) -> list[Callable[[Cancels], None]]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        side_by_side([wait], 0.05, fail)
    assert seen == [True]


# Searches


def test_search_hosts_are_asked_at_once_and_listed_in_order() -> None:
    together = threading.Barrier(3)

    def probe(name: str, _cancel: Cancels) -> str:
        together.wait(10)  # passes only if all three are asked at the same time
        return name.upper()

    assert search(["c", "a", "b"], None, probe, QUIET, 20) == ["C", "A", "B"]


def test_search_a_host_that_fails_costs_nobody_else_anything() -> None:
    def probe(name: str, _cancel: Cancels) -> str:
        if name == "bad":
            raise errors.DeviceIOError("no scanner")
        return name

    assert search(["bad", "good", "good"], None, probe, QUIET, 20) == ["good"]


def test_search_what_is_discovered_is_asked_too_but_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "HOSTS", 4)

    def probe(name: str, _cancel: Cancels) -> str:
        return name

    def discover(_wait: object) -> list[str]:
        return ["b", "a", "c", "c", "d", "e", "f"]

    assert search(["a"], discover, probe, QUIET, 20) == ["a", "b", "c", "d"]


def test_search_a_discovery_that_fails_loses_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def discover(_wait: object) -> list[str]:
        raise OSError(101, "Network is unreachable")

    debug = Debug("tst", Environment({"SANE_DEBUG_TST": "1"}))
    assert search(["a"], discover, lambda name, _cancel: name, debug, 20) == ["a"]
    assert "search for scanners: " in capfd.readouterr().err


def test_search_a_silent_host_is_cancelled_and_left_out() -> None:
    def probe(name: str, cancel: Cancels) -> str:
        if name == "silent":
            cancel.wait(LONG)
        return name

    begin = time.monotonic()
    assert search(["silent", "here"], None, probe, QUIET, 0.1) == ["here"]
    assert time.monotonic() - begin < LONG / 2


UUID = "1c852a4db8001f08abcd0123456789ab"


@pytest.mark.parametrize(
    ("text", "uuid"),
    [
        ("1c852a4d-b800-1f08-abcd-0123456789ab", UUID),
        ("urn:uuid:1C852A4D-B800-1F08-ABCD-0123456789AB", UUID),
        ("uuid:{1c852a4d b800 1f08 abcd 0123456789ab}", UUID),
        (UUID + "0000", UUID),
        ("1c852a4d-b800", ""),
        ("", ""),
    ],
)
def test_identity_uuids(text: str, uuid: str) -> None:
    assert uuid_of(text) == uuid


@pytest.mark.parametrize(
    ("text", "usb"),
    [("03F0c511", "03f0:c511"), ("03f0:c511", "03f0:c511"), ("03f0", ""), ("zzzzzzzz", "")],
)
def test_identity_usb_ids(text: str, usb: str) -> None:
    assert usb_of(text) == usb
