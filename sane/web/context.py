"""What the parts of the server share: settings, scanners, the place for state, events, the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .addresses import shown_hosts

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .config import ShareSettings
    from .scanner import Scanner


class ScannerList(Protocol):
    """What the parts use of the scanners: see scanners.Scanners."""

    def __iter__(self) -> Iterator[Scanner]: ...

    def first(self) -> Scanner | None:
        """Return the scanner that is announced at /eSCL."""

    def find(self, id: str) -> Scanner:
        """Return the scanner with the UUID *id*; raises KeyError."""

    async def looked(self) -> bool:
        """Wait a moment for the first list; tell whether there was one."""

    def unopened(self) -> list[Scanner]:
        """Return the scanners that are listed, and could not be opened yet."""

    async def refresh(self) -> None:
        """List the scanners again."""

    def subscribe(self, callback: Any) -> None:
        """Have callback(kind, scanner) called: "added", "removed" or "changed"."""


@dataclass
class ShareContext:
    """One server's parts. state: a private directory that outlives it.

    events: the bus of sane.web.events; None in a server without the page. ports: which scanner a
    port belongs to, by number, where each has its own. parts: what belongs to one of PARTS alone.
    """

    settings: ShareSettings
    scanners: ScannerList
    state: Path
    log: logging.Logger
    events: Any = None
    ports: dict[int, str] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)

    def base_url(self, scope: Mapping[str, Any] | None = None) -> str:
        """Return what URLs of this server begin with, without a slash at the end.

        scope: the request that they answer, whose Host was checked; None for what is announced.
        """
        if self.settings.server.base_url:
            return self.settings.server.base_url
        host = ""
        if scope is not None:
            found = [value for name, value in scope["headers"] if name == b"host"]
            host = found[0].decode("latin-1") if found else ""
        scheme = "http" if scope is None else scope["scheme"]
        return f"{scheme}://{host or f'{shown_hosts(())[0]}:{self.settings.server.port}'}"

    def scanner_at(
        self, server: Iterable[Any] | None, scanners: Iterable[Scanner]
    ) -> Scanner | None:
        """Return which of *scanners* /eSCL means at the address *server* of an ASGI scope."""
        address = tuple(server or ())
        own = self.ports.get(address[1]) if len(address) > 1 else None
        for scanner in scanners:
            if own is None or scanner.id == own:
                return scanner
        return None
