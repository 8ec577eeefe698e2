"""Announces saned by DNS-SD, in a process of its own: a child that talks to the Avahi daemon.

Source: net-protocol 8.9.
"""

from __future__ import annotations

import os

from ..discovery.announce import Announcement, NoPublisher, announce
from ..sessions import CLIENT, INFO, MESSAGE
from ..wire import DNSSD_TYPE
from ..wire.protocol import ADVERTISED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .log import Log

NAME = "saned"


class Announcer:
    """The child process; it ends when the parent does, however that happens."""

    def __init__(self, pid: int, leash: int) -> None:
        self.pid = pid
        self._leash = leash

    @property
    def is_disowned(self) -> bool:
        """Whether this process has told it to end."""
        return self._leash < 0

    def disown(self) -> None:
        """Close this process's end of the pipe that keeps it alive: it withdraws and ends."""
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
        announce(service(port), held, lambda text: log(INFO, text))
    except NoPublisher as exc:
        log(CLIENT, f"not announced by DNS-SD: {exc}")
    except BaseException as exc:
        log(MESSAGE, f"announcement: {exc.__class__.__name__}: {exc}")
    finally:
        os._exit(0)


def service(port: int) -> Announcement:
    """Return what is announced; its TXT record holds the version code of INIT."""
    return Announcement(NAME, DNSSD_TYPE, port, {"protovers": f"{ADVERTISED:x}"})
