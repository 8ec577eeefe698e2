"""The server: the application behind its guard, its sockets, what it announces, and its end.

It knows uvicorn's protocol class and asyncio; who configured it and where it prints is known above.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ..discovery.announce import Announcement
from . import certificate, hotplug
from .addresses import host_names, interfaces, shown_hosts
from .announcing import TYPES, Announcer
from .guard import Guard
from .listening import CannotListen, Door, Listener, listen
from .main import announcement_texts, application
from .protocol import ShareProtocol, Times
from .store.files import write_record

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .config import ShareSettings
    from .context import ShareContext
    from .scanner import Scanner
    from .scanners import Scanners

PORTS = "ports.json"
PARTS_SECONDS = 2.0  # for replies that are under way when the server ends
SERVER = b"PySANE"
CLOCK_SECONDS = 1.0
MOST_PORTS = 100
TAKES_STATE = "app_state" in inspect.signature(H11Protocol.__init__).parameters


class WebServer:
    """Serves *context* until its task is cancelled.

    listeners: where it listens, once started.
    """

    def __init__(self, context: ShareContext, scanners: Scanners) -> None:
        self.context = context
        self.listeners: list[Listener] = []
        self._scanners = scanners
        self._log = context.log
        self._guard = Guard(application(context), context.settings, context.log)
        self._config = Config(
            self._guard,
            interface="asgi3",
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=round(context.settings.limits.idle_seconds),
        )
        self._config.load()
        self._state = ServerState()
        self._lifespan = LifespanOn(self._config)
        self._door = Door(context.settings, self._protocol, context.log)
        self._announcer = Announcer(context.log)
        self._tls: Any = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._refreshing = asyncio.Lock()

    def _protocol(self, ended: Callable[[], None]) -> asyncio.BaseProtocol:
        limits = self.context.settings.limits
        times = Times(
            limits.head_seconds, limits.body_seconds, limits.idle_seconds, limits.stall_seconds
        )
        more: dict[str, Any] = {"app_state": self._lifespan.state} if TAKES_STATE else {}
        return ShareProtocol(
            times=times, ended=ended, config=self._config, server_state=self._state, **more
        )

    # Sockets

    def bind(self) -> None:
        """Listen; raises CannotListen and CertificateError. Nothing is accepted yet."""
        settings = self.context.settings
        addresses = settings.server.addresses
        try:
            for sock in listen(addresses, settings.server.port):
                self.listeners.append(Listener(sock))
            if settings.https.enabled:
                self._tls = self._context()
                for sock in listen(addresses, settings.https.port):
                    self.listeners.append(Listener(sock, self._tls))
        except BaseException:
            self._close_sockets()
            raise

    def _context(self) -> Any:
        https = self.context.settings.https
        if https.certificate:
            return certificate.server_context(https.certificate, https.key)
        hosts = [*host_names(), *(str(each.ip) for each in interfaces())]
        hosts += self.context.settings.server.names
        files = certificate.own_files(self.context.state, list(dict.fromkeys(hosts)))
        return certificate.server_context(*files)

    def port(self, scheme: str = "http") -> int:
        """Return the port for a scheme, 0 without one."""
        for listener in self.listeners:
            if not listener.scanner and (listener.tls is not None) == (scheme == "https"):
                return listener.port
        return 0

    def urls(self) -> list[str]:
        """Return where people find the page, the best first."""
        settings = self.context.settings.server
        found = [settings.base_url] if settings.base_url else []
        for host in shown_hosts(settings.addresses):
            found.append(f"http://{host}:{self.port()}")
        if self.port("https"):
            found.append(f"https://{shown_hosts(settings.addresses)[0]}:{self.port('https')}")
        return [f"{url}/" for url in found]

    # Running

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; *ready* is called when requests are answered."""
        try:
            self._tick()
            await self._lifespan.startup()
            if self._lifespan.should_exit:
                raise CannotListen("a part of the server did not start")
            self._scanners.subscribe(lambda kind, scanner: self._on_change(kind))
            self._scanners.announce = self._announce
            for listener in self.listeners:
                self._door.open(listener)
            self._start(self._clock())
            self._start(self._scanners.refresh())
            if self.context.settings.scanners.hot_plug:
                self._start(hotplug.watch(self._scanners.refresh))
            ready()
            await asyncio.Event().wait()
        finally:
            await self._end()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._scanners.note_end)
        self._tasks.append(task)

    def adopt(self, settings: ShareSettings) -> None:
        """Take over changed settings, as far as that goes without new sockets."""
        self.context.settings = self._scanners.settings = settings
        self._guard.adopt(settings)
        self._door.adopt(settings)

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            self._tick()

    def _tick(self) -> None:
        """Set the headers that each reply has; in place, since protocols keep the list."""
        date = formatdate(usegmt=True).encode()
        self._state.default_headers[:] = [(b"date", date), (b"server", SERVER)]

    # Scanners and ports

    def _on_change(self, kind: str) -> None:
        if kind != "changed":
            self._open_ports()
            self._announce()

    def _open_ports(self) -> None:
        """Give each scanner a port of its own, if they are to have one."""
        settings = self.context.settings.server
        if not settings.port_per_scanner:
            return
        known = self._read_ports()
        for scanner in self._scanners:
            if any(listener.scanner == scanner.id for listener in self.listeners):
                continue
            try:
                socks = self._own_sockets(known, scanner.id)
            except CannotListen as exc:
                self._log.error("%s has no port of its own: %s", scanner.title, exc)
                continue
            for sock in socks:
                listener = Listener(sock, scanner=scanner.id)
                self.listeners.append(listener)
                self.context.ports[listener.port] = scanner.id
                self._door.open(listener)
            known[scanner.id] = socks[0].getsockname()[1]
        self._write_ports(known)

    def _own_sockets(self, known: dict[str, int], id: str) -> list[socket.socket]:
        """Listen where a scanner was before, or else at the next port that nobody has.

        Raises CannotListen.
        """
        base, others = self.port(), set(known.values())
        free = range(base + 1, min(base + MOST_PORTS, 1 << 16))
        failure = CannotListen(f"no port from {base} on is free")
        for port in (known.get(id, 0), *(port for port in free if port not in others)):
            if port:
                try:
                    return listen(self.context.settings.server.addresses, port)
                except CannotListen as exc:
                    failure = exc
        raise failure

    def _read_ports(self) -> dict[str, int]:
        try:
            data = json.loads((self.context.state / PORTS).read_text())
            return {str(id): int(port) for id, port in data.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _write_ports(self, ports: dict[str, int]) -> None:
        try:
            write_record(str(self.context.state / PORTS), ports)
        except OSError as exc:
            self._log.error("ports are not kept: %s", exc.strerror)

    def _announce(self) -> None:
        """Announce every scanner as it can be reached now."""
        settings = self.context.settings
        texts = announcement_texts()
        is_wanted = settings.server.announce and settings.escl.enabled and texts is not None
        wanted = {}
        for scanner in self._scanners if is_wanted else ():
            for scheme, type in TYPES.items():
                port = self._port_of(scanner, scheme)
                if port:
                    items = texts(self.context, scanner, scheme)
                    service = Announcement(scanner.title, type, port, items)
                    wanted[scanner.id, scheme] = service
        self._start_once(asyncio.to_thread(self._announcer.keep, wanted))

    def _port_of(self, scanner: Scanner, scheme: str) -> int:
        if scheme == "http":
            for listener in self.listeners:
                if listener.scanner == scanner.id:
                    return listener.port
        return self.port(scheme)

    def _start_once(self, work: Any) -> None:
        """Run announcements one after the other."""

        async def run() -> None:
            async with self._refreshing:
                await work

        self._scanners.background(run())

    # The end

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._door.close()
        self._close_sockets()
        await asyncio.to_thread(self._announcer.close)
        if self.context.events is not None:
            self.context.events.close()  # else its streams would not end
        await self._end_requests()
        await self._lifespan.shutdown()
        await self._scanners.close()

    async def _end_requests(self) -> None:
        """Let short replies end; hang up on the others, as if their clients had; then insist."""
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._wait_for_requests()
        for connection in list(self._state.connections):
            connection.transport.abort()
        await self._wait_for_requests()
        for request in list(self._state.tasks):
            request.cancel()
        await self._wait_for_requests()

    async def _wait_for_requests(self) -> None:
        if self._state.tasks:
            await asyncio.wait(list(self._state.tasks), timeout=PARTS_SECONDS)

    def _close_sockets(self) -> None:
        for listener in self.listeners:
            listener.sock.close()
        self.listeners.clear()
