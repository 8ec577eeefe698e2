"""A cancel request that a blocked call can wait for: a flag and an eventfd.

It knows nothing of devices or scans. The C side has its own form, which sane_cancel may set in
a signal handler; both have the same methods.
"""

from __future__ import annotations

import os

from .errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Cancels: TypeAlias = "Cancel | CancelOf | NeverCancelled"  # what a wait may be given

LOWEST_FD = 3  # a frontend may run with 0 to 2 closed: they must never become ours


def event_fd() -> int:
    """Return a new eventfd: non-blocking, close-on-exec and not one of the standard streams."""
    return above_stdio(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))


def above_stdio(fd: int) -> int:
    """Return *fd*, moved if it is one of the standard streams."""
    if fd >= LOWEST_FD:
        return fd
    import fcntl

    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD)
    finally:
        os.close(fd)


def wait_readable(fds: tuple[int, ...], seconds: float | None) -> list[int]:
    """Return those of *fds* that are readable or hung up, [] after *seconds* (None: no limit)."""
    import select

    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    timeout_ms = None if seconds is None else max(0, int(seconds * 1000 + 0.999))
    return [fd for fd, _ in poll.poll(timeout_ms)]


class Cancel:
    """Whether the frontend wants the scan to end; ``fd`` is readable as soon as it does."""

    __slots__ = ("_requested", "fd")

    def __init__(self) -> None:
        self.fd = event_fd()
        self._requested = False

    def is_set(self) -> bool:
        """Tell whether cancel was requested since the last clear()."""
        return self._requested

    def set(self) -> None:
        """Request cancel."""
        self._requested = True
        os.eventfd_write(self.fd, 1)

    def clear(self) -> None:
        """Forget the request."""
        self._requested = False
        if wait_readable((self.fd,), 0):
            os.eventfd_read(self.fd)

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self.fd)

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        """Wait until *fd* is readable (True) or *seconds* passed (False).

        Raises Cancelled as soon as cancel is requested.
        """
        ready = wait_readable((self.fd,) if fd is None else (self.fd, fd), seconds)
        if self.is_set():
            raise Cancelled
        return fd is not None and fd in ready


class NeverCancelled:
    """What a driver waits on while it finishes: a second cancel must not disturb that."""

    fd = -1

    def is_set(self) -> bool:
        """Return False."""
        return False

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        """Wait until *fd* is readable (True) or *seconds* passed (False)."""
        return bool(wait_readable(() if fd is None else (fd,), seconds))


class CancelOf:
    """The cancel request of *owner*, a Device, at each moment; *otherwise* where it has none.

    A connection may be older than the Device that it belongs to, which gets another request for
    each job. A Device that is gone is not kept by this.
    """

    __slots__ = ("_otherwise", "_owner")

    def __init__(self, owner: object, otherwise: Cancels | None = None) -> None:
        from _weakref import ref

        self._owner = ref(owner)
        self._otherwise = otherwise or NeverCancelled()

    def _now(self) -> Cancels:
        found: Cancels = getattr(self._owner(), "cancel_request", self._otherwise)
        return self._otherwise if isinstance(found, NeverCancelled) else found

    @property
    def fd(self) -> int:
        """The descriptor that is readable as soon as cancel is requested."""
        return self._now().fd

    def is_set(self) -> bool:
        """Tell whether cancel was requested."""
        return self._now().is_set()

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        """Wait until *fd* is readable (True) or *seconds* passed (False); raises Cancelled."""
        return self._now().wait(seconds, fd)
