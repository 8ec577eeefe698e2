"""Requests to destinations that speak HTTP: one at a time, a file's bytes streamed, no redirects.

Failures become Later (try again) or Refused (it will not help). Source: RFC 9110; RFC 7578 for
forms with files.
"""

from __future__ import annotations

import http.client
import os
import ssl
from urllib.parse import urlsplit

from .sending import Later, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

SECONDS = 60.0  # of silence
ANSWER_BYTES = 1 << 20
PIECE_BYTES = 1 << 16
TEMPORARY = (408, 423, 425, 429)


class Answer:
    """The status and the body of an answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body


def request(
    method: str,
    url: str,
    settings: dict[str, Any],
    *,
    headers: dict[str, str] | None = None,
    body: Iterable[bytes] | None = None,
    size: int = 0,
) -> Answer:
    """Return the answer of success to a request; raises Later and Refused."""
    parts = urlsplit(url)
    place = parts.netloc
    connection = _connection(parts.scheme, place, settings)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = {"User-Agent": "PySANE", "Accept": "application/json", **(headers or {})}
    if body is not None:
        head["Content-Length"] = str(size)
    try:
        connection.request(method, path, body=body, headers=head)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(ANSWER_BYTES))
    except ssl.SSLCertVerificationError as exc:
        raise Refused(f"{place}: its certificate is not trusted: {exc.verify_message}") from exc
    except (OSError, http.client.HTTPException) as exc:
        reason = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
        raise Later(f"{place}: {reason}") from exc
    finally:
        connection.close()
    if 200 <= answer.status < 300:
        return answer
    said = answer.body[:200].decode("utf-8", "replace")
    text = f"{place} answered {answer.status}: {' '.join(said.split())}".rstrip(": ")
    if answer.status >= 500 or answer.status in TEMPORARY:
        raise Later(text)
    raise Refused(text)


def _connection(scheme: str, place: str, settings: dict[str, Any]) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(place, timeout=SECONDS)
    return http.client.HTTPSConnection(place, timeout=SECONDS, context=tls_context(settings))


def tls_context(settings: dict[str, Any]) -> ssl.SSLContext:
    """Return how the other side proves who it is: by the system's authorities, or by ca_file."""
    try:
        context = ssl.create_default_context(cafile=settings.get("ca_file") or None)
    except (OSError, ssl.SSLError) as exc:
        raise Refused(f"cannot use ca_file {settings.get('ca_file')}: {exc}") from exc
    if not settings.get("verify", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def file_pieces(path: str) -> Iterator[bytes]:
    """Yield a file's bytes."""
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


class Form:
    """A form with one file, as browsers send it."""

    def __init__(
        self, fields: list[tuple[str, str]], field: str, path: str, name: str, type: str
    ) -> None:
        self.boundary = os.urandom(16).hex()
        lines = []
        for key, value in fields:
            lines.append(f'--{self.boundary}\r\nContent-Disposition: form-data; name="{key}"')
            lines.append(f"\r\n\r\n{value}\r\n")
        safe = name.replace("\\", "_").replace('"', "%22")
        lines.append(f'--{self.boundary}\r\nContent-Disposition: form-data; name="{field}"; ')
        lines.append(f'filename="{safe}"\r\nContent-Type: {type}\r\n\r\n')
        self._head = "".join(lines).encode()
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()
        self._path = path
        self.size = len(self._head) + os.path.getsize(path) + len(self._tail)

    @property
    def type(self) -> str:
        """The header Content-Type."""
        return f"multipart/form-data; boundary={self.boundary}"

    def body(self) -> Iterator[bytes]:
        """Yield its bytes."""
        yield self._head
        yield from file_pieces(self._path)
        yield self._tail
