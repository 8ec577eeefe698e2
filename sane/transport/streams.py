"""Byte streams with deadlines: every wait ends by itself, or when a scan is cancelled.

It knows addresses, bytes and time, and nothing of what is sent. A failure is a DeviceIOError that
names the peer (failures.py). No signal is raised for a peer that is gone. ``_socket`` is used
directly: ``socket`` imports much that a scan does not need.
"""

from __future__ import annotations

import _socket
import errno
import os
import select

from ..cancel import NeverCancelled
from ..errors import Cancelled, DeviceIOError, SaneError
from .failures import Disconnected, NoAnswer
from .names import FAMILIES, resolve
from .sockets import Deadline, new_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..cancel import Cancels
    from .names import Address

# A peer that vanished without a word is noticed after about half a minute of silence.
KEEP_ALIVE = (
    (_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPIDLE, 15),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPINTVL, 5),
    (_socket.IPPROTO_TCP, _socket.TCP_KEEPCNT, 3),
)
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN)


class ByteStream:
    """A connected TCP or Unix socket. Every wait ends with errors.Cancelled when *cancel* is set.

    sock: a connected ``_socket.socket`` (or one of ``socket``), which the stream then owns. peer:
    what messages call the other side. cancel may be exchanged between calls.

    A call that is given seconds raises NoAnswer when the peer is silent for so long (None: it may
    wait for ever). Disconnected is raised when the peer goes away before what it has to send. The
    bytes are handed on as they are; the caller limits how many it takes.
    """

    is_plain = True
    """The bytes come over the descriptor as they are: C may read them there without this object."""

    key = ""
    """Who is at the other end of a TlsStream (tls.key_of), "" of others."""

    def __init__(self, sock: Any, peer: str, cancel: Cancels | None = None) -> None:
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
        cancel: Cancels | None = None,
    ) -> ByteStream:
        """Return a stream to the first address of *host* that answers.

        All of it takes *seconds* at most, shared by the addresses that are left: one that is silent
        keeps time for the next. None leaves the time to the operating system, which gives up after
        minutes.
        """
        deadline = Deadline(seconds)
        failure: DeviceIOError | None = None
        addresses = resolve(host, port, seconds, cancel)
        for number, address in enumerate(addresses):
            left = deadline.left()
            share = None if left is None else left / (len(addresses) - number)
            try:
                return cls.to_address(address, f"{host} port {port}", share, cancel)
            except DeviceIOError as exc:
                failure = exc
        assert failure is not None
        raise failure

    @classmethod
    def to_path(
        cls, path: str, seconds: float | None = None, cancel: Cancels | None = None
    ) -> ByteStream:
        """Return a stream to the Unix socket at *path*."""
        try:
            return cls.to_address((_socket.AF_UNIX, path), path, seconds, cancel)
        except SaneError:
            raise
        except (ValueError, OSError) as exc:  # a NUL in it, or longer than the kernel takes
            raise DeviceIOError(f"{path}: connect: {exc}") from exc

    @classmethod
    def to_address(
        cls,
        address: Address,
        peer: str,
        seconds: float | None = None,
        cancel: Cancels | None = None,
    ) -> ByteStream:
        """Return a stream to one *address*, as resolve gives them."""
        family, where = address
        try:
            sock = new_socket(family, _socket.SOCK_STREAM)
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
        number = error if isinstance(error, int) else error.errno
        kind = Disconnected if number in GONE else DeviceIOError
        return kind(f"{self.peer}: {call}: {os.strerror(number or 0)}")

    def wait(self, events: int, deadline: Deadline, call: str) -> None:
        """Wait until the socket has *events* or has failed.

        Raises Cancelled, or NoAnswer when the time is over.
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
            raise NoAnswer(f"{self.peer}: {call}: timed out")

    def pause(self, seconds: float) -> None:
        """Let *seconds* pass between two questions; a replayed device needs no time.

        Raises Cancelled as soon as cancel is set.
        """
        (self.cancel or NeverCancelled()).wait(seconds)

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

    def receive_parts(self, views: Sequence[memoryview], seconds: float | None = None) -> int:
        """Receive what there is into *views*, one after the other: a header and what follows it.

        As receive_into: it returns how many bytes came, perhaps only a part of the first view's.
        """
        if not self.is_plain:
            return self.receive_into(views[0], seconds)
        deadline: Deadline | None = None
        while True:
            try:
                return int(self._sock.recvmsg_into(views)[0])
            except BlockingIOError:
                deadline = deadline or Deadline(seconds)
                self.wait(select.POLLIN, deadline, "receive")
            except OSError as exc:
                raise self.failed("receive", exc) from exc

    def receive_exactly(self, view: memoryview, seconds: float | None = None) -> None:
        """Fill *view*, within *seconds* for all of it; a peer that closes early is an error."""
        deadline = Deadline(seconds)
        done = 0
        while done < len(view):
            n = self.receive_into(view[done:], deadline.left())
            if n == 0:
                raise Disconnected(f"{self.peer}: closed after {done} of {len(view)} bytes")
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

    def hang_up(self) -> None:
        """End the connection also for another thread that waits for it, which close() does not."""
        try:
            self._sock.shutdown(_socket.SHUT_RDWR)
        except OSError:  # there is no connection any more
            return

    def detach(self) -> Any:
        """Return the socket, which somebody else owns from now on; the stream is closed."""
        return _socket.socket(fileno=self._sock.detach())

    def close(self) -> None:
        """Close the socket; may be called again."""
        self._sock.close()
