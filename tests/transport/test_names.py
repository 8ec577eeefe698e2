"""Looking names up: a resolver that does not answer, and cancel."""

from __future__ import annotations

import _socket
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sane.cancel import Cancel, CancelOf
from sane.errors import Cancelled, DeviceIOError
from sane.transport.failures import NoAnswer
from sane.transport.names import name_of, resolve
from tests.support.timing import soon

SHORT, LONG = 0.05, 10.0


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def stuck_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver that says nothing until the test is over, then that there is no such host."""
    over = threading.Event()
    before = descriptors()
    real = _socket.getaddrinfo

    def stuck(host: bytes, port: object, *more: Any) -> Any:
        if more[-1] & _socket.AI_NUMERICHOST:
            return real(host, port, *more)  # type: ignore[arg-type]
        over.wait(LONG)
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(_socket, "getaddrinfo", stuck)
    yield
    over.set()
    deadline = time.monotonic() + LONG
    while descriptors() > before and time.monotonic() < deadline:
        os.sched_yield()  # the threads are on their way out


@pytest.mark.usefixtures("stuck_resolver")
def test_names_a_silent_resolver_ends_with_the_limit_and_with_cancel(cancel: Cancel) -> None:
    with pytest.raises(NoAnswer, match=r"printer: the name was not found within 0\.05 s"):
        resolve("printer", 80, SHORT)
    begin = time.monotonic()
    with soon(cancel.set), pytest.raises(Cancelled):
        resolve("printer", 80, 60.0, cancel)
    assert time.monotonic() - begin < LONG / 2


@pytest.mark.usefixtures("stuck_resolver")
def test_names_an_address_does_not_wait_for_the_resolver() -> None:
    assert resolve("127.0.0.1", 80, SHORT) == [(_socket.AF_INET, ("127.0.0.1", 80))]


def test_names_found_within_a_limit(cancel: Cancel) -> None:
    before = descriptors()
    assert resolve("localhost", 80, LONG, cancel)[0][1][1] == 80
    with pytest.raises(DeviceIOError, match=r"no\.such\.host\.invalid: "):
        resolve("no.such.host.invalid", 80, LONG)
    assert descriptors() == before


def test_names_without_a_thread_the_resolver_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_run: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("sane.threads.start_thread", refuse)
    assert resolve("localhost", 80, LONG)


@pytest.mark.parametrize("port", [-1, 70000, "no-such-service"])
def test_names_a_port_that_is_none_is_an_error_that_names_the_host(port: int | str) -> None:
    try:
        found = resolve("127.0.0.1", port, LONG)
    except DeviceIOError as exc:
        assert str(exc).startswith("127.0.0.1: ")
    else:
        assert found  # the C library wraps numbers


def test_cancel_of_a_device_is_that_of_the_moment(cancel: Cancel) -> None:
    class Device:
        cancel_request: Any = cancel

    device = Device()
    request = CancelOf(device)
    assert (request.fd, request.is_set()) == (cancel.fd, False)
    cancel.set()
    assert request.is_set()
    with pytest.raises(Cancelled):
        request.wait(LONG)
    del device
    assert (request.fd, request.is_set()) == (-1, False)
    assert not request.wait(0.0)


@pytest.mark.parametrize(
    ("named", "addresses", "found"),
    [
        ("scanner.example", ["192.0.2.7"], "scanner.example"),
        ("scanner.example", ["192.0.2.8", "192.0.2.7"], "scanner.example"),
        ("liar.example", ["192.0.2.8"], ""),  # anybody may call his own address so
        ("", [], ""),
    ],
)
def test_transport_a_name_counts_if_it_leads_back(
    named: str, addresses: list[str], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = _socket.getaddrinfo

    def forward(host: Any, *arguments: Any) -> Any:
        if host == b"192.0.2.7":
            return real(host, *arguments)
        return [(_socket.AF_INET, _socket.SOCK_STREAM, 6, "", (text, 0)) for text in addresses]

    def backward(_address: object, _flags: int) -> tuple[str, str]:
        if not named:
            raise OSError("no name")
        return named, "0"

    monkeypatch.setattr(_socket, "getaddrinfo", forward)
    monkeypatch.setattr(_socket, "getnameinfo", backward)
    assert name_of("192.0.2.7", LONG) == found
