"""HTTP: bodies in every form, limits, and every fault of a device."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from sane.cancel import Cancel
from sane.errors import Cancelled, DeviceIOError, Invalid, Unsupported
from sane.testing.net import Connection, Fault
from sane.transport import http
from sane.transport.failures import Disconnected, NoAnswer
from sane.transport.http import Http
from sane.transport.url import Url
from tests import TREE
from tests.fakes.web import Web, sized
from tests.support.timing import soon

SHORT = 0.05
LONG = 10.0


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0003;name=value\r\nabc\r\n10  \r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"
)
CLOSED = b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nabc0123456789abcdef"
BODY = b"abc0123456789abcdef"


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


@pytest.mark.parametrize("answer", [sized(BODY), CHUNKED, CLOSED], ids=["sized", "chunked", "eof"])
@pytest.mark.parametrize("kind", ["", "slow"])
def test_http_reads_bodies_of_every_form(answer: bytes, kind: str) -> None:
    with Web(answer) as web:
        if kind:
            web.faults.add(Fault(kind, size=1))
        response = Http(web.base).fetch("GET", "ScannerStatus")
        assert (response.status, response.body) == (200, BODY)


def test_http_a_request_has_few_headers_and_comes_in_one_piece() -> None:
    with Web(sized(b"")) as web:
        Http(web.base).fetch("POST", "ScanJobs", b"<x/>", [("Content-Type", "text/xml")])
        port = web.address[1]
        assert web.requests == [
            b"POST /eSCL/ScanJobs HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n"
            b"Content-Length: 4\r\nContent-Type: text/xml\r\n\r\n<x/>" % port
        ]


@pytest.mark.parametrize(
    ("host", "port", "sent"),
    [
        ("127.0.0.1", 60000, "localhost:60000"),
        ("::1", 80, "localhost"),
        ("192.0.2.7", 80, "192.0.2.7"),
        ("192.0.2.7", 8080, "192.0.2.7:8080"),
        ("fe80::1%eth0", 8080, "[fe80::1]:8080"),
        ("scanner.local", 80, "scanner.local"),
    ],
)
def test_http_the_host_that_is_named(host: str, port: int, sent: str) -> None:
    assert http._host_of(Url("http", host, port)) == sent


def test_http_a_body_is_handed_out_as_it_comes(cancel: Cancel) -> None:
    """The first bytes are there before the last are sent, and nothing is kept."""
    go_on = threading.Event()

    class Slow(Web):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234")
            assert go_on.wait(LONG)
            connection.send_raw(b"5678")

    with Slow(b"") as web:
        response = Http(web.base).request("GET", "x")
        view = memoryview(bytearray(3))
        assert response.read_into(view) == 3
        assert response.read_into(view) == 1
        go_on.set()
        assert response.read(100) == b"5678"
        assert response.read_into(view) == 0


def test_http_a_body_in_the_middle_can_be_given_up_while_another_request_runs() -> None:
    with Web(sized(bytes(1 << 24)), sized(b"gone")) as web:
        client = Http(web.base, keep_alive=True)
        response = client.request("GET", "J/NextDocument")
        assert response.read_into(memoryview(bytearray(100))) == 100
        assert client.fetch("DELETE", "J").body == b"gone"
        response.close()
        response.close()
        client.close()
        assert len(web.connections) == 2


def test_http_a_cancel_request_may_be_exchanged_while_a_body_comes(cancel: Cancel) -> None:
    class Half(Web):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234")
            connection.wait(LONG)

    with Half(b"") as web:
        client = Http(web.base)
        response = client.request("GET", "x")
        view = memoryview(bytearray(4))
        assert response.read_into(view) == 4
        client.cancel = cancel
        with soon(cancel.set), pytest.raises(Cancelled):
            response.read_into(view)


# Limits


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n", "headers"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * (1 << 17), "HTTP: "),
        (sized(bytes(20)), "a body of 20 bytes, not 19"),
        (CHUNKED.replace(b"10  \r\n", b"FFFFFFFF\r\n"), "HTTP: "),
        (CLOSED + b"more", "more than 19"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "HTTP: "),
        (b"\x16\x03\x01\0\0", "HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nabcd", "HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "HTTP: "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP: "),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 300, "HTTP: "),
        (b"", "HTTP: "),
    ],
)
def test_http_too_much_and_garbage_are_errors_that_name_the_host(answer: bytes, words: str) -> None:
    with Web(answer) as web:
        with pytest.raises(DeviceIOError, match=words) as caught:
            Http(web.base).fetch("GET", "x", most=19)
        assert str(caught.value).startswith(f"127.0.0.1 port {web.address[1]}: ")


def test_http_a_body_beyond_all_limits_is_not_begun() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 107374182400\r\n\r\n"
    with Web(head + bytes(100)) as web, pytest.raises(DeviceIOError, match="107374182400"):
        Http(web.base).fetch("GET", "x")


@pytest.mark.parametrize("answer", [sized(BODY), CHUNKED], ids=["sized", "chunked"])
def test_http_a_body_that_breaks_off_is_given_as_far_as_it_came(answer: bytes) -> None:
    with Web(answer) as web:
        web.faults.add(Fault("cut", size=len(answer) - len(BODY) + 5))
        response = Http(web.base).request("GET", "x")
        got = b""
        buffer = memoryview(bytearray(100))
        with pytest.raises(Disconnected, match=r"127\.0\.0\.1 port"):
            while n := response.read_into(buffer):
                got += buffer[:n]
        assert got
        assert BODY.startswith(got)


@pytest.mark.parametrize(("status", "is_error"), [("200 OK", True), ("404 Not Found", False)])
def test_http_a_cut_body_of_a_failed_request_is_no_other_failure(
    status: str, is_error: bool
) -> None:
    answer = sized(b"12345678", status)
    with Web(answer) as web:
        web.faults.add(Fault("cut", size=len(answer) - 3))
        if is_error:
            with pytest.raises(Disconnected):
                Http(web.base).fetch("GET", "x")
        else:
            response = Http(web.base).fetch("GET", "x")
            assert (response.body, response.is_cut) == (b"12345", True)


@pytest.mark.parametrize("size", [0, 5, 40])
def test_http_silence_ends_with_the_limits(size: int) -> None:
    """None, a part, and all of the head but nothing of the body."""

    class Mute(Web):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"[:size])
            connection.wait(LONG)

    with Mute() as web:
        with pytest.raises(NoAnswer):
            Http(web.base).fetch("GET", "x", seconds=SHORT)
        if size == 40:
            response = Http(web.base).request("GET", "x", stall_seconds=SHORT)
            with pytest.raises(NoAnswer):
                response.read_into(memoryview(bytearray(9)))


def test_http_a_host_that_drips_does_not_outlast_the_limit() -> None:
    with Web(sized(bytes(10_000))) as web:
        web.faults.add(Fault("slow", size=1, seconds=0.01))
        begin = time.monotonic()
        with pytest.raises(NoAnswer):
            Http(web.base).fetch("GET", "x", seconds=0.2)
        assert time.monotonic() - begin < LONG / 2


@pytest.mark.parametrize("sent", [0, 45])
def test_http_cancel_ends_every_wait(cancel: Cancel, sent: int) -> None:
    going = threading.Event()

    def cancel_then() -> None:
        assert going.wait(LONG)
        cancel.set()

    class Mute(Web):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nabcdef"[:sent])
            going.set()
            connection.wait(LONG)

    with Mute() as web:
        begin = time.monotonic()
        with soon(cancel_then), pytest.raises(Cancelled):
            Http(web.base, cancel=cancel).fetch("GET", "x", seconds=60.0)
        assert time.monotonic() - begin < LONG / 2


def test_http_a_request_that_cannot_be_is_the_callers_mistake() -> None:
    with Web(sized(b"")) as web:
        with pytest.raises(Invalid):
            Http(web.base).fetch("GET", "x", headers=[("A", "b\r\nHost: evil")])
        with pytest.raises(Invalid):
            Http(web.base).fetch("GET", "a b")
    with pytest.raises(Invalid, match="neither http nor https"):
        Http(Url("ftp", "127.0.0.1"))


NOTHING_LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import sane.transport.http, sane.transport.tls, sane.transport.broadcast
print(*sorted(set(sys.argv[2].split(",")) & set(sys.modules)))
"""


def test_http_imports_nothing_heavy_until_a_device_is_asked() -> None:
    heavy = "h11,ssl,socket,re,enum,dataclasses,inspect,typing,threading,hashlib,urllib,email"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", NOTHING_LOADED, str(TREE), heavy],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("\n", "")


def test_http_without_h11_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h11", None)
    monkeypatch.setattr("sane.deps.FOLDER", "/nonexistent")
    with Web(sized(b"")) as web, pytest.raises(Unsupported, match="need h11: "):
        Http(web.base).fetch("GET", "x")
