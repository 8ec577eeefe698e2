"""The FIFO of one IN endpoint: transfers cut in packets, and the requests that take them."""

from __future__ import annotations

from collections import deque
from errno import EOVERFLOW, EPIPE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Done = Callable[[int, bytes], None]  # status (0 or a negative errno), data of an IN transfer
    Mark = Callable[["Pipe"], bool]


class Request:
    """An IN transfer that the host waits for; *data* is what has arrived."""

    __slots__ = ("data", "done", "key", "length")

    def __init__(self, key: object, length: int, done: Done) -> None:
        self.key = key
        self.length = length
        self.done = done
        self.data = bytearray()


class Pipe:
    """The FIFO of one IN endpoint with packets of at most *packet* bytes.

    A request is complete when it is full or after a packet shorter than *packet* bytes; a
    transfer of whole packets only does not end one that asks for more. A packet larger than the
    room left is babble: EOVERFLOW, and since the controller does not acknowledge it, it stays.
    Beside data the FIFO holds marks, functions that act when a request reaches them; a mark
    returns whether it is over.
    """

    def __init__(self, packet: int) -> None:
        self.packet = packet
        self.halted = False
        self.waiting: deque[Request] = deque()
        self._entries: deque[memoryview | Mark] = deque()

    def put(self, data: bytes, zlp: bool) -> None:
        """Queue a transfer; with *zlp* an empty packet ends one that consists of whole packets."""
        if data:
            self._entries.append(memoryview(data))
        if not data or (zlp and not len(data) % self.packet):
            self._entries.append(memoryview(b""))

    def mark(self, mark: Mark) -> None:
        """Queue a mark."""
        self._entries.append(mark)

    def ask(self, request: Request) -> None:
        """Queue a request."""
        self.waiting.append(request)
        self.feed()

    def cancel(self, key: object) -> bool:
        """Take back a request; what it had got stays for the next. False: there is none."""
        for request in self.waiting:
            if request.key == key:
                self.waiting.remove(request)
                if request.data:
                    self._entries.appendleft(memoryview(bytes(request.data)))
                return True
        return False

    def forget(self) -> None:
        """Drop the data that are queued; what else is to happen will."""
        marks = [entry for entry in self._entries if not isinstance(entry, memoryview)]
        self._entries = deque(marks)

    def clear(self) -> None:
        """Drop what is queued, and the halt."""
        self._entries.clear()
        self.halted = False

    def finish_all(self, status: int) -> None:
        """End all waiting requests with *status*."""
        while self.waiting:
            self._finish(status)

    def feed(self) -> None:
        """Give the waiting requests what there is."""
        while self.waiting:
            if self.halted:
                self._finish(-EPIPE)
            elif not self._entries:
                return
            else:
                entry = self._entries.popleft()
                if isinstance(entry, memoryview):
                    self._take(self.waiting[0], entry)
                elif not entry(self):
                    self._entries.appendleft(entry)
                    return

    def babble(self) -> bool:
        """End the waiting request as the controller does after too large a packet: a mark."""
        self._finish(-EOVERFLOW)
        return True

    def halt(self) -> bool:
        """Halt: a mark."""
        self.halted = True
        return True

    def _take(self, request: Request, entry: memoryview) -> None:
        """Move packets of *entry* into *request*, whole ones in one piece; the rest goes back."""
        room = request.length - len(request.data)
        size = min(room, len(entry)) // self.packet * self.packet
        babble = not size and min(len(entry), self.packet) > room
        if not size and not babble:
            size = min(len(entry), self.packet)
        request.data += entry[:size]
        if size < len(entry):
            self._entries.appendleft(entry[size:])
        if babble:
            self._finish(-EOVERFLOW)
        elif size % self.packet or not size or len(request.data) == request.length:
            self._finish(0)

    def _finish(self, status: int) -> None:
        request = self.waiting.popleft()
        request.done(status, bytes(request.data))
