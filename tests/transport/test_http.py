"""HTTP: bodies in every form, limits, redirects, connections kept, and every fault of a device."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.errors import AccessDenied, Cancelled, DeviceIOError, Invalid, Unsupported
from sane.testing.net import Connection, Fault, HostGone, TcpEmulator
from sane.transport import http
from sane.transport.failures import Disconnected, NoAnswer
from sane.transport.http import Http
from sane.transport.url import Url
from tests.conftest import TREE
from tests.support.timing import soon

SHORT = 0.05
LONG = 10.0


class Web(TcpEmulator):
    """Answers each request with the next of *answers*, the last one again and again."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self.answers = list(answers)
        super().__init__()

    def serve(self, connection: Connection) -> None:
        while True:
            head = connection.receive_until(b"\r\n\r\n")
            size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.requests.append(head + connection.receive(int(size or b"0")))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            connection.send(answer)
            if b"connection: close" in head.lower() or b"onnection: close" in answer:
                return

    @property
    def base(self) -> Url:
        return Url("http", *self.address, "/eSCL/")


def sized(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


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


# Redirects


def moved(place: str, status: str = "302 Found") -> bytes:
    return sized(b"elsewhere", status, f"Location: {place}\r\n")


@pytest.mark.parametrize("status", ["301 A", "302 B", "307 C", "308 D"])
def test_http_a_redirect_keeps_method_and_body(status: str) -> None:
    with Web(moved("/other/ScanJobs", status), sized(b"here")) as web:
        response = Http(web.base).fetch("POST", "ScanJobs", b"<x/>")
        assert response.body == b"here"
        assert response.url.path == "/other/ScanJobs"
        assert web.requests[1].startswith(b"POST /other/ScanJobs ")
        assert web.requests[1].endswith(b"<x/>")


def test_http_see_other_is_got() -> None:
    with Web(moved("../x", "303 See Other"), sized(b"here")) as web:
        Http(web.base).fetch("POST", "ScanJobs", b"<x/>")
        assert web.requests[1].startswith(b"GET /eSCL/../x ")
        assert web.requests[1].endswith(b"\r\n\r\n")


def test_http_a_redirect_to_the_same_host_by_another_name() -> None:
    with Web(sized(b"here")) as web:
        port = web.address[1]
        for name in ("127.0.0.1", "localhost", "Printer.local", "printer.local."):
            web.answers = [moved(f"http://{name}:{port}/x"), sized(b"here")]
            assert Http(web.base, names=["printer.local"]).fetch("GET", "x").body == b"here"


@pytest.mark.parametrize(
    "place",
    ["http://192.0.2.9/x", "//192.0.2.9/x", "http://no.such.host.invalid/", "file:///etc/passwd"],
)
def test_http_a_redirect_to_another_host_is_refused(place: str) -> None:
    with Web(moved(place)) as web, pytest.raises(DeviceIOError, match="redirects to"):
        Http(web.base).fetch("GET", "x")


def test_http_redirects_without_end_and_without_sense() -> None:
    with Web(moved("/x")) as web:
        with pytest.raises(DeviceIOError, match="more than 8 redirects"):
            Http(web.base).fetch("GET", "x")
        assert len(web.requests) == http.REDIRECTS + 1
    with Web(moved("http://[broken/x")) as web, pytest.raises(DeviceIOError, match="redirects to"):
        Http(web.base).fetch("GET", "x")


def test_http_a_redirect_may_be_left_alone() -> None:
    with Web(moved("http://192.0.2.9/x", "301 Moved")) as web:
        response = Http(web.base).fetch("DELETE", "x", follow=False)
        assert (response.status, response.body) == (301, b"elsewhere")


# Connections


def test_http_a_connection_is_kept_if_wanted() -> None:
    with Web(CHUNKED) as web:
        client = Http(web.base, keep_alive=True)
        for _ in range(3):
            assert client.fetch("GET", "x").body == BODY
        client.close()
        assert len(web.connections) == 1
        assert b"onnection" not in web.requests[0]


@pytest.mark.parametrize(("method", "works"), [("GET", True), ("POST", False)])
def test_http_a_kept_connection_that_the_host_closes_on_a_request(method: str, works: bool) -> None:
    with Web(sized(BODY)) as web:
        client = Http(web.base, keep_alive=True)
        client.fetch("GET", "x")
        web.faults.add(Fault("close"))
        if works:
            assert client.fetch(method, "x").body == BODY
        else:
            with pytest.raises(Disconnected):
                client.fetch(method, "x", b"")
        client.close()


def test_http_a_kept_connection_that_was_closed_meanwhile_is_not_used(cancel: Cancel) -> None:
    with Web(sized(BODY)) as web:
        client = Http(web.base, keep_alive=True)
        client.fetch("GET", "x")
        web.hang_up()
        assert client._idle is not None
        cancel.wait(LONG, client._idle.stream.fileno())
        assert client.fetch("POST", "x", b"").body == BODY
        client.close()
        assert len(web.connections) == 2


def test_http_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(sized(BODY))

        thread = threading.Thread(target=serve)
        thread.start()
        response = Http(Url.parse("http://localhost:80/"), socket_path=path).fetch("GET", "/x")
        thread.join()
        assert response.body == BODY
    with pytest.raises(DeviceIOError, match="connect"):
        Http(Url.parse("http://localhost/"), socket_path=path).fetch("GET", "/x")
    with pytest.raises(DeviceIOError, match="connect"):
        Http(Url.parse("http://localhost/"), socket_path="x" * 300).fetch("GET", "/x")


def test_http_a_host_that_is_gone_raises_no_signal() -> None:
    import signal

    class Deaf(Web):
        def serve(self, connection: Connection) -> None:
            raise HostGone

    with Deaf() as web:
        before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            with pytest.raises(DeviceIOError):
                Http(web.base).fetch("POST", "x", bytes(1 << 22))
        finally:
            signal.signal(signal.SIGPIPE, before)


# When to come back, and passwords


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("99999999999999", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_http_when_to_come_back(text: str, seconds: float | None) -> None:
    with Web(sized(b"", "503 Busy", f"Retry-After: {text}\r\n")) as web:
        assert Http(web.base).fetch("GET", "x").retry_after == seconds


BASIC = 'WWW-Authenticate: Basic realm="scanner, upstairs"\r\n'
DIGEST = 'WWW-Authenticate: Digest realm="s", nonce="n", qop="auth", algorithm=MD5\r\n'


def password(asked: list[str]) -> Callable[[str], tuple[str, str]]:
    def give(realm: str) -> tuple[str, str]:
        asked.append(realm)
        return "me", "secret"

    return give


def test_http_answers_a_challenge_and_keeps_the_answer() -> None:
    asked: list[str] = []
    with Web(sized(b"no", "401 Who", BASIC), sized(BODY)) as web:
        client = Http(web.base, credentials=password(asked))
        assert client.fetch("GET", "x").body == BODY
        assert client.fetch("GET", "x").body == BODY
        assert asked == ["scanner, upstairs"]
        assert [b"Authorization: Basic bWU6c2VjcmV0\r\n" in r for r in web.requests] == [
            *(False, True, True)
        ]


def test_http_a_wrong_password_is_asked_for_once_a_request() -> None:
    asked: list[str] = []
    with Web(sized(b"no", "401 Who", DIGEST)) as web:
        with pytest.raises(AccessDenied, match=r"127\.0\.0\.1 port \d+: refuses the password"):
            Http(web.base, credentials=password(asked)).fetch("GET", "x")
        assert (len(web.requests), asked) == (2, ["s"])
        with pytest.raises(AccessDenied, match="wants a password"):
            Http(web.base).fetch("GET", "x")


def test_http_a_nonce_that_grew_old_is_no_new_question() -> None:
    asked: list[str] = []
    stale = DIGEST.replace('nonce="n"', 'nonce="m", stale=true')
    answers = [sized(b"no", "401 Who", DIGEST), sized(BODY), sized(b"no", "401 Who", stale)]
    with Web(*answers, sized(BODY)) as web:
        client = Http(web.base, credentials=password(asked))
        assert client.fetch("GET", "x").body == BODY
        assert client.fetch("GET", "x").body == BODY
        assert asked == ["s"]
        assert b'nonce="m"' in web.requests[-1]


def test_http_a_password_goes_to_no_other_port_of_the_host() -> None:
    """A redirect may lead to another service of the same host, or from TLS to none."""
    asked: list[str] = []
    with Web(sized(b"no", "401 Who", BASIC), sized(BODY)) as web, Web(sized(BODY)) as other:
        client = Http(web.base, credentials=password(asked))
        client.fetch("GET", "x")
        web.answers = [moved(f"http://127.0.0.1:{other.address[1]}/x")]
        assert client.fetch("GET", "x").body == BODY
        assert b"Authorization" in web.requests[-1]
        assert b"Authorization" not in other.requests[0]


def test_http_basic_does_not_go_where_others_may_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "is_loopback", lambda _host: False)
    asked: list[str] = []
    with Web(sized(b"no", "401 Who", BASIC)) as web:
        with pytest.raises(AccessDenied, match="anybody could read"):
            Http(web.base, credentials=password(asked)).fetch("GET", "x")
        assert asked == []
        with pytest.raises(AccessDenied, match="refuses"):
            Http(web.base, credentials=password(asked), basic_in_clear=True).fetch("GET", "x")
    unknown = sized(b"no", "401 Who", "WWW-Authenticate: Negotiate abc\r\n")
    with Web(unknown) as web, pytest.raises(AccessDenied, match="not known here"):
        Http(web.base, credentials=password(asked)).fetch("GET", "x")


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
