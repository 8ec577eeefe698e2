"""Addresses and ports of this machine that nobody else uses."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager


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


PORT = 6566  # the only one that the original client knows


def loopback_address() -> str:
    """Return an address of this machine on which nobody else's server listens."""
    number = os.getpid()
    return f"127.{100 + number % 100}.{number >> 8 & 0xFF}.{number & 0xFF or 1}"
