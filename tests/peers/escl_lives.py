"""python -m tests.peers.escl_lives LIBRARY DEVICE: a program that scans again and again.

Each of its lives goes from sane_init to sane_exit, whatever the scanner does. It prints the
statuses that ended its scans, and how many descriptors and threads it has more than at first.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

from sane.testing.conformance.library import Library

WARM_UP, LIVES = 3, 9
GOOD = 0
SECONDS = 10.0  # for threads that are about to end


def live(sane: Library, device: bytes) -> int:
    """Scan one page; return the status that ended it."""
    sane.init()
    status, handle = sane.open(device)
    if status == GOOD:
        buffer, length = ctypes.create_string_buffer(1 << 16), ctypes.c_int()
        status = sane.call("start", ctypes.c_void_p(handle))
        while status == GOOD:
            status = sane.call(
                "read", ctypes.c_void_p(handle), buffer, len(buffer), ctypes.byref(length)
            )
        sane.call("cancel", ctypes.c_void_p(handle))
        sane.call("close", ctypes.c_void_p(handle))
    sane.call("exit")
    return status


def held() -> tuple[int, int]:
    """Return how many descriptors and threads this process has."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def above(before: tuple[int, int]) -> list[int]:
    """Return how many more there are than *before*; a thread that has ended since is none."""
    return [max(0, now - then) for now, then in zip(held(), before, strict=True)]


def main(library: str, device: str) -> None:
    sane = Library(library)
    for _ in range(WARM_UP):
        live(sane, os.fsencode(device))
    before = held()
    ends = {live(sane, os.fsencode(device)) for _ in range(LIVES)}
    deadline = time.monotonic() + SECONDS
    while any(more := above(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    print(sorted(ends), *more)


if __name__ == "__main__":
    main(*sys.argv[1:])
