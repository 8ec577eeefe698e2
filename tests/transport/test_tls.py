"""TLS: whom it trusts, what a peer without it gets, and waits that end as those of any stream.

data/transport/server.pem: a key and a certificate for localhost, made with openssl for these tests.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.errors import AccessDenied, Cancelled, DeviceIOError
from sane.testing.net import Connection, Fault, TcpEmulator
from sane.transport.failures import Disconnected, NoAnswer, Untrusted
from sane.transport.http import Http
from sane.transport.opening import Target, open_stream
from sane.transport.streams import ByteStream
from sane.transport.tls import Trust, key_of
from sane.transport.url import Url
from tests.support.timing import soon

SHORT, LONG = 0.05, 10.0
PEM = str(Path(__file__).parent.parent / "data" / "transport" / "server.pem")
KEY = "007271997ecf26fc1ae9e446b6029187d36153d9266bf8537f638bac13a006da"
BIG = bytes(range(256)) * (1 << 12)


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


class Echo(TcpEmulator):
    """Sends back what it gets; b"big" gets a megabyte, b"wait" nothing."""

    def serve(self, connection: Connection) -> None:
        while True:
            data = connection.receive(4)
            if data == b"wait":
                connection.wait(LONG)
            connection.send(BIG if data == b"big!" else data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo(tls=server_context()) as device:
        yield device


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


def connect(
    device: TcpEmulator, trust: Trust | None = None, seconds: float = LONG, name: str = ""
) -> ByteStream:
    return open_stream(Target(*device.address, "", trust or Trust.anybody(), name), seconds, None)


def receive(stream: ByteStream, size: int) -> bytes:
    data = bytearray(size)
    stream.receive_exactly(memoryview(data), LONG)
    return bytes(data)


def test_tls_carries_bytes_both_ways(echo: Echo) -> None:
    stream = connect(echo)
    stream.send(b"ping", LONG)
    assert receive(stream, 4) == b"ping"
    stream.send(b"big!", LONG)
    assert receive(stream, len(BIG)) == BIG
    assert not stream.is_plain
    assert stream.receive_now(memoryview(bytearray(1))) == -1
    stream.close()
    stream.close()
    assert stream.fileno() == -1


def test_tls_sends_more_than_the_network_takes_at_once() -> None:
    class Count(TcpEmulator):
        def serve(self, connection: Connection) -> None:
            connection.receive(len(BIG) * 8)
            connection.send(b"done")

    with Count(tls=server_context()) as device:
        stream = connect(device)
        stream.send(BIG * 8, LONG)
        assert receive(stream, 4) == b"done"
        stream.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_the_key_of_the_peer_is_known_and_can_be_pinned(version: ssl.TLSVersion) -> None:
    context = server_context()
    context.minimum_version = context.maximum_version = version
    with Echo(tls=context) as echo:
        stream = connect(echo, Trust.pinned([KEY, "0" * 64]))
        assert getattr(stream, "key", "") == KEY
        stream.close()
        with pytest.raises(
            Untrusted, match=rf"^127\.0\.0\.1 port \d+: another key .*{KEY}"
        ) as caught:
            connect(echo, Trust.pinned(["0" * 64]))
        assert isinstance(caught.value, AccessDenied)


def test_tls_the_system_is_asked(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Untrusted, match="self"):
        connect(echo, Trust.system())
    monkeypatch.setenv("SSL_CERT_FILE", PEM)
    connect(echo, Trust.system()).close()
    connect(echo, Trust.system(), name="localhost").close()
    with pytest.raises(Untrusted, match=r"[Hh]ostname"):
        connect(echo, Trust.system(), name="scanner.local")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated:DeprecationWarning")
def test_tls_old_versions_are_refused_unless_allowed() -> None:
    context = server_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with Echo(tls=context) as echo:
        with pytest.raises(DeviceIOError, match="TLS handshake"):
            connect(echo)
        stream = connect(echo, Trust.anybody(least="1.0"))
        stream.send(b"ping", LONG)
        assert receive(stream, 4) == b"ping"
        stream.close()


class Plain(TcpEmulator):
    """No TLS: answers anything with *answer*."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        super().__init__()

    def serve(self, connection: Connection) -> None:
        connection.receive(1)
        connection.send(self.answer)
        if not self.answer:
            connection.wait(LONG)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\xff\xff", b"\0"]
)
def test_tls_a_peer_that_speaks_something_else(answer: bytes) -> None:
    with Plain(answer) as device:
        with pytest.raises(DeviceIOError, match="TLS handshake") as caught:
            connect(device)
        assert str(caught.value).startswith(f"127.0.0.1 port {device.address[1]}: ")


def test_tls_a_silent_handshake_ends_with_the_limit_and_with_cancel(cancel: Cancel) -> None:
    with Plain(b"") as device:
        with pytest.raises(NoAnswer):
            connect(device, seconds=SHORT)
        begin = time.monotonic()
        with soon(cancel.set), pytest.raises(Cancelled):
            open_stream(Target(*device.address, "", Trust.anybody()), 60.0, cancel)
        assert time.monotonic() - begin < LONG


def test_tls_a_peer_that_closes_in_the_handshake() -> None:
    with Plain(b"") as device:
        device.faults.add(Fault("close"))
        with pytest.raises(Disconnected, match="TLS handshake: the peer closed"):
            connect(device)


def test_tls_waits_end_with_cancel_and_with_the_limit(echo: Echo, cancel: Cancel) -> None:
    stream = connect(echo)
    stream.send(b"wait", LONG)
    view = memoryview(bytearray(4))
    with pytest.raises(NoAnswer):
        stream.receive_into(view, SHORT)
    stream.cancel = cancel
    with soon(cancel.set), pytest.raises(Cancelled):
        stream.receive_into(view, 60.0)
    begin = time.monotonic()
    stream.close()  # with cancel set
    assert time.monotonic() - begin < LONG


def test_tls_a_send_that_nobody_takes_ends(echo: Echo) -> None:
    stream = connect(echo)
    stream.send(b"wait", LONG)
    with pytest.raises(NoAnswer):
        stream.send(BIG * 64, SHORT)
    stream.close()


@pytest.mark.parametrize("kind", ["close", "cut"])
def test_tls_a_peer_that_is_gone_has_closed(echo: Echo, kind: str) -> None:
    echo.faults.add(Fault(kind, size=2))
    stream = connect(echo)
    stream.send(b"ping", LONG)
    got = b""
    view = memoryview(bytearray(4))
    while n := stream.receive_into(view, LONG):
        got += view[:n]
    assert got == (b"pi" if kind == "cut" else b"")
    assert stream.receive_into(view, LONG) == 0
    stream.close()


def test_tls_garbage_in_the_middle() -> None:
    class Garbage(Echo):
        def serve(self, connection: Connection) -> None:
            connection.receive(4)
            os.write(connection._sock.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
            connection.wait(SHORT)

    with Garbage(tls=server_context()) as device:
        stream = connect(device)
        stream.send(b"ping", LONG)
        with pytest.raises(DeviceIOError, match="receive: "):
            stream.receive_into(memoryview(bytearray(4)), LONG)
        stream.close()


def test_tls_raises_no_signal_for_a_peer_that_is_gone() -> None:
    import signal

    class Sink(TcpEmulator):
        def serve(self, connection: Connection) -> None:
            connection.receive(1 << 30)

    with Sink(tls=server_context()) as sink:
        stream = connect(sink)
        before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            sink.hang_up()
            with pytest.raises(DeviceIOError):
                for _ in range(1000):
                    stream.send(BIG, LONG)
            stream.close()
        finally:
            signal.signal(signal.SIGPIPE, before)


def test_tls_does_not_give_its_socket_away(echo: Echo) -> None:
    stream = connect(echo)
    with pytest.raises(TypeError):
        stream.detach()
    stream.end_sending()
    assert stream.receive_into(memoryview(bytearray(1)), LONG) == 0
    stream.close()


def test_tls_a_name_that_is_none(echo: Echo) -> None:
    with pytest.raises(DeviceIOError, match="TLS"):
        connect(echo, Trust.system(), name="a" * 300)


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", bytes(64)]
)
def test_tls_a_certificate_that_is_none(data: bytes) -> None:
    with pytest.raises(DeviceIOError, match="scanner: its certificate is none"):
        key_of(data, "scanner")


def test_http_over_tls() -> None:
    class Secure(TcpEmulator):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody")

    with Secure(tls=server_context()) as device:
        base = Url("https", *device.address, "/eSCL/")
        assert Http(base).fetch("GET", "x").body == b"body"
        with pytest.raises(Untrusted):
            Http(base, trust=Trust.pinned(["0" * 64])).fetch("GET", "x")


def test_http_from_tls_to_plain_only_if_allowed() -> None:
    class Plainly(Plain):
        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send(self.answer)

    class Moving(TcpEmulator):
        place = ""

        def serve(self, connection: Connection) -> None:
            connection.receive_until(b"\r\n\r\n")
            connection.send(f"HTTP/1.1 302 Found\r\nLocation: {self.place}\r\n\r\n".encode())

    with (
        Plainly(b"HTTP/1.0 200 OK\r\n\r\nplain") as plain,
        Moving(tls=server_context()) as moving,
    ):
        moving.place = f"http://127.0.0.1:{plain.address[1]}/"
        base = Url("https", *moving.address)
        with pytest.raises(DeviceIOError, match="anybody could listen"):
            Http(base).fetch("GET", "x")
        assert Http(base, may_downgrade=True).fetch("GET", "x").body == b"plain"
