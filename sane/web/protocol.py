"""HTTP/1.1 on uvicorn's h11 protocol, with what it lacks: limits of time and size.

A connection that is silent, slow or malformed ends here, with a status where one can still be sent.
It knows connections and heads of requests; what a request may ask is the guard's business.
Source: specification escl 6.4; RFC 9112 2.2, 5, 6.3 and 11.2; struct tcp_info
of linux/tcp.h.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LINE_BYTES = 8 << 10
HEAD_BYTES = 32 << 10
HEAD_LINES = 100
BODY_BYTES_PER_SECOND = 50_000  # a large upload gets as much time as a slow wireless link needs
TAKEN_BYTES_PER_SECOND = 100  # by a client, on average: any wireless link that works carries more
TCP_INFO_BYTES = 192
ACKNOWLEDGED = struct.Struct("=120xQ")  # tcpi_bytes_acked, since Linux 4.2
WITH_BODY = (b"POST", b"PUT", b"PATCH")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
HEAD, NEXT = "a head", "the next request"  # what is awaited, if it is no body
PHRASES = {400: b"Bad Request", 408: b"Request Timeout", 414: b"URI Too Long"}
PHRASES[431] = b"Request Header Fields Too Large"


@dataclass(frozen=True)
class Times:
    """Limits in seconds: for a head, a body, between requests, and while nothing can be sent.

    rate: bytes per second that a client has to take, on average of each *stall*.
    """

    head: float = 10.0
    body: float = 10.0
    idle: float = 30.0
    stall: float = 60.0
    rate: float = TAKEN_BYTES_PER_SECOND


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


class Outgoing:
    """asyncio's *transport* of a connection; it ends when the client does not take what is sent.

    asyncio's close() waits for what is not sent yet, without end. What the client's kernel has
    acknowledged is looked at: asyncio's buffer empties in steps of up to a megabyte, as the kernel
    has room, and behind TLS it does not tell all.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop, times: Times) -> None:
        self._transport = transport
        self._sock = transport.get_extra_info("socket")
        self._loop = loop
        self._times = times
        self._timer: asyncio.TimerHandle | None = None
        self._taken = 0
        self._is_ending = self._is_lost = False

    def __getattr__(self, name: str) -> Any:
        """Do everything else as asyncio does."""
        return getattr(self._transport, name)

    def close(self) -> None:
        """Take no more; close when all is sent, or the client does not take it."""
        if not self._transport.is_closing():  # behind TLS, nothing works after a second time
            self._transport.close()
        self.end()

    def end(self) -> None:
        """Look at what the client takes until the connection is lost, which is about to close."""
        self._is_ending = True
        self.watch()

    def watch(self) -> None:
        """Begin to look at what the client takes."""
        if self._timer is None and not self._is_lost:
            self._taken = self._acknowledged()
            self._timer = self._loop.call_later(self._times.stall, self._look)

    def rest(self) -> None:
        """Look no more, unless the connection is about to close."""
        if not self._is_ending:
            self._stop()

    def lost(self) -> None:
        """Note that the connection has ended."""
        self._is_lost = True
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._acknowledged() - self._taken < self._times.rate * self._times.stall:
            self._transport.abort()
        else:
            self.watch()

    def _acknowledged(self) -> int:
        """Return how many bytes the client's kernel has taken since the beginning."""
        if self._sock.fileno() < 0:
            return 0  # it has ended, and the protocol is told next
        info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        return int(ACKNOWLEDGED.unpack_from(info)[0])


class ShareProtocol(H11Protocol):
    """One connection. times: its limits. ended: called when it is closed."""

    def __init__(self, *, times: Times, ended: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.conn = self._http = Connection()
        self._times = times
        self._ended = ended
        self._timer: asyncio.TimerHandle | None = None  # for what is awaited
        self._awaited: Any = None  # HEAD, NEXT, or the cycle whose body comes

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        self._outgoing = Outgoing(transport, self.loop, self._times)
        super().connection_made(self._outgoing)  # type: ignore[arg-type] # all that is used of one
        self._await(HEAD, self._times.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._await(None)
        self._outgoing.lost()
        super().connection_lost(exc)
        self._stop_idling()
        self._ended()

    def data_received(self, data: bytes) -> None:
        """Hand on what came, and see what is to come next."""
        super().data_received(data)
        self._look_ahead()

    def eof_received(self) -> None:
        """See to the end: asyncio closes the connection of a client that sends no more."""
        super().eof_received()
        self._outgoing.end()

    def on_response_complete(self) -> None:
        """Look at the next request, which may have come already."""
        super().on_response_complete()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Limit the time of what is to come: a body, a head, or the next request."""
        self._stop_idling()
        state = self.conn.their_state
        if self.transport.is_closing():
            self._await(None)
        elif state is h11.SEND_BODY:
            self._await(self.cycle, self._body_seconds())
        elif state is not h11.IDLE:
            self._await(None)  # all of the request is there: it is the application's turn
        elif self.conn.trailing_data[0]:
            self._await(HEAD, self._times.head)
        elif self._awaited is not HEAD:
            self._await(NEXT, self._times.idle)

    def _body_seconds(self) -> float:
        for name, value in self.headers or ():
            if name == b"content-length":
                return self._times.body + float(int(value) / BODY_BYTES_PER_SECOND)
        return self._times.body

    # Time

    def _stop_idling(self) -> None:
        """Stop uvicorn's timer between requests, which knows neither bodies nor heads."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _await(self, what: Any, seconds: float = 0.0) -> None:
        """Wait *seconds* for something, once for the same; None: for nothing."""
        if what is self._awaited:
            return
        self._awaited = what
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if what is None else self.loop.call_later(seconds, self._on_silence)

    def _on_silence(self) -> None:
        """End a connection whose head or body does not come."""
        self._await(None)
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.transport.close()  # nothing was asked
            return
        self._http.refusal = 408
        self.send_400_response("the request did not come in time")

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be understood, if nothing was answered yet, and close."""
        self._await(None)
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
        """Begin to look whether the client reads."""
        super().pause_writing()
        self._outgoing.watch()

    def resume_writing(self) -> None:
        """Look no more."""
        super().resume_writing()
        self._outgoing.rest()
