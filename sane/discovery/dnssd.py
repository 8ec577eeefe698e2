"""Finds services on the network by DNS-SD: SANE's servers, and scanners.

It asks the system's Avahi daemon through avahi-browse, else python-zeroconf if that is installed.
It knows names and addresses; nobody is contacted here. Source: net-protocol 7.13; RFC 6763.
"""

from __future__ import annotations

import os
import select

from ..errors import DeviceIOError
from ..transport import PORT_MAX
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..debug import Debug

PROGRAM = "/usr/bin/avahi-browse"
SECONDS = 1.0  # that a listing waits for answers
OUTPUT_BYTES = 1 << 20  # of the program: every real network fits
RESOLVED, INTERFACE, INSTANCE, HOST, ADDRESS, PORT, TEXTS = "=", 1, 3, 6, 7, 8, 9  # its columns


class Service:
    """One announced service: *name* of its host, *port*, *address*; *instance* is its own name.

    texts: what it tells of itself, as {"mdl": "..."}.
    """

    __slots__ = ("address", "instance", "name", "port", "texts")

    def __init__(
        self, name: str, port: int, address: str, instance: str, texts: dict[str, str]
    ) -> None:
        self.name = name
        self.port = port
        self.address = address
        self.instance = instance
        self.texts = texts

    def row(self) -> list[str]:
        """Return it as texts, for a recording."""
        texts = [f"{key}={value}" for key, value in self.texts.items()]
        return [self.name, str(self.port), self.address, self.instance, *texts]

    @classmethod
    def of_row(cls, row: Sequence[str]) -> Service:
        """Return the service that a row of a recording means; raises ValueError for none."""
        name, port, address, instance, *texts = row
        return cls(name, int(port), address, instance, read_texts(texts))


def services(type: str, debug: Debug, seconds: float = SECONDS) -> list[Service]:
    """Return the services of *type* that are found within *seconds*, IPv4 before IPv6."""
    try:
        if os.access(PROGRAM, os.X_OK):
            return list(parse(_run((PROGRAM, "-rpt", type), seconds)))
        return _zeroconf(type, seconds, None)
    except (ImportError, OSError, DeviceIOError) as exc:
        debug(1, "no discovery: %s", exc)
        return []


def parse(output: str) -> Iterator[Service]:
    """Yield the services in avahi-browse's parsable *output*, IPv4 before IPv6.

    =;eth0;IPv4;saned;_sane-port._tcp;local;server.local;192.0.2.7;6566;"protovers=1020003"
    """
    rows = [line.split(";", TEXTS) for line in output.splitlines()]
    rows = [row for row in rows if row[0] == RESOLVED and len(row) > PORT]
    for row in sorted(rows, key=lambda row: ":" in row[ADDRESS]):
        name, address, port = row[HOST], row[ADDRESS], row[PORT]
        if name and address and port.isdecimal() and 0 < int(port) <= PORT_MAX:
            if address.startswith("fe80:"):  # of use on its own link only
                address = f"{address}%{row[INTERFACE]}"
            texts = read_texts("".join(row[TEXTS:]).strip('"').split('" "'))
            yield Service(name, int(port), address, unescape(row[INSTANCE]), texts)


def read_texts(entries: Iterable[str]) -> dict[str, str]:
    """Return the entries ``key=value`` of a TXT record; the first of a key counts."""
    found: dict[str, str] = {}
    for entry in entries:
        key, _, value = entry.partition("=")
        found.setdefault(key.lower(), value)
    return found


def unescape(text: str) -> str:
    """Return *text* with avahi-browse's escapes, a backslash and three digits, undone."""
    data = bytearray()
    at = 0
    raw = text.encode("utf-8")
    while at < len(raw):
        digits = raw[at + 1 : at + 4]
        if raw[at] == ord("\\") and len(digits) == 3 and digits.isdigit() and int(digits) < 256:
            data.append(int(digits))
            at += 4
        else:
            data.append(raw[at])
            at += 1
    return data.decode("utf-8", "replace")


def _run(command: tuple[str, ...], seconds: float) -> str:
    """Return what *command* writes within *seconds*; it is ended then."""
    import _signal as signal  # type: ignore[import-not-found]  # signal itself imports enum

    output, end = os.pipe2(os.O_CLOEXEC)
    nowhere = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, nowhere, 0), (os.POSIX_SPAWN_DUP2, end, 1)]
        actions.append((os.POSIX_SPAWN_DUP2, nowhere, 2))
        pid = os.posix_spawn(
            command[0], command, {"LC_ALL": "C"}, file_actions=actions, setsigmask=()
        )
    finally:
        os.close(end)
        os.close(nowhere)
    data = b""
    deadline = Deadline(seconds)
    try:
        poll = select.poll()
        poll.register(output, select.POLLIN)
        while len(data) < OUTPUT_BYTES and poll.poll(deadline.left_ms()):
            piece = os.read(output, 1 << 16)
            if not piece:
                break
            data += piece
    finally:
        os.close(output)
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pid = 0  # the host collects the children of its process itself
    return data.decode("utf-8", "replace")


def _zeroconf(type: str, seconds: float, interfaces: Sequence[str] | None) -> list[Service]:
    """Browse with python-zeroconf, on all interfaces or those with these addresses."""
    import time
    from importlib import import_module

    zeroconf: Any = import_module("zeroconf")
    names: set[str] = set()

    class Listener:
        """Notes the names of services."""

        def add_service(self, zc: object, type_: str, name: str) -> None:
            names.add(name)

        update_service = add_service

        def remove_service(self, zc: object, type_: str, name: str) -> None:
            names.discard(name)

    service = f"{type}.local."
    where = {} if interfaces is None else {"interfaces": list(interfaces)}
    with zeroconf.Zeroconf(**where) as network:
        browser = zeroconf.ServiceBrowser(network, service, Listener())
        time.sleep(seconds)
        browser.cancel()
        found = []
        for name in sorted(names):
            info = network.get_service_info(service, name, timeout=int(seconds * 1000))
            addresses = info.parsed_scoped_addresses() if info is not None else []
            if info is not None and info.server and info.port and addresses:
                server = info.server.rstrip(".")
                instance = name.removesuffix(f".{service}")
                texts = _property_texts(getattr(info, "properties", None) or {})
                found.append(Service(server, info.port, addresses[0], instance, texts))
    return found


def _property_texts(properties: Mapping[bytes, bytes | None]) -> dict[str, str]:
    pairs = ((key, value or b"") for key, value in properties.items())
    return read_texts(
        f"{key.decode('utf-8', 'replace')}={value.decode('utf-8', 'replace')}"
        for key, value in pairs
    )
