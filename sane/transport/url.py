"""Addresses in texts: ``SCHEME://HOST[:PORT][/PATH]``, as configurations and devices write them.

It knows texts only. Source: RFC 3986, RFC 6874 (zones of IPv6 addresses).
"""

from __future__ import annotations

from ..errors import Invalid
from . import PORT_MAX

TEXT_CHARACTERS = 2048  # a longer one is no address
SCHEME_PORTS = {"http": 80, "https": 443}


class Url:
    """*scheme* in small letters, *host* without brackets (with ``%zone``), *port*, *path*.

    port: 0 where none is written and the scheme has none. path: with its query, "" without one.
    """

    __slots__ = ("host", "path", "port", "scheme")

    def __init__(self, scheme: str, host: str, port: int = 0, path: str = "") -> None:
        self.scheme = scheme
        self.host = host
        self.port = port or SCHEME_PORTS.get(scheme, 0)
        self.path = path

    @classmethod
    def parse(cls, text: str) -> Url:
        """Return the parts of *text*; raises Invalid, naming it, for what is no such address.

        Blanks and control characters, users and passwords, and ports that are none are refused.
        """
        scheme, mark, rest = text.partition("://")
        if not mark or not scheme.isascii() or not scheme.isalnum() or len(text) > TEXT_CHARACTERS:
            raise Invalid(f"{text[:TEXT_CHARACTERS]!r} is not SCHEME://HOST[:PORT][/PATH]")
        if any(char <= " " or char == "\x7f" for char in text):
            raise Invalid(f"{text!r}: an address has no blanks and control characters")
        end = next((i for i, char in enumerate(rest) if char in "/?#"), len(rest))
        host, port = split_port(rest[:end], text)
        path = rest[end:].partition("#")[0]
        return cls(scheme.lower(), host, port, f"/{path}" if path.startswith("?") else path)

    @property
    def authority(self) -> str:
        """HOST[:PORT] as it is written, without the zone and without the scheme's own port."""
        host = self.host.partition("%")[0]
        host = f"[{host}]" if ":" in host else host
        return host if self.port in (0, SCHEME_PORTS.get(self.scheme)) else f"{host}:{self.port}"

    def join(self, reference: str) -> Url:
        """Return what *reference*, as in a Location, means here; raises Invalid as parse does.

        It may be an address, ``//HOST/PATH``, ``/PATH``, or relative to our path.
        """
        if reference.startswith("//"):
            return Url.parse(f"{self.scheme}:{reference}")
        scheme, mark, _ = reference.partition("://")
        if mark and scheme.isalnum():
            return Url.parse(reference)
        if not reference or any(char <= " " or char == "\x7f" for char in reference):
            raise Invalid(f"{reference!r}: no place to go to")
        if not reference.startswith("/"):
            reference = f"{self.path.partition('?')[0].rpartition('/')[0]}/{reference}"
        return Url(self.scheme, self.host, self.port, reference.partition("#")[0])

    def __str__(self) -> str:
        host = self.host.replace("%", "%25", 1) if ":" in self.host else self.host
        host = f"[{host}]" if ":" in host else host
        default = SCHEME_PORTS.get(self.scheme, 0)
        return f"{self.scheme}://{host}{'' if self.port == default else f':{self.port}'}{self.path}"

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def split_port(text: str, whole: str = "") -> tuple[str, int]:
    """Return host and port (0: none) of ``HOST[:PORT]``; an IPv6 address with a port has brackets.

    Raises Invalid, naming *whole*, where there is no host or the port is none.
    """
    whole = whole or text
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
            raise Invalid(f"{whole!r}: [ADDRESS] or [ADDRESS]:PORT")
        host, port = host.replace("%25", "%", 1), rest[1:]
        has_port = bool(rest)
    elif text.count(":") > 1:  # an IPv6 address without brackets
        host, port, has_port = text, "", False
    else:
        host, colon, port = text.partition(":")
        has_port = bool(colon)
    if not host or "@" in host or "[" in host or "]" in host:
        raise Invalid(f"{whole!r} names no host")
    if has_port and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= PORT_MAX):
        raise Invalid(f"{whole!r}: port {port[:20]!r} is not 1 to {PORT_MAX}")
    return host, int(port) if has_port else 0
