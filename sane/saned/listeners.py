"""The sockets on which saned waits for clients: its own, systemd's, and a Unix socket.

Source: net-protocol 8.2; sd_listen_fds(3).
"""

from __future__ import annotations

import _socket
import errno
import os
from stat import S_ISSOCK

from ..transport.names import host_bytes
from .process import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from typing import Any

BACKLOG = 128
FIRST_PASSED_FD = 3
WILDCARDS = ("::", "0.0.0.0")  # every address of the machine
PORT_ATTEMPTS = 10  # to find a port that is free in both families
UNIX_MASK = 0o117  # user and group may connect


class Listener:
    """A listening socket. port: 0 for a Unix socket; path: "" for others, and without one."""

    def __init__(self, sock: _socket.socket) -> None:
        self.socket = sock
        sock.setblocking(False)
        self.family = sock.family
        address = sock.getsockname()
        self.path = ""
        self.port = 0
        if self.family == _socket.AF_UNIX:
            self.path = address if has_path(address) else ""
            self.name = self.path or f"the Unix socket {address!r}"
            self.is_loopback = True
            return
        host, self.port = str(address[0]), int(address[1])
        self.name = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.is_loopback = host == "::1" or host.startswith(("127.", "::ffff:127."))

    @property
    def protocol(self) -> str:
        """IPv4 or IPv6."""
        return "IPv6" if self.family == _socket.AF_INET6 else "IPv4"

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.socket.fileno()

    def accept(self) -> tuple[int, object] | None:
        """Return descriptor and address of the next client, None if there is none any more."""
        try:
            return self.socket._accept()  # type: ignore[attr-defined, no-any-return]
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()


def listen(host: str, port: int, tell: Callable[[str], None]) -> list[Listener]:
    """Listen on all addresses of *host* ("": every address of the machine), IPv6 first.

    An address that fails is told and left out as long as another works; but a port of the whole
    machine that another program has is Refused: it would get the clients of one family. Port 0 is
    a free one, the same for all of them.
    """
    flags = _socket.AI_PASSIVE
    try:
        name = host_bytes(host) if host else None
        found = _socket.getaddrinfo(name, port, 0, _socket.SOCK_STREAM, 0, flags)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise Refused(f"cannot resolve the address {host}: {reason}") from None
    addresses = [(item[0], item[4]) for item in found if host or has_family(item[0])]
    addresses.sort(key=lambda item: item[0] != _socket.AF_INET6)
    for _ in range(PORT_ATTEMPTS if port == 0 else 1):
        listeners, failures, taken = bind_all(addresses)
        if not taken:
            break
        for listener in listeners:
            listener.close()
    if not listeners or taken:
        raise Refused("cannot listen: " + ("; ".join(failures) or "no address"))
    for failure in failures:
        tell(f"cannot listen: {failure}")
    return listeners


def has_family(family: int) -> bool:
    """Tell whether this machine has IPv6, or IPv4, at all."""
    try:
        _socket.socket(family, _socket.SOCK_STREAM).close()
    except OSError as exc:
        return exc.errno != errno.EAFNOSUPPORT
    return True


def bind_all(
    addresses: Sequence[tuple[int, tuple[Any, ...]]],
) -> tuple[list[Listener], list[str], bool]:
    """Return listeners, failures, and whether another program has the port, so that none counts.

    That is a port which was chosen for one address and is taken at another, or a port of all
    addresses of the machine.
    """
    listeners: list[Listener] = []
    failures: list[str] = []
    taken = False
    for family, address in addresses:
        chosen = address[1]
        if chosen == 0 and listeners:
            chosen = listeners[0].port
        try:
            listeners.append(_bind(family, (address[0], chosen, *address[2:])))
        except OSError as exc:
            failures.append(f"{address[0]} port {chosen}: {exc.strerror}")
            is_common = address[0] in WILDCARDS or (address[1] == 0 and bool(listeners))
            taken |= is_common and exc.errno == errno.EADDRINUSE
    return listeners, failures, taken


def has_path(address: object) -> bool:
    """Tell whether the address of a Unix socket is a file, whose mode says who may connect.

    Bytes are an abstract name, at which everybody may; "" is that of a pair.
    """
    return isinstance(address, str) and address != ""


def _bind(family: int, address: tuple[Any, ...]) -> Listener:
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        if family == _socket.AF_INET6:  # IPv4 has a socket of its own
            sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        return Listener(sock)
    except BaseException:
        sock.close()
        raise


def listen_unix(path: str) -> Listener:
    """Listen on a Unix socket at *path*; one that a dead server left is replaced."""
    try:
        if S_ISSOCK(os.lstat(path).st_mode) and not _answers(path):
            os.unlink(path)
    except FileNotFoundError:
        pass
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    mask = os.umask(UNIX_MASK)
    try:
        sock.bind(path)
        sock.listen(BACKLOG)
        return Listener(sock)
    except OSError as exc:
        sock.close()
        raise Refused(f"cannot listen on {path}: {exc.strerror}") from None
    finally:
        os.umask(mask)


def _answers(path: str) -> bool:
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        sock.connect(path)
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    finally:
        sock.close()
    return True


def passed_by_systemd(environ: MutableMapping[str, str]) -> int:
    """Return how many sockets systemd passed to this process; the variables are removed."""
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit():
        return 0
    return int(count)


def adopt(count: int) -> list[Listener] | None:
    """Return the *count* passed sockets as listeners; None unless all of them are listening."""
    sockets: list[_socket.socket] = []
    for fd in range(FIRST_PASSED_FD, FIRST_PASSED_FD + count):
        try:
            os.set_inheritable(fd, False)  # also of a connection: drivers start programs
            sock = _socket.socket(fileno=fd)
        except OSError:
            _release(sockets)
            return None
        sockets.append(sock)
        if not sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN):
            _release(sockets)
            return None
    return [Listener(sock) for sock in sockets]


def is_socket(fd: int) -> bool:
    """Tell whether *fd* is open, and a socket."""
    try:
        return S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _release(sockets: list[_socket.socket]) -> None:
    for sock in sockets:
        sock.detach()
