"""Finds services on the network by DNS-SD: SANE's servers, and scanners.

It asks the system's Avahi daemon (avahi.py; without jeepney through avahi-browse), else
python-zeroconf if that is installed, else the network itself (mdns.py). It knows names and
addresses; no service is contacted here.
Source: net-protocol 7.13; RFC 6763.
"""

from __future__ import annotations

from ..cancel import NeverCancelled
from ..errors import Cancelled, DeviceIOError
from ..transport import PORT_MAX
from ..transport.failures import NoAnswer
from ..transport.sockets import Deadline
from .programs import output_of
from .service import Service, read_texts, unescape, usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from ..cancel import Cancels
    from ..debug import Debug
    from .search import Task

PROGRAM = "/usr/bin/avahi-browse"
SECONDS = 1.2  # that a listing waits for answers; Avahi says after one that this is all
FOUND = "+"
RESOLVED, INTERFACE, INSTANCE, HOST, ADDRESS, PORT, TEXTS = "=", 1, 3, 6, 7, 8, 9  # its columns
END_SECONDS = 0.5  # for programs whose time is over to end
QUIET_SECONDS = 0.3  # zeroconf hears of everything that is there within this


def services(
    type: str, debug: Debug, seconds: float = SECONDS, cancel: Cancels | None = None
) -> list[Service]:
    """Return the services of one *type*; as services_of."""
    return services_of((type,), debug, seconds, cancel)[type]


def services_of(
    types: Sequence[str],
    debug: Debug,
    seconds: float = SECONDS,
    cancel: Cancels | None = None,
) -> dict[str, list[Service]]:
    """Return the services of each of *types* that are found within *seconds*, IPv4 before IPv6.

    All are asked for together: where there are some of one type, nobody waits for those of another
    that do not come. Avahi is asked first, then python-zeroconf, then the network itself; the next
    one where there is no such thing, or it tells of nothing before the time is over. What is no
    service, as a host name with control characters, is left out. Raises Cancelled when *cancel* is
    set.
    """
    end = Deadline(seconds)
    what = f"discovery of {' and '.join(types)}"
    ways = [_avahi, _avahi_browse, _zeroconf, _mdns]
    while ways and (left := end.left()):
        way = ways.pop(0)
        try:
            told = way(types, debug, left, cancel)
        except (ImportError, OSError, DeviceIOError) as exc:
            debug(2, "%s: %s", what, exc)
            if isinstance(exc, NoAnswer) and _avahi_browse in ways:
                ways.remove(_avahi_browse)  # it asks the daemon that hangs
            continue
        found = {type: usable(told.get(type, ())) for type in types}
        count = sum(map(len, told.values()))
        if count and not any(found.values()):
            debug(1, "%s: %d announcements are no service", what, count)
        if any(found.values()) or way is _avahi:  # the daemon knows, even if it is nothing
            return found
    return {type: [] for type in types}


def _avahi(
    types: Sequence[str], debug: Debug, seconds: float, cancel: Cancels | None
) -> dict[str, list[Service]]:
    """Ask the system's Avahi daemon over D-Bus."""
    from . import avahi

    return avahi.browse(types, debug, seconds, cancel)


def _avahi_browse(
    types: Sequence[str], debug: Debug, seconds: float, cancel: Cancels | None
) -> dict[str, list[Service]]:
    """Ask the system's Avahi daemon by its program; no service without a daemon.

    What is in the cache is enough; the network is asked if that is empty.
    """
    from .search import side_by_side

    end = Deadline(seconds)
    found: dict[str, list[Service]] = {}
    failures: list[Exception] = []

    def asking(options: str, type: str) -> Task:
        def ask(_cancel: Cancels) -> None:
            command, left = (PROGRAM, options, type), end.left() or 0.0
            try:
                output = output_of(
                    command, {"LC_ALL": "C"}, left, is_enough=is_complete, cancel=cancel
                )
                found[type] = list(parse(output))
            except (OSError, Cancelled) as exc:
                failures.append(exc)

        return ask

    for options in ("-rpc", "-rpt"):
        tasks = [asking(options, type) for type in types]
        side_by_side(tasks, (end.left() or 0.0) + END_SECONDS)
        if failures:
            raise failures[0]
        if any(found.values()):
            break
    return found


def _mdns(
    types: Sequence[str], debug: Debug, seconds: float, cancel: Cancels | None
) -> dict[str, list[Service]]:
    """Ask the network itself."""
    from . import mdns

    return mdns.browse_all(types, debug, seconds, cancel=cancel)


def is_complete(output: str) -> bool:
    """Tell whether avahi-browse has found something, and told where all of it is."""
    rows = [line.split(";", TEXTS) for line in output.splitlines()]
    found = {tuple(row[INTERFACE:HOST]) for row in rows if row[0] == FOUND}
    resolved = {tuple(row[INTERFACE:HOST]) for row in rows if row[0] == RESOLVED}
    return bool(resolved) and found <= resolved


def parse(output: str) -> Iterator[Service]:
    """Yield the services in avahi-browse's parsable *output*, IPv4 before IPv6.

    =;eth0;IPv4;saned;_sane-port._tcp;local;server.local;192.0.2.7;6566;"protovers=1020003"
    """
    rows = [line.split(";", TEXTS) for line in output.splitlines()]
    rows = [row for row in rows if row[0] == RESOLVED and len(row) > PORT]
    for row in sorted(rows, key=lambda row: ":" in row[ADDRESS]):
        name, address, port = unescape(row[HOST]), row[ADDRESS], row[PORT]
        if name and address and port.isdecimal() and 0 < int(port) <= PORT_MAX:
            if address.startswith("fe80:"):  # of use on its own link only
                address = f"{address}%{row[INTERFACE]}"
            texts = read_texts("".join(row[TEXTS:]).strip('"').split('" "'))
            yield Service(name, int(port), address, unescape(row[INSTANCE]), texts)


def _zeroconf(
    types: Sequence[str], debug: Debug, seconds: float, cancel: Cancels | None
) -> dict[str, list[Service]]:
    """Browse with python-zeroconf on all interfaces; raises ImportError without it."""
    from importlib import import_module

    zeroconf: Any = import_module("zeroconf")
    end = Deadline(seconds)
    wait = (cancel or NeverCancelled()).wait
    names: set[tuple[str, str]] = set()  # with their type

    class Listener:
        """Notes the names of services."""

        def add_service(self, zc: object, type_: str, name: str) -> None:
            names.add((type_, name))

        update_service = add_service

        def remove_service(self, zc: object, type_: str, name: str) -> None:
            names.discard((type_, name))

    full = {f"{type}.local.": type for type in types}
    found: dict[str, list[Service]] = {type: [] for type in types}
    with zeroconf.Zeroconf() as network:
        browser = zeroconf.ServiceBrowser(network, list(full), Listener())
        try:
            before = 0
            while (left := end.left()) and not 0 < len(names) == before:  # until no more come
                before = len(names)
                wait(min(left, QUIET_SECONDS))
        finally:
            browser.cancel()
        end = Deadline(seconds)
        for type, name in sorted(names):
            left = end.left()
            info = network.get_service_info(type, name, timeout=int((left or 0.0) * 1000))
            addresses = info.parsed_scoped_addresses() if info is not None else []
            if info is not None and info.server and info.port:
                server = info.server.rstrip(".")
                instance = name.removesuffix(f".{type}")
                texts = _property_texts(getattr(info, "properties", None) or {})
                found[full[type]] += [
                    Service(server, info.port, it, instance, texts) for it in addresses
                ]
    return found


def _property_texts(properties: Mapping[bytes, bytes | None]) -> dict[str, str]:
    pairs = ((key, value or b"") for key, value in properties.items())
    return read_texts(
        f"{key.decode('utf-8', 'replace')}={value.decode('utf-8', 'replace')}"
        for key, value in pairs
    )
