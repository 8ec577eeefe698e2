"""HTTP: redirects, connections that are kept, and passwords."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.errors import AccessDenied, DeviceIOError
from sane.testing.net import Connection, Fault, HostGone
from sane.transport import http
from sane.transport.failures import Disconnected
from sane.transport.http import Http
from sane.transport.url import Url
from tests.fakes.web import Web, sized

LONG = 10.0


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0003;name=value\r\nabc\r\n10  \r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"
)
BODY = b"abc0123456789abcdef"


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


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
