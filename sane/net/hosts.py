"""net.conf and the environment: which hosts are asked, how long, and what a device name means.

It knows texts only; nothing is resolved or contacted here. Source: net-protocol 7.1 to 7.4.
"""

from __future__ import annotations

from .. import config
from ..errors import Invalid
from ..transport import PORT_MAX, service_port
from ..wire import PORT, SERVICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..config import Environment, Line
    from ..debug import Debug
    from ..discovery.service import Service


class Host:
    """A server: *name* as configured (IPv6 without brackets), *port*, and where to connect.

    port: 0 for that of the service, which is looked up when it is needed: a look-up loads parts of
    the C library that listing local devices can do without. address: what to resolve, if it is not
    the name.
    """

    __slots__ = ("_port", "address", "name")

    def __init__(self, name: str, port: int = 0, address: str = "") -> None:
        self.name = name
        self._port = port
        self.address = address or name

    @property
    def port(self) -> int:
        """The TCP port of the server."""
        self._port = self._port or service_port(SERVICE, PORT)
        return self._port

    def device(self, name: str) -> str:
        """Return the name of this host's device *name*, as the backend lists it."""
        return f"[{self.name}]:{name}" if ":" in self.name else f"{self.name}:{name}"

    def __repr__(self) -> str:
        return f"Host({self.name!r}, {self._port})"


class NetConf:
    """What net.conf and the environment say.

    hosts: in the order in which they are asked, the last configured first. connect_seconds: for
    each address, None leaves it to the system. reply_seconds: None for the usual. discovery: ask
    DNS-SD for servers.
    """

    def __init__(self) -> None:
        self.hosts: list[Host] = []
        self.connect_seconds: float | None = None
        self.reply_seconds: float | None = None
        self.discovery = False

    def find(self, name: str) -> Host | None:
        """Return the configured host of exactly this name."""
        return next((host for host in self.hosts if host.name == name), None)

    def add(self, name: str, port: int = 0, address: str = "") -> bool:
        """Put a host in front; False if it is there already."""
        if self.find(name) is not None:
            return False
        self.hosts.insert(0, Host(name, port, address))
        return True


def load(environment: Environment, lines: Iterable[Line], debug: Debug) -> NetConf:
    """Return the settings of net.conf's *lines*, then SANE_NET_HOSTS and SANE_NET_TIMEOUT."""
    settings = NetConf()
    for line in lines:
        if "=" in line.text or "connect_timeout" in line.text:
            _read_setting(line, settings, debug)
        elif not settings.add(unbracketed(line.text)):
            debug(2, "%s: %s is configured already", line.where(), line.text)
    for name in split_hosts(environment.get("SANE_NET_HOSTS") or ""):
        settings.add(name)
    timeout = environment.get("SANE_NET_TIMEOUT")
    if timeout is not None:
        settings.connect_seconds = limit(config.atoi(timeout))
    debug(3, "hosts: %s", settings.hosts)
    return settings


def _read_setting(line: Line, settings: NetConf, debug: Debug) -> None:
    """Take over ``key = value``; the original finds connect_timeout anywhere in a line (7.1)."""
    is_ours = "connect_timeout" not in line.text
    text = config.without_comment(line.text) if is_ours else line.text
    name, _, value = (part.strip() for part in text.partition("="))
    if not is_ours:
        if value:
            settings.connect_seconds = limit(config.atoi(value))
    elif name == "reply_timeout":
        settings.reply_seconds = limit(config.atoi(value))
    elif name == "discovery" and value in ("yes", "no"):
        settings.discovery = value == "yes"
    elif name.endswith(" port") and value.isdecimal() and 0 < int(value) <= PORT_MAX:
        host = unbracketed(name.removesuffix(" port").strip())
        if not settings.add(host, int(value)):
            debug(2, "%s: %s is configured already", line.where(), host)
    else:
        debug(1, "%s: not understood, ignored: %s", line.where(), line.text)


def discovered(services: Iterable[Service]) -> list[Host]:
    """Return the servers that announced themselves, each once, sorted by name."""
    by_name: dict[str, Host] = {}
    for service in services:
        by_name.setdefault(service.name, Host(service.name, service.port, service.address))
    return [by_name[name] for name in sorted(by_name)]


def limit(seconds: int) -> float | None:
    """Return a number of seconds from the configuration; 0 and less are no limit."""
    return float(seconds) if seconds > 0 else None


def unbracketed(name: str) -> str:
    """Return a host name without the brackets that an IPv6 address may have."""
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name


def split_hosts(text: str) -> Iterator[str]:
    """Yield the hosts of SANE_NET_HOSTS: colons separate, brackets keep them together (7.2)."""
    while text:
        if text.startswith("["):
            name, bracket, text = text[1:].partition("]")
            if not bracket:
                return  # the original crashes here
            rest, _, text = text.partition(":")
            name = "" if rest else name
        else:
            name, _, text = text.partition(":")
        if name:
            yield name


def split_device(name: str) -> tuple[str, str | None]:
    """Return host and device of a device name; device None: there was no colon.

    Raises Invalid for what is no name (7.4). Only the first colon separates.
    """
    if name.startswith("["):
        host, bracket, rest = name[1:].partition("]")
        if not bracket or not host or (rest and not rest.startswith(":")):
            raise Invalid(f"{name!r}: [address] or [address]:device")
        return host, rest[1:]
    host, colon, device = name.partition(":")
    if not colon:
        return host, None
    if not host:
        raise Invalid(f"{name!r} names no host")
    return host, device
