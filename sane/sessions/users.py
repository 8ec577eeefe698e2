"""saned.users: which backends are protected, and whether credentials open them.

It knows passwords and challenges; it knows neither connections nor devices. MD5 is what clients
speak: a convenience, no security against who can listen. Source: net-protocol 4.2 and 4.4.
"""

from __future__ import annotations

import os
from _operator import _compare_digest as same_in_constant_time

from .. import config
from ..errors import AccessDenied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Environment, Line

FILE = "saned.users"
MARK = "$MD5$"
MOST_BYTES = 127  # of a user name or password: clients hold them in 128 bytes with the NUL
LINE_CHARACTERS = 1023
RESOURCE_CHARACTERS = (
    91  # clients use the first 128 characters; 37 are the mark and the random part
)


class Users:
    """The lines ``user:password:backend``. problems: lines for a log, without passwords."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.problems: list[str] = []
        self._entries: dict[str, list[tuple[bytes, bytes]]] = {}
        for line in lines:
            if line.is_blank:
                continue
            user, colon, rest = line.text.partition(":")
            password, second, backend = rest.partition(":")
            if not (colon and second and backend) or len(line.text) > LINE_CHARACTERS:
                self.problems.append(f"{line.where()}: not USER:PASSWORD:BACKEND, ignored")
                continue
            if ":" in backend:
                self.problems.append(f"{line.where()}: {backend}: a backend's name has no colon")
            pair = (_bytes(user), _bytes(password))
            if any(len(item) > MOST_BYTES for item in pair):
                self.problems.append(f"{line.where()}: longer than {MOST_BYTES}, nobody can log in")
            self._entries.setdefault(backend, []).append(pair)

    @classmethod
    def read(cls, environment: Environment) -> Users:
        """Read saned.users; without one nothing is protected.

        Raises AccessDenied if there is one that cannot be read: it must protect all the same.
        """
        path = unreadable(environment)
        if path:
            raise AccessDenied(f"{path} cannot be read")
        return cls(config.read(environment, FILE) or ())

    def protects(self, backend: str) -> bool:
        """Tell whether devices of *backend* want a user and a password."""
        return backend in self._entries

    def counts(self) -> dict[str, int]:
        """Return how many users each protected backend has."""
        return {backend: len(pairs) for backend, pairs in self._entries.items()}

    def check(self, backend: str, random: str, user: bytes, password: bytes) -> bool:
        """Tell whether the credentials open *backend*, in a time that tells nothing.

        password: as it is, or its digest with the *random* part of the challenge. Whether the user
        exists makes no difference to what is done.
        """
        if len(user) > MOST_BYTES or len(password) > MOST_BYTES:
            return False
        hashed = password.startswith(MARK.encode())
        granted = False
        for known_user, known_password in self._entries.get(backend, ()):
            expected = digest(random, known_password) if hashed else known_password
            same_user = _same(user, known_user)
            same_password = _same(password, expected)
            granted |= same_user & same_password
        return granted


def challenge(backend: str) -> tuple[str, str]:
    """Return the resource to send, ``backend$MD5$random``, and the random part: 128 bits."""
    random = os.urandom(16).hex()
    return f"{backend[:RESOURCE_CHARACTERS]}{MARK}{random}", random


def digest(random: str, password: bytes) -> bytes:
    """Return what a client answers to *random* with *password*."""
    return MARK.encode() + _md5(_bytes(random) + password).hex().encode()


def unreadable(environment: Environment) -> str:
    """Return the first saned.users that is there and cannot be read, "" without one."""
    for directory in config.directories(environment):
        path = f"{directory}/{FILE}"
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=environment.cwd))
            return ""
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        except OSError:
            return path
    return ""


def _same(one: bytes, other: bytes) -> bool:
    """Compare digests of equal length, so that not even a length is told by the time taken."""
    return same_in_constant_time(_md5(one), _md5(other))


def _md5(data: bytes) -> bytes:
    import hashlib

    return hashlib.md5(data, usedforsecurity=False).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
