"""Recording: streams, datagrams and searches that note in a file what goes over others.

What is written is complete up to the last record, also when the program crashes. The file is
docs/net-sessions.md's. Passwords (Authorization of HTTP) are not in it.
"""

from __future__ import annotations

from ..errors import DeviceIOError
from ..record import SessionFile
from . import session
from .broadcast import Search
from .datagrams import Datagrams
from .failures import Untrusted
from .session import Record
from .streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .broadcast import Answer, Wait
    from .names import Address
    from .sockets import Deadline

FAILED = (DeviceIOError, Untrusted)


class Recorder(SessionFile):
    """Writes what *backend* does on the network to *path*; several threads may use it."""

    def __init__(self, path: str, backend: str) -> None:
        import _thread

        super().__init__(path, "PYSANE_NET_RECORD", session.MAGIC)
        self._backend = backend
        self._channels = 0
        self._lock = _thread.allocate_lock()
        self._is_closed = False
        self.begin(backend)

    def channel(self) -> Note:
        """Return what writes the records of one more channel."""
        with self._lock:
            self._channels += 1
            return Note(self, f"{self._backend}:{self._channels}")

    def add(self, channel: str, record: Record) -> None:
        """Write *record*; what comes after close, of a thread that was given up, is left out."""
        with self._lock:
            if not self._is_closed:
                self.write(session.lines(self.seconds(), channel, record))

    def close(self) -> None:
        """Release the descriptor; may be called again."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                super().close()


class Note:
    """Writes the records of one channel."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self._name = name

    def __call__(
        self, what: str, words: tuple[str, ...] = (), data: bytes = b"", outcome: str = session.OK
    ) -> None:
        self._recorder.add(self._name, Record(what, words, data, outcome))

    def failed(self, what: str, words: tuple[str, ...], exc: Exception) -> None:
        """Write that it failed with *exc*."""
        self(what, words, b"", session.outcome_of(exc))


class RecordingStream(ByteStream):
    """Does what *inner* does, and notes it; never without Python."""

    is_plain = False

    def __init__(self, inner: ByteStream, note: Note) -> None:
        self._inner = inner
        self._note = note
        self.peer = inner.peer
        self.cancel = inner.cancel
        self.key = inner.key
        if self.key:
            note(session.KEY, (self.key,))

    def fileno(self) -> int:
        return self._inner.fileno()

    def peer_address(self) -> Address:
        return self._inner.peer_address()

    def wait(self, events: int, deadline: Deadline, call: str) -> None:
        self._inner.cancel = self.cancel
        try:
            self._inner.wait(events, deadline, call)
        except FAILED as exc:
            self._note.failed(session.IN, (), exc)
            raise

    def send(self, data: bytes | bytearray | memoryview, seconds: float | None = None) -> None:
        self._inner.cancel = self.cancel
        try:
            self._inner.send(data, seconds)
        except FAILED as exc:
            self._note(session.OUT, (), masked(data), session.outcome_of(exc))
            raise
        self._note(session.OUT, (), masked(data))

    def receive_now(self, view: memoryview) -> int:
        self._inner.cancel = self.cancel
        try:
            n = self._inner.receive_now(view)
        except FAILED as exc:
            self._note.failed(session.IN, (), exc)
            raise
        if n >= 0 and len(view):
            self._note(session.IN, (), bytes(view[:n]), session.OK if n else session.END)
        return n

    def acknowledge(self) -> None:
        self._inner.acknowledge()

    def end_sending(self) -> None:
        self._inner.end_sending()
        self._note(session.SHUT)

    def detach(self) -> Any:
        raise TypeError("a recorded stream cannot give its socket away")

    def close(self) -> None:
        if self.fileno() >= 0:
            self._inner.close()
            self._note(session.CLOSE)


class RecordingDatagrams(Datagrams):
    """Does what *inner* does, and notes it."""

    def __init__(self, inner: Datagrams, note: Note) -> None:
        self._inner = inner
        self._note = note
        self.peer = inner.peer
        self.cancel = inner.cancel

    def fileno(self) -> int:
        return self._inner.fileno()

    def local_address(self) -> str:
        return self._inner.local_address()

    def send(self, data: bytes) -> None:
        try:
            self._inner.send(data)
        except FAILED as exc:
            self._note(session.OUT, (), data, session.outcome_of(exc))
            raise
        self._note(session.OUT, (), data)

    def receive(self, seconds: float | None = None) -> bytes:
        self._inner.cancel = self.cancel
        try:
            data = self._inner.receive(seconds)
        except FAILED as exc:
            self._note.failed(session.IN, (), exc)
            raise
        self._note(session.IN, (), data)
        return data

    def close(self) -> None:
        if self.fileno() >= 0:
            self._inner.close()
            self._note(session.CLOSE)


class RecordingSearch(Search):
    """Does what *inner* does, and notes it."""

    def __init__(self, inner: Search, note: Note) -> None:
        self._inner = inner
        self._note = note
        self.debug = inner.debug

    def send(self, data: bytes, port: int) -> None:
        self._inner.send(data, port)
        self._note(session.ASK, (str(port),), data)

    def receive(self, wait: Wait, seconds: float) -> Answer | None:
        answer = self._inner.receive(wait, seconds)
        if answer is not None:
            words = answer.host, str(answer.port), answer.interface
            self._note(session.ANSWER, words, answer.data)
        return answer

    def close(self) -> None:
        self._inner.close()
        self._note(session.CLOSE)


AUTHORIZATION = b"\nauthorization:"


def masked(data: bytes | bytearray | memoryview) -> bytes:
    """Return *data* without the value of an Authorization header, for the file and its replay."""
    found = bytes(data)
    start = found.lower().find(AUTHORIZATION)
    if start < 0:
        return found
    start += len(AUTHORIZATION)
    end = found.find(b"\r", start)
    return found[:start] + b" -" + (found[end:] if end >= 0 else b"")
