"""What the fuzzer tries on the network: whatever hosts send ends in a value or one named error.

The first byte chooses what the rest is taken for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sane.config import Environment
from sane.debug import Debug
from sane.discovery import dns, mdns
from sane.discovery.identity import uuid_of
from sane.errors import AccessDenied, DeviceIOError, Invalid
from sane.record import BadSession
from sane.transport import interfaces, session
from sane.transport.broadcast import Answer
from sane.transport.http import Http
from sane.transport.http_auth import Answers, best
from sane.transport.opening import Target
from sane.transport.streams import ByteStream
from sane.transport.tls import key_of
from sane.transport.url import Url

QUIET = Debug("fuzz", Environment({}))
BASE = Url.parse("http://192.0.2.7/eSCL/")
MOST = 1 << 16
PEM = Path(__file__).parent.parent / "data" / "transport" / "server.pem"


class Said(ByteStream):
    """A host that has said *data* and closed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.peer, self.cancel = "a host", None

    def send(self, data: object, seconds: float | None = None) -> None:
        return

    def receive_now(self, view: memoryview) -> int:
        n = min(len(view), len(self.data), 1000)
        view[:n], self.data = self.data[:n], self.data[n:]
        return n

    def peer_address(self) -> tuple[int, tuple[str, int]]:
        return 2, ("192.0.2.7", 80)

    def close(self) -> None:
        return


def http(data: bytes) -> None:
    def connect(_target: Target, _seconds: float | None, _cancel: object) -> ByteStream:
        return Said(data)

    def password(_realm: str) -> tuple[str, str]:
        return "me", "secret"

    client = Http(BASE, connect=connect, credentials=password, names=("a", "b"))
    try:
        follow = b"ocation" not in data.lower()  # names would be looked up
        response = client.fetch("GET", "x", most=MOST, seconds=60.0, follow=follow)
    except (DeviceIOError, AccessDenied, Invalid) as exc:
        assert "a host" in str(exc)
    else:
        assert 200 <= response.status < 1000
        assert len(response.body) <= MOST
        assert response.retry_after is None or 0 <= response.retry_after <= 3600


def location(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for make in (Url.parse, BASE.join):
        try:
            url = make(text)
        except Invalid:
            continue
        assert url.host and 0 <= url.port <= 0xFFFF
        assert not set(str(url)) & set("\r\n ")


def challenge(data: bytes) -> None:
    found = best([data.decode("utf-8", "surrogateescape")])
    if found is not None:
        assert Answers(found, "me", "secret").header("GET", "/")


def multicast(data: bytes) -> None:
    known = mdns._Known(dns.name_of("_uscan._tcp.local"))
    mdns._take(Answer(data, "192.0.2.7", 5353, "eth0"), [known], QUIET)
    for service in known.services():
        assert 0 < service.port <= 0xFFFF and service.address
    assert all(len(question) < 1 << 16 for question in known.questions())


def recording(data: bytes) -> None:
    try:
        channels = session.parse(data.decode("utf-8", "surrogateescape").splitlines(), "a file")
    except BadSession as exc:
        assert "a file" in str(exc)
        return
    for channel in channels:
        for record in channel.records:
            assert record.what in session.WORDS


def certificate(data: bytes) -> None:
    try:
        assert len(key_of(data, "a host")) == 64
    except DeviceIOError as exc:
        assert "a host" in str(exc)


def netlink(data: bytes) -> None:
    try:
        assert sum(len(value) for _, value in interfaces._attributes(data)) <= len(data)
    except ValueError:
        return


def identity(data: bytes) -> None:
    assert len(uuid_of(data.decode("utf-8", "replace"))) in (0, 32)


CHECKS: tuple[Callable[[bytes], None], ...] = (
    *(http, location, challenge, multicast, recording, certificate, netlink, identity),
)


def check(data: bytes) -> None:
    """Raise where a parser does anything but give a value or its own error."""
    if data:
        CHECKS[data[0] % len(CHECKS)](data[1:])


def seeds() -> dict[str, bytes]:
    """Return an example of each."""
    import ssl

    pem = PEM.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    name = b"\x06_uscan\x04_tcp\x05local\0"
    pointer = name + b"\0\x0c\0\x01\0\0\0\x78\0\x05\x02ab\xc0\x0c"
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n"
    )
    digest = b'Digest realm="a, b", nonce=n, qop="auth,auth-int", algorithm=MD5-sess'
    examples = [
        chunked,
        b"http://[fe80::1%25eth0]:8080/eSCL/ScanJobs/urn:uuid:17?x#y",
        digest + b', Basic realm="\\"c"',
        b"\0\0\x84\0\0\0\0\x01\0\0\0\0" + pointer,
        b"pysane-net 1\nprocess 1 at now\n0.1 a:1 open tcp h 80 ok\n0.2 a:1 in ok\n  41 42 |AB|\n",
        der,
        b"\x08\0\x01\0\x7f\0\0\x01\x07\0\x03\0lo\0\0",
        b"urn:uuid:1c852a4d-b800-1f08-abcd-0123456789ab",
    ]
    named = zip(CHECKS, examples, strict=True)
    found = {make.__name__: bytes((at,)) + data for at, (make, data) in enumerate(named)}
    head = b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=a\r\nRetry-After: 5\r\n"
    found["sized"] = b"\0" + head + b"Content-Length: 3\r\n\r\nabc"
    found["redirect"] = b"\0HTTP/1.0 302 Found\r\nLocation: http://a/b\r\n\r\nabc"
    return found
