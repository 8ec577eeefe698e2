"""Sockets: where the server listens, which connections it takes, and how each is begun.

Limits hold before TLS: a connection that waits for its handshake has its place, too. It knows
addresses and counts, and nothing of what is asked. Source: specification escl 6.4.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .addresses import is_in, plain

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from .config import LimitSettings, ShareSettings

BACKLOG = 128
SHORTAGE_SECONDS = 0.1  # before the next attempt when the system has nothing left
FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # noqa: E501


class CannotListen(Exception):
    """No socket for an address and a port."""


@dataclass
class Listener:
    """A listening socket. tls: None for plain HTTP. scanner: the id of the only one it has."""

    sock: socket.socket
    tls: ssl.SSLContext | None = None
    scanner: str = ""

    @property
    def port(self) -> int:
        """The port's number."""
        return int(self.sock.getsockname()[1])


def listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Return sockets on *port* of *addresses*; without one, of all, IPv4 and IPv6.

    Raises CannotListen. Port 0 is any; all get the same.
    """
    found: list[socket.socket] = []
    try:
        for address in addresses or ("::", "0.0.0.0"):
            try:
                found.append(_listen(address, port))
            except OSError as exc:
                if not addresses and address == "::":  # a kernel without IPv6
                    continue
                text = f"cannot listen on {address} port {port}: {exc.strerror}"
                raise CannotListen(text) from exc
            port = found[-1].getsockname()[1]
    except BaseException:
        for sock in found:
            sock.close()
        raise
    return found


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


@dataclass
class Places:
    """How many connections there are, and of whom; loopback and trusted proxies have one limit."""

    limits: LimitSettings
    proxies: Sequence[Any] = ()
    total: int = 0
    hosts: dict[str, int] = field(default_factory=dict)

    def host(self, address: str) -> str:
        """Return what counts as one host: an address, or an IPv6 network of 64 bits; "" for any.

        It is the same whatever the proxies are: they change while there are connections.
        """
        found = plain(address)
        if found is None or found.is_loopback:
            return ""
        if found.version == 6 and not found.is_link_local:
            return f"{found.exploded[:19]}/64"
        return str(found)

    def take(self, address: str) -> bool:
        """Take a place; return False if there is none."""
        host = self.host(address)
        mine = self.hosts.get(host, 0)
        if self.total >= self.limits.connections:
            return False
        found = plain(address)
        is_proxy = found is not None and is_in(found, self.proxies)
        if host and not is_proxy and mine >= self.limits.connections_per_address:
            return False
        self.total += 1
        self.hosts[host] = mine + 1
        return True

    def leave(self, address: str) -> None:
        """Give a place back."""
        host = self.host(address)
        self.total -= 1
        self.hosts[host] -= 1
        if not self.hosts[host]:
            del self.hosts[host]


class Door:
    """Accepts connections on *listeners* and begins a protocol on each.

    protocol(ended): makes one; ended is to be called when it is over.
    """

    def __init__(
        self,
        settings: ShareSettings,
        protocol: Callable[[Callable[[], None]], asyncio.BaseProtocol],
        log: logging.Logger,
    ) -> None:
        self.places = Places(settings.limits, settings.server.trusted_proxies)
        self._protocol = protocol
        self._handshake = settings.limits.head_seconds
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def adopt(self, settings: ShareSettings) -> None:
        """Take over which proxies are trusted; the limits are those of the start."""
        self.places.proxies = settings.server.trusted_proxies

    def open(self, listener: Listener) -> None:
        """Begin to accept on *listener*."""
        self._run(self._accept(listener))

    def _run(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listener.sock)
            except ConnectionError:
                continue  # it has left
            except OSError as exc:  # out of descriptors or memory: that may pass
                self._log.error("no connection can be accepted: %s", exc.strerror)
                await asyncio.sleep(SHORTAGE_SECONDS)
                continue
            sock.setblocking(False)
            host = str(address[0])
            if not self.places.take(host):
                self._log.info("%s: refused: too many connections", host)
                with sock, contextlib.suppress(OSError):
                    if listener.tls is None:
                        sock.send(FULL)
                continue
            self._run(self._begin(listener, sock, host))

    async def _begin(self, listener: Listener, sock: socket.socket, host: str) -> None:
        """Begin the protocol, after the handshake."""
        loop = asyncio.get_running_loop()
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if not has_left:
                has_left = True
                self.places.leave(host)

        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            more = {} if listener.tls is None else {"ssl_handshake_timeout": self._handshake}
            await loop.connect_accepted_socket(
                lambda: self._protocol(leave), sock, ssl=listener.tls, **more
            )
        except (OSError, ssl.SSLError) as exc:
            self._log.debug("%s: no connection: %s", host, exc)
            sock.close()
            leave()
        except BaseException:
            sock.close()
            leave()
            raise

    async def close(self) -> None:
        """Accept no more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
