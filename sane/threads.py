"""Threads of ours, turns between them, and one that reads ahead into a ring buffer.

The ring is for non-blocking reads, select and drivers that block; it exists only while a frame is
read in one of these ways. What is here knows sources that fill buffers, and nothing of options or
the C ABI.
"""

from __future__ import annotations

import os

from .cancel import Wake, wait_readable
from .errors import Cancelled, DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cancel import Cancel, Cancels

RING_BYTES = 256 * 1024
LOOK_SECONDS = 0.05  # how often whoever waits for a turn looks whether it is cancelled
STOP_SECONDS = 5.0  # a driver that ignores cancel for so long is given up


def start_thread(run: Callable[[], None]) -> None:
    """Start *run* in a thread with all signals blocked: the frontend's handlers stay its own."""
    import _signal  # type: ignore[import-not-found]  # signal itself imports enum
    import _thread

    old = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        _thread.start_new_thread(run, ())
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, old)


class Turns:
    """One caller at a time: a lock in whose queue nobody is overtaken by who has just released it.

    A frame is read in a loop: with a plain lock, a request beside it might wait until its end. Who
    has the turn may take it again, as a frontend that is asked for a password in the middle of a
    call and calls again.
    """

    def __init__(self) -> None:
        import _thread

        self._ident = _thread.get_ident
        self._next = _thread.allocate_lock()
        self._lock = _thread.allocate_lock()
        self._owner = 0  # the thread whose turn it is
        self._depth = 0

    def take(self, cancel: Cancels | None = None) -> None:
        """Wait for the turn; raises Cancelled, soon after *cancel* is set."""
        thread = self._ident()
        if self._owner != thread:
            with self._next:
                while not self._lock.acquire(True, -1 if cancel is None else LOOK_SECONDS):
                    if cancel is not None and cancel.is_set():
                        raise Cancelled
            self._owner = thread
        self._depth += 1

    def give(self) -> None:
        """Let the next one go on; called by the thread that took the turn."""
        self._depth -= 1
        if not self._depth:
            self._owner = 0
            self._lock.release()

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *exc: object) -> None:
        self.give()


class Ring:
    """Reads ahead from *source* until it returns 0, raises, or *limit* bytes came (-1: none).

    source(view) fills a writable memoryview and returns the number of bytes. It is called in turns
    with whoever else takes one.
    """

    def __init__(self, source: Callable[[memoryview], int], cancel: Cancel, limit: int) -> None:
        import _thread

        self.turns = Turns()
        self._source = source
        self._cancel = cancel
        self._limit = limit
        self._buffer = memoryview(bytearray(RING_BYTES))
        self._written = 0  # both only grow: each has one writer
        self._read = 0
        self._failure: BaseException | None = None
        self._ended = False
        self._stop = False
        self._lock = _thread.allocate_lock()  # guards the two pipes against lost wake-ups
        self._done = _thread.allocate_lock()
        self._process = os.getpid()
        self._data = Wake()
        try:
            self._space = Wake()
            try:
                self._done.acquire()
                start_thread(self._run)
            except BaseException:
                self._space.close()
                raise
        except BaseException:
            self._data.close()
            raise

    @property
    def fd(self) -> int:
        """Readable whenever read_into would not have to wait."""
        return self._data.fd

    def is_forked(self) -> bool:
        """Tell whether this is a child of the process that the thread runs in."""
        return self._process != os.getpid()

    def _run(self) -> None:
        try:
            while not self._is_over() and self._fill():
                pass
        except BaseException as exc:
            self._failure = exc.with_traceback(None)
        finally:
            with self._lock:
                self._ended = True
                self._data.tell()
            self._done.release()

    def _is_over(self) -> bool:
        return self._stop or self._written == self._limit or self._cancel.is_set()

    @property
    def has_ended(self) -> bool:
        """The thread calls the driver no more."""
        return self._ended

    def _fill(self) -> bool:
        free = RING_BYTES - (self._written - self._read)
        if not free:
            wait_readable((self._space.fd,), None)
            with self._lock:
                self._space.untell()
            return True
        start = self._written % RING_BYTES
        size = min(free, RING_BYTES - start)
        if self._limit >= 0:
            size = min(size, self._limit - self._written)
        with self.turns:
            n = self._source(self._buffer[start : start + size])
        with self._lock:
            was_empty = self._written == self._read
            self._written += n
            if n and was_empty:
                self._data.tell()
        return n > 0

    def read_into(self, view: memoryview, block: bool) -> int | None:
        """Move what is there into *view*: n bytes, 0 at the end, None for nothing yet.

        Waits for the first byte if *block*. Raises what the source raised, or Cancelled.
        """
        while self._written == self._read:
            if self.is_forked():
                raise DeviceIOError("the thread that reads is in the process that forked this one")
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                return 0
            if self._cancel.is_set():
                raise Cancelled
            if not block:
                return None
            self._cancel.wait(None, self.fd)
        start = self._read % RING_BYTES
        n = min(len(view), self._written - self._read, RING_BYTES - start)
        view[:n] = self._buffer[start : start + n]
        with self._lock:
            if self._written - self._read == RING_BYTES:
                self._space.tell()
            self._read += n
            if self._written == self._read and not self._ended:
                self._data.untell()
        return n

    def stop(self) -> bool:
        """End the thread; return False if the driver did not come back in time."""
        if self.is_forked():
            return True
        self._stop = True
        self._space.tell()
        return self._done.acquire(True, STOP_SECONDS)

    def close(self) -> None:
        """Release the descriptors; only after a successful stop()."""
        self._data.close()
        self._space.close()
