"""The connections of the backend net: one to a server, made when needed, made anew when lost.

It knows hosts and how they are reached; configuration and device names are in client.py, what is
said to a server in connection.py. That, and what an open device needs, is imported while the
server makes ready for this client, and for the device: in a new process that takes as long.
Source: net-protocol 7.5 to 7.7.
"""

from __future__ import annotations

import _thread

from ..errors import DeviceBusy, DeviceIOError, SaneError
from ..listed import DeviceInfo, printable
from ..transport.names import resolve
from ..transport.sockets import Deadline
from ..transport.streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..debug import Debug
    from .connection import Authorize, Connection
    from .device import NetDevice
    from .hosts import Host, NetConf

# What a server that leaves a text out is said to have.
NOTHING = {"vendor": "Noname", "model": "unknown", "type": "scanner"}


class Servers:
    """Connections by host name; several threads may ask for different hosts."""

    def __init__(self, settings: NetConf, debug: Debug) -> None:
        self._settings = settings
        self._debug = debug
        self._connections: dict[str, Connection] = {}
        self._is_closed = False
        self._locks: dict[str, _thread.LockType] = {}

    def connection(self, host: Host, seconds: float | None = None) -> Connection:
        """Return the connection to *host*, made anew if there is none that works.

        seconds: the most that connecting may take, whatever the settings; None for no limit.
        Raises DeviceBusy if somebody else is still connecting then.
        """
        deadline = Deadline(seconds)
        lock = self._locks.setdefault(host.name, _thread.allocate_lock())
        if not lock.acquire(True, -1 if seconds is None else seconds):
            raise DeviceBusy(f"{host.name}: still being connected to")
        try:
            known = self._connections.get(host.name)
            if known is not None and known.is_alive():
                return known
            if known is not None:
                known.close(farewell=False)
            fresh = self._connect(host, deadline)
            if self._is_closed:  # too late for a list that did not wait
                fresh.close()
                raise DeviceIOError(f"{host.name}: answered after the end")
            self._connections[host.name] = fresh
            return fresh
        finally:
            lock.release()

    def _connect(self, host: Host, deadline: Deadline) -> Connection:
        settings = self._settings
        failure: SaneError | None = None
        seconds = shorter(settings.connect_seconds, deadline.left())
        for address in resolve(host.address, host.port, seconds):
            peer = f"{host.name} port {host.port}"
            try:
                seconds = shorter(settings.connect_seconds, deadline.left())
                stream = ByteStream.to_address(address, peer, seconds)
            except DeviceIOError as exc:
                failure = exc
                self._debug(2, "%s", exc)
                continue
            try:
                from .connection import INIT_SECONDS, REPLY_SECONDS, Connection

                reply_seconds = settings.reply_seconds or REPLY_SECONDS
                connection = Connection(stream, host.name, self._debug, reply_seconds)
                seconds = shorter(settings.connect_seconds or INIT_SECONDS, deadline.left())
                connection.greet(seconds or 0.0, user_name())
            except BaseException:
                stream.close()
                raise
            return connection
        assert failure is not None
        raise failure

    def devices_of(
        self, host: Host, seconds: float, connect_seconds: float | None = None
    ) -> list[DeviceInfo]:
        """Return the devices of one host; none if it does not answer, which is said.

        seconds: the most that this may take, connect_seconds its connection. A list does not wait
        longer, and a thread that did would be one more with each list.
        """
        deadline = Deadline(seconds)
        try:
            connection = self.connection(host, shorter(seconds, connect_seconds))
            found = connection.devices(deadline.left() or 0.0)
        except SaneError as exc:
            self._debug(1, "%s: skipped: %s", host.name, exc)
            return []
        return [
            DeviceInfo(
                host.device(device.name),
                *(shown(getattr(device, text)) or NOTHING[text] for text in NOTHING),
            )
            for device in found
            if device.name
        ]

    def open(self, host: Host, device: str, authorize: Authorize) -> NetDevice:
        """Open the device that *host* calls *device*, "" for its first."""
        connection = self.connection(host)
        number = connection.open(device, authorize, _import_device)
        from ..wire import messages
        from .device import NetDevice  # not needed for a list

        try:
            return NetDevice(connection, number, authorize, self._settings.connect_seconds)
        except BaseException:
            if connection.lost is None:
                connection.tell(messages.Close(number))
            raise

    def close(self) -> None:
        """Take leave of all servers."""
        self._is_closed = True
        for connection in self._connections.values():
            connection.close()
        self._connections = {}


def _import_device() -> None:
    from . import device  # noqa: F401


def shown(text: str | None) -> str:
    """Return a text of a server's with a question mark for what is no character of UTF-8."""
    return printable((text or "").encode("utf-8", "replace").decode())


def shorter(one: float | None, other: float | None) -> float | None:
    """Return the shorter of two limits in seconds, None being none."""
    return min((limit for limit in (one, other) if limit is not None), default=None)


def user_name() -> str | None:
    """Return the login name of this process's user, None if it has none; for the server's log."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None
