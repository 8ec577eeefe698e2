"""A service as DNS-SD tells of it: where it is, and what it says of itself. Source: RFC 6763 6."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Service:
    """One announced service: *name* of its host, *port*, *address*; *instance* is its own name.

    texts: what it tells of itself, as {"mdl": "..."}. type: that it was found as, "" if unknown.
    """

    __slots__ = ("address", "instance", "name", "port", "texts", "type")

    def __init__(
        self, name: str, port: int, address: str, instance: str, texts: dict[str, str]
    ) -> None:
        self.name = name
        self.port = port
        self.address = address
        self.instance = instance
        self.texts = texts
        self.type = ""

    def row(self) -> list[str]:
        """Return it as texts, for a recording."""
        texts = [f"{key}={value}" for key, value in self.texts.items()]
        return [self.name, str(self.port), self.address, self.instance, *texts]

    @classmethod
    def of_row(cls, row: Sequence[str]) -> Service:
        """Return the service that a row of a recording means; raises ValueError for none."""
        name, port, address, instance, *texts = row
        return cls(name, int(port), address, instance, read_texts(texts))


def read_texts(entries: Iterable[str]) -> dict[str, str]:
    """Return the entries ``key=value`` of a TXT record; the first of a key counts."""
    found: dict[str, str] = {}
    for entry in entries:
        key, _, value = entry.partition("=")
        if key:
            found.setdefault(key.lower(), value)
    return found
