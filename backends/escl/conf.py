"""escl.conf: what its lines say, also those of the original backend of this name.

It reads lines; files and scanners are not its. Source: specification escl 1.7 and 6.2.
"""

from __future__ import annotations

from ...errors import Invalid
from . import quirks
from .known_quirks import KNOWN
from .service import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .quirks import Row

HTTPS = ("prefer", "if-needed", "require", "never")
VERIFY = ("off", "warn", "pin", "system")
TLS_VERSIONS = ("1.0", "1.2")
SOCKETS = "/var/run"
MOST_SECONDS, MOST_MIB, MOST_PAGES = 86_400, 1 << 16, 1_000_000
MIB = 1 << 20
YES = {"on": True, "yes": True, "true": True, "1": True}
NO = {"off": False, "no": False, "false": False, "0": False}
BLOCK = "[device]"
BLOCK_WORDS = ("model", "type", "ip", "port")


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """Return what reads one of *choices*."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return read


def truth(text: str) -> bool:
    """Return what yes or no says."""
    found = {**YES, **NO}.get(text.lower())
    if found is None:
        raise ValueError(f"{text!r} is neither yes nor no")
    return found


def number(most: int) -> Callable[[str], int]:
    """Return what reads a whole number from 1 to *most*."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:10]) <= most):
            raise ValueError(f"{text!r} is not 1 to {most}")
        return int(text)

    return read


# What may follow the address of a scanner, and its value without it.
SETTINGS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "name": (str, ""),
    "model": (str, ""),
    "user": (str, ""),
    "password": (str, ""),
    "basic-in-clear": (truth, False),
    "host": (one_of(quirks.HOSTS), "default"),
    "tls-min": (one_of(TLS_VERSIONS), "1.2"),
}


class Block:
    """A scanner in the original's older form: some words, each on a line of its own.

    place: what the lines until now make.
    """

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self.place: object = None

    @property
    def url(self) -> str:
        """Its address, "" until there is one."""
        host = self.words.get("ip", "")
        if not host:
            return ""
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        port = f":{self.words['port']}" if "port" in self.words else ""
        return f"{self.words.get('type', 'http')}://{host}{port}"


class Conf:
    """All that is not about one scanner: policies, limits, quirks, and who is left out."""

    def __init__(self) -> None:
        self.https = "prefer"
        self.verify = "warn"
        self.pretends_local = False
        self.sockets = SOCKETS
        self.limits = Limits()
        self.quirks: list[Row] = [quirks.read(line) for line, _, _ in KNOWN]
        self.refused: list[tuple[str, str]] = []  # what of a scanner, and a glob or addresses
        self.block: Block | None = None

    def read(self, text: str) -> bool:
        """Take over a line; return False for another kind. Raises Invalid for a wrong one."""
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if text.startswith(";"):
            return True
        if word == quirks.WORD:
            self.quirks.append(quirks.read(text))
        elif word == "pdfblacklist" and rest:
            self.quirks += [self._blacklisted(model) for model in rest.split()]
        elif word == "blacklist":
            self._refuse(rest)
        elif word in VALUES and rest:
            read, attribute = VALUES[word]
            try:
                value = read(rest)
            except ValueError as exc:
                raise Invalid(f"{word}: {exc}") from exc
            self._set(attribute, value)
        else:
            return False
        return True

    def _set(self, attribute: str, value: Any) -> None:
        owner: object = self.limits if hasattr(self.limits, attribute) else self
        setattr(owner, attribute, value)

    @staticmethod
    def _blacklisted(model: str) -> Row:
        glob = model.replace("_", " ")
        return quirks.read(f'quirk model="*{glob}*" {quirks.PDF_BLACKLIST}')

    def _refuse(self, text: str) -> None:
        kind, _, value = text.partition(" ")
        value = value.strip().strip('"')
        if kind not in ("model", "name", "ip") or not value:
            raise Invalid("blacklist model GLOB, name GLOB or ip ADDRESS[/BITS]")
        if kind == "ip":
            try:
                network(value)
            except Invalid as exc:
                raise Invalid(f"blacklist ip: {exc}") from exc
        self.refused.append((kind, value))

    def refuses(self, model: str, name: str, addresses: Sequence[str]) -> bool:
        """Tell whether a scanner that was discovered is left out."""
        from fnmatch import fnmatchcase

        for kind, value in self.refused:
            if kind == "ip":
                if any(_is_in(address, value) for address in addresses):
                    return True
            elif fnmatchcase((model if kind == "model" else name).lower(), value.lower()):
                return True
        return False


def network(text: str) -> Any:
    """Return the addresses that *text* means; raises Invalid, naming it, for what is none."""
    from ipaddress import ip_network

    try:
        return ip_network(text, strict=False)
    except ValueError as exc:
        raise Invalid(f"{text!r} is no address or subnet") from exc


def _is_in(address: str, text: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(address.partition("%")[0]) in network(text)
    except ValueError:
        return False


def _mebibytes(text: str) -> int:
    return number(MOST_MIB)(text) * MIB


def _seconds(text: str) -> float:
    return float(number(MOST_SECONDS)(text))


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no absolute path")
    return text.rstrip("/") or "/"


# Lines of a word and a value: what reads it, and the attribute of Conf or Limits that it sets.
VALUES: dict[str, tuple[Callable[[str], Any], str]] = {
    "https": (one_of(HTTPS), "https"),
    "tls-verify": (one_of(VERIFY), "verify"),
    "pretend-local": (truth, "pretends_local"),
    "socket-dir": (_folder, "sockets"),
    "page-timeout": (_seconds, "page_seconds"),
    "stall-timeout": (_seconds, "stall_seconds"),
    "max-document": (_mebibytes, "document_bytes"),
    "max-pages": (number(MOST_PAGES), "pages"),
}
