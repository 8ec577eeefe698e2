"""Passwords for HTTP: which challenge is answered, and how. It does no I/O.

Source: RFC 7235 (challenges), RFC 7617 (Basic), RFC 7616 (Digest).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHALLENGES = 16  # of one answer: more are no server's
BASIC, DIGEST = "basic", "digest"
HASHES = {"sha-256": "sha256", "md5": "md5"}  # the better one first
TOKEN_END = " \t,="


class Challenge:
    """One way in that a server offers: *scheme* in small letters, and its *values*."""

    __slots__ = ("scheme", "values")

    def __init__(self, scheme: str, values: dict[str, str]) -> None:
        self.scheme = scheme
        self.values = values

    @property
    def realm(self) -> str:
        """What the server calls that which is protected."""
        return self.values.get("realm", "")

    @property
    def rank(self) -> int:
        """How good it is; 0 for one that cannot be answered."""
        if self.scheme == BASIC:
            return 1
        algorithm = self.values.get("algorithm", "md5").lower().removesuffix("-sess")
        offered = [word.strip().lower() for word in self.values.get("qop", "auth").split(",")]
        if self.scheme != DIGEST or algorithm not in HASHES or "auth" not in offered:
            return 0
        return 3 if algorithm == "sha-256" else 2


def best(headers: list[str]) -> Challenge | None:
    """Return the best challenge of WWW-Authenticate *headers*; None if none can be answered."""
    found = [challenge for header in headers for challenge in parse(header)][:CHALLENGES]
    found.sort(key=lambda challenge: -challenge.rank)
    return found[0] if found and found[0].rank else None


def parse(header: str) -> Iterator[Challenge]:
    """Yield the challenges of one header; what is garbled ends it."""
    scheme = ""
    values: dict[str, str] = {}
    for word, value in _words(header):
        if value is None:
            if scheme:
                yield Challenge(scheme, values)
            scheme, values = word.lower(), {}
        elif scheme:
            values.setdefault(word.lower(), value)
    if scheme:
        yield Challenge(scheme, values)


def _words(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each ``name=value``, and each name alone with None: a scheme."""
    at = 0
    while at < len(text):
        if text[at] in " \t,":
            at += 1
            continue
        end = at
        while end < len(text) and text[end] not in TOKEN_END:
            end += 1
        name, at = text[at:end], end
        while at < len(text) and text[at] in " \t":
            at += 1
        if not name or text[at : at + 1] != "=":
            if not name:
                return
            yield name, None
            continue
        value, at = _value(text, at + 1)
        yield name, value


def _value(text: str, at: int) -> tuple[str, int]:
    while at < len(text) and text[at] in " \t":
        at += 1
    if text[at : at + 1] != '"':
        end = at
        while end < len(text) and text[end] not in " \t,":
            end += 1
        return text[at:end], end
    value, at = "", at + 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        value += text[at : at + 1]
        at += 1
    return value, at + 1


class Answers:
    """Answers one challenge, for as many requests as the server takes: *user* and *password*."""

    def __init__(self, challenge: Challenge, user: str, password: str) -> None:
        self.challenge = challenge
        self._user = user
        self._password = password
        self._count = 0
        self._client_nonce = os.urandom(8).hex()

    def renewed(self, challenge: Challenge) -> Answers | None:
        """Return the same user's answers to *challenge*, None where it asks for a password anew.

        A server whose nonce has grown old says so; whoever gave the password is not asked again.
        """
        is_stale = challenge.values.get("stale", "").lower() == "true"
        return Answers(challenge, self._user, self._password) if is_stale else None

    def header(self, method: str, target: str) -> str:
        """Return the value of Authorization for a request."""
        if self.challenge.scheme == BASIC:
            import binascii

            pair = f"{self._user}:{self._password}".encode("utf-8", "surrogateescape")
            return f"Basic {binascii.b2a_base64(pair, newline=False).decode()}"
        return self._digest(method, target)

    def _digest(self, method: str, target: str) -> str:
        values = self.challenge.values
        named = values.get("algorithm", "")
        algorithm = named.lower() or "md5"
        nonce, realm = values.get("nonce", ""), self.challenge.realm
        self._count += 1
        count = f"{self._count:08x}"

        def digest(*parts: str) -> str:
            import hashlib

            data = ":".join(parts).encode("utf-8", "surrogateescape")
            kind = HASHES[algorithm.removesuffix("-sess")]
            return hashlib.new(kind, data, usedforsecurity=False).hexdigest()

        secret = digest(self._user, realm, self._password)
        if algorithm.endswith("-sess"):
            secret = digest(secret, nonce, self._client_nonce)
        request = digest(method, target)
        fields = [("username", self._user), ("realm", realm), ("nonce", nonce), ("uri", target)]
        if "qop" in values:
            answer = digest(secret, nonce, count, self._client_nonce, "auth", request)
        else:
            answer = digest(secret, nonce, request)
        fields.append(("response", answer))
        if "opaque" in values:
            fields.append(("opaque", values["opaque"]))
        text = ", ".join(f"{name}={_quoted(value)}" for name, value in fields)
        if named:
            text += f", algorithm={named}"
        if "qop" in values:
            text += f', qop=auth, nc={count}, cnonce="{self._client_nonce}"'
        return f"Digest {text}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
