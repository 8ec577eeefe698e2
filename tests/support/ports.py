"""Addresses and ports of this machine that nobody else uses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

PORT = 6566  # the only one that the original client knows


def free_ports(count: int) -> int:
    """Return the first of *count* ports in a row that are free."""
    for first in range(20_000 + os.getpid() % 5000, 60_000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(contextlib.closing(socket.socket())).bind(("", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@contextmanager
def listener(host: str = "127.0.0.1", backlog: int = 1) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((host, 0))
        sock.listen(backlog)
        yield sock


@contextmanager
def full_listener() -> Iterator[int]:
    """Yield the port of a listener whose queue is full: a further connect gets no answer."""
    with listener(backlog=0) as sock:
        waiting = []
        for _ in range(4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(sock.getsockname())
            waiting.append(other)
        try:
            yield sock.getsockname()[1]
        finally:
            for other in waiting:
                other.close()


def loopback_address(port: int = PORT) -> str:
    """Return an address of the loopback network at which nobody, of any test run, has *port*."""
    while True:
        numbers = (random.randrange(3, 255), random.randrange(256), random.randrange(1, 255))
        address = f"127.{'.'.join(map(str, numbers))}"
        with contextlib.closing(socket.socket()) as sock:
            try:
                sock.bind((address, port))
            except OSError:
                continue
        return address


@contextmanager
def ipv6_loopback() -> Iterator[str]:
    """Yield ::1 once no other test of this machine serves there; it has no second address."""
    with open(f"{tempfile.gettempdir()}/pysane-ipv6-{os.getuid()}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield "::1"
