"""Why a USB device cannot be opened: permissions of its node, and who holds its interface.

It explains and changes nothing; a text that names the remedy is its result.
"""

from __future__ import annotations

import os
from stat import S_IMODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sysfs import BusDevice

RULES_FILE = "60-pysane.rules"


def why_denied(node: str) -> str:
    """Return why this process may not read and write *node*, "" if it may."""
    try:
        info = os.stat(node)
    except OSError as exc:
        return f"{node}: {exc.strerror}"
    if os.access(node, os.R_OK | os.W_OK, effective_ids=os.geteuid() != os.getuid()):
        return ""
    mode = S_IMODE(info.st_mode)
    owner, group = user_name(info.st_uid), group_name(info.st_gid)
    text = f"no permission to write to {node} (mode {mode:04o}, owner {owner}, group {group}): "
    groups = {os.getegid(), *os.getgroups()}
    by_rule = info.st_gid != 0  # root's is what the kernel gives it, and nobody's to join
    if by_rule and mode & 0o060 == 0o060 and info.st_gid not in groups:
        return (
            f"{text}this user is not in group {group}; add it (adduser USER {group}), log in anew"
        )
    return f"{text}a udev rule for this device is missing, as in {RULES_FILE}"


def user_name(uid: int) -> str:
    """Return the name of user *uid*, the number if it has none."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def group_name(gid: int) -> str:
    """Return the name of group *gid*, the number if it has none."""
    try:
        import grp

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError):
        return str(gid)


def who_holds(bus_device: BusDevice, interface: int) -> str:
    """Return who has claimed *interface*, as far as this process may see; "" if unknown."""
    driver = bus_device.driver(interface)
    if driver and driver != "usbfs":
        return f"kernel driver {driver}"
    users = processes_with(bus_device.node)
    if users:
        return ", ".join(f"{name} (pid {pid})" for pid, name in users)
    return "another program" if driver else ""


def processes_with(node: str) -> list[tuple[int, str]]:
    """Return pid and name of the other processes that have *node* open and may be looked at."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdecimal() or int(name) == os.getpid():
            continue
        try:
            links = [os.readlink(f"/proc/{name}/fd/{fd}") for fd in os.listdir(f"/proc/{name}/fd")]
            if node in links:
                with open(f"/proc/{name}/comm", encoding="utf-8", errors="replace") as file:
                    found.append((int(name), file.read().strip()))
        except OSError:
            continue  # it belongs to somebody else, or has just ended
    return found
