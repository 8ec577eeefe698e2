"""Documents on their way from a job, which runs in a thread, to the device that reads them.

The job puts in what comes, the device takes it out; neither knows the other. There is a bound: a
job that is too far ahead waits, and the scanner with it. Source: specification escl 2.4 and 6.3.
"""

from __future__ import annotations

from ...cancel import Wake
from ...errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...cancel import Cancel
    from ...errors import SaneError

    Wait = Callable[[float | None, int], object]

MOST_DOCUMENTS = 4  # complete ones that nobody has asked for
MOST_BYTES = 256 << 20  # of all that wait together
MOST_BEHIND_BYTES = 16 << 20  # of a document that is read already, and more slowly than it comes


def anew(failure: SaneError) -> SaneError:
    """Return *failure* as an exception of its own, to be raised.

    A kept one would keep what it passed on its way up, and so the buffer that a frontend has lent.
    """
    from copy import copy

    return copy(failure)


class Delivery:
    """One document: the pieces that have come and were not taken, and how it ended."""

    __slots__ = ("failure", "has_ended", "is_wanted", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0  # bytes of pieces
        self.has_ended = False
        self.failure: SaneError | None = None
        self.is_wanted = True


class Deliveries:
    """All documents of a job, in their order.

    cancel: ends the job's waits for room. The job calls begin, put, end and at last close; the
    device calls next and take. wait(seconds, fd) of the device waits for a descriptor, and ends
    with Cancelled.
    """

    def __init__(self, cancel: Cancel) -> None:
        import _thread

        self._cancel = cancel
        self._lock = _thread.allocate_lock()
        self._news = Wake()
        try:
            self._room = Wake()
        except BaseException:
            self._news.close()
            raise
        self._waiting: list[Delivery] = []  # begun and not taken up by next
        self._current: Delivery | None = None  # that the job fills
        self._size = 0
        self._failure: SaneError | None = None
        self._is_closed = False
        self._awaited: set[Wake] = set()  # that somebody waits for: the others need no telling

    def _tell(self, wake: Wake) -> None:
        """Wake who waits, if somebody does; holding the lock."""
        if wake in self._awaited:
            self._awaited.discard(wake)
            wake.tell()

    def _await(self, wake: Wake) -> None:
        """Note that somebody will wait; holding the lock."""
        wake.untell()
        self._awaited.add(wake)

    # The job

    def begin(self) -> None:
        """Begin a document; waits while too many are complete and were not asked for."""
        self._await_room(lambda: len(self._waiting) < MOST_DOCUMENTS)
        delivery = Delivery()
        with self._lock:
            self._current = delivery
            self._waiting.append(delivery)
            self._tell(self._news)

    def put(self, data: bytes) -> None:
        """Add to the document that has begun; waits while too much waits already."""
        delivery = self._current
        assert delivery is not None
        self._await_room(lambda: self._has_room(delivery))
        with self._lock:
            if delivery.is_wanted:
                delivery.pieces.append(data)
                delivery.size += len(data)
                self._size += len(data)
                self._tell(self._news)

    def _has_room(self, delivery: Delivery) -> bool:
        if not delivery.is_wanted:
            return True
        is_read = delivery not in self._waiting
        return self._size < MOST_BYTES and not (is_read and delivery.size >= MOST_BEHIND_BYTES)

    def end(self, failure: SaneError | None = None) -> None:
        """End the document: whole, or cut off by *failure*."""
        delivery, self._current = self._current, None
        assert delivery is not None
        with self._lock:
            delivery.failure = failure
            delivery.has_ended = True
            self._tell(self._news)

    def close(self, failure: SaneError | None) -> None:
        """Tell that no further document comes, and why."""
        if self._current is not None:
            self.end(failure)
        with self._lock:
            self._failure = failure
            self._is_closed = True
            self._tell(self._news)

    def _await_room(self, has_room: Callable[[], bool]) -> None:
        while True:
            with self._lock:
                if has_room():
                    return
                self._await(self._room)
            if self._cancel.is_set():
                raise Cancelled
            self._cancel.wait(None, self._room.fd)

    # The device

    @property
    def has_more(self) -> bool:
        """A document waits, or may still come."""
        with self._lock:
            return bool(self._waiting) or not self._is_closed

    def next(self, wait: Wait) -> Delivery | None:
        """Return the next document as soon as it has begun; None after the last one.

        Raises what the job ended with.
        """
        while True:
            with self._lock:
                if self._waiting:
                    self._tell(self._room)
                    return self._waiting.pop(0)
                if self._is_closed:
                    if self._failure is not None:
                        raise anew(self._failure)
                    return None
                self._await(self._news)
            wait(None, self._news.fd)

    def take(self, delivery: Delivery, wait: Wait) -> bytes:
        """Return what has come of *delivery*, waiting for it; nothing at its end."""
        while True:
            with self._lock:
                if delivery.pieces:
                    data = delivery.pieces.pop(0)
                    delivery.size -= len(data)
                    self._size -= len(data)
                    self._tell(self._room)
                    return data
                if delivery.has_ended:
                    return b""
                self._await(self._news)
            wait(None, self._news.fd)

    def drop(self, delivery: Delivery) -> None:
        """Give up what is left of *delivery*, also what still comes."""
        with self._lock:
            delivery.is_wanted = False
            self._forget(delivery)

    def _forget(self, delivery: Delivery) -> None:
        self._size -= delivery.size
        delivery.pieces.clear()
        delivery.size = 0
        self._tell(self._room)

    def release(self) -> None:
        """Release the descriptors; only after the job has ended."""
        self._news.close()
        self._room.close()
