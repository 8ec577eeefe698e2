"""Announces saned by DNS-SD, in a process of its own: a child that talks to the Avahi daemon.

Source: net-protocol 8.9; RFC 6763. The system's avahi-publish does it, else python-zeroconf if it
is installed; without either, the server is found by its name only.
"""

from __future__ import annotations

import _socket
import os
import select
import time

from ..wire import DNSSD_TYPE
from ..wire.protocol import ADVERTISED
from .log import CLIENT, INFO, MESSAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .log import Log

NAME = "saned"
PROGRAM = "avahi-publish"
AT_ONCE_SECONDS = 5.0  # a publisher that ends sooner has found no daemon
AGAIN_SECONDS = 30.0  # after the daemon went away


class Announcer:
    """The child process; it ends when the parent does, however that happens."""

    def __init__(self, pid: int, leash: int) -> None:
        self.pid = pid
        self._leash = leash

    def stop(self) -> None:
        """Let it withdraw the announcement and end."""
        self.disown()

    def disown(self) -> None:
        """Close this process's end of the pipe that keeps it alive."""
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1


def start(port: int, log: Log, leave_parent: Callable[[], None]) -> Announcer:
    """Announce *port* from a new process, which calls leave_parent first."""
    held, leash = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(held)
        return Announcer(pid, leash)
    try:
        os.close(leash)
        leave_parent()
        _announce(port, held, log)
    except BaseException as exc:
        log(MESSAGE, f"announcement: {exc.__class__.__name__}: {exc}")
    finally:
        os._exit(0)


def text_record() -> str:
    """Return the TXT item of the service: the version code of INIT."""
    return f"protovers={ADVERTISED:x}"


def _announce(port: int, held: int, log: Log) -> None:
    program = find_program(PROGRAM)
    if program and _publish(program, port, held, log):
        return
    try:
        _zeroconf(port, held, log)
    except ImportError:
        log(CLIENT, "not announced by DNS-SD: neither a running Avahi daemon nor python-zeroconf")


def find_program(name: str) -> str:
    """Return the path of a program, "" if there is none."""
    for directory in os.get_exec_path():
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK):
            return path
    return ""


def _publish(program: str, port: int, held: int, log: Log) -> bool:
    """Keep avahi-publish running; return False if it finds no daemon at the first attempt."""
    command = [program, "-s", NAME, DNSSD_TYPE, str(port), text_record()]
    first = True
    while True:
        began = time.monotonic()
        log(INFO, f"announcing port {port} with {program}")
        publisher = os.posix_spawn(program, command, os.environ, file_actions=_silent())
        if _is_released(held, publisher):
            os.kill(publisher, 15)
            os.waitpid(publisher, 0)
            return True
        os.waitpid(publisher, 0)
        if first and time.monotonic() - began < AT_ONCE_SECONDS:
            return False
        first = False
        if _wait(held, AGAIN_SECONDS):
            return True


def _silent() -> list[tuple[int, ...]]:
    null = os.open(os.devnull, os.O_RDWR)
    return [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]


def _is_released(held: int, publisher: int) -> bool:
    """Wait for the parent's end (True) or the publisher's (False)."""
    watched = os.pidfd_open(publisher)
    try:
        poll = select.poll()
        poll.register(held, select.POLLIN)
        poll.register(watched, select.POLLIN)
        return any(fd == held for fd, _ in poll.poll())
    finally:
        os.close(watched)


def _wait(held: int, seconds: float | None) -> bool:
    """Wait for the parent's end; return False after *seconds*."""
    poll = select.poll()
    poll.register(held, select.POLLIN)
    return bool(poll.poll(None if seconds is None else int(seconds * 1000)))


def _zeroconf(port: int, held: int, log: Log) -> None:
    """Announce with python-zeroconf until the parent ends; raises ImportError without it."""
    import ifaddr  # type: ignore[import-not-found]
    import zeroconf  # type: ignore[import-not-found]

    addresses = [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    info = zeroconf.ServiceInfo(
        f"{DNSSD_TYPE}.local.",
        f"{NAME}.{DNSSD_TYPE}.local.",
        port=port,
        properties=dict([text_record().split("=")]),
        server=f"{_socket.gethostname().partition('.')[0]}.local.",
        parsed_addresses=[a for a in addresses if not a.startswith(("127.", "::1"))],
    )
    log(INFO, f"announcing port {port} with python-zeroconf")
    responder = zeroconf.Zeroconf()
    try:
        responder.register_service(info, allow_name_change=True)
        _wait(held, None)
        responder.unregister_service(info)
    finally:
        responder.close()
