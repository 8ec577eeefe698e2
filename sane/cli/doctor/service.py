"""Area service: saned of this machine, by which other machines use its scanners.

It knows systemd's links, groups and saned.conf; it starts nothing. The whole of what would be
shared is told by ``saned --check``. Source: net-protocol 8; docs/saned.md.
"""

from __future__ import annotations

import os

from ...errors import DeviceIOError
from ...sessions.access import Access
from ...transport import service_port
from ...usb.rules import GROUP
from ...wire import PORT, SERVICE
from .finding import FAULT, OK, UNKNOWN, WARNING, Finding
from .machine import quoted
from .network import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .machine import Machine

WANTED = "/etc/systemd/system/sockets.target.wants"
UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
SOCKETS = ("pysane-saned.socket", "saned.socket")
USER = "saned"


def enabled_socket(machine: Machine) -> str:
    """Return the unit that listens for saned after each start, "" without one."""
    return next((name for name in SOCKETS if machine.exists(f"{WANTED}/{name}")), "")


def installed_socket(machine: Machine) -> str:
    """Return the unit that could be enabled, "" without one."""
    return next(
        (name for name in SOCKETS for folder in UNITS if machine.exists(f"{folder}/{name}")), ""
    )


def socket(machine: Machine) -> Iterator[Finding]:
    """Whether saned listens, now and after the next start."""
    port = service_port(SERVICE, PORT)
    try:
        connect("127.0.0.1", port, 1.0).close()
        is_open = True
    except DeviceIOError:
        is_open = False
    enabled, installed = enabled_socket(machine), installed_socket(machine)
    entries = Access.read(machine.environment).entries
    if is_open and (enabled or not installed):
        yield Finding(OK, f"A server of scanners (saned) listens at port {port}.")
    elif is_open:
        text = f"saned listens at port {port}, but will not after the next start of the machine."
        yield Finding(WARNING, text, machine.as_root(f"systemctl enable {installed}"))
    elif enabled:
        text = f"{enabled} is enabled, but nothing listens at port {port}."
        yield Finding(FAULT, text, machine.as_root(f"systemctl restart {enabled}"))
    elif entries:
        text = "saned.conf lets other machines in, but saned is not enabled: nobody listens."
        unit = installed or SOCKETS[0]
        yield Finding(WARNING, text, machine.as_root(f"systemctl enable --now {unit}"))
    else:
        yield Finding(OK, "This machine shares no scanners (saned is not enabled).")


def group(machine: Machine) -> Iterator[Finding]:
    """Whether the user that saned runs as may use USB scanners."""
    if not enabled_socket(machine):
        yield Finding(
            OK, "saned is not enabled, so its user needs no access to scanners.", is_idle=True
        )
        return
    user = unit_user(machine)
    members = groups_of(machine, user)
    if user == "root":
        yield Finding(WARNING, "saned runs as root: a fault in it gives away the whole machine.")
    elif members is None:
        text = f"saned is to run as the user {user}, who does not exist."
        command = machine.as_root(
            f"useradd --system --user-group --groups {GROUP} --home-dir /nonexistent {user}"
        )
        yield Finding(FAULT, text, command)
    elif GROUP in members:
        yield Finding(OK, f"The user {user} is in the group {GROUP}.")
    else:
        text = f"The user {user} is not in the group {GROUP}: saned cannot open USB scanners."
        yield Finding(FAULT, text, machine.as_root(f"usermod -aG {GROUP} {quoted(user)}"))


def unit_user(machine: Machine) -> str:
    """Return whom the unit of saned runs as."""
    base = enabled_socket(machine).removesuffix(".socket")
    for folder in UNITS:
        for name in (f"{base}.service", f"{base}@.service"):
            for line in machine.read(f"{folder}/{name}").splitlines():
                if line.startswith("User="):
                    return line.partition("=")[2].strip()
    return USER


def groups_of(machine: Machine, user: str) -> set[str] | None:
    """Return the groups of a user of /etc/passwd, None if there is none of this name."""
    users = [line.split(":") for line in machine.read("/etc/passwd").splitlines()]
    own = next((fields[3] for fields in users if fields[0] == user and len(fields) > 3), None)
    if own is None:
        return None
    groups = [line.split(":") for line in machine.read("/etc/group").splitlines()]
    return {
        fields[0]
        for fields in groups
        if len(fields) > 3 and (fields[2] == own or user in fields[3].split(","))
    }


def access(machine: Machine) -> Iterator[Finding]:
    """Whom saned.conf lets in."""
    found = Access.read(machine.environment)
    listening = enabled_socket(machine)
    everybody = [entry.where for entry in found.entries if entry.anybody]
    path = os.path.abspath(found.file) if found.file else "/etc/sane.d/saned.conf"
    if everybody:
        text = f"saned.conf lets in everybody who reaches this machine ({everybody[0]})."
        yield Finding(WARNING, text, machine.edit(path))
    elif found.entries:
        count = len(found.entries)
        entries = "entry" if count == 1 else "entries"
        text = f"saned.conf lets in {count} {entries} beside this machine."
        yield Finding(OK, text)
    elif listening:
        text = "saned listens, but saned.conf lets in only programs on this machine."
        yield Finding(WARNING, text, machine.append("192.168.0.0/16", path))
    else:
        yield Finding(OK, "saned.conf lets in only programs on this machine.")
    if found.entries and not os.access(path, os.R_OK):
        yield Finding(UNKNOWN, f"{path} can only be read by root.")
