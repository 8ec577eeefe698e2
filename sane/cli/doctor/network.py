"""Area network: what announces itself here, whom the drivers find, and what stands in the way.

It knows interfaces, DNS-SD, TCP and TLS, and asks the drivers themselves what they find; SANE's
own protocol is in saned_hosts.py. Source: docs/scanner-not-found.md; specification escl 1.
"""

from __future__ import annotations

import _socket
from contextlib import ExitStack

from ...discovery import dbus
from ...discovery.avahi import NAME as AVAHI
from ...discovery.dnssd import services_of
from ...discovery.search import side_by_side
from ...errors import AccessDenied, DeviceIOError, SaneError
from ...network_backend import NetworkBackend
from ...transport.failures import NoAnswer
from ...transport.interfaces import addresses
from ...transport.names import resolve
from ...transport.opening import Target, open_stream
from ...transport.streams import ByteStream
from ...transport.tls import TLS_1_0, Trust
from .configuration import enabled, find_file, loaded
from .finding import FAULT, OK, UNKNOWN, WARNING, Finding
from .listener import Listener
from .packages import install
from .private import HOST, SERIAL, is_address
from .surroundings import container
from .usb import enabling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ...discovery.service import Service
    from ...network_backend import Place
    from ...transport.interfaces import InterfaceAddress
    from .machine import Machine

ESCL, ESCL_TLS, SANED = "_uscan._tcp", "_uscans._tcp", "_sane-port._tcp"
TELLING = ("escl",)  # the drivers whose scanners announce a type that only they need
TYPES = (ESCL, ESCL_TLS, "_scanner._tcp", SANED)
HEAR_SECONDS = 2.0  # to hear of what sleeps
REACH_SECONDS = 4.0  # for one host to take a connection, or to answer
LIST_SECONDS = 9.0  # what the slowest driver takes for a list, and some
UNREACHABLE = ("Network is unreachable", "No route to host")
WANTED = "/etc/systemd/system/{}.target.wants/{}.service"
FILTERS = (  # a file that is there when a firewall is, what it is called, how it lets answers in
    (
        *("/run/firewalld.pid", "firewalld"),
        ("firewall-cmd --permanent --add-service=mdns", "firewall-cmd --reload"),
    ),
    ("/etc/ufw/ufw.conf", "ufw", ("ufw allow 5353/udp",)),
    (
        *(WANTED.format("sysinit", "nftables"), "nftables"),
        ("nft add rule inet filter input udp dport 5353 accept",),
    ),
    (
        *(WANTED.format("multi-user", "netfilter-persistent"), "iptables"),
        ("iptables -I INPUT -p udp --dport 5353 -j ACCEPT",),
    ),
)


def own_addresses(machine: Machine) -> list[InterfaceAddress]:
    """Return the addresses of this machine in networks, without the loopback."""
    return machine.once("addresses", lambda: [one for one in addresses() if not one.is_loopback])


def is_of_link(one: InterfaceAddress) -> bool:
    """Tell whether nobody gave *one*: it is of use on its own link only."""
    if one.family == _socket.AF_INET:
        return one.address[:2] == b"\xa9\xfe"
    return one.address[0] == 0xFE and one.address[1] & 0xC0 == 0x80


def interfaces(machine: Machine) -> Iterator[Finding]:
    """Whether this machine has a network, and of which kind."""
    given = [one for one in own_addresses(machine) if not is_of_link(one)]
    ipv4 = [one for one in given if one.family == _socket.AF_INET]
    if not own_addresses(machine):
        text = "This machine has no network: only scanners at its USB can be found."
        yield Finding(WARNING, text, "ip address")
    elif not given:
        text = (
            "No interface has an address that a router gave (DHCP): only scanners on the same "
            "cable can be found."
        )
        yield Finding(WARNING, text, "ip address")
    elif not ipv4:
        text = (
            "This machine has IPv6 addresses only: scanners that speak IPv4 alone, as most old "
            "ones, cannot be reached."
        )
        yield Finding(WARNING, text, "ip address", id="network.ipv6")
    else:
        names = ", ".join(sorted({f"{one.text}/{one.prefix} ({one.name})" for one in ipv4}))
        yield Finding(OK, f"This machine is in the network {names}.")


# Announcements


class Heard:
    """What DNS-SD tells: *services* by type, and *said*: why a way to ask was not open."""

    def __init__(self, services: dict[str, list[Service]], said: Sequence[str]) -> None:
        self.services = services
        self.said = said

    @property
    def count(self) -> int:
        """How many instances were heard of."""
        return len({(kind, one.instance) for kind, found in self.services.items() for one in found})

    @property
    def daemon_fails(self) -> str:
        """Why the Avahi daemon did not tell, "" if it did."""
        return next((text for text in self.said if AVAHI in text or dbus.SOCKET in text), "")


def heard(machine: Machine) -> Heard:
    """Return what announces itself as a scanner or as a server of scanners."""
    return machine.once("announced", lambda: _heard(machine))


def _heard(machine: Machine) -> Heard:
    listener = Listener("discovery")
    listener.level = 2  # why the Avahi daemon was not asked
    found = services_of(TYPES, listener, HEAR_SECONDS)
    for kind, services in found.items():
        for one in services:
            one.type = kind
            machine.private.note(HOST, one.name, one.name.partition(".")[0])
    return Heard(found, listener.heard)


def dnssd(machine: Machine) -> Iterator[Finding]:
    """Whether announcements are heard, and by whom they are collected."""
    told = heard(machine)
    has_daemon = machine.exists("/run/avahi-daemon/pid")
    again = machine.as_root("systemctl restart avahi-daemon")
    if told.count:
        kinds = [f"{len(found)} of {kind}" for kind, found in told.services.items() if found]
        by = "the Avahi daemon" if has_daemon else "PySANE itself, without the Avahi daemon"
        text = f"{told.count} scanners or servers announce themselves ({', '.join(kinds)})"
        yield Finding(OK, f"{text}; heard by {by}.")
    elif has_daemon and told.daemon_fails:
        reason = told.daemon_fails.partition(": ")[2]
        yield Finding(WARNING, f"The Avahi daemon runs, but does not answer: {reason}.", again)
    elif has_daemon:
        text = "No scanner in the network announces itself (DNS-SD); the Avahi daemon was asked."
        yield Finding(OK, text)
    else:
        text = (
            "No scanner in the network announces itself (DNS-SD), and the Avahi daemon, which "
            "hears more, does not run."
        )
        command = machine.as_root("systemctl enable --now avahi-daemon")
        if not machine.exists("/usr/sbin/avahi-daemon"):
            command = install(machine, "avahi-daemon")
        yield Finding(WARNING, text, command)


def firewall(machine: Machine) -> Iterator[Finding]:
    """Why nothing is heard, if nothing is: a firewall here, or a network that drops multicast."""
    told = heard(machine)
    if told.count:
        yield Finding(OK, "Announcements come through to this machine.")
        return
    if not own_addresses(machine):
        text = "There is no network from which announcements could come."
        yield Finding(OK, text, is_idle=True)
        return
    active = [(name, commands) for file, name, commands in FILTERS if is_active(machine, file)]
    if active:
        name, commands = active[0]
        text = (
            f"Nothing at all is heard from the network, and a firewall ({name}) is active here: "
            "it may drop the answers of scanners, which come to UDP port 5353."
        )
        yield Finding(WARNING, text, " && ".join(map(machine.as_root, commands)))
    elif inside := container(machine):
        text = (
            f"Nothing at all is heard from the network: this {inside} may have a network of its "
            "own, into which announcements do not come. Use the host's network, or give the "
            "scanner's address in escl.conf."
        )
        program = "podman" if "Podman" in inside else "docker"
        yield Finding(WARNING, text, f"{program} run --network host IMAGE")
    else:
        text = (
            "Nothing at all is heard from the network: if there is a scanner, it is in another "
            "network (guest network, VLAN, VPN), or the access point drops multicast. Give its "
            "address in escl.conf."
        )
        path = find_file(machine, "escl.conf") or "/etc/sane.d/escl.conf"
        yield Finding(UNKNOWN, text, machine.append("http://ADDRESS", path))


def is_active(machine: Machine, file: str) -> bool:
    """Tell whether the firewall that *file* belongs to is switched on."""
    if file.endswith("ufw.conf"):
        lines = machine.read(file).lower().splitlines()
        return "enabled=yes" in [line.replace(" ", "") for line in lines]
    return machine.exists(file)


def families(machine: Machine) -> Iterator[Finding]:
    """Whether somebody announces addresses of a family that this machine does not have."""
    by_host: dict[str, set[bool]] = {}
    for services in heard(machine).services.values():
        for one in services:
            by_host.setdefault(one.name, set()).add(":" in one.address)
    has_ipv6 = any(one.family == _socket.AF_INET6 for one in own_addresses(machine))
    only = [name for name, kinds in by_host.items() if kinds == {True}]
    for name in only:
        text = f"{name} announces IPv6 addresses only"
        if has_ipv6:
            yield Finding(OK, f"{text}, and this machine has IPv6.")
        else:
            text += ", and this machine has no IPv6: it cannot be reached."
            command = machine.as_root("sysctl -w net.ipv6.conf.all.disable_ipv6=0")
            yield Finding(FAULT, text, command)
    if not only:
        yield Finding(OK, "No scanner announces IPv6 addresses only.", is_idle=True)


# What the drivers find


def network_backends(machine: Machine) -> dict[str, NetworkBackend]:
    """Return the enabled drivers of network scanners by name."""
    known = {name: one for name, (one, _) in loaded(machine).items() if name in enabled(machine)}
    return {name: one for name, one in known.items() if isinstance(one, NetworkBackend)}


def found_by(name: str) -> Callable[[Machine], Iterator[Finding]]:
    """Return the check of what the driver *name* finds by itself."""

    def look(machine: Machine) -> Iterator[Finding]:
        backend = network_backends(machine).get(name)
        if backend is None:
            yield not_in_use(machine, name)
            return
        with machine.turn(name):
            listener = Listener(name)
            backend.debug = listener
            devices = backend.list_devices(False)
        for device in devices:
            machine.private.note(HOST, *device.host.split())
            machine.private.note(SERIAL, device.serial, device.uuid)
        for text in dict.fromkeys(listener.heard):
            if not any(place.host in text for place in backend.places):  # `hosts` asks these
                yield Finding(WARNING, f"Driver {name} says: {text}.")
        shown = ", ".join(f"{one.vendor} {one.model}" for one in devices)
        count = len(devices)
        what = f"{count} scanner{'s' * (count != 1)}: {shown}" if count else "no scanner"
        yield Finding(OK, f"Driver {name} finds {what}.")

    return look


def not_in_use(machine: Machine, name: str) -> Finding:
    """Return what it means that dll.conf does not name the driver *name*."""
    backend = loaded(machine).get(name, (None, []))[0]
    kinds = backend.service_types[:2] if isinstance(backend, NetworkBackend) else ()
    if name in TELLING:
        told = heard(machine).services
        hosts = {one.name for kind in kinds for one in told.get(kind, ())}
        if hosts:
            text = (
                f"The driver {name} is not in dll.conf, but {', '.join(sorted(hosts))} "
                f"{'announces' if len(hosts) == 1 else 'announce'} a scanner for it."
            )
            return Finding(FAULT, text, enabling(machine, name))
    return Finding(OK, f"Driver {name} is not in dll.conf, so it looks for nobody.")


# The hosts that the configuration names


def configured(machine: Machine) -> list[tuple[NetworkBackend, Place]]:
    """Return the scanners that configuration files name, with their driver."""
    return [
        (backend, place)
        for backend in network_backends(machine).values()
        for place in backend.places
        if not is_by_socket(place)
    ]


def is_by_socket(place: Place) -> bool:
    """Tell whether *place* is reached by a Unix socket: then its host says nothing."""
    return any(getattr(way, "socket", "") for way in getattr(place, "endpoints", ()))


def hosts(machine: Machine) -> Iterator[Finding]:
    """Whether each scanner that the configuration names can be reached, and what it says."""
    places = configured(machine)
    names = dict.fromkeys(backend.name for backend, _ in places)
    found: dict[int, Finding] = {}

    def asking(number: int) -> Callable[[Any], None]:
        def ask(_cancel: object) -> None:
            found[number] = reach(machine, *places[number])

        return ask

    with ExitStack() as turns:
        for name in sorted(names):
            turns.enter_context(machine.turn(name))
        side_by_side([asking(number) for number in range(len(places))], LIST_SECONDS)
    for number, (backend, place) in enumerate(places):
        text = f"{place.host} (in {backend.name}.conf) was not asked to the end."
        finding = found.get(number) or Finding(UNKNOWN, text)
        yield finding.about(f"{backend.name}:{backend.name_of(place)}")
    if not places:
        yield Finding(OK, "No configuration file names a scanner in the network.", is_idle=True)


def reach(machine: Machine, backend: NetworkBackend, place: Place) -> Finding:
    """Return whether the scanner at *place* answers, and as what."""
    machine.private.note(HOST, *([] if is_address(place.host) else [place.host]))
    file = find_file(machine, f"{backend.name}.conf")
    shown = f"{place.host} (in {file})"
    if place.port:
        try:
            connect(place.host, place.port).close()
        except DeviceIOError as exc:
            return unreachable(machine, shown, place.host, exc, machine.edit(file))
    command = ""
    try:
        device = backend.probe(place, None)
        return Finding(OK, f"{shown} answers: {device.vendor} {device.model}.")
    except AccessDenied as exc:
        text = f"denies access: {exc}"
        command = machine.edit(file)
    except NoAnswer as exc:
        text = f"takes the connection and says nothing: {exc}"
    except SaneError as exc:
        text = f"answers, but not as a scanner: {exc}"
    return Finding(FAULT, f"{shown} {text}.", command)


def connect(host: str, port: int, seconds: float = REACH_SECONDS) -> ByteStream:
    """Return a connection; a name that nobody knows raises the resolver's reason."""
    return ByteStream.connect(host, port, seconds)


def unreachable(
    machine: Machine, shown: str, host: str, exc: DeviceIOError, command: str
) -> Finding:
    """Return what it means that a connection to *host* failed with *exc*."""
    reason = str(exc).rpartition(": ")[2]
    id = ""
    try:
        where = [str(address[0]) for _, address in resolve(host, 0, REACH_SECONDS)]
    except DeviceIOError:
        return Finding(FAULT, f"{shown}: no address is known for this name: {reason}.", command)
    if not any(map(is_near(machine), where)):
        text = (
            f"cannot be reached ({reason}), and is in none of this machine's networks: the address "
            "is wrong, or no router leads there."
        )
        id = "network.subnet"
    elif isinstance(exc, NoAnswer) or reason in UNREACHABLE:
        text = f"does not answer ({reason}): it is off, asleep, or behind a firewall."
    else:
        text = f"is there, but nothing listens at this port ({reason})."
    return Finding(FAULT, f"{shown} {text}", command, id=id)


def is_near(machine: Machine) -> Callable[[str], bool]:
    """Return what tells whether an address is in a network of this machine, or its loopback."""
    own = [*own_addresses(machine), *(one for one in addresses() if one.is_loopback)]

    def look(address: str) -> bool:
        family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
        packed = _socket.inet_pton(family, address.partition("%")[0])
        return any(one.is_on_link(packed) for one in own)

    return look


# TLS


def tls(machine: Machine) -> Iterator[Finding]:
    """Whether the scanners that are spoken to by TLS speak a version that is accepted."""
    secure: dict[tuple[str, int], str] = {}
    for _, place in configured(machine):
        if place.method == "https":
            secure.setdefault((place.host, place.port), place.settings.get("tls-min", "1.2"))
    for one in heard(machine).services.get(ESCL_TLS, ()):
        secure.setdefault((one.address, one.port), "1.2")
    found: list[Finding] = []

    def asking(host: str, port: int, least: str) -> Callable[[Any], None]:
        return lambda _cancel: found.append(shake_hands(machine, host, port, least))

    side_by_side([asking(*place, least) for place, least in secure.items()], LIST_SECONDS)
    yield from list(found)
    if not secure:
        yield Finding(OK, "No scanner is known that is spoken to by TLS.", is_idle=True)


def shake_hands(machine: Machine, host: str, port: int, least: str) -> Finding:
    """Return how a TLS handshake with a scanner ends."""
    shown = f"{host} port {port}"
    try:
        open_stream(Target(host, port, "", Trust.anybody(least)), REACH_SECONDS, None).close()
    except NoAnswer as exc:
        return Finding(WARNING, f"{shown}: no answer for TLS: {exc}.")
    except DeviceIOError as exc:
        if "TLS" not in str(exc):
            return Finding(WARNING, f"{shown}: it cannot be reached for TLS: {exc}.")
        reason = str(exc).rpartition(": ")[2]
    else:
        return Finding(OK, f"{shown}: TLS works.")
    path = find_file(machine, "escl.conf") or "/etc/sane.d/escl.conf"
    literal = f"[{host}]" if ":" in host else host
    if least != TLS_1_0 and speaks_old_tls(host, port):
        text = f"{shown}: its firmware knows only versions of TLS before 1.2 ({reason})."
        command = machine.append(f"https://{literal}:{port} tls-min=1.0", path)
        return Finding(FAULT, text, command)
    text = f"{shown}: the TLS handshake fails ({reason}); without encryption it may work."
    return Finding(FAULT, text, machine.append("https never", path))


def speaks_old_tls(host: str, port: int) -> bool:
    """Tell whether a handshake ends well when TLS 1.0 is allowed."""
    try:
        target = Target(host, port, "", Trust.anybody(TLS_1_0))
        open_stream(target, REACH_SECONDS, None).close()
    except DeviceIOError:
        return False
    return True
