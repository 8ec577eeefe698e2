"""HTTP/1.1 on uvicorn's h11 protocol, with what it lacks: limits of time and size.

A connection that is silent, slow or malformed ends here, with a status where one can still be sent.
It knows connections and heads of requests; what a request may ask is the guard's business.
Source: specification escl 6.4; RFC 9112 2.2, 5, 6.3 and 11.2.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LINE_BYTES = 8 << 10
HEAD_BYTES = 32 << 10
HEAD_LINES = 100
BODY_BYTES_PER_SECOND = 50_000  # a large upload gets as much time as a slow wireless link needs
WITH_BODY = (b"POST", b"PUT", b"PATCH")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
PHRASES = {400: b"Bad Request", 408: b"Request Timeout", 414: b"URI Too Long"}
PHRASES[431] = b"Request Header Fields Too Large"


@dataclass(frozen=True)
class Times:
    """Limits in seconds: for a head, a body, between requests, and while nothing can be sent."""

    head: float = 10.0
    body: float = 10.0
    idle: float = 30.0
    stall: float = 60.0


class Connection(h11.Connection):
    """h11's connection of a server, which looks at each head before it parses it.

    refusal: the status for the error that next_event raised.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=LINE_BYTES + HEAD_BYTES)
        self.refusal = 400

    def next_event(self) -> Any:
        """Return h11's next event; raises RemoteProtocolError."""
        self.refusal = 400
        if self.their_state is h11.IDLE:
            self._look(self.trailing_data[0])
        try:
            return super().next_event()
        except h11.RemoteProtocolError as exc:
            if exc.error_status_hint in PHRASES:
                self.refusal = exc.error_status_hint
            raise

    def _look(self, data: bytes) -> None:
        """Refuse a head that is too long, or that two programs may read in two ways."""
        end = END_OF_HEAD.search(data)
        head = data[: end.start()] if end else data
        lines = head.split(b"\n")
        if len(lines[0]) > LINE_BYTES:
            self._refuse(414, f"a request line of more than {LINE_BYTES} bytes")
        if len(head) - len(lines[0]) > HEAD_BYTES or len(lines) - 1 > HEAD_LINES:
            self._refuse(431, f"headers of more than {HEAD_BYTES} bytes or {HEAD_LINES} lines")
        if not end:
            return
        names = [line.partition(b":")[0].lower() for line in lines[1:]]
        lengths, codings = names.count(b"content-length"), names.count(b"transfer-encoding")
        if lengths > 1 or codings > 1 or (lengths and codings):
            self._refuse(400, "the length of the body is told twice")
        method, _, rest = lines[0].partition(b" ")
        is_old = rest.rstrip().endswith(b"HTTP/1.0")
        if codings and (method not in WITH_BODY or is_old):
            self._refuse(400, "a chunked body has no place here")

    def _refuse(self, status: int, text: str) -> None:
        self.refusal = status
        raise h11.RemoteProtocolError(text, error_status_hint=status)


class ShareProtocol(H11Protocol):
    """One connection. times: its limits. ended: called when it is closed."""

    def __init__(self, *, times: Times, ended: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.conn = self._http = Connection()
        self._times = times
        self._ended = ended
        self._timer: asyncio.TimerHandle | None = None  # for what is to come
        self._stall: asyncio.TimerHandle | None = None  # for what cannot be sent
        self._unsent = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._arm(self._times.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._disarm()
        self._stop_stall()
        super().connection_lost(exc)
        self._stop_idling()
        self._ended()

    def data_received(self, data: bytes) -> None:
        """Hand on what came, and see what is to come next."""
        was_idle = self.conn.their_state is h11.IDLE
        super().data_received(data)
        if self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if was_idle:
                self._arm(self._body_seconds())
        elif state is h11.IDLE and (self.conn.trailing_data[0] or self._timer):
            if self._timer is None:
                self._arm(self._times.head)
        else:
            self._disarm()

    def on_response_complete(self) -> None:
        """Look at the next request, which may have come already."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._disarm()
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._stop_idling()
            self._arm(self._times.head)

    def _body_seconds(self) -> float:
        for name, value in self.headers or ():
            if name == b"content-length":
                return self._times.body + float(int(value) / BODY_BYTES_PER_SECOND)
        return self._times.body

    # Time

    def _stop_idling(self) -> None:
        """Stop uvicorn's timer between requests."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._on_silence)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_silence(self) -> None:
        """End a connection whose head or body does not come."""
        self._timer = None
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.transport.close()  # nothing was asked
            return
        self._http.refusal = 408
        self.send_400_response("the request did not come in time")

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be understood, if nothing was answered yet, and close."""
        self._disarm()
        status = self._http.refusal
        has_begun = self.cycle is not None and not self.cycle.response_complete
        if has_begun:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        body = f"{msg}\n".encode()
        head = b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\n" % (
            status,
            PHRASES[status],
        )
        self.transport.write(head + b"content-length: %d\r\n" % len(body))
        self.transport.write(b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """Begin to count while the client does not read."""
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._stop_stall()
        self._stall = self.loop.call_later(self._times.stall, self._on_stall)

    def resume_writing(self) -> None:
        """Stop counting."""
        super().resume_writing()
        self._stop_stall()

    def _stop_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _on_stall(self) -> None:
        """End a connection whose client has read nothing for too long."""
        self._stall = None
        unsent = self.transport.get_write_buffer_size()
        if unsent < self._unsent:  # slowly, but it does
            self._unsent = unsent
            self._stall = self.loop.call_later(self._times.stall, self._on_stall)
        else:
            self.transport.abort()
