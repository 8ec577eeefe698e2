"""Puts an emulated eSCL scanner on the network: TCP, TLS or a Unix socket; notes every request.

Source: specification escl, sections 1.6 (the rules of ipp-usb), 6.5 (authentication) and 8.
"""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import dataclass, field

from ..net import Connection, HostGone, TcpEmulator
from . import access, http
from .http import Reply, Request
from .scanner import Scanner

WAIT_SECONDS = 10.0  # of wait_for


@dataclass
class Exchange:
    """One request and what became of it; times are those of time.monotonic.

    resource: one of scanner.RESOURCES. connection: its number, from 0. status: 0 as long as there
    is no reply. replied, began: when the reply and its body began. sent: bytes of the body. done:
    when the reply was sent, or broke off; is_whole: which of the two.
    """

    at: float
    connection: int
    request: Request
    resource: str
    status: int = 0
    replied: float = 0.0
    began: float = 0.0
    sent: int = 0
    done: float = 0.0
    is_whole: bool = False

    def __str__(self) -> str:
        return f"{self.request.method} {self.resource} {self.status}"


@dataclass
class Log:
    """The requests until now, the oldest first."""

    exchanges: list[Exchange] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def names(self) -> list[str]:
        """Return method, resource and status of each, as "GET status 200"."""
        return [str(exchange) for exchange in list(self.exchanges)]

    def of(self, resource: str) -> list[Exchange]:
        """Return those for one resource."""
        return [e for e in list(self.exchanges) if e.resource == resource]

    def clear(self) -> None:
        """Forget them."""
        self.exchanges.clear()

    def wait_for(self, resource: str, count: int = 1, seconds: float = WAIT_SECONDS) -> Exchange:
        """Return the request number *count* for a resource once it is answered.

        Raises TimeoutError, with what came instead.
        """
        with self.changed:
            if not self.changed.wait_for(lambda: self._done(resource) >= count, seconds):
                raise TimeoutError(f"no {resource} number {count}: {self.names()}")
        return [e for e in self.of(resource) if e.done][count - 1]

    def _done(self, resource: str) -> int:
        return sum(bool(e.done) for e in self.of(resource))

    def tell(self) -> None:
        """Wake those who wait."""
        with self.changed:
            self.changed.notify_all()


class Emulator(TcpEmulator):
    """A Scanner on the network, from construction to close().

    host: an address, or the path of a Unix socket. tls: of certificates.server_context(). log: what
    hosts asked. faults: of the network, counted by replies (sane.testing.net).
    """

    def __init__(
        self,
        scanner: Scanner | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.scanner = scanner or Scanner()
        self.log = Log()
        self.scheme = "http" if tls is None else "https"
        self._gate = access.Gate(self.scanner)
        super().__init__(host, port, tls)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as they stand in a URL."""
        host, port = self.address
        if host.startswith("/"):
            return f"{self.scheme}://localhost:80"
        host = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{host}:{port}"

    @property
    def url(self) -> str:
        """The URL of the service's root."""
        return f"{self.origin}{self.scanner.access.roots[0]}/"

    def serve(self, connection: Connection) -> None:
        while True:
            try:
                request = http.read(connection)
            except http.BadRequest:
                connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return
            resource = self.scanner.resource(request.target)[1]
            exchange = Exchange(time.monotonic(), connection.number, request, resource)
            self.log.exchanges.append(exchange)
            with self._gate.entered():
                closes = self._reply(connection, exchange)
            if closes or not self.scanner.access.keeps_alive:
                return
            self._keep_busy(connection, resource)

    def _reply(self, connection: Connection, exchange: Exchange) -> bool:
        """Answer one request; return whether the connection is to be closed."""
        request = exchange.request
        reply = self._gate.refusal(request, self.address[1])
        if reply is None:
            reply = self.scanner.answer(request, self.origin)
        self._decorate(reply)

        def count(size: int) -> None:
            exchange.began = exchange.began or time.monotonic()
            exchange.sent += size

        try:
            if reply.make is not None:
                reply.body = reply.make()
            exchange.status, exchange.replied = reply.status, time.monotonic()
            closes = http.send(connection, request, reply, count)
            exchange.is_whole = True
        finally:
            reply.end(exchange.is_whole)
            exchange.done = time.monotonic()
            self.log.tell()
            self.noted(exchange)
        return closes

    def noted(self, exchange: Exchange) -> None:
        """Take note of a request that is done with; a subclass may show it."""

    def _decorate(self, reply: Reply) -> None:
        knobs = self.scanner.access
        reply.headers = {"Server": knobs.server, **knobs.headers, **reply.headers}

    def _keep_busy(self, connection: Connection, resource: str) -> None:
        """Stay Processing behind a page while the host keeps the connection (Kyocera)."""
        kept = self.scanner.timing.kept
        if kept and resource == "document":
            self.scanner.stay_busy(kept)
            if connection.wait_until_gone(kept):
                self.scanner.stay_busy(0.0)
                raise HostGone
