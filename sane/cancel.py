"""A cancel request that a blocked call can wait for: a flag and a pipe.

It knows nothing of devices or scans. The C side has its own form, which sane_cancel may set in
a signal handler; both have the same methods.
"""

from __future__ import annotations

import os

from .config import identity_of
from .errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Cancels: TypeAlias = "Cancel | CancelOf | NeverCancelled"  # what a wait may be given

LOWEST_FD = 3  # a frontend may run with 0 to 2 closed: they must never become ours


def above_stdio(fd: int) -> int:
    """Return *fd*, or in its place one that is none of the standard streams."""
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


def wait_cancelled(request: Cancel, seconds: float | None, fd: int | None) -> bool:
    """Wait until *fd* is readable (True) or *seconds* passed (False); Cancelled when it is set."""
    if not request.is_set():
        own = request.fd
        ready = wait_readable((own,) if fd is None else (own, fd), seconds)
        if not request.is_set():
            return fd is not None and fd in ready
    raise Cancelled


class Wake:
    """A pipe that one thread makes readable for another.

    A program may close all descriptors, ours with them, and open its own; a forked child shares
    its parent's. So each use looks whether the pipe is still this one, in the process that made
    it. Only ``fd`` makes it anew.
    """

    __slots__ = ("_closed", "_held", "_identity", "_process", "_reader", "_writer")

    def __init__(self) -> None:
        self._closed = False
        self._held: list[int] = []  # what close() takes, one by one: two threads may call it
        self._reader = self._writer = -1
        self._identity: tuple[int, int] | None = None
        self._process = 0
        self._make()

    def _make(self) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        reader, writer = above_stdio(reader), above_stdio(writer)
        if self._is_same(self._reader):  # the parent's: a driver may have noted the number
            os.dup2(reader, self._reader, inheritable=False)
            os.close(reader)
            reader = self._reader
        if self._is_same(self._writer):
            os.close(self._writer)
        self._reader, self._writer = reader, writer
        self._identity, self._process = identity_of(reader), os.getpid()
        self._held[:] = reader, writer
        if self._closed:  # by another thread, which has not seen these
            self.close()

    def _is_same(self, fd: int) -> bool:
        return self._identity is not None and identity_of(fd) == self._identity

    def _is_ours(self, fd: int) -> bool:
        return self._process == os.getpid() and self._is_same(fd)

    @property
    def fd(self) -> int:
        """The descriptor to wait for; -1 after close()."""
        if not self._closed and not self._is_ours(self._reader):
            self._make()
        return self._reader

    def tell(self) -> None:
        """Make it readable."""
        if self._is_ours(self._writer):
            try:
                os.write(self._writer, b"!")
            except (BlockingIOError, BrokenPipeError):
                return  # full: readable already; or the program has closed the other end

    def untell(self) -> None:
        """Make it unreadable."""
        try:
            while self._is_ours(self._reader) and os.read(self._reader, 64):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Release the descriptors; may be called again, and while another thread uses them."""
        self._closed = True
        self._reader = self._writer = -1
        while self._held:
            try:
                fd = self._held.pop()
            except IndexError:  # another thread took it
                return
            if self._is_same(fd):
                os.close(fd)


class Cancel:
    """Whether the frontend wants the scan to end; ``fd`` is readable as soon as it does."""

    __slots__ = ("_interrupted", "_requested", "_wake", "is_undisturbed")

    def __init__(self) -> None:
        self._wake = Wake()
        self._requested = self._interrupted = False
        self.is_undisturbed = False  # the driver puts its device to rest

    @property
    def fd(self) -> int:
        """Readable while is_set() is true; -1 after close()."""
        fd = self._wake.fd
        if self.is_set():
            self._tell()
        return fd

    def is_set(self) -> bool:
        """Tell whether cancel was requested since the last clear(), or waits are interrupted."""
        return self._requested or self._interrupted

    def set(self) -> None:
        """Request cancel."""
        self._requested = True
        self._tell()

    def clear(self) -> None:
        """Forget the request: what it was for is over."""
        self._requested = False
        self._settle()

    def interrupt(self) -> None:
        """End the driver's waits for a reason of our own; a request stays what it is."""
        self._interrupted = True
        self._tell()

    def resume(self) -> None:
        """Let the driver wait again, unless cancel was requested."""
        self._interrupted = False
        self._settle()

    def undisturbed(self, begins: bool) -> bool:
        """Begin or end what must not be interrupted; return whether it was going on before.

        Only a C handle's driver is ever interrupted: a Python program's is waited for.
        """
        before, self.is_undisturbed = self.is_undisturbed, begins
        return before

    def _tell(self) -> None:
        self._wake.tell()
        self._settle()  # another thread may have cleared it before we told

    def _settle(self) -> None:
        if not self.is_set():
            self._wake.untell()
            if self.is_set():  # requested in another thread meanwhile
                self._wake.tell()

    def close(self) -> None:
        """Release the descriptors."""
        self._wake.close()

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        """Wait until *fd* is readable (True) or *seconds* passed (False).

        Raises Cancelled as soon as cancel is requested.
        """
        return wait_cancelled(self, seconds, fd)


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
