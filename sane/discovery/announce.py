"""Announces a service by DNS-SD for as long as it is told to; the counterpart of dnssd.py.

The system's avahi-publish does it, else python-zeroconf if that is installed. It knows neither
what the service is nor who asks for it. Source: RFC 6763.
"""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROGRAM = "avahi-publish"
AT_ONCE_SECONDS = 5.0  # a publisher that ends sooner has found no daemon
AGAIN_SECONDS = 30.0  # after the daemon went away


class NoPublisher(Exception):
    """Nothing on this machine announces services."""


class Announcement:
    """What is announced: *name*, *type* (``_ipp._tcp``), *port*, and the TXT record *texts*."""

    __slots__ = ("name", "port", "texts", "type")

    def __init__(self, name: str, type: str, port: int, texts: Mapping[str, str]) -> None:
        self.name = name
        self.type = type
        self.port = port
        self.texts = texts

    def records(self) -> list[str]:
        """Return the strings of the TXT record."""
        return [f"{key}={value}" for key, value in self.texts.items()]


def announce(service: Announcement, held: int, say: Callable[[str], None]) -> None:
    """Announce *service* until the pipe *held* hangs up; a daemon that went away is tried again.

    say: is told how. Raises NoPublisher if there is none to begin with.
    """
    program = find_program(PROGRAM)
    if program and _publish(program, service, held, say):
        return
    try:
        _zeroconf(service, held, say)
    except ImportError:
        raise NoPublisher("neither a running Avahi daemon nor python-zeroconf") from None


def find_program(name: str) -> str:
    """Return the path of a program, "" if there is none."""
    for directory in os.get_exec_path():
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK):
            return path
    return ""


def _publish(program: str, service: Announcement, held: int, say: Callable[[str], None]) -> bool:
    """Keep avahi-publish running; return False if it finds no daemon at the first attempt."""
    import time

    command = [program, "-s", service.name, service.type, str(service.port), *service.records()]
    first = True
    while True:
        began = time.monotonic()
        say(f"announcing port {service.port} with {program}")
        publisher = _spawn(program, command)
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


def _spawn(program: str, command: list[str]) -> int:
    """Start a program that hears and says nothing; return its process."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        silent = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
        return os.posix_spawn(program, command, os.environ, file_actions=silent)
    finally:
        os.close(null)


def _is_released(held: int, publisher: int) -> bool:
    """Wait until *held* hangs up (True) or the publisher ends (False)."""
    watched = os.pidfd_open(publisher)
    try:
        poll = select.poll()
        poll.register(held, select.POLLIN)
        poll.register(watched, select.POLLIN)
        return any(fd == held for fd, _ in poll.poll())
    finally:
        os.close(watched)


def _wait(held: int, seconds: float | None) -> bool:
    """Wait until *held* hangs up; return False after *seconds*."""
    poll = select.poll()
    poll.register(held, select.POLLIN)
    return bool(poll.poll(None if seconds is None else int(seconds * 1000)))


def _zeroconf(service: Announcement, held: int, say: Callable[[str], None]) -> None:
    """Announce with python-zeroconf; raises ImportError without it."""
    import _socket

    import ifaddr  # type: ignore[import-not-found]
    import zeroconf

    addresses = [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    info = zeroconf.ServiceInfo(
        f"{service.type}.local.",
        f"{service.name}.{service.type}.local.",
        port=service.port,
        properties=dict(service.texts),
        server=f"{_socket.gethostname().partition('.')[0]}.local.",
        parsed_addresses=[a for a in addresses if not a.startswith(("127.", "::1"))],
    )
    say(f"announcing port {service.port} with python-zeroconf")
    responder = zeroconf.Zeroconf()
    try:
        responder.register_service(info, allow_name_change=True)
        _wait(held, None)
        responder.unregister_service(info)
    finally:
        responder.close()
