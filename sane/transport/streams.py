"""TCP streams with deadlines: every wait ends by itself, or when a scan is cancelled.

It knows addresses, bytes and time, and nothing of what is sent. A failure is a DeviceIOError that
names the peer. No signal is raised for a peer that is gone. ``_socket`` is used directly:
``socket`` imports much that a scan does not need.
"""

from __future__ import annotations

import _socket
import errno
import os
import select
import time

from ..cancel import above_stdio
from ..errors import Cancelled, DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..cancel import Cancel, NeverCancelled

    Address = tuple[int, Any]  # family, and what connect wants

# A peer that vanished without a word is noticed after about half a minute of silence.
KEEP_ALIVE = (
    (_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPIDLE, 15),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPINTVL, 5),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPCNT, 3),
)

FAMILIES = (_socket.AF_INET, _socket.AF_INET6)


def resolve(host: str, port: int | str) -> list[Address]:
    """Return the addresses of *host*, a name or a literal; raises DeviceIOError naming it.

    port: a number, or the name of a TCP service. The resolver is asked for stream sockets only,
    and may take as long as it likes.
    """
    try:
        found = _socket.getaddrinfo(host_bytes(host), port, 0, _socket.SOCK_STREAM)
    except (OSError, ValueError) as exc:
        raise DeviceIOError(f"{host}: {_reason(exc)}") from exc
    addresses = [(family, address) for family, _, _, _, address in found if family in FAMILIES]
    if not addresses:
        raise DeviceIOError(f"{host}: no IPv4 or IPv6 address")
    return addresses


def host_bytes(host: str) -> bytes:
    """Return *host* for getaddrinfo: the bytes that a file or a device name has.

    A str it would turn into another name (IDNA), or refuse for a long label: the resolver knows
    what /etc/hosts and mDNS call a host. Raises ValueError for what is no name in bytes.
    """
    data = host.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise ValueError("a host name has no NUL")
    return data


def _reason(exc: BaseException) -> str:
    return str(exc.args[-1]) if exc.args else exc.__class__.__name__


class Deadline:
    """A point in time; *seconds* from now, None for never."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds left, at least 0."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())

    def left_ms(self) -> int | None:
        """Return the milliseconds left, rounded up, as poll wants them."""
        seconds = self.left()
        return None if seconds is None else int(seconds * 1000 + 0.999)


class ByteStream:
    """A connected TCP or Unix socket. Every wait ends with errors.Cancelled when *cancel* is set.

    sock: a connected ``_socket.socket`` (or one of ``socket``), which the stream then owns. peer:
    what messages call the other side. cancel may be exchanged between calls.
    """

    def __init__(self, sock: Any, peer: str, cancel: Cancel | NeverCancelled | None = None) -> None:
        self._sock = sock
        self.peer = peer
        self.cancel = cancel
        sock.setblocking(False)
        if sock.family in FAMILIES:
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            for option in KEEP_ALIVE:
                sock.setsockopt(*option)

    @classmethod
    def connect(
        cls,
        host: str,
        port: int,
        seconds: float | None = None,
        cancel: Cancel | NeverCancelled | None = None,
    ) -> ByteStream:
        """Return a stream to the first address of *host* that answers within *seconds*, each.

        None leaves the time to the operating system, which gives up after minutes.
        """
        failure: DeviceIOError | None = None
        for address in resolve(host, port):
            try:
                return cls.to_address(address, f"{host} port {port}", seconds, cancel)
            except DeviceIOError as exc:
                failure = exc
        assert failure is not None
        raise failure

    @classmethod
    def to_address(
        cls,
        address: Address,
        peer: str,
        seconds: float | None = None,
        cancel: Cancel | NeverCancelled | None = None,
    ) -> ByteStream:
        """Return a stream to one *address*, as resolve gives them."""
        family, where = address
        try:
            fd = _socket.socket(family, _socket.SOCK_STREAM).detach()
            sock = _socket.socket(fileno=above_stdio(fd))
        except OSError as exc:
            raise DeviceIOError(f"{peer}: {exc.strerror}") from exc
        try:
            stream = cls(sock, peer, cancel)
            error = sock.connect_ex(where)
            if error not in (0, errno.EINPROGRESS):
                raise stream.failed("connect", error)
            if error:
                stream.wait(select.POLLOUT, Deadline(seconds), "connect")
                error = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
                if error:
                    raise stream.failed("connect", error)
        except BaseException:
            sock.close()
            raise
        return stream

    def fileno(self) -> int:
        """Return the descriptor, -1 after close."""
        return int(self._sock.fileno())

    def peer_address(self) -> Address:
        """Return the address of the other side, as to_address takes it."""
        return self._sock.family, self._sock.getpeername()

    def failed(self, call: str, error: int | OSError) -> DeviceIOError:
        """Return the error that names the peer."""
        text = os.strerror(error) if isinstance(error, int) else error.strerror
        return DeviceIOError(f"{self.peer}: {call}: {text}")

    def wait(self, events: int, deadline: Deadline, call: str) -> None:
        """Wait until the socket has *events* or has failed.

        Raises Cancelled, or DeviceIOError when the time is over.
        """
        poll = select.poll()
        poll.register(self._sock, events)
        cancel = self.cancel
        if cancel is not None and cancel.fd >= 0:
            poll.register(cancel.fd, select.POLLIN)
        ready = poll.poll(deadline.left_ms())
        if cancel is not None and cancel.is_set():
            raise Cancelled(f"{self.peer}: {call}: cancelled")
        if not ready:
            raise DeviceIOError(f"{self.peer}: {call}: timed out")

    def send(self, data: bytes | bytearray | memoryview, seconds: float | None = None) -> None:
        """Send all of *data*, in one write if the kernel takes it."""
        deadline = Deadline(seconds)
        with memoryview(data) as whole:
            done = 0
            while done < len(whole):
                try:
                    done += self._sock.send(whole[done:], _socket.MSG_NOSIGNAL)
                except BlockingIOError:
                    self.wait(select.POLLOUT, deadline, "send")
                except OSError as exc:
                    raise self.failed("send", exc) from exc

    def receive_now(self, view: memoryview) -> int:
        """Receive into *view* what is there: n bytes, 0 if the peer closed, -1 for nothing yet."""
        try:
            return int(self._sock.recv_into(view))
        except BlockingIOError:
            return -1
        except OSError as exc:
            raise self.failed("receive", exc) from exc

    def receive_into(self, view: memoryview, seconds: float | None = None) -> int:
        """Receive 1 to len(view) bytes; return how many, 0 when the peer closed."""
        deadline = Deadline(seconds)
        while (n := self.receive_now(view)) < 0:
            self.wait(select.POLLIN, deadline, "receive")
        return n

    def receive_exactly(self, view: memoryview, seconds: float | None = None) -> None:
        """Fill *view*, within *seconds* for all of it; a peer that closes early is an error."""
        deadline = Deadline(seconds)
        done = 0
        while done < len(view):
            n = self.receive_into(view[done:], deadline.left())
            if n == 0:
                raise DeviceIOError(f"{self.peer}: closed after {done} of {len(view)} bytes")
            done += n

    def wait_for_end(self, seconds: float) -> None:
        """Wait *seconds*, or until the peer has ended its side or is gone."""
        poll = select.poll()
        poll.register(self._sock, select.POLLRDHUP)
        poll.poll(Deadline(seconds).left_ms())

    def acknowledge(self) -> None:
        """Acknowledge what has come at once.

        Otherwise the kernel waits up to 40 ms for something to send along, and a peer that writes
        twice without TCP_NODELAY waits with it. The kernel forgets this after a while.
        """
        if self._sock.family in FAMILIES:
            self._sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_QUICKACK, 1)

    def end_sending(self) -> None:
        """Tell the peer that nothing more will be sent."""
        try:
            self._sock.shutdown(_socket.SHUT_WR)
        except OSError as exc:
            raise self.failed("shutdown", exc) from exc

    def close(self) -> None:
        """Close the socket; may be called again."""
        self._sock.close()
