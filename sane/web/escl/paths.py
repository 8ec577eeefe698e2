"""Where scanners are: the first at /eSCL, the others at their UUIDs, or all at secret paths.

Several clients know no other path than /eSCL. Source: specification escl 7.2.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .words import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..context import ShareContext
    from ..scanner import Scanner

SECRET = "paths.secret"
SECRET_BYTES = 16


class Paths:
    """The roots of a server's scanners."""

    def __init__(self, context: ShareContext) -> None:
        self._context = context
        self._secret: uuid.UUID | None = None

    @property
    def are_secret(self) -> bool:
        """Who has not found a scanner by DNS-SD does not know where it is."""
        return self._context.settings.server.random_paths

    def name_of(self, scanner: Scanner) -> str:
        """Return the scanner's root where it is not /eSCL, without slashes."""
        if not self.are_secret:
            return scanner.id
        if self._secret is None:
            made = os.urandom(SECRET_BYTES)
            try:
                made = _kept_secret(self._context.state / SECRET, made)
            except OSError as exc:
                self._context.log.error("paths will be others after a restart: %s", exc)
            self._secret = uuid.UUID(bytes=made)
        return str(uuid.uuid5(self._secret, scanner.id))

    def find(self, name: str, scanners: Iterable[Scanner]) -> Scanner | None:
        """Return the one of *scanners* at a path of its own."""
        for scanner in scanners:
            if self.name_of(scanner) == name.lower():
                return scanner
        return None

    def announced(self, scanner: Scanner, scheme: str) -> str:
        """Return the root that is announced for *scheme*, without the first slash."""
        context = self._context
        has_port = scheme == "http" and scanner.id in context.ports.values()
        is_first = scanner is context.scanners.first()
        plain = not self.are_secret and (has_port or is_first)
        return f"{self.prefix}{ROOT if plain else f'/{self.name_of(scanner)}'}".lstrip("/")

    @property
    def prefix(self) -> str:
        """Return the path at which a proxy has this server, "" for none."""
        return urlsplit(self._context.settings.server.base_url).path


def _kept_secret(path: Path, made: bytes) -> bytes:
    """Return the server's secret, *made* at first; clients keep addresses. Raises OSError."""
    try:
        found = path.read_bytes()
    except OSError:
        found = b""
    if len(found) == SECRET_BYTES:
        return found
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(made)
    return made
