"""Who a scanner is, the same over restarts, other ports and other numbers on the bus.

It knows listed devices and a file of the numbers given out; a number belongs to a serial number or
a place, and goes to the next equal scanner only when its own is not there. Source: specification
escl 7.2.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..usb.sysfs import devices, parse_name
from .store.files import write_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MACHINE_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
NAMESPACE = uuid.UUID("7b6f5ff0-2d43-5c0b-9a53-9c1f2f2a6a10")  # of this program
MOST_NUMBERS = 1000


@dataclass(frozen=True)
class Found:
    """A listed device, with who it is; "" for what is not known."""

    name: str
    vendor: str
    model: str
    type: str
    uuid: str = ""
    serial: str = ""
    host: str = ""
    usb: str = ""

    @property
    def kind(self) -> str:
        """What equal scanners have in common."""
        backend = self.name.partition(":")[0]
        return f"{backend}:{self.vendor}:{self.model}"

    def mark(self) -> str:
        """Return what tells it from equal ones: its serial number, or where it is."""
        if self.serial:
            return f"serial {self.serial}"
        place = self.name.partition(":")[2]
        address = parse_name(place) if place.startswith("libusb:") else None
        if address is not None:
            for device in devices():
                if (device.bus, device.address) == address:
                    return f"usb {os.path.basename(device.path)}"
        return f"host {self.host}" if self.host else f"name {self.name}"


class Register:
    """The numbers of equal scanners, kept in *file*; one that cannot be read begins anew."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, dict[str, int]] = {}
        self._machine = machine_id()
        try:
            data = json.loads(file.read_text())
            self._known = {
                str(kind): {str(mark): int(number) for mark, number in marks.items()}
                for kind, marks in data["known"].items()
            }
            self._machine = self._machine or str(data["machine"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            self._machine = self._machine or uuid.uuid4().hex

    def identities(self, found: Iterable[Found]) -> dict[str, tuple[str, str]]:
        """Return the UUID and the title of each device by its name; the file is kept up to date."""
        kinds: dict[str, list[Found]] = {}
        for device in found:
            kinds.setdefault(device.kind, []).append(device)
        identities: dict[str, tuple[str, str]] = {}
        titles: set[str] = set()
        for kind, equal in kinds.items():
            marked = {(device.mark(), device.name): device for device in equal}
            numbers = self._numbers(kind, [f"{mark}" for mark, _ in sorted(marked)])
            for ((_, name), device), number in zip(sorted(marked.items()), numbers, strict=True):
                title = unique(title_of(device), number, titles)
                identities[name] = (self._uuid(kind, number), title)
        self._save()
        return identities

    def _numbers(self, kind: str, marks: list[str]) -> list[int]:
        """Return a number for each mark; those known keep theirs, moved ones take a free one."""
        known = self._known.setdefault(kind, {})
        taken = {known[mark] for mark in marks if mark in known}
        numbers = []
        given: set[str] = set()
        for mark in marks:
            if mark in known and mark not in given:
                number = known[mark]
            else:
                number = next(n for n in range(1, MOST_NUMBERS) if n not in taken)
                gone = [each for each, its in known.items() if its == number]
                for each in gone:
                    del known[each]
                if mark not in given:
                    known[mark] = number
            given.add(mark)
            taken.add(number)
            numbers.append(number)
        return numbers

    def _uuid(self, kind: str, number: int) -> str:
        machine = uuid.uuid5(NAMESPACE, self._machine)
        return str(uuid.uuid5(machine, f"{kind}:{number}"))

    def _save(self) -> None:
        record = {"machine": self._machine, "known": self._known}
        with suppress(OSError):  # a full disk: the numbers are as they were at the next start
            write_record(str(self._file), record)


def machine_id() -> str:
    """Return this machine's id, "" without one. It is hashed before anybody sees it."""
    for path in MACHINE_FILES:
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                text = file.read(64).strip()
        except OSError:
            continue
        if len(text) >= 32:
            return text
    return ""


def title_of(device: Found) -> str:
    """Return what a scanner is called: its vendor once, and its model."""
    text = device.model
    if not text.lower().startswith(device.vendor.lower()):
        text = f"{device.vendor} {text}"
    return "".join(char for char in text if char.isprintable()).strip() or "Scanner"


def unique(title: str, number: int, titles: set[str]) -> str:
    """Return *title*, with a number behind it unless it is the first; add it to *titles*."""
    found = title if number == 1 else f"{title} ({number})"
    while found in titles:
        number += 1
        found = f"{title} ({number})"
    titles.add(found)
    return found
