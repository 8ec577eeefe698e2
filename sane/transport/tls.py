"""TLS over a byte stream: a ByteStream whose bytes are encrypted on their way.

OpenSSL works in memory (ssl.MemoryBIO) and never sees the socket: so waits end as those of every
ByteStream, and no SIGPIPE can be raised. Nearly every scanner has a certificate that it made
itself, so whom to trust is the caller's to say. ``ssl`` is imported when a device is asked.
"""

from __future__ import annotations

import select

from ..errors import DeviceIOError
from .failures import Disconnected, NoAnswer, Untrusted
from .sockets import Deadline
from .streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from ..cancel import Cancels

HANDSHAKE_SECONDS = 10.0  # the slowest devices take two or three
RECORD_BYTES = 1 << 14
PIECE_BYTES = 1 << 16  # is encrypted at once: the rest waits in the caller's buffer
FAREWELL_SECONDS = 0.2
MOST_RECORDS = 64  # without a byte for us, in a row: nobody negotiates so long
TLS_1_0 = "1.0"


class Trust:
    """Which hosts to trust: all, those that hold one of some keys, or those that the system trusts.

    least: the oldest version of TLS, "1.2" or for old firmware "1.0".
    """

    __slots__ = ("is_system", "keys", "least")

    def __init__(
        self, keys: Iterable[str] | None = None, *, is_system: bool = False, least: str = "1.2"
    ) -> None:
        self.keys = None if keys is None else frozenset(keys)
        self.is_system = is_system
        self.least = least

    @classmethod
    def anybody(cls, least: str = "1.2") -> Trust:
        """Trust any certificate: nobody can listen, but who is at the other end is unknown."""
        return cls(least=least)

    @classmethod
    def pinned(cls, keys: Iterable[str], least: str = "1.2") -> Trust:
        """Trust whoever holds one of *keys*, as TlsStream.key gives them."""
        return cls(keys, least=least)

    @classmethod
    def system(cls) -> Trust:
        """Trust the authorities that the system trusts; the certificate must have the name."""
        return cls(is_system=True)

    def context(self) -> ssl.SSLContext:
        """Return OpenSSL's settings for it."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.is_system:
            context.load_default_certs()
            return context
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # The keys of old devices are short: whom we do not verify we need not refuse for it.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        if self.least == TLS_1_0:
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is old: that is the point
                context.minimum_version = ssl.TLSVersion.TLSv1
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class TlsStream(ByteStream):
    """An encrypted stream, used as any other; key: who is at the other end (key_of).

    The handshake raises NoAnswer if the peer is silent; DeviceIOError, with OpenSSL's words, if it
    does not speak TLS or no version and cipher that we accept; and Untrusted if Trust refuses its
    certificate. Bytes are decrypted when the caller takes them, at most one record ahead. Many
    peers close the connection without TLS's farewell. That counts as a close: a protocol that must
    notice a cut has to mark its end itself.
    """

    is_plain = False

    def __init__(self, stream: ByteStream, trust: Trust, name: str = "") -> None:
        import ssl

        self.key = ""
        self._errors = ssl.SSLError
        self._wants = ssl.SSLWantReadError, ssl.SSLWantWriteError
        self._ends = ssl.SSLZeroReturnError, ssl.SSLEOFError
        self._refusal = ssl.SSLCertVerificationError
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._buffer = memoryview(bytearray(RECORD_BYTES))
        self._has_ended = False
        server = None if not name or (is_literal(name) and not trust.is_system) else name
        self._tls = trust.context().wrap_bio(
            self._incoming, self._outgoing, server_hostname=server or None
        )
        super().__init__(stream.detach(), stream.peer, stream.cancel)

    @classmethod
    def over(
        cls,
        stream: ByteStream,
        trust: Trust,
        name: str = "",
        seconds: float | None = HANDSHAKE_SECONDS,
    ) -> TlsStream:
        """Return *stream*, encrypted from now on; it is closed if that fails.

        name: the host's, told to it (SNI) unless it is an address, and looked for in its
        certificate by Trust.system.
        """
        try:
            found = cls(stream, trust, name)
        except BaseException as exc:
            stream.close()
            if isinstance(exc, ValueError | OSError):  # a name that is none, no certificates
                raise DeviceIOError(f"{stream.peer}: TLS: {exc}") from exc
            raise
        try:
            found._shake_hands(Deadline(seconds))
            found._check(trust)
        except BaseException:
            ByteStream.close(found)
            raise
        return found

    def _shake_hands(self, deadline: Deadline) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except self._wants:
                self._flush(deadline)
                if self._fetch() < 0:
                    self.wait(select.POLLIN, deadline, "TLS handshake")
                elif deadline.left() == 0:
                    raise NoAnswer(f"{self.peer}: TLS handshake: no end of it") from None
                continue
            except self._errors as exc:
                self._say_why()
                raise self._tls_failure("TLS handshake", exc) from exc
            self._flush(deadline)
            return

    def _check(self, trust: Trust) -> None:
        certificate = self._tls.getpeercert(binary_form=True) or b""
        self.key = key_of(certificate, self.peer)
        if trust.keys is not None and self.key not in trust.keys:
            raise Untrusted(f"{self.peer}: another key than it had: now {self.key}")

    def _say_why(self) -> None:
        """Send the alert that OpenSSL has for the peer, if it takes it now."""
        try:
            self._flush(Deadline(FAREWELL_SECONDS))
        except DeviceIOError:
            return

    def _tls_failure(self, call: str, exc: OSError) -> DeviceIOError | Untrusted:
        if isinstance(exc, self._refusal):
            return Untrusted(f"{self.peer}: {exc.verify_message}")
        if isinstance(exc, self._ends):
            return Disconnected(f"{self.peer}: {call}: the peer closed the connection")
        return DeviceIOError(f"{self.peer}: {call}: {getattr(exc, 'reason', None) or exc}")

    def _flush(self, deadline: Deadline) -> None:
        """Send what OpenSSL has written."""
        while data := self._outgoing.read(PIECE_BYTES):
            super().send(data, deadline.left())

    def _fetch(self) -> int:
        """Give OpenSSL what is there; return how many bytes, -1 for nothing yet."""
        n = super().receive_now(self._buffer)
        if n > 0:
            self._incoming.write(self._buffer[:n])
        elif n == 0:
            self._incoming.write_eof()
        return n

    # ByteStream

    def send(self, data: bytes | bytearray | memoryview, seconds: float | None = None) -> None:
        """Send all of *data*."""
        deadline = Deadline(seconds)
        with memoryview(data) as whole, whole.cast("B") as view:
            done = 0
            while done < len(view):
                try:
                    done += self._tls.write(view[done : done + PIECE_BYTES])
                except self._errors as exc:
                    raise self._tls_failure("send", exc) from exc
                self._flush(deadline)

    def receive_now(self, view: memoryview) -> int:
        """Receive into *view* what is there: n bytes, 0 if the peer closed, -1 for nothing yet."""
        if not len(view) or self._has_ended:
            return 0
        for _ in range(MOST_RECORDS):
            try:
                n = int(self._tls.read(len(view), view))
            except self._wants:
                if self._outgoing.pending:  # an answer to a renewed key
                    self._flush(Deadline(HANDSHAKE_SECONDS))
                if self._fetch() < 0:
                    return -1
                continue
            except self._ends:
                n = 0
            except self._errors as exc:
                raise self._tls_failure("receive", exc) from exc
            self._has_ended = n == 0
            return n
        raise DeviceIOError(f"{self.peer}: receive: {MOST_RECORDS} TLS records without data")

    def end_sending(self) -> None:
        """Tell the peer that nothing more will be sent."""
        self._farewell()
        super().end_sending()

    def detach(self) -> None:
        """Refuse: nobody else could go on with it."""
        raise TypeError("a TLS stream cannot give its socket away")

    def _farewell(self) -> None:
        try:
            self._tls.unwrap()
        except (OSError, ValueError):  # want read: its farewell is not waited for
            self._say_why()

    def close(self) -> None:
        """Say farewell and close; may be called again."""
        if self.fileno() >= 0:
            self.cancel: Cancels | None = None
            try:
                self._farewell()
            finally:
                super().close()


def is_literal(host: str) -> bool:
    """Tell whether *host* is an address and no name."""
    return ":" in host or all(part.isdecimal() for part in host.split("."))


# The key of a certificate. Source: X.690 (DER), RFC 5280 4.1.

SEQUENCE, EXPLICIT_VERSION = 0x30, 0xA0
BEFORE_KEY = 5  # serial number, signature, issuer, validity, subject


def key_of(certificate: bytes, peer: str) -> str:
    """Return the SHA-256 of the public key (SubjectPublicKeyInfo) in *certificate*, DER, in hex.

    A device that renews its certificate keeps its key, mostly. Raises DeviceIOError naming *peer*
    for what is no certificate.
    """
    from hashlib import sha256

    try:
        _, body, _ = _element(certificate, 0, SEQUENCE)
        _, at, _ = _element(certificate, body, SEQUENCE)
        if certificate[at] == EXPLICIT_VERSION:
            _, _, at = _element(certificate, at)
        for _ in range(BEFORE_KEY):
            _, _, at = _element(certificate, at)
        _, _, end = _element(certificate, at, SEQUENCE)
    except (IndexError, ValueError) as exc:
        raise DeviceIOError(f"{peer}: its certificate is none: {exc}") from exc
    return sha256(certificate[at:end]).hexdigest()


def _element(data: bytes, at: int, wanted: int = -1) -> tuple[int, int, int]:
    """Return tag, start of the content and end of the element at *at*."""
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            raise ValueError(f"a length of {count} bytes")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if wanted not in (-1, tag) or start + size > len(data):
        raise ValueError(f"element {tag:02x} of {size} bytes at {at}")
    return tag, start, start + size
