"""Who uses a scanner: the program that has its USB device open, as far as this process may see.

Source: proc(5), /proc/PID/fd.
"""

from __future__ import annotations

import os

from ..usb.sysfs import parse_name

BUS = "/dev/bus/usb"


def holder_of(name: str, but: frozenset[int] = frozenset()) -> str:
    """Return who has the USB device of the SANE device *name* open, as "simple-scan, pid 4711".

    "" if nobody has, if it may not be seen, or if it is no USB device. but: processes that do not
    count.
    """
    place = name.partition(":")[2]
    address = parse_name(place) if place.startswith("libusb:") else None
    if address is None:
        return ""
    node = f"{BUS}/{address[0]:03d}/{address[1]:03d}"
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and int(entry) not in but and _has_open(int(entry), node):
            return f"{_name(int(entry))}, pid {entry}"
    return ""


def _has_open(pid: int, node: str) -> bool:
    try:
        return any(
            os.readlink(f"/proc/{pid}/fd/{fd}") == node for fd in os.listdir(f"/proc/{pid}/fd")
        )
    except OSError:
        return False  # it has ended, or is another user's


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip() or "a program"
    except OSError:
        return "a program"
