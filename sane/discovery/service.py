"""A service as DNS-SD tells of it: where it is, and what it says of itself. Source: RFC 6763 6."""

from __future__ import annotations

import _socket

from ..transport import PORT_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAME_BYTES = 255  # RFC 1035 2.3.4
NOT_IN_NAMES = set(":/?#[]@%\\;,'\"`<>|&$()*! ")  # nor in what is made of them: URLs, device names
MULTICAST, MULTICAST_6 = 224, 255  # the first byte of such an address; of IPv4 from there on


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


def unescape(text: str) -> str:
    """Return *text* without the escapes of Avahi, which it has in host names and program output.

    They are a backslash and three digits, or one before a dot or another backslash.
    """
    data = bytearray()
    at = 0
    raw = text.encode("utf-8")
    while at < len(raw):
        digits = raw[at + 1 : at + 4]
        if raw[at] == ord("\\") and len(digits) == 3 and digits.isdigit() and int(digits) < 256:
            data.append(int(digits))
            at += 4
        elif raw[at] == ord("\\") and raw[at + 1 : at + 2] in (b".", b"\\"):
            data.append(raw[at + 1])
            at += 2
        else:
            data.append(raw[at])
            at += 1
    return data.decode("utf-8", "replace")


def is_host_name(text: str) -> bool:
    """Tell whether *text* can be the name of a host: printable, and nothing that divides names."""
    is_short = 0 < len(text.encode("utf-8", "surrogateescape")) <= NAME_BYTES
    return is_short and text.isprintable() and not NOT_IN_NAMES & set(text)


def is_host_address(text: str) -> bool:
    """Tell whether *text* is the address of one host, with the zone that a link-local one needs."""
    literal, percent, zone = text.partition("%")
    try:
        packed = _socket.inet_pton(_socket.AF_INET6 if ":" in literal else _socket.AF_INET, literal)
    except (OSError, ValueError):
        return False
    if ":" not in literal:
        return not percent and 0 < packed[0] < MULTICAST
    is_zone = all(char.isalnum() or char in "-_." for char in zone)
    return is_zone and bool(zone) == bool(percent) and any(packed) and packed[0] != MULTICAST_6


def usable(services: Iterable[Service]) -> list[Service]:
    """Return the *services* that give a host, an address and a port, each once.

    IPv4 comes before IPv6. The first instance at each address comes before the second at any, so
    that a host that announces thousands does not hide the others.
    """
    found: set[tuple[str, int, str, str]] = set()
    instances: dict[str, int] = {}  # how many were at its address before
    at_address: dict[str, int] = {}
    rows = []
    for one in services:
        key = one.name, one.port, one.address, one.instance
        is_whole = is_host_name(one.name) and is_host_address(one.address)
        if key in found or not is_whole or not 0 < one.port <= PORT_MAX:
            continue
        found.add(key)
        if one.instance not in instances:
            instances[one.instance] = at_address.get(one.address, 0)
            at_address[one.address] = instances[one.instance] + 1
        rows.append((instances[one.instance], ":" in one.address, one))
    rows.sort(key=lambda row: row[:2])
    return [one for _, _, one in rows]
