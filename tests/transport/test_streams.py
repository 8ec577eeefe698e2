"""TCP streams: deadlines, cancel, peers that vanish, and what a failure says."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.errors import Cancelled, DeviceIOError
from sane.transport import names, streams
from sane.transport.streams import ByteStream
from tests import TREE
from tests.conftest import ABSENT
from tests.support.ports import full_listener, listener

SHORT = 0.05  # seconds that a wait for nothing may take
LONG = 10.0  # that a wait for something takes at most


@contextmanager
def joined(host: str = "127.0.0.1") -> Iterator[tuple[ByteStream, socket.socket]]:
    with listener(host) as sock:
        stream = ByteStream.connect(host, sock.getsockname()[1], LONG)
        peer, _ = sock.accept()
        try:
            with peer:
                yield stream, peer
        finally:
            stream.close()


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_transport_connects_sends_and_receives(host: str) -> None:
    with listener("::1" if host == "::1" else "127.0.0.1") as sock:
        stream = ByteStream.connect(host, sock.getsockname()[1], LONG)
        peer, _ = sock.accept()
        with peer:
            stream.send(b"hello", LONG)
            assert peer.recv(5) == b"hello"
            peer.sendall(b"world!")
            view = memoryview(bytearray(5))
            stream.receive_exactly(view, LONG)
            assert bytes(view) == b"world"
            assert stream.receive_into(view, LONG) == 1
            peer.close()
            assert stream.receive_into(view, LONG) == 0
        stream.close()
        stream.close()
        assert stream.fileno() == -1


def test_transport_the_socket_is_set_up() -> None:
    with joined() as (stream, _), socket.socket(fileno=socket.dup(stream.fileno())) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert not sock.get_inheritable()
        stream.acknowledge()
        family, address = stream.peer_address()
        assert family == socket.AF_INET
        assert address[0] == "127.0.0.1"


def test_transport_a_refused_connection_names_host_and_port() -> None:
    with listener() as sock:
        port = sock.getsockname()[1]
    with pytest.raises(DeviceIOError, match=rf"127\.0\.0\.1 port {port}: connect: .*refused"):
        ByteStream.connect("127.0.0.1", port, LONG)


def test_transport_an_unknown_host_is_named() -> None:
    with pytest.raises(DeviceIOError, match=r"no\.such\.host\.invalid: "):
        ByteStream.connect("no.such.host.invalid", 1, LONG)
    with pytest.raises(DeviceIOError, match=r"a{70}: "):
        ByteStream.connect("a" * 70, 1, LONG)


def test_transport_the_resolver_gives_one_entry_an_address() -> None:
    assert names.resolve("127.0.0.1", 6566) == [(socket.AF_INET, ("127.0.0.1", 6566))]
    assert names.resolve("::1", "6566")[0][0] == socket.AF_INET6


def test_transport_connect_has_a_deadline() -> None:
    with full_listener() as port, pytest.raises(DeviceIOError, match="connect: timed out"):
        ByteStream.connect("127.0.0.1", port, SHORT)


def test_transport_connect_leaves_time_for_the_next_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first address is silent; all of them share the limit."""
    with full_listener() as silent, listener() as sock:
        found = [(socket.AF_INET, ("127.0.0.1", port)) for port in (silent, sock.getsockname()[1])]
        monkeypatch.setattr(streams, "resolve", lambda *_args: found)
        begin = time.monotonic()
        stream = ByteStream.connect("printer", 80, 1.0)
        assert stream.peer_address() == found[1]
        assert time.monotonic() - begin < LONG / 2
        stream.close()


def test_transport_connect_ends_with_cancel(cancel: Cancel) -> None:
    cancel.set()
    with full_listener() as port, pytest.raises(Cancelled):
        ByteStream.connect("127.0.0.1", port, LONG, cancel)


def test_transport_receive_has_a_deadline_for_all_of_it() -> None:
    with joined() as (stream, peer):
        peer.sendall(b"1234")
        with pytest.raises(DeviceIOError, match="receive: timed out"):
            stream.receive_exactly(memoryview(bytearray(8)), SHORT)


def test_transport_receive_says_how_much_came_before_the_end() -> None:
    with joined() as (stream, peer):
        peer.sendall(b"1234")
        peer.close()
        with pytest.raises(DeviceIOError, match="closed after 4 of 8 bytes"):
            stream.receive_exactly(memoryview(bytearray(8)), LONG)


def test_transport_receives_a_header_and_what_follows_it_at_once(cancel: Cancel) -> None:
    with joined() as (stream, peer):
        head, rest = memoryview(bytearray(4)), memoryview(bytearray(8))
        peer.sendall(b"headrest")
        assert stream.receive_parts((head, rest), LONG) == 8
        assert (bytes(head), bytes(rest[:4])) == (b"head", b"rest")
        with pytest.raises(DeviceIOError, match="receive: timed out"):
            stream.receive_parts((head, rest), SHORT)
        stream.cancel = cancel
        cancel.set()
        with pytest.raises(Cancelled):
            stream.receive_parts((head, rest), LONG)
        stream.cancel = None
        peer.sendall(b"he")
        assert stream.receive_parts((head, rest), LONG) == 2
        peer.close()
        assert stream.receive_parts((head, rest), LONG) == 0


def test_transport_receive_now_does_not_wait() -> None:
    with joined() as (stream, peer):
        view = memoryview(bytearray(8))
        assert stream.receive_now(view) == -1
        peer.close()
        assert stream.receive_into(view, LONG) == 0


def test_transport_a_blocked_receive_ends_with_cancel(cancel: Cancel) -> None:
    with joined() as (stream, _):
        stream.cancel = cancel
        timer = threading.Timer(SHORT, cancel.set)
        timer.start()
        with pytest.raises(Cancelled):
            stream.receive_into(memoryview(bytearray(8)), LONG)
        timer.join()


def test_transport_a_blocked_send_ends_with_its_deadline_and_with_cancel(cancel: Cancel) -> None:
    with joined() as (stream, _):
        with pytest.raises(DeviceIOError, match="send: timed out"):
            stream.send(bytes(1 << 24), SHORT)
        stream.cancel = cancel
        cancel.set()
        with pytest.raises(Cancelled):
            stream.send(bytes(1 << 24), LONG)


def test_transport_a_long_send_arrives_whole() -> None:
    data = bytes(range(256)) * (1 << 14)
    with joined() as (stream, peer):
        received = bytearray()

        def drain() -> None:
            while len(received) < len(data):
                received.extend(peer.recv(1 << 16))

        thread = threading.Thread(target=drain)
        thread.start()
        stream.send(data, LONG)
        thread.join()
        assert received == data


def test_transport_a_peer_that_is_gone_is_an_error_and_no_signal() -> None:
    """SIGPIPE would end this process: Python ignores it, so the default is restored."""
    import signal

    with joined() as (stream, peer):
        peer.close()
        before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            with pytest.raises(DeviceIOError, match=r"send: (Broken pipe|Connection reset)"):
                for _ in range(100):
                    stream.send(bytes(1 << 16), LONG)
        finally:
            signal.signal(signal.SIGPIPE, before)


def test_transport_serves_unix_sockets() -> None:
    one, other = socket.socketpair()
    stream = ByteStream(one, "the other half")
    with other:
        stream.send(b"x", LONG)
        assert other.recv(1) == b"x"
        other.close()
        stream.acknowledge()
        assert stream.receive_into(memoryview(bytearray(1)), LONG) == 0
    stream.close()


def test_transport_end_sending_tells_the_peer() -> None:
    with joined() as (stream, peer):
        stream.end_sending()
        assert peer.recv(1) == b""
        peer.sendall(b"x")
        assert stream.receive_into(memoryview(bytearray(1)), LONG) == 1


def test_transport_avoids_the_standard_streams() -> None:
    """With descriptor 0 closed a socket gets 0, and is moved."""
    import os

    saved = os.dup(0)
    os.close(0)
    try:
        with joined() as (stream, _):
            assert stream.fileno() > 2
    finally:
        os.dup2(saved, 0)
        os.close(saved)


# Names beyond ASCII

HOSTS = "127.0.0.5 scanh\u00f6st " + "a" * 70 + "\n127.0.0.6 latin\udcf6\n127.0.0.7 plain\n"

RESOLVE = """
import sys
sys.path.insert(0, sys.argv[1])
from sane.errors import DeviceIOError
from sane.transport.names import resolve
known = "scanh\\u00f6st", "a" * 70, "latin\\udcf6", "plain"
for name in (*known, "nobody.invalid", "a\\0b", "\\ud800"):
    try:
        print(resolve(name, 80)[0][1][0])
    except DeviceIOError:
        print("refused")
"""


def test_transport_a_name_is_looked_up_as_it_stands(tmp_path: Path) -> None:
    """In a mount namespace, where /etc/hosts is one of ours."""
    hosts = tmp_path / "hosts"
    hosts.write_bytes(HOSTS.encode("utf-8", "surrogateescape"))
    script = 'mount --bind "$1" /etc/hosts || exit 77; exec "$2" -c "$3" "$4"'
    arguments = [str(hosts), sys.executable, RESOLVE, str(TREE)]
    if shutil.which("unshare") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux)")
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"{ABSENT}mount namespaces ({done.stderr.strip()})")
    assert done.stderr == ""
    assert done.stdout.split() == [
        *("127.0.0.5", "127.0.0.5", "127.0.0.6", "127.0.0.7"),
        *("refused", "refused", "refused"),
    ]
