"""Where a client fetches the image data of a frame: a listening socket for one connection.

It knows addresses, port ranges and who may connect; it knows nothing of what is sent.
Source: net-protocol 3.8, 5.1 and 8.5.
"""

from __future__ import annotations

import _socket
import os
import stat
import struct

from ..errors import DeviceIOError
from .access import Peer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Port(Protocol):
        """Where the one data connection of a frame comes from."""

        number: int

        def fileno(self) -> int:
            """Return the descriptor that is readable when there is a connection."""

        def accept(self) -> _socket.socket | None:
            """Return the connection, None if somebody else came; raises DeviceIOError."""

        def close(self) -> None:
            """Take no connection any more."""

    class OpensPorts(Protocol):
        """Opens a port for each frame."""

        def open(self) -> Port:
            """Return a new port; raises DeviceIOError if there is none."""


UNIX_PORTS = (1024, 65535)  # numbers that name data sockets beside a Unix socket
UNIX_ATTEMPTS = 16
UNIX_MASK = 0o117
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class DataPort:
    """Waits for the one data connection of a frame; number is what the client is told."""

    def __init__(self, sock: _socket.socket, number: int, owner: Owner) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._owner = owner
        self.number = number

    def fileno(self) -> int:
        """Return the descriptor that is readable when somebody connects."""
        return self._socket.fileno()

    def accept(self) -> _socket.socket | None:
        """Return the connection if it is the client's; anybody else is turned away.

        Raises DeviceIOError if this process can take none, without descriptors left for example.
        """
        try:
            fd, address = self._socket._accept()  # type: ignore[attr-defined]
        except (BlockingIOError, ConnectionAbortedError):
            return None  # who came has gone again
        except OSError as exc:
            raise DeviceIOError(f"data port {self.number}: {exc.strerror}") from exc
        sock = _socket.socket(fileno=fd)
        if self._owner.is_same(sock, address):
            return sock
        sock.close()
        return None

    def close(self) -> None:
        """Stop listening."""
        path = self._socket.getsockname() if self._socket.fileno() >= 0 else ""
        self._socket.close()
        if self._socket.family == _socket.AF_UNIX and path:
            remove(path)


class Owner:
    """The client at the other end of a control connection, to be recognised again."""

    def __init__(self, control: _socket.socket, peer: Peer) -> None:
        self.family = control.family
        self.here = control.getsockname()
        self.peer = peer
        self.uid = uid_of(control) if self.family == _socket.AF_UNIX else -1

    def is_same(self, sock: _socket.socket, address: Any) -> bool:
        """Tell whether a data connection comes from the client's host, or its user."""
        if self.family == _socket.AF_UNIX:
            return uid_of(sock) in (self.uid, 0)
        other = Peer.at(address)
        return other is not None and self.peer.is_same_host(other)


class DataPorts:
    """Opens data ports at the local address of *control*, the connection of the client *peer*.

    first, last: the port range, 0 and 0 for any port. Ports are taken in turn: one whose last
    connection the kernel still remembers is not needed again at once.
    """

    def __init__(self, control: _socket.socket, peer: Peer, first: int, last: int) -> None:
        self._owner = Owner(control, peer)
        self._first = first
        self._count = last - first + 1
        self._turn = int.from_bytes(os.urandom(2), "big")

    def open(self) -> DataPort:
        """Return a new data port; raises DeviceIOError if there is none."""
        if self._owner.family == _socket.AF_UNIX:
            return self._open_unix()
        if not self._first:
            return self._listen(0)
        for _ in range(self._count):
            self._turn = (self._turn + 1) % self._count
            try:
                return self._listen(self._first + self._turn)
            except DeviceIOError:
                continue
        last = self._first + self._count - 1
        raise DeviceIOError(f"data_portrange: no free port from {self._first} to {last}")

    def _listen(self, port: int) -> DataPort:
        here = self._owner.here
        sock = _socket.socket(self._owner.family, _socket.SOCK_STREAM)
        try:
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
            sock.bind((here[0], port, *here[2:]))
            sock.listen(1)
            return DataPort(sock, sock.getsockname()[1], self._owner)
        except OSError as exc:
            sock.close()
            raise DeviceIOError(f"data port {port}: {exc.strerror}") from exc

    def _open_unix(self) -> DataPort:
        """Listen at the path of the server's socket with a dot and a number behind it."""
        low, high = UNIX_PORTS
        failure = ""
        for _ in range(UNIX_ATTEMPTS):
            number = low + int.from_bytes(os.urandom(4), "big") % (high - low + 1)
            path = f"{self._owner.here}.{number}"
            sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            mask = os.umask(UNIX_MASK)
            try:
                sock.bind(path)
                sock.listen(1)
                return DataPort(sock, number, self._owner)
            except OSError as exc:
                sock.close()
                failure = f"{path}: {exc.strerror}"
            finally:
                os.umask(mask)
        raise DeviceIOError(failure)


def remove(path: str) -> None:
    """Remove a socket; without the right to, or after somebody else did, it stays as it is."""
    try:
        os.unlink(path)
    except OSError:
        return


def sweep(path: str) -> None:
    """Remove the data sockets beside the Unix socket *path* at which nobody listens any more.

    A process that is killed leaves its own. Which are bound is the kernel's knowledge: to connect
    and see would take the place of the client that one waits for.
    """
    try:
        with open("/proc/net/unix", "rb") as file:
            bound = {os.fsdecode(line.split(None, 7)[-1].rstrip(b"\n")) for line in file}
        names = os.listdir(os.path.dirname(path))
    except OSError:
        return
    prefix = os.path.basename(path) + "."
    for name in names:
        number = name.removeprefix(prefix)
        beside = f"{path}.{number}"
        if name != number and number.isdecimal() and beside not in bound and is_socket(beside):
            remove(beside)


def is_socket(path: str) -> bool:
    """Tell whether *path* is a socket, and no link to one."""
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def uid_of(sock: _socket.socket) -> int:
    """Return the user at the other end of a Unix socket."""
    data = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])
