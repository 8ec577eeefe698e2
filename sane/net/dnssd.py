"""Finds servers on the network by DNS-SD: services of the type _sane-port._tcp.

It asks the system's Avahi daemon through avahi-browse, else python-zeroconf if that is installed.
It knows names and addresses; nobody is contacted here. Source: net-protocol 7.13; RFC 6763.
"""

from __future__ import annotations

import os
import select

from ..errors import DeviceIOError
from .hosts import PORT_MAX, Host
from .transport import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..debug import Debug

TYPE = "_sane-port._tcp"
PROGRAM = "/usr/bin/avahi-browse"
SECONDS = 1.0  # that a listing waits for answers
OUTPUT_BYTES = 1 << 20  # of the program: every real network fits
RESOLVED, INTERFACE, HOST, ADDRESS, PORT = "=", 1, 6, 7, 8  # columns of its lines


def browse(debug: Debug, seconds: float = SECONDS) -> list[Host]:
    """Return the servers that answer within *seconds*, each once, sorted by name."""
    try:
        if os.access(PROGRAM, os.X_OK):
            found = list(parse(_run((PROGRAM, "-rpt", TYPE), seconds)))
        else:
            found = _zeroconf(seconds, None)
    except (ImportError, OSError, DeviceIOError) as exc:
        debug(1, "no discovery: %s", exc)
        return []
    by_name: dict[str, Host] = {}
    for host in found:
        by_name.setdefault(host.name, host)
    debug(3, "discovered: %s", sorted(by_name))
    return [by_name[name] for name in sorted(by_name)]


def parse(output: str) -> Iterator[Host]:
    """Yield the hosts of avahi-browse's parsable *output*, IPv4 before IPv6.

    =;eth0;IPv4;saned;_sane-port._tcp;local;server.local;192.0.2.7;6566;"protovers=1020003"
    """
    rows = [line.split(";") for line in output.splitlines()]
    rows = [row for row in rows if row[0] == RESOLVED and len(row) > PORT]
    for row in sorted(rows, key=lambda row: ":" in row[ADDRESS]):
        name, address, port = row[HOST], row[ADDRESS], row[PORT]
        if name and address and port.isdecimal() and 0 < int(port) <= PORT_MAX:
            if address.startswith("fe80:"):  # of use on its own link only
                address = f"{address}%{row[INTERFACE]}"
            yield Host(name, int(port), address)


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


def _zeroconf(seconds: float, interfaces: Sequence[str] | None) -> list[Host]:
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

    service = f"{TYPE}.local."
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
                found.append(Host(info.server.rstrip("."), info.port, addresses[0]))
    return found
