"""One connection to an HTTP server: h11's state machine over a byte stream.

It sends requests and gives events; what an answer means is http.py's. h11 is imported when the
first connection is made. Source: RFC 9112.
"""

from __future__ import annotations

from ..errors import Cancelled, DeviceIOError, Invalid, Unsupported
from .failures import Disconnected, NoAnswer
from .sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .streams import ByteStream

    Headers = Sequence[tuple[str, str]]

HEAD_BYTES = 1 << 16
HEAD_LINES = 200
RECEIVE_BYTES = 1 << 16


class HttpConnection:
    """One connection: a stream and what h11 knows of it."""

    def __init__(self, stream: ByteStream, is_tls: bool, port: int) -> None:
        from .. import deps

        try:
            deps.load("h11")
        except ImportError as exc:
            raise Unsupported(f"scanners that speak HTTP need h11: {exc}") from exc
        import h11

        self.stream = stream
        self.place = is_tls, port
        self.is_fresh = True  # no request was answered on it
        self.has_answered = False  # a byte of the answer has come
        self._h11 = h11
        self._state: Any = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))
        self._has_closed = False

    def send(
        self, method: str, target: str, headers: Headers, body: bytes | None, deadline: Deadline
    ) -> None:
        """Send a request in one write."""
        h11 = self._h11
        raw = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers]
        try:
            data = self._state.send(h11.Request(method=method, target=target, headers=raw))
            if body:
                data += self._state.send(h11.Data(body))
            data += self._state.send(h11.EndOfMessage())
        except h11.LocalProtocolError as exc:
            raise Invalid(f"{self.stream.peer}: {method} {target!r}: {exc}") from exc
        self.has_answered = False
        self.stream.send(data, deadline.left())

    def event(self, seconds: float | None) -> Any:
        """Return what comes next: a head, a piece of a body, or its end."""
        deadline = Deadline(seconds)
        peer = self.stream.peer
        while True:
            try:
                event = self._state.next_event()
            except (self._h11.RemoteProtocolError, ValueError) as exc:  # of h11 0.14: digits
                kind = Disconnected if self._has_closed else DeviceIOError
                raise kind(f"{peer}: HTTP: {exc}") from exc
            if event is not self._h11.NEED_DATA:
                return event
            if deadline.left() == 0:
                raise NoAnswer(f"{peer}: HTTP: no end of a line")
            if self.stream.cancel is not None and self.stream.cancel.is_set():
                raise Cancelled(f"{peer}: HTTP: cancelled")
            n = self.stream.receive_into(self._buffer, deadline.left())
            self._has_closed = n == 0
            self.has_answered = self.has_answered or n > 0
            self._state.receive_data(bytes(self._buffer[:n]))

    def head(self, deadline: Deadline) -> Any:
        """Return the head of the answer, past those that only say that one will come."""
        for _ in range(HEAD_LINES):
            event = self.event(deadline.left())
            if isinstance(event, self._h11.Response):
                if len(event.headers) > HEAD_LINES:
                    raise DeviceIOError(f"{self.stream.peer}: HTTP: {len(event.headers)} headers")
                return event
            if not isinstance(event, self._h11.InformationalResponse):
                break
        raise Disconnected(f"{self.stream.peer}: HTTP: no answer")

    def piece(self, seconds: float | None) -> bytes | None:
        """Return the next bytes of the body, None at its end."""
        event = self.event(seconds)
        return bytes(event.data) if isinstance(event, self._h11.Data) else None

    def is_silent(self) -> bool:
        """Tell whether an idle connection is as it should be: open, and nothing unasked came."""
        try:
            return self.stream.receive_now(self._buffer) < 0
        except DeviceIOError:
            return False

    def next_cycle(self) -> bool:
        """Prepare for another request; return False where the connection cannot be used again."""
        if self._state.our_state is not self._h11.DONE:
            return False
        if self._state.their_state is not self._h11.DONE:
            return False
        self._state.start_next_cycle()
        self.is_fresh = False
        return True
