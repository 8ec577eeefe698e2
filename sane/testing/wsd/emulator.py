"""An emulated WS-Scan device on the network, by HTTP."""

from __future__ import annotations

from ..escl import http
from ..net import Connection, TcpEmulator
from .matches import matches
from .scanner import Scanner

DEVICE_PATH, SCAN_PATH = "/device", "/scan"
DIRECT_PATH = "/StableWSDiscoveryEndpoint/schemas-xmlsoap-org_ws_2005_04_discovery"


class Emulator(TcpEmulator):
    """A Scanner behind a TCP port, from construction to close(). requests: what hosts have sent."""

    def __init__(
        self, scanner: Scanner | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.scanner = scanner or Scanner()
        self.requests: list[http.Request] = []
        super().__init__(host, port)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def url(self) -> str:
        """Where the scan service is."""
        return f"{self.origin}{SCAN_PATH}"

    @property
    def device_url(self) -> str:
        """Where the device tells what it is."""
        return f"{self.origin}{DEVICE_PATH}"

    def serve(self, connection: Connection) -> None:
        while True:
            try:
                request = http.read(connection)
            except http.BadRequest:
                connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                return
            self.requests.append(request)
            reply = self._reply(request)
            if reply.type.startswith("multipart/"):
                self._break(reply)
            if http.send(connection, request, reply, http.no_news):
                return

    def _break(self, reply: http.Reply) -> None:
        """Let the answer with an image break off where the knobs say so."""
        knobs = self.scanner.knobs
        reply.delivery.stall_at = knobs.stall_at
        if knobs.cut_at is not None:
            reply.delivery.declared = max(0, len(reply.body) - knobs.cut_at)
            reply.body = reply.body[: knobs.cut_at]

    def _reply(self, request: http.Request) -> http.Reply:
        path = request.target
        try:
            if path == SCAN_PATH:
                status, kind, body = self.scanner.answer(request.body)
                return http.Reply(status, body, kind)
            if path == DEVICE_PATH:
                body = self.scanner.metadata(request.body, self.url)
                return http.Reply(200, body, "application/soap+xml")
            if path == DIRECT_PATH:
                found = matches(self.scanner.uuid, self.device_url, request.body)
                return http.Reply(200, found or b"", "application/soap+xml")
        except ValueError as exc:
            return http.Reply(400, str(exc).encode(), "text/plain")
        return http.Reply(404)
