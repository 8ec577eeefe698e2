"""The backend net: devices of other machines that run saned.

It knows hosts and device names; what happens on a connection is in connection.py, on an open
device in device.py. Hosts are contacted at the first use, all at once. Source: net-protocol 7.
"""

from __future__ import annotations

import _thread

from ..backend import Backend as _Backend
from ..backend import DeviceInfo
from ..cancel import NeverCancelled
from ..errors import DeviceIOError, Invalid, SaneError, Unsupported
from . import messages
from .connection import FAREWELL_SECONDS, INIT_SECONDS, REPLY_SECONDS, Connection, refused
from .hosts import Host, Settings, load, split_device
from .transport import Stream, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..backend import Context
    from .device import NetDevice

# What a server that leaves a text out is said to have.
NOTHING = {"vendor": "Noname", "model": "unknown", "type": "scanner"}


class Backend(_Backend):
    """Devices "host:device" of the hosts in net.conf and SANE_NET_HOSTS, and of any host."""

    version = (1, 2, 1)

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self.settings = Settings()
        self._discovered: list[Host] = []
        self._connections: dict[str, Connection] = {}
        self._locks: dict[str, _thread.LockType] = {}

    def init(self) -> None:
        self.settings = load(self.context.environment, self.read_config(), self.debug)

    # Hosts

    def connection(self, host: Host) -> Connection:
        """Return the connection to *host*, made anew if there is none that works."""
        with self._locks.setdefault(host.name, _thread.allocate_lock()):
            known = self._connections.get(host.name)
            if known is not None and known.is_alive():
                return known
            if known is not None:
                known.close(farewell=False)
            fresh = self._connect(host)
            self._connections[host.name] = fresh
            return fresh

    def _connect(self, host: Host) -> Connection:
        failure: SaneError | None = None
        for address in resolve(host.address, host.port):
            peer = f"{host.name} port {host.port}"
            try:
                stream = Stream.to_address(address, peer, self.settings.connect_seconds)
            except DeviceIOError as exc:
                failure = exc
                self.debug(2, "%s", exc)
                continue
            connection = Connection(
                stream, host.name, self.debug, self.settings.reply_seconds or REPLY_SECONDS
            )
            try:
                connection.greet(self.settings.connect_seconds or INIT_SECONDS, user_name())
            except BaseException:
                connection.close(farewell=False)
                raise
            return connection
        assert failure is not None
        raise failure

    # Listing

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        if local_only:
            return []
        hosts = list(self.settings.hosts)
        found: dict[str, list[DeviceInfo]] = {}

        def asking(host: Host) -> Callable[[], None]:
            return lambda: found.update({host.name: self._devices_of(host)})

        tasks = [asking(host) for host in hosts]
        if self.settings.discovery:
            tasks.append(self._discover)
        side_by_side(tasks)
        side_by_side([asking(host) for host in self._discovered])
        hosts += self._discovered
        return [device for host in hosts for device in found[host.name]]

    def _discover(self) -> None:
        """Ask the network for servers that are not configured."""
        from .dnssd import browse

        self._discovered = [
            host for host in browse(self.debug) if self.settings.find(host.name) is None
        ]

    def find(self, name: str) -> Host | None:
        """Return the host of this name, configured or discovered."""
        known = (host for host in self._discovered if host.name == name)
        return self.settings.find(name) or next(known, None)

    def _devices_of(self, host: Host) -> list[DeviceInfo]:
        """Return the devices of one host; none if it does not answer, which is said."""
        try:
            reply: Any = self.connection(host).call(messages.GetDevices(), NeverCancelled())
            if reply.status:
                raise refused(reply.status, "no devices")
        except SaneError as exc:
            self.debug(1, "%s: skipped: %s", host.name, exc)
            return []
        return [
            DeviceInfo(
                host.device(device.name),
                *(printable(getattr(device, text)) or NOTHING[text] for text in NOTHING),
            )
            for device in reply.devices
            if device.name
        ]

    # Opening

    def open(self, name: str) -> NetDevice:
        """Open "host:device", "[address]:device", or a name without a colon.

        Such a name is a configured host, whose first device is meant; else a device of the
        default host, the last configured one; else a host that is not configured.
        """
        host_name, device = split_device(name)
        host = self.find(host_name)
        if device is None and host is None and self.settings.hosts:
            found = self._open_at_default(name)
            if found is not None:
                return found
        if not host_name:
            raise Invalid("no device name, and no host is configured")
        if host is None and self.settings.discovery and not self._discovered:
            self._discover()
            host = self.find(host_name)
        return self._open_at(host or Host(host_name, self.settings.port), device or "")

    def _open_at_default(self, name: str) -> NetDevice | None:
        """Open *name* at the default host; None if that has no such device."""
        host = self.settings.hosts[0]
        try:
            return self._open_at(host, name)
        except (Invalid, Unsupported, DeviceIOError) as exc:
            if not name:
                raise
            self.debug(2, "%s is no device of %s: %s", name, host.name, exc)
            return None

    def _open_at(self, host: Host, device: str) -> NetDevice:
        from .device import NetDevice  # not needed for a list

        connection = self.connection(host)
        authorize = self.context.authorize
        reply: Any = connection.call(messages.Open(device), NeverCancelled(), authorize=authorize)
        if reply.status:
            raise refused(reply.status, f"{host.name} does not open {device!r}")
        try:
            return NetDevice(connection, reply.handle, authorize, self.settings.connect_seconds)
        except BaseException:
            if connection.lost is None:
                connection.call(
                    messages.Close(reply.handle), NeverCancelled(), seconds=FAREWELL_SECONDS
                )
            raise

    def exit(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}


def side_by_side(tasks: Sequence[Callable[[], None]]) -> None:
    """Run *tasks* at the same time, each on a thread of its own but one."""
    from ..ring import start_thread

    finished = []
    for task in tasks[1:]:
        done = _thread.allocate_lock()
        done.acquire()
        finished.append(done)

        def run(task: Callable[[], None] = task, done: _thread.LockType = done) -> None:
            try:
                task()
            finally:
                done.release()

        start_thread(run)
    if tasks:
        tasks[0]()
    for done in finished:
        done.acquire()


def printable(text: str | None) -> str:
    """Return *text* with a question mark for what cannot be shown."""
    return "".join(c if c.isprintable() else "?" for c in text or "")


def user_name() -> str | None:
    """Return the login name of this process's user, None if it has none; for the server's log."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None
