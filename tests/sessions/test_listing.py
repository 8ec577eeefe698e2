"""One listing for many clients: who waited takes the answer over, and no other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from sane.backend import DeviceInfo
from sane.sessions.listing import SharedLists

ROW = ("x:1", "Acmé", "M\udcff", "scanner")


@pytest.fixture
def lists() -> Iterator[SharedLists]:
    made = SharedLists()
    yield made
    made.close()


def rows(devices: list[DeviceInfo]) -> list[tuple[str, str, str, str]]:
    return [(d.name, d.vendor, d.model, d.type) for d in devices]


def test_listing_each_call_after_the_other_asks_anew(lists: SharedLists) -> None:
    for count in (2, 0, 1):
        found = lists.devices(lambda n=count: [DeviceInfo(*ROW)] * n)  # type: ignore[misc]
        assert rows(found) == [ROW] * count


def test_listing_processes_that_wait_share_one(lists: SharedLists) -> None:
    """Ten ask while one lists: the first of them lists again, for all that were there by then."""
    ready, begin = os.pipe(), os.pipe()
    made, told = os.pipe(), os.pipe()

    def make() -> list[DeviceInfo]:
        os.write(made[1], b"m")
        time.sleep(0.2)
        return [DeviceInfo(*ROW)]

    children = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            try:
                os.write(ready[1], b"r")
                os.read(begin[0], 1)
                os.write(told[1], b"g" if rows(lists.devices(make)) == [ROW] else b"b")
            finally:
                os._exit(0)
        children.append(pid)
    for _ in children:
        os.read(ready[0], 1)
    os.write(begin[1], b"b" * 10)
    for pid in children:
        os.waitpid(pid, 0)
    assert os.read(told[0], 100) == b"g" * 10
    assert len(os.read(made[0], 100)) <= 3
    for fd in (*ready, *begin, *made, *told):
        os.close(fd)


@pytest.mark.parametrize(
    "data", [b"", b"9e9", b"9e9\0", b"9e9\x004\0a\0b\0c\0", b"9e9\x003\0a\0b\0c\0"]
)
def test_listing_what_a_killed_process_left_does_not_count(lists: SharedLists, data: bytes) -> None:
    os.pwrite(lists._fd, data, 0)
    assert rows(lists.devices(lambda: [DeviceInfo(*ROW)])) == [ROW]


def test_listing_a_failure_leaves_the_lock_free(lists: SharedLists) -> None:
    def fail() -> list[DeviceInfo]:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        lists.devices(fail)
    assert lists.devices(list) == []
