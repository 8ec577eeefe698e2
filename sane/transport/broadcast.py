"""A search by UDP: a question to everybody on all networks of this machine, and their answers.

It knows interfaces, datagrams and time; what an answer means is the caller's. Answers are hostile:
anybody on the network may send them, as many as he likes.
"""

from __future__ import annotations

import _socket
import select
import struct

from ..errors import DeviceIOError
from . import interfaces
from .datagrams import DATAGRAM_BYTES
from .sockets import Deadline, new_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..debug import Debug
    from .interfaces import InterfaceAddress

    Wait = Callable[[float, int], bool]

EVERYBODY = "255.255.255.255"  # on each interface by its own broadcast address, if it has one
ALL_NODES = "ff02::1"
ROUNDS = 2  # a datagram may be lost
PAUSE_SECONDS = 0.1
MOST_ANSWERS = 1024  # no network has so many devices: somebody plays with us
IP_PKTINFO = 8  # linux/in.h; the name is in no version of Python before 3.14
_PKTINFO = struct.Struct("=i4s4s")  # interface, our address, unused
_MREQN = struct.Struct("=4s4si")  # group, our address, interface


class Answer:
    """One datagram that came: *data*, from *host* (with the zone that it needs) and *port*.

    interface: the name of the network interface that it came by, "" if unknown.
    """

    __slots__ = ("data", "host", "interface", "port")

    def __init__(self, data: bytes, host: str, port: int, interface: str) -> None:
        self.data = data
        self.host = host
        self.port = port
        self.interface = interface


class Search:
    """The sockets of a search, one for each address of ours.

    to: addresses, not names. A question to EVERYBODY or to a multicast address is sent on every
    interface that can reach it, one to another address to that host alone. from_port: our own port;
    if another program has it, any other is taken. with_loopback: ask this machine as well.
    """

    is_heard = True
    """Whether a network took the last question: where none does, nobody can answer."""

    def __init__(
        self,
        to: Sequence[str],
        debug: Debug,
        from_port: int = 0,
        with_loopback: bool = False,
    ) -> None:
        self.debug = debug
        self._from_port = from_port
        self._targets: list[tuple[Any, str, list[Any], str]] = []  # socket, host, ancillary, name
        self._by_fd: dict[int, tuple[Any, str]] = {}
        self._epoll = select.epoll()
        try:
            found = None
            for host in to:
                if not is_group(host):
                    self._add(host, None)
                    continue
                found = self._interfaces() if found is None else found
                for own in _usable(found, host, with_loopback):
                    self._add(host, own)
                if not found and host == EVERYBODY:
                    self._add(host, None)
        except BaseException:
            self.close()
            raise

    def _interfaces(self) -> list[InterfaceAddress]:
        try:
            return interfaces.addresses()
        except DeviceIOError as exc:
            self.debug(1, "search: %s", exc)
            return []

    def _add(self, host: str, own: InterfaceAddress | None) -> None:
        """Add a socket for *host* by the interface with the address *own*.

        One that fails is left out: the other networks are searched all the same.
        """
        family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
        sock = None
        try:
            sock = new_socket(family, _socket.SOCK_DGRAM)
            sock.setblocking(False)
            ancillary: list[Any] = []
            if own is not None:
                ancillary = self._aim(sock, host, own)
            if host == EVERYBODY and own is not None and own.broadcast:
                host, ancillary = _socket.inet_ntop(family, own.broadcast), []
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        except OSError as exc:
            self.debug(2, "search by %s: %s", own, exc.strerror)
            if sock is not None:
                sock.close()
            return
        name = own.name if own is not None else ""
        self._by_fd[sock.fileno()] = sock, name
        self._targets.append((sock, host, ancillary, name))

    def _aim(self, sock: Any, host: str, own: InterfaceAddress) -> list[Any]:
        """Let what *sock* sends leave by the interface of *own*; return what sendmsg needs."""
        if own.family == _socket.AF_INET6:
            sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_MULTICAST_IF, own.index)
            self._bind(sock, (own.text, self._from_port, 0, own.index))
            return []
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_BROADCAST, 1)
        self._bind(sock, (own.text, self._from_port))
        if host != EVERYBODY:
            request = _MREQN.pack(bytes(4), own.address, own.index)
            sock.setsockopt(_socket.IPPROTO_IP, _socket.IP_MULTICAST_IF, request)
            return []
        packed = _PKTINFO.pack(own.index, own.address, bytes(4))
        return [(_socket.IPPROTO_IP, IP_PKTINFO, packed)]

    def _bind(self, sock: Any, address: tuple[Any, ...]) -> None:
        try:
            sock.bind(address)
        except OSError:
            if not self._from_port:
                raise
            sock.bind((address[0], 0, *address[2:]))

    def send(self, data: bytes, port: int) -> None:
        """Ask everybody at *port*; networks that do not take it are left out."""
        self.is_heard = False
        for sock, host, ancillary, name in self._targets:
            try:
                sock.sendmsg([data], ancillary, 0, (host, port))
                self.is_heard = True
            except OSError as exc:
                self.debug(2, "search by %s: %s", name or host, exc.strerror)

    def receive(self, wait: Wait, seconds: float) -> Answer | None:
        """Return the next answer, None after *seconds*; an empty datagram is an answer, too."""
        deadline = Deadline(seconds)
        while wait(deadline.left() or 0.0, self._epoll.fileno()):
            for fd, _ in self._epoll.poll(0, 1):
                sock, name = self._by_fd[fd]
                try:
                    data, sender = sock.recvfrom(DATAGRAM_BYTES)
                except OSError as exc:
                    self.debug(3, "search by %s: %s", name, exc.strerror)
                    continue
                return Answer(bytes(data), _zoned(sender), int(sender[1]), name)
        return None

    def ask(
        self,
        questions: Sequence[tuple[bytes, int]],
        wait: Wait,
        seconds: float,
        *,
        quiet_seconds: float | None = None,
        rounds: int = ROUNDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> Iterator[Answer]:
        """Ask *questions*, each a datagram and the port for it; yield what comes in *seconds*.

        wait(seconds, fd): as Cancel.wait and Device.wait; what it raises ends the search.
        quiet_seconds: the search is over when nothing came for so long after the last round.
        Rounds are *pause_seconds* apart: a datagram may be lost, so that most peers answer several
        times.

        Silence, a machine without a network, and a network that lets nothing through yield
        nothing. Garbage is yielded as it came: the caller knows what an answer looks like. Of too
        much, MOST_ANSWERS are yielded.
        """
        end = Deadline(seconds)
        left = MOST_ANSWERS
        for number in range(rounds):
            is_heard = False
            for data, port in questions:
                self.send(data, port)
                is_heard |= self.is_heard
            if not is_heard:
                return
            is_last = number == rounds - 1
            round_end = end if is_last else Deadline(min(pause_seconds, end.left() or 0.0))
            for answer in self._answers(wait, round_end, quiet_seconds if is_last else None):
                yield answer
                left -= 1
                if not left:
                    self.debug(1, "search: only %d answers are heard", MOST_ANSWERS)
                    return

    def _answers(self, wait: Wait, end: Deadline, quiet_seconds: float | None) -> Iterator[Answer]:
        """Yield what comes until *end*, or until nothing came for *quiet_seconds*."""
        while (left := end.left() or 0.0) > 0:
            seconds = left if quiet_seconds is None else min(left, quiet_seconds)
            answer = self.receive(wait, seconds)
            if answer is None:
                return
            yield answer

    def close(self) -> None:
        """Close the sockets; may be called again."""
        for sock, _ in self._by_fd.values():
            sock.close()
        self._by_fd.clear()
        self._targets.clear()
        self._epoll.close()


def is_group(host: str) -> bool:
    """Tell whether the literal *host* is EVERYBODY or a multicast address."""
    if ":" in host:
        return host.lower().startswith("ff")
    return host == EVERYBODY or 224 <= int(host.partition(".")[0]) < 240


def _usable(
    found: list[InterfaceAddress], host: str, with_loopback: bool
) -> list[InterfaceAddress]:
    """Return the addresses of ours from which *host* is asked: of IPv6, one for each interface."""
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    usable: list[InterfaceAddress] = []
    seen: set[int] = set()
    for own in found:
        is_wanted = with_loopback if own.is_loopback else not own.is_point_to_point
        if own.family != family or not is_wanted:
            continue
        if family == _socket.AF_INET6:
            is_link_local = own.address[0] == 0xFE and own.address[1] & 0xC0 == 0x80
            if own.index in seen or not (is_link_local or own.is_loopback):
                continue  # groups of the link are asked from the link's address
        seen.add(own.index)
        usable.append(own)
    return usable


def _zoned(sender: tuple[Any, ...]) -> str:
    """Return the host of a sender, with the zone of a link-local IPv6 address."""
    host = str(sender[0])
    if len(sender) == 4 and sender[3] and "%" not in host:
        try:
            return f"{host}%{_socket.if_indextoname(sender[3])}"
        except OSError:  # the interface is gone
            return f"{host}%{sender[3]}"
    return host
