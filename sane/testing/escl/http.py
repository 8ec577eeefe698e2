"""HTTP/1.1 as an emulated eSCL scanner speaks it, rightly and wrongly.

Source: RFC 9112; specification escl, sections 2.7 and 8.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from ..net import Connection, HostGone
from .knobs import Delivery

HEAD_END = b"\r\n\r\n"
BODY_BYTES = 1 << 20  # no host sends a longer one
PIECE_SECONDS = 0.02  # how finely time is cut
CHUNK_BYTES = 1 << 16
STALL_SECONDS = 3600.0  # longer than any host waits
BOUNDARY = "emulated"


class BadRequest(Exception):
    """What the host sent is no HTTP."""


@dataclass
class Request:
    """One request; the names of headers in small letters."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first header of that name, "" if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def has(self, name: str) -> bool:
        """Tell whether there is a header of that name."""
        return any(key == name for key, _ in self.headers)

    @property
    def closes(self) -> bool:
        """The host wants the connection to be closed behind the reply."""
        said = self.header("connection").lower()
        return "close" in said or (self.version == "HTTP/1.0" and "keep-alive" not in said)


def no_news(*_words: object) -> None:
    """Take no notice."""


@dataclass
class Reply:
    """One reply.

    make: makes the body, once, when it is sent. headers: besides Content-Type and what frames the
    body. begins, ends: by time.monotonic, when
    the first and the last byte of the body are there; 0: now. is_over(): true when the body is to
    be broken off. ended(is_whole): called at the end.
    """

    status: int
    body: bytes = b""
    type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = field(default_factory=lambda: Delivery(framing="sized"))
    begins: float = 0.0
    ends: float = 0.0
    is_over: Callable[[], bool] = lambda: False
    ended: Callable[[bool], None] = no_news
    make: Callable[[], bytes] | None = None

    def end(self, is_whole: bool) -> None:
        """Call ended, at the first call only."""
        ended, self.ended = self.ended, no_news
        ended(is_whole)


def read(connection: Connection) -> Request:
    """Return the host's next request; raises HostGone when it is gone, BadRequest for garbage."""
    lines = connection.receive_until(HEAD_END)[: -len(HEAD_END)].decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(lines[0])
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequest(line)
        headers.append((name.lower(), value.strip()))
    request = Request(words[0], words[1], words[2], headers)
    if request.header("expect").lower() == "100-continue":
        connection.send_raw(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.body = _body(connection, request)
    return request


def _body(connection: Connection, request: Request) -> bytes:
    if request.header("transfer-encoding").lower() == "chunked":
        return b"".join(_chunks(connection))
    size = request.header("content-length") or "0"
    if not size.isdecimal() or int(size) > BODY_BYTES:
        raise BadRequest(f"Content-Length: {size}")
    return connection.receive(int(size))


def _chunks(connection: Connection) -> Iterator[bytes]:
    while True:
        line = connection.receive_until(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise BadRequest(repr(line)) from None
        if not size:
            while connection.receive_until(b"\r\n") != b"\r\n":
                pass
            return
        yield connection.receive(size)
        connection.receive(2)


def send(
    connection: Connection, request: Request, reply: Reply, count: Callable[[int], None]
) -> bool:
    """Send *reply*; return whether the connection is to be closed behind it.

    count: is told how many bytes of the body were sent. Raises HostGone when the host is gone, or
    the delivery says that it shall be.
    """
    delivery = reply.delivery
    connection.wait(max(delivery.delay, reply.begins - time.monotonic(), 0.0))
    body = _whole_body(reply)
    framing = delivery.framing
    if framing == "chunked" and (request.version == "HTTP/1.0" or not body):
        framing = "closed" if body else "sized"
    closes = request.closes or framing == "closed"
    head = _head(reply, body, framing, closes)
    if request.method == "HEAD":
        connection.send(head)
        return closes
    is_plain = reply.ends <= reply.begins and not delivery.rate and delivery.has_end
    if is_plain and delivery.stall_at is None and delivery.reset_at is None:
        frames = b"".join(_framed(body[at : at + CHUNK_BYTES], framing) for at in _starts(body))
        whole = head + frames + (b"0\r\n\r\n" if framing == "chunked" else b"")
        connection.send(whole[:-1])
        count(len(body))
        reply.end(True)  # before the host can ask again
        connection.send_raw(whole[-1:])
        return closes
    connection.send(head)
    _send_pieces(connection, reply, body, framing, count)
    if framing == "chunked" and delivery.has_end:
        connection.send_raw(b"0\r\n\r\n")
    return closes or not delivery.has_end


def _starts(body: bytes) -> range:
    return range(0, len(body), CHUNK_BYTES)


def _framed(piece: bytes, framing: str) -> bytes:
    return b"%x\r\n" % len(piece) + piece + b"\r\n" if framing == "chunked" else piece


def _whole_body(reply: Reply) -> bytes:
    if reply.delivery.is_empty:
        return b""
    if not reply.delivery.is_multipart:
        return reply.body
    kind = reply.type.encode()
    dash = b"--" + BOUNDARY.encode()
    first = b"\r\nContent-Type: text/xml\r\n\r\n<info/>\r\n"
    return (
        dash + first + dash + b"\r\nContent-Type: " + kind + HEAD_END + reply.body + b"\r\n" + dash
    ) + b"--\r\n"


def _head(reply: Reply, body: bytes, framing: str, closes: bool) -> bytes:
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {reason}"]
    kind = reply.type
    if reply.delivery.is_multipart:
        kind = f"multipart/related; boundary={BOUNDARY}"
    if reply.delivery.content_type is not None:
        kind = reply.delivery.content_type
    if kind:
        lines.append(f"Content-Type: {kind}")
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif framing == "sized" and reply.status not in (204, 304):
        lines.append(f"Content-Length: {len(body) + reply.delivery.declared}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if closes:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + HEAD_END


def _send_pieces(
    connection: Connection, reply: Reply, body: bytes, framing: str, count: Callable[[int], None]
) -> None:
    """Send the body as its time comes, until it breaks off."""
    delivery = reply.delivery
    rate = delivery.rate
    seconds = max(reply.ends - reply.begins, len(body) / rate if rate else 0.0)
    begins = reply.begins or time.monotonic()
    size = CHUNK_BYTES
    if seconds:
        size = max(1, min(size, int(len(body) * PIECE_SECONDS / seconds)))
    breaks = [at for at in (delivery.stall_at, delivery.reset_at) if at is not None]
    last = min([len(body), *breaks])
    for at in range(0, last, size):
        piece = body[at : min(at + size, last)]
        due = begins + seconds * (at + len(piece)) / max(1, len(body))
        connection.wait(max(0.0, due - time.monotonic()))
        if reply.is_over():
            raise HostGone
        if at + len(piece) == len(body):
            reply.end(True)  # before the host can ask again
        connection.send_raw(_framed(piece, framing))
        count(len(piece))
    if delivery.stall_at is not None:
        connection.wait_until_gone(STALL_SECONDS)
        raise HostGone
    if delivery.reset_at is not None:
        connection.reset()
        raise HostGone
