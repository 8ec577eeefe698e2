"""saned.conf: who may connect, and the server's settings.

It knows lines, addresses and how entries match; sockets, files of passwords and what a client may
do once it is in are others' business. Source: net-protocol 8.5 and 8.6.
"""

from __future__ import annotations

import _socket

from .. import config
from ..transport.names import host_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..config import Environment, Line

    Resolve = Callable[[str], list[bytes]]

FILE = "saned.conf"
HOSTS_EQUIV = "/etc/hosts.equiv"
MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address as IPv6 (RFC 4291 2.5.5.2)
IPV4_BYTES = 4
SITE_BYTES = 8  # of an IPv6 address: the rest of it a host chooses as it likes
IPV6_LOOPBACK = bytes(15) + b"\x01"
LOOPBACK_NET = 127
MOST_CLIENTS = 10_000
MOST_HANDLES = 1000
MOST_PORT = 65535
MOST_SECONDS = 7 * 86_400
PATH_BYTES = 96  # of a Unix socket: 108, less a dot and the number of a data socket
_DIGITS = 9
_NUMERIC = set("0123456789abcdefABCDEFxX.")  # of an IPv4 address in any of C's spellings
# Beyond ASCII a name may have anything: /etc/hosts and mDNS take it.
_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class SanedConf:
    """The lines with ``=``. Times are seconds, 0 is for ever; data_ports (0, 0) is any port."""

    __slots__ = (
        "announce",
        "data_connect_timeout",
        "data_portrange",
        "hosts_equiv",
        "idle_timeout",
        "listen_unix",
        "max_clients",
        "max_clients_per_host",
        "max_handles",
        "open_unlisted",
        "request_timeout",
        "share_files",
        "share_net",
    )

    def __init__(self) -> None:
        self.data_portrange = (0, 0)
        self.data_connect_timeout = 4.0
        self.max_clients = 64
        self.max_clients_per_host = 32
        self.max_handles = 64
        self.idle_timeout = 3600.0
        self.request_timeout = 60.0
        self.hosts_equiv = False
        self.open_unlisted = False
        self.share_net = False
        self.share_files = False
        self.announce = True
        self.listen_unix = ""


class Access:
    """What one reading of saned.conf gave. file: "" without one; problems: lines for a log."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.settings = SanedConf()
        self.entries: list[Entry] = []
        self.problems: list[str] = []
        self.file = ""
        for line in lines:
            self.file = line.file
            if line.is_blank or line.is_comment:
                continue
            if "=" in line.text:
                self._set(line)
            else:
                self._add(line)

    @classmethod
    def read(cls, environment: Environment) -> Access:
        """Read saned.conf; without one only the machine itself may connect."""
        access = cls(config.read(environment, FILE) or ())
        if access.settings.hosts_equiv:
            equivalent = config.Environment({"SANE_CONFIG_DIR": HOSTS_EQUIV.rpartition("/")[0]})
            name = HOSTS_EQUIV.rpartition("/")[2]
            for line in config.read(equivalent, name) or ():
                if not (line.is_blank or line.is_comment or "=" in line.text):
                    access._add(line)
        return access

    def _set(self, line: Line) -> None:
        key, _, text = line.text.partition("=")
        key, text = key.strip(config.WHITESPACE), config.without_comment(text)
        parse = PARSERS.get(key)
        if parse is None:
            self.problems.append(f"{line.where()}: unknown setting {key!r}, ignored")
            return
        try:
            setattr(self.settings, key, parse(text))
        except Surplus as exc:
            setattr(self.settings, key, exc.value)
            self.problems.append(f"{line.where()}: {key}: {exc}")
        except ValueError as exc:
            self.problems.append(f"{line.where()}: {key}: {exc}; ignored")

    def _add(self, line: Line) -> None:
        entry = Entry(line)
        self.entries.append(entry)
        if entry.flaw:
            self.problems.append(f"{line.where()}: {line.text}: {entry.flaw}")


class Entry:
    """One line that lets somebody in.

    address: the host or the network's base, 4 or 16 bytes. prefix: the bits of it that count, None
    for a host. name: to be resolved. flaw: why it can never match as it was meant, "" if it can.
    """

    __slots__ = ("address", "anybody", "flaw", "name", "prefix", "where")

    def __init__(self, line: Line) -> None:
        self.where = line.where()
        self.address: bytes | None = None
        self.prefix: int | None = None
        self.name = ""
        self.flaw = ""
        base, slash, digits = line.text.partition("/")
        if base.startswith("["):
            base, bracket, _ = base[1:].partition("]")
            if not bracket:
                self.flaw = "] is missing before the /" if slash else "] is missing"
                base = ""
        self.anybody = base == "+"
        if self.anybody or self.flaw:
            return
        self.address = parse_address(base)
        if slash:
            self._set_prefix(digits)
        elif self.address is None:
            self.name = base
            self.flaw = flaw_of_name(base)

    def _set_prefix(self, digits: str) -> None:
        if self.address is None:
            self.flaw = "a network begins with a numeric address"
            return
        bits = 8 * len(self.address)
        digits = before_comment(digits)
        if is_number(digits) and int(digits) <= bits:
            self.prefix = int(digits)
        else:
            self.flaw = f"after the / comes a number from 0 to {bits}"

    @property
    def needs_resolver(self) -> bool:
        """Whether names must be looked up to know if it matches."""
        return bool(self.name) and not self.flaw

    def admits(self, peer: Peer, resolve: Resolve) -> bool:
        """Tell whether this entry lets *peer* in."""
        if self.anybody:
            return True
        if self.needs_resolver:
            return any(address in peer.forms for address in resolve(self.name))
        if self.address is None:
            return False
        if self.address in peer.forms:  # even if the prefix length is wrong, as ever
            return True
        return self.prefix is not None and any(
            in_network(form, self.address, self.prefix) for form in peer.forms
        )


class Peer:
    """Who connects: text for messages, forms: the addresses by which entries may name it.

    An IPv4-mapped IPv6 address has two. A peer on a Unix socket has none and is local.
    """

    __slots__ = ("forms", "is_local", "text")

    def __init__(self, text: str, forms: Iterable[bytes], is_local: bool = False) -> None:
        self.text = text
        self.forms = tuple(forms)
        self.is_local = is_local or any(is_loopback(form) for form in self.forms)

    @classmethod
    def at(cls, address: object) -> Peer | None:
        """Return the peer of a socket's address as getpeername gives it; None for no address."""
        if not isinstance(address, tuple) or not address:
            return None
        packed = parse_address(str(address[0]))
        if packed is None:
            return None
        forms = [packed]
        text = str(address[0])
        if packed.startswith(MAPPED):
            forms.append(packed[len(MAPPED) :])
            text = _socket.inet_ntop(_socket.AF_INET, forms[1])
        return cls(text, forms)

    @property
    def host(self) -> str:
        """What counts as one host when places are counted: the loopback, or an IPv6 /64.

        The /64 of link-local addresses is every machine on the link: there the address counts.
        """
        if self.is_local:
            return "this machine"
        last = self.forms[-1]  # of a mapped address, the IPv4 form
        if len(last) == IPV4_BYTES or is_link_local(last):
            return self.text
        return f"{_socket.inet_ntop(_socket.AF_INET6, last[:SITE_BYTES] + bytes(SITE_BYTES))}/64"

    def is_same_host(self, other: Peer) -> bool:
        """Tell whether both have an address in common; an IPv4 address equals its mapped form."""
        return not set(self.forms).isdisjoint(other.forms)


def reason_by_address(peer: Peer, access: Access) -> str:
    """Return why *peer* may connect as far as addresses tell, "" if names have to be looked up.

    No entry forbids, so what needs no name service is asked first: a broken one locks out nobody
    who is named by address.
    """
    if peer.is_local:
        return "this machine"
    for entry in access.entries:
        if not entry.needs_resolver and entry.admits(peer, resolve_name):
            return entry.where
    return ""


def reason_to_admit(
    peer: Peer, access: Access, resolve: Resolve, host_name: Callable[[], str]
) -> str:
    """Return why *peer* may connect, "" if it may not; names are looked up last."""
    return reason_by_address(peer, access) or reason_by_name(peer, access, resolve, host_name)


def reason_by_name(
    peer: Peer, access: Access, resolve: Resolve, host_name: Callable[[], str]
) -> str:
    """Return why *peer* may connect by a name, "" if it may not.

    resolve(name) returns addresses, [] for any failure, and may take long.
    """
    if any(address in peer.forms for address in resolve(host_name())):
        return "this machine by its name"
    for entry in access.entries:
        if entry.needs_resolver and entry.admits(peer, resolve):
            return entry.where
    return ""


def is_loopback(address: bytes) -> bool:
    """Tell whether a packed address is one of this machine's loopback (all of 127/8)."""
    return address == IPV6_LOOPBACK or (len(address) == IPV4_BYTES and address[0] == LOOPBACK_NET)


def is_link_local(address: bytes) -> bool:
    """Tell whether a packed address is an IPv6 one of use on its own link only (fe80::/10)."""
    return len(address) > IPV4_BYTES and address[0] == 0xFE and address[1] & 0xC0 == 0x80


def resolve_name(name: str) -> list[bytes]:
    """Return all addresses of a host name, [] if it has none or nobody answers."""
    if not name:
        return []
    try:
        found = _socket.getaddrinfo(host_bytes(name), None, 0, _socket.SOCK_STREAM)
    except (OSError, ValueError):
        return []
    packed = (parse_address(str(item[4][0])) for item in found)
    return [address for address in packed if address is not None]


def parse_address(text: str) -> bytes | None:
    """Return a numeric address, with or without a scope, as 4 or 16 bytes; None for others."""
    plain = text.partition("%")[0] if ":" in text else text
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            return _socket.inet_pton(family, plain)
        except (OSError, ValueError):
            continue
    if plain.count(".") != IPV4_BYTES - 1 or not set(plain) <= _NUMERIC:
        return None
    try:
        return _socket.inet_aton(plain)  # 10.77.0.002, as name services read it
    except OSError:
        return None


def in_network(address: bytes, base: bytes, prefix: int) -> bool:
    """Tell whether *address* has the first *prefix* bits of *base*; False for another family."""
    if len(address) != len(base):
        return False
    shift = 8 * len(base) - prefix
    return int.from_bytes(address, "big") >> shift == int.from_bytes(base, "big") >> shift


def flaw_of_name(text: str) -> str:
    """Return why *text* cannot be a host name, "" if it can."""
    if any(char in config.WHITESPACE for char in text):
        return "one entry to a line, and comments on lines of their own or behind networks"
    if "*" in text or "?" in text:
        return "there are no patterns: write a network as 192.168.0.0/24, or + for everybody"
    if text.startswith("-"):
        return "no entry can forbid"
    if not {char for char in text if char.isascii()} <= _NAME:
        return "neither an address nor a host name"
    return ""


def is_number(text: str) -> bool:
    """Tell whether *text* is decimal digits, few enough for any number of these files."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def before_comment(text: str) -> str:
    """Return *text* before a ``#``, trimmed: behind a number there may be a comment, as ever."""
    return text.partition("#")[0].strip(config.WHITESPACE)


# The values of the settings; ValueError says what is wrong.


class Surplus(ValueError):
    """Something follows a value, which counts nevertheless."""

    def __init__(self, value: object, text: str) -> None:
        super().__init__(text)
        self.value = value


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        text = before_comment(text)
        if not is_number(text) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return parse


def _seconds(low: int) -> Callable[[str], float]:
    parse = _number(low, MOST_SECONDS)
    return lambda text: float(parse(text))


def _milliseconds(text: str) -> float:
    return _number(0, 0xFFFF)(text) / 1000


def _port_range(text: str) -> tuple[int, int]:
    """Return the first and the last port, read as other saned programs read them.

    What follows the digits does not count: without the range that was meant, any port would do,
    and image data would end at the firewall.
    """
    before, dash, behind = before_comment(text).partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not FIRST - LAST")
    (first, after_first), (last, after_last) = _leading_port(before), _leading_port(behind)
    if first > last:
        raise ValueError(f"the first port {first} is greater than the last {last}")
    surplus = " and ".join(repr(rest) for rest in (after_first, after_last) if rest)
    if surplus:
        raise Surplus((first, last), f"{surplus} is ignored; the range is {first} - {last}")
    return first, last


def _leading_port(text: str) -> tuple[int, str]:
    """Return the port with which *text* begins, and what follows it."""
    text = text.strip(config.WHITESPACE)
    number = text.removeprefix("+")
    rest = number.lstrip("0123456789")
    digits = number[: len(number) - len(rest)]
    if not digits:
        raise ValueError(f"{text!r} is not a number from 0 to {MOST_PORT}")
    return _number(0, MOST_PORT)(digits.lstrip("0") or "0"), rest.strip(config.WHITESPACE)


def _yes_or_no(text: str) -> bool:
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in answers:
        raise ValueError(f"{text!r} is neither yes nor no")
    return answers[text.lower()]


def _path(text: str) -> str:
    encoded = text.encode("utf-8", "surrogateescape")
    if text and (not text.startswith("/") or len(encoded) > PATH_BYTES):
        raise ValueError(f"{text!r} is not an absolute path of at most {PATH_BYTES} bytes")
    return text


PARSERS: dict[str, Callable[[str], Any]] = {
    "data_portrange": _port_range,
    "data_connect_timeout": _milliseconds,
    "max_clients": _number(1, MOST_CLIENTS),
    "max_clients_per_host": _number(1, MOST_CLIENTS),
    "max_handles": _number(1, MOST_HANDLES),
    "idle_timeout": _seconds(0),
    "request_timeout": _seconds(1),
    "hosts_equiv": _yes_or_no,
    "open_unlisted": _yes_or_no,
    "share_net": _yes_or_no,
    "share_files": _yes_or_no,
    "announce": _yes_or_no,
    "listen_unix": _path,
}
