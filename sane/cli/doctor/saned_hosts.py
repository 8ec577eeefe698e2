"""Area network, SANE's own protocol: each host of net.conf, step by step, until one step fails.

It knows the first messages of the protocol, and opens no device: image data are tried by the test
read of device.py. Source: net-protocol 3.1 and 7.
"""

from __future__ import annotations

import _socket
import os

from ... import config
from ...cancel import NeverCancelled
from ...discovery.search import side_by_side
from ...errors import BY_STATUS, AccessDenied, DeviceIOError, SaneError
from ...net.connection import Connection
from ...net.hosts import NetConf, load
from ...net.servers import user_name
from ...transport.failures import Disconnected
from ...wire import messages, protocol
from .configuration import enabled, find_file
from .finding import FAULT, OK, UNKNOWN, WARNING, Finding
from .listener import Listener
from .machine import quoted
from .network import REACH_SECONDS, SANED, connect, heard, unreachable
from .private import HOST, is_address
from .usb import enabling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ...net.hosts import Host
    from ...transport.streams import ByteStream
    from .machine import Machine

SECONDS = 2 * REACH_SECONDS + 1
SANED_CONF = "/etc/sane.d/saned.conf"


def settings(machine: Machine) -> NetConf:
    """Return what net.conf and the environment say."""
    lines = config.read(machine.environment, "net.conf") or ()
    wanted = [line for line in lines if not (line.is_blank or line.is_comment)]
    return load(machine.environment, wanted, Listener("net"))


def hosts(machine: Machine) -> Iterator[Finding]:
    """Whether each host of net.conf lets this machine in, and has a scanner."""
    known = settings(machine).hosts
    file = find_file(machine, "net.conf") or "/etc/sane.d/net.conf"
    if known and "net" not in enabled(machine):
        count = "a host" if len(known) == 1 else f"{len(known)} hosts"
        text = f"{file} names {count}, but net is not in dll.conf: nobody is asked."
        yield Finding(FAULT, text, enabling(machine, "net"))
    found: dict[str, Finding] = {}

    def asking(host: Host) -> Callable[[Any], None]:
        return lambda _cancel: found.update({host.name: ask(machine, host, file)})

    side_by_side([asking(host) for host in known], SECONDS)
    for host in known:
        text = f"saned at {host.name} was not asked to the end within {SECONDS:g} s."
        yield (found.get(host.name) or Finding(UNKNOWN, text)).about(f"net:{host.name}")
    if not known:
        yield Finding(OK, "net.conf names no host.", is_idle=True)


def announced(machine: Machine) -> Iterator[Finding]:
    """Whether a server announces itself that net.conf does not name."""
    conf = settings(machine)
    names = {one.name for one in heard(machine).services.get(SANED, ())}
    where = {one.name: one.address for one in heard(machine).services.get(SANED, ())}
    new = [name for name in sorted(names) if not (conf.find(name) or conf.find(where[name]))]
    path = find_file(machine, "net.conf") or "/etc/sane.d/net.conf"
    if new and not conf.discovery:
        for name in new:
            text = f"{name} announces that it shares scanners (saned), and is not in net.conf."
            yield Finding(WARNING, text, machine.append(name, path))
    elif names:
        yield Finding(OK, f"{len(names)} servers of scanners (saned) announce themselves.")
    else:
        yield Finding(OK, "No server of scanners (saned) announces itself.", is_idle=True)


def ask(machine: Machine, host: Host, file: str) -> Finding:
    """Return how far a conversation with *host* gets."""
    machine.private.note(HOST, *([] if is_address(host.name) else [host.name]))
    shown = f"saned at {host.name} port {host.port}"
    try:
        stream = connect(host.address, host.port)
    except DeviceIOError as exc:
        command = machine.edit(file)
        if "refused" in str(exc):
            command = f"ssh -- {quoted(host.name)} sudo systemctl enable --now saned.socket"
        return unreachable(machine, shown, host.address, exc, command)
    own = own_address(stream)
    connection = Connection(stream, host.name, Listener("net"), REACH_SECONDS)
    try:
        return greet(connection, shown, host, own) or devices_of(connection, shown, host)
    finally:
        connection.close()


def greet(connection: Connection, shown: str, host: Host, own: str) -> Finding | None:
    """Say INIT; return what is wrong with the answer, None if nothing is."""
    add = f"echo {quoted(own)} | sudo tee -a {SANED_CONF}"
    letting_in = f"ssh -- {quoted(host.name)} {quoted(add)}"
    denied = f"access denied, its saned.conf does not name this machine ({own})"
    try:
        init = messages.Init(protocol.ADVERTISED, user_name())
        reply: Any = connection.call(init, NeverCancelled(), seconds=REACH_SECONDS)
    except DeviceIOError as exc:
        reason = str(exc).removeprefix(f"{host.name} port {host.port}: ")
        text, command = f"{shown} is not understood: {reason}", ""
        if isinstance(exc, Disconnected) or "closed" in reason:
            text, command = f"{shown} closes the connection at once: {denied}", letting_in
        elif "no answer" in reason:
            text = f"{shown} takes the connection and does not answer: it hangs, or is no saned"
        return Finding(FAULT, f"{text}.", command)
    if reply.status == AccessDenied.status:
        return Finding(FAULT, f"{shown}: {denied}.", letting_in)
    if reply.status in BY_STATUS:
        return Finding(FAULT, f"{shown} refuses the connection with status {reply.status}.")
    if reply.status:
        return Finding(FAULT, f"{shown} is another program, which does not speak SANE's protocol.")
    return None


def devices_of(connection: Connection, shown: str, host: Host) -> Finding:
    """Ask a server that has let us in what it has."""
    try:
        reply: Any = connection.call(messages.GetDevices(), NeverCancelled(), seconds=REACH_SECONDS)
    except SaneError as exc:
        return Finding(WARNING, f"{shown} lets us in, but lists no devices in time: {exc}.")
    count = len(reply.devices)
    if reply.status or not count:
        text = f"{shown} lets us in, but has no scanner itself."
        return Finding(WARNING, text, f"ssh -- {quoted(host.name)} scanimage -L")
    return Finding(OK, f"{shown} lets us in and has {count} scanner{'s' * (count > 1)}.")


def own_address(stream: ByteStream) -> str:
    """Return the address by which the server sees this machine, as far as is known here."""
    copy = _socket.socket(fileno=os.dup(stream.fileno()))
    try:
        return str(copy.getsockname()[0])
    finally:
        copy.close()
