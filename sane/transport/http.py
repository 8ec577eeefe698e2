"""HTTP/1.1 for drivers: requests to one host, answers as a stream of bytes.

h11 knows the protocol; this knows connections, limits, passwords and redirects. Nobody but the
host of the base address is ever connected to. h11 is imported when a device is asked.
Source: RFC 9110, RFC 9112.
"""

from __future__ import annotations

from ..cancel import NeverCancelled
from ..errors import AccessDenied, DeviceIOError, Invalid
from .failures import Disconnected, NoAnswer
from .http_connection import RECEIVE_BYTES, HttpConnection
from .names import resolve
from .opening import Target, open_stream
from .sockets import Deadline
from .tls import Trust, is_literal
from .url import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..cancel import Cancels
    from .http_auth import Answers
    from .http_connection import Headers
    from .opening import Connect

    Credentials = Callable[[str], tuple[str, str]]  # of a realm; raises AccessDenied

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0  # to the end of an answer's head
STALL_SECONDS = 60.0  # between two pieces of a body: a carriage at 1200 dpi takes its time
TEXT_BYTES = 1 << 20  # of a body that is fetched whole: XML of a scanner has some KiB
BODY_BYTES = 1 << 30  # of any: a page at 1200 dpi, not packed
DRAINED_BYTES = 1 << 16  # of a body that nobody wants, to keep its connection
LENGTH_DIGITS = 20
REDIRECTS = 8
MOST_RETRY_SECONDS = 3600.0
REDIRECTING, SEE_OTHER, UNAUTHORIZED = (301, 302, 303, 307, 308), 303, 401
REPEATABLE = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # doing it twice is doing it once


class _Request:
    """What is asked, of *url*; deadline: for the head of the answer, redirects included."""

    __slots__ = ("body", "deadline", "headers", "method", "stall_seconds", "url")

    def __init__(self, method: str, url: Url, body: bytes | None, headers: Headers) -> None:
        self.method = method
        self.url = url
        self.body = body
        self.headers = headers
        self.deadline = Deadline(None)
        self.stall_seconds = STALL_SECONDS


class Response:
    """The answer to a request: *status*, headers, and the body, read piece by piece or fetched.

    url: where it came from, after redirects. body: the whole body, after Http.fetch. is_cut: the
    body broke off before its end; if the status already says that the request failed, this raises
    no error. length: of the body as the host announced it, None if it did not.
    """

    def __init__(
        self, client: Http, connection: HttpConnection, head: Any, asked: _Request
    ) -> None:
        self.status = int(head.status_code)
        self.reason = bytes(head.reason).decode("latin-1")
        self.url = asked.url
        self.body = b""
        self.is_cut = False
        self.peer = connection.stream.peer
        self.peer_address = connection.stream.peer_address()
        self._headers = [(_text(name).lower(), _text(value)) for name, value in head.headers]
        self._client = client
        self._connection: HttpConnection | None = connection
        self._stall_seconds = asked.stall_seconds
        self._rest = memoryview(b"")
        self._taken = 0
        length = self.header("content-length")
        is_sized = 0 < len(length) < LENGTH_DIGITS and not self.header("transfer-encoding")
        self.length = int(length) if is_sized else None
        self.most = BODY_BYTES

    def headers(self, name: str) -> list[str]:
        """Return the values of all headers *name*."""
        return [value for known, value in self._headers if known == name.lower()]

    def header(self, name: str, otherwise: str = "") -> str:
        """Return the value of the first header *name*, *otherwise* without one."""
        return next(iter(self.headers(name)), otherwise)

    @property
    def retry_after(self) -> float | None:
        """The seconds after which the host wants to be asked again; None if it does not say."""
        text = self.header("retry-after")
        if text.isascii() and text.isdecimal():
            seconds = float(text[:9])
        else:
            from email.utils import mktime_tz, parsedate_tz
            from time import time

            when = parsedate_tz(text)
            if when is None:
                return None
            seconds = mktime_tz(when) - time()
        return min(max(0.0, seconds), MOST_RETRY_SECONDS)

    def read_into(self, view: memoryview) -> int:
        """Write the next bytes of the body into *view*; return how many, 0 at its end.

        Raises NoAnswer after silence for the stall limit, Disconnected when the body breaks off,
        DeviceIOError for garbage in place of a chunk or for more than *most* bytes. The bytes that
        came before such a failure are returned first.
        """
        while not self._rest:
            if self._connection is None:
                return 0
            self._connection.stream.cancel = self._client.cancel
            try:
                piece = self._connection.piece(self._stall_seconds)
            except BaseException:
                self.close()
                raise
            if piece is None:
                connection, self._connection = self._connection, None
                self._client.ended(connection)
                return 0
            self._rest = memoryview(piece)
            self._taken += len(piece)
            if self._taken > self.most:
                self._rest = memoryview(b"")
                self.close()
                raise DeviceIOError(f"{self.peer}: HTTP: a body of more than {self.most} bytes")
        n = min(len(view), len(self._rest))
        view[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n

    def read(self, most: int = TEXT_BYTES, seconds: float | None = None) -> bytes:
        """Return the whole body, at most *most* bytes; a longer one is a DeviceIOError.

        seconds: for all of it, besides the stall limit.
        """
        deadline = Deadline(seconds)
        self.most = min(self.most, most)
        if self.length is not None and self.length > self.most:
            self.close()
            raise DeviceIOError(f"{self.peer}: HTTP: a body of {self.length} bytes, not {most}")
        body = bytearray()
        buffer = memoryview(bytearray(RECEIVE_BYTES))
        stall = self._stall_seconds
        try:
            while True:
                left = deadline.left()
                if left == 0:
                    self.close()
                    raise NoAnswer(
                        f"{self.peer}: HTTP: {len(body)} bytes of a body in {seconds:g} s"
                    )
                self._stall_seconds = stall if left is None else min(stall, left)
                n = self.read_into(buffer)
                if not n:
                    return bytes(body)
                body += buffer[:n]
        except DeviceIOError:
            self.is_cut = True
            if self.status < 300:
                raise
            return bytes(body)
        finally:
            self._stall_seconds = stall

    def close(self) -> None:
        """Close the connection if the body is not read to its end; may be called again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.stream.close()


class Http:
    """Requests to the host of *base*, ``http://HOST[:PORT][/PATH]`` or https; one thread at a time.

    trust: which hosts are trusted for https. credentials(realm): returns user and password when the
    host wants them; by Basic they are sent over TLS or to this machine only, unless basic_in_clear.
    names: other names of the host; redirects may use them, and the first is the name for TLS.
    socket_path: connect to this Unix socket instead. keep_alive: use a connection for several
    requests; not for scanners that keep a job as long as its connection is open. may_downgrade:
    follow redirects from https to http. cancel: ends every wait; it may be exchanged between calls.
    connect: the function that opens streams. key: of the host behind the last https connection
    (tls.key_of), "" before.

    Raises NoAnswer when the host is silent beyond the limits of a request, and DeviceIOError for
    garbage, for heads of more than 64 KiB or 200 lines, and for redirects to other hosts or without
    end. The messages name the host.
    """

    def __init__(
        self,
        base: Url,
        *,
        cancel: Cancels | None = None,
        connect: Connect = open_stream,
        trust: Trust | None = None,
        credentials: Credentials | None = None,
        basic_in_clear: bool = False,
        names: Sequence[str] = (),
        socket_path: str = "",
        host_header: str = "",
        keep_alive: bool = False,
        may_downgrade: bool = False,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        if base.scheme not in ("http", "https"):
            raise Invalid(f"{base}: neither http nor https")
        self.base = base
        self.cancel = cancel
        self.is_live = True
        self.key = ""
        self.connect_seconds = connect_seconds
        self._open = connect
        self._trust = trust or Trust.anybody()
        self._credentials = credentials
        self._basic_in_clear = basic_in_clear
        self._names = [name.rstrip(".") for name in names]
        self._socket_path = socket_path
        self._host_header = host_header
        self._keep_alive = keep_alive
        self._may_downgrade = may_downgrade
        self._answers: Answers | None = None
        self._answers_for = ("", 0)  # scheme and port: a password goes nowhere else
        self._idle: HttpConnection | None = None

    def pause(self, seconds: float) -> None:
        """Let *seconds* pass between two requests; a replayed device needs no time.

        Raises Cancelled as soon as cancel is set.
        """
        (self.cancel or NeverCancelled()).wait(seconds if self.is_live else 0.0)

    # Requests

    def fetch(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Headers = (),
        *,
        most: int = TEXT_BYTES,
        seconds: float = ANSWER_SECONDS,
        follow: bool = True,
    ) -> Response:
        """Return the answer with its whole body, at most *most* bytes, all within *seconds*."""
        deadline = Deadline(seconds)
        response = self.request(
            method, target, body, headers, answer_seconds=seconds, follow=follow
        )
        response.body = response.read(most, deadline.left())
        return response

    def request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Headers = (),
        *,
        answer_seconds: float = ANSWER_SECONDS,
        stall_seconds: float = STALL_SECONDS,
        follow: bool = True,
    ) -> Response:
        """Return the answer as soon as its head is there; its body is to be read or closed.

        target: relative to the base address, or from its root. headers: besides Host, Connection,
        Content-Length and Authorization. answer_seconds: from the request to the end of the head,
        redirects included. follow: go where a redirect leads, on the same host.
        """
        asked = _Request(method, self.base.join(target), body, headers)
        asked.deadline, asked.stall_seconds = Deadline(answer_seconds), stall_seconds
        for _ in range(REDIRECTS + 1):
            response = self._authorized(asked)
            place = response.header("location")
            if not follow or response.status not in REDIRECTING or not place:
                return response
            self._drop(response, asked.deadline)
            asked.url = self._redirected(asked.url, place, response)
            if response.status == SEE_OTHER:
                asked.method, asked.body = "GET", None
        raise DeviceIOError(f"{response.peer}: HTTP: more than {REDIRECTS} redirects")

    def _authorized(self, asked: _Request) -> Response:
        """Do a request, once more with a password where the host wants one."""
        response = self._exchange(asked)
        if response.status == UNAUTHORIZED and self._credentials is not None:
            self._learn(asked, response)
            response = self._exchange(asked)
            if response.status == UNAUTHORIZED:
                self._answers = None
        if response.status == UNAUTHORIZED:
            response.close()
            wants = "refuses the password" if self._credentials else "wants a password"
            raise AccessDenied(f"{response.peer}: {wants}")
        return response

    def _learn(self, asked: _Request, response: Response) -> None:
        """Ask for the password of the realm that *response* names."""
        from .http_auth import BASIC, Answers, best

        challenge = best(response.headers("www-authenticate"))
        self._drop(response, asked.deadline)
        if challenge is None:
            raise AccessDenied(f"{response.peer}: wants a password in a way that is not known here")
        is_here = bool(self._socket_path) or is_loopback(self.base.host)
        is_safe = asked.url.scheme == "https" or is_here
        if challenge.scheme == BASIC and not (is_safe or self._basic_in_clear):
            raise AccessDenied(
                f"{response.peer}: wants a password, which anybody could read (Basic)"
            )
        if self._credentials is None:
            raise AccessDenied(f"{response.peer}: wants a password")
        renewed = self._answers.renewed(challenge) if self._answers is not None else None
        self._answers = renewed or Answers(challenge, *self._credentials(challenge.realm))
        self._answers_for = asked.url.scheme, asked.url.port

    def _redirected(self, url: Url, place: str, response: Response) -> Url:
        """Return where *place*, a Location, leads; raises for what is another host."""
        wrong = f"{response.peer}: HTTP: redirects to {place!r}"
        try:
            found = url.join(place)
        except Invalid as exc:
            raise DeviceIOError(wrong) from exc
        if found.scheme not in ("http", "https") or not self._is_host(found.host, response):
            raise DeviceIOError(f"{wrong}, which is another host")
        if (url.scheme, found.scheme) == ("https", "http") and not self._may_downgrade:
            raise DeviceIOError(f"{wrong}, where anybody could listen")
        return Url(found.scheme, self.base.host, found.port, found.path)

    def _is_host(self, host: str, response: Response) -> bool:
        """Tell whether *host* is ours: by a name that it has, or by the address that answered."""
        known = {name.lower() for name in (self.base.host, *self._names)}
        if host.rstrip(".").lower() in known:
            return True
        if self._socket_path:
            return is_loopback(host)
        try:
            found = resolve(host, 0, self.connect_seconds, self.cancel)
        except DeviceIOError:
            return False
        peer = response.peer_address[1][0].partition("%")[0]
        return any(address[0].partition("%")[0] == peer for _, address in found)

    # Connections

    def _exchange(self, asked: _Request) -> Response:
        """Send one request and return its answer.

        A host may close an idle connection just as it is used again. Then the request is sent once
        more over a new one, unless it could have been carried out already.
        """
        target, deadline = _target(asked.url), asked.deadline
        headers = [*self._head(asked, target), *asked.headers]
        while True:
            connection = self._connection(asked.url, deadline)
            try:
                connection.stream.cancel = self.cancel
                connection.send(asked.method, target, headers, asked.body, deadline)
                head = connection.head(deadline)
                return Response(self, connection, head, asked)
            except BaseException as exc:
                connection.stream.close()
                was_idle = not connection.is_fresh and not connection.has_answered
                is_repeatable = isinstance(exc, Disconnected) and asked.method in REPEATABLE
                if not (was_idle and is_repeatable):
                    raise

    def _head(self, asked: _Request, target: str) -> Headers:
        """Return the headers that every request has: no others are sent, devices stumble."""
        lines = [("Host", self._host_header or _host_of(asked.url))]
        if not self._keep_alive:
            lines.append(("Connection", "close"))
        if asked.body is not None or asked.method in ("POST", "PUT"):
            lines.append(("Content-Length", str(len(asked.body or b""))))
        place = asked.url.scheme, asked.url.port
        if self._answers is not None and place == self._answers_for:
            lines.append(("Authorization", self._answers.header(asked.method, target)))
        return lines

    def _connection(self, url: Url, deadline: Deadline) -> HttpConnection:
        """Return the idle connection if it still works, else a new one."""
        is_tls = url.scheme == "https"
        idle, self._idle = self._idle, None
        if idle is not None:
            if idle.place == (is_tls, url.port) and idle.is_silent():
                return idle
            idle.stream.close()
        left = deadline.left()
        seconds = self.connect_seconds if left is None else min(left, self.connect_seconds)
        trust = self._trust if is_tls else None
        name = next((name for name in self._names if not is_literal(name)), "")
        target = Target(self.base.host, url.port, self._socket_path, trust, name)
        stream = self._open(target, seconds, self.cancel)
        self.key = stream.key or self.key
        try:
            return HttpConnection(stream, is_tls, url.port)
        except BaseException:
            stream.close()
            raise

    def ended(self, connection: HttpConnection) -> None:
        """Keep the connection of a response that was read to its end, or close it."""
        if self._keep_alive and self._idle is None and connection.next_cycle():
            self._idle = connection
        else:
            connection.stream.close()

    def _drop(self, response: Response, deadline: Deadline) -> None:
        """Read past a body that nobody wants, if it is short; else give its connection up."""
        try:
            response.read(DRAINED_BYTES, deadline.left())
        except DeviceIOError:
            response.close()

    def close(self) -> None:
        """Close the idle connection; responses that are being read are closed by themselves."""
        if self._idle is not None:
            idle, self._idle = self._idle, None
            idle.stream.close()


def is_loopback(host: str) -> bool:
    """Tell whether *host* is this machine by its text: 127.0.0.0/8, ::1 or localhost."""
    return (
        host == "::1"
        or host.lower() == "localhost"
        or (host.startswith("127.") and is_literal(host))
    )


def _host_of(url: Url) -> str:
    """Return the Host of a request: IPP-over-USB proxies know themselves as localhost only."""
    if is_loopback(url.host):
        return Url(url.scheme, "localhost", url.port).authority
    return url.authority


def _target(url: Url) -> str:
    """Return path and query for a request line; bytes beyond ASCII are percent-encoded."""
    data = (url.path or "/").encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in data)


def _text(data: bytes) -> str:
    return bytes(data).decode("utf-8", "surrogateescape")
