"""Where eSCL scanners are: the ways to each, in the order in which they are tried.

It knows what DNS-SD and the configuration told; it asks nobody.
Source: specification escl 1.2, 1.3, 1.5.
"""

from __future__ import annotations

import _socket

from ...discovery.identity import usb_of, uuid_of
from ...errors import DeviceIOError
from ...network_backend import Place
from ...transport.url import Url
from .._driverless.capabilities import readable, vendor_and_model
from .._driverless.names import hyphenated, root_of_text, service_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...discovery.service import Service
    from .._driverless.names import Name
    from .conf import Conf

MOST_ENDPOINTS = 32
MOST_DEVICES = 256
HTTP, HTTPS = "http", "https"
SECURE = "_uscans._tcp"
FEEDERS, BED = "adf", "platen"


class Endpoint:
    """One way to a scanner: *url* of its service; *names*: what its host calls itself.

    socket: the path of a Unix socket to connect to instead.
    """

    __slots__ = ("names", "socket", "url")

    def __init__(self, url: Url, names: Sequence[str] = (), socket: str = "") -> None:
        self.url = url
        self.names = tuple(name for name in names if name)
        self.socket = socket

    def __repr__(self) -> str:
        return f"Endpoint({self.url}{f' by {self.socket}' if self.socket else ''})"


class EsclPlace(Place):
    """One scanner: *endpoints*, and what is known of it before it is asked.

    name: its device name. shown: what DNS-SD or the configuration calls it; instances: all that
    DNS-SD does, as they are. model: make and model. is_named: the configuration, or who opens it,
    says where it is.
    """

    __slots__ = ("endpoints", "instances", "is_named", "model", "name", "shown")

    def __init__(self, name: str, endpoints: Sequence[Endpoint]) -> None:
        url = endpoints[0].url
        super().__init__(url.scheme, url.host, url.port, url.path)
        self.name = name
        self.endpoints = list(endpoints)
        self.shown = self.model = ""
        self.instances: set[str] = set()
        self.is_named = False

    @property
    def is_local(self) -> bool:
        """It is on this machine: a USB device behind a proxy."""
        from ...transport.http import is_loopback

        return all(bool(one.socket) or is_loopback(one.url.host) for one in self.endpoints)

    @property
    def vendor_and_model(self) -> tuple[str, str]:
        """Return what a list shows, as far as it is known."""
        vendor, model = vendor_and_model(readable(self.model or self.shown))
        return vendor or "eSCL", model or "scanner"

    @property
    def type(self) -> str:
        """The type of a list's entry, by the sources that it announces."""
        sources = [word.strip().lower() for word in self.texts.get("is", "").split(",")]
        known = {BED: "flatbed", FEEDERS: "ADF", "camera": "camera"}
        found = [known[source] for source in known if source in sources]
        return f"{' or '.join(found) or 'flatbed or ADF'} scanner"


def named_place(name: Name, sockets: str) -> EsclPlace:
    """Return the place that a name with an address means; *sockets*: the folder of short names."""
    url = name.url
    assert url is not None
    socket = name.socket
    if socket and not socket.startswith("/"):
        socket = f"{sockets}/{socket}"
    ways = [
        Endpoint(Url(url.scheme, url.host, url.port, path), (), socket)
        for path in service_paths(url.path)
    ]
    text = f"unix:{socket}:{url}" if socket else str(url)
    place = EsclPlace(text, ways)
    place.path = url.path
    place.shown = name.shown
    place.is_named = True
    return place


# DNS-SD


def announced(services: Iterable[Service], conf: Conf) -> list[EsclPlace]:
    """Return the scanners that announce *services*: one for each name and UUID, or UUID and host.

    Those that the configuration refuses are left out, with all beyond MOST_DEVICES.
    """
    groups: dict[tuple[str, str], list[Service]] = {}
    for service in services:
        key = service.instance.lower(), uuid_of(service.texts.get("uuid", ""))
        group = groups.get(key) or groups.get(_same_box(groups, key[1], service.address) or key)
        if group is not None:
            group.append(service)
        elif len(groups) < MOST_DEVICES:
            groups[key] = [service]
    places = []
    taken: set[str] = set()
    for group in groups.values():
        place = _announced(group, conf)
        if place is None:
            continue
        if place.name in taken:
            place.name = str(place.endpoints[0].url)
        taken.add(place.name)
        places.append(place)
    return places


def _same_box(
    groups: dict[tuple[str, str], list[Service]], uuid: str, address: str
) -> tuple[str, str] | None:
    """Return the group of another name with this UUID at this address."""
    for key, group in groups.items():
        if uuid and key[1] == uuid and any(one.address == address for one in group):
            return key
    return None


def _announced(group: list[Service], conf: Conf) -> EsclPlace | None:
    ways: dict[str, Endpoint] = {}
    for service in group:
        scheme = HTTPS if service.type == SECURE else HTTP
        path = root_of_text(service.texts.get("rs"))
        url = Url(scheme, service.address, service.port, path)
        ways.setdefault(str(url), Endpoint(url, (service.name,)))
    endpoints = ordered(ways.values(), conf.https)[:MOST_ENDPOINTS]
    if not endpoints:
        return None
    texts = group[0].texts
    uuid = uuid_of(texts.get("uuid", ""))
    place = EsclPlace(hyphenated(uuid or made_uuid(group[0].instance)), endpoints)
    place.texts = texts
    place.uuid = uuid
    place.serial = texts.get("usb_ser", "")
    place.usb = usb_of(texts.get("usb_hwid", ""))
    place.instances = {service.instance.lower() for service in group}
    place.shown, place.model = readable(group[0].instance), texts.get("ty", "")
    hosts = [endpoint.url.host for endpoint in endpoints]
    return None if conf.refuses(place.model, place.shown, hosts) else place


def made_uuid(instance: str) -> str:
    """Return 32 digits for a scanner that has no UUID: always the same for its name."""
    from hashlib import sha1

    data = f"_uscan._tcp:{instance.lower()}".encode("utf-8", "surrogateescape")
    digits = sha1(data, usedforsecurity=False).hexdigest()
    return f"{digits[:12]}5{digits[13:16]}{'89ab'[int(digits[16], 16) % 4]}{digits[17:32]}"


def ordered(endpoints: Iterable[Endpoint], https: str) -> list[Endpoint]:
    """Return *endpoints* as they are to be tried, by the policy *https*.

    Encrypted ones first, or not, or alone; then those on a network of ours, those whose address
    is not of one link alone, IPv6, and at last by their text.
    """
    allowed = {"require": (HTTPS,), "never": (HTTP,), "if-needed": (HTTP, HTTPS)}
    schemes = allowed.get(https, (HTTPS, HTTP))
    possible = [one for one in endpoints if one.url.scheme in schemes]
    near = _near([one.url.host for one in possible]) if len(possible) > 1 else set()

    def rank(one: Endpoint) -> tuple[int, bool, bool, bool, str]:
        host = one.url.host
        return (
            schemes.index(one.url.scheme),
            host not in near,
            _is_of_link(host),
            ":" not in host,
            str(one.url),
        )

    return sorted(possible, key=rank)


def _is_of_link(host: str) -> bool:
    return host.startswith("169.254.") or host[:4].lower() in ("fe80", "fe90", "fea0", "feb0")


def _near(hosts: Iterable[str]) -> set[str]:
    """Return those of *hosts*, addresses, that are on a network of this machine."""
    from ...transport.interfaces import addresses

    try:
        own = addresses()
    except DeviceIOError:
        return set()
    found = set()
    for host in hosts:
        family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
        try:
            packed = _socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue  # a name
        if any(one.is_on_link(packed) for one in own):
            found.add(host)
    return found
