"""Files in the format of /proc/bus/usb/devices: what somebody's bus looked like.

Source: Linux Documentation/driver-api/usb/usb.rst, "The usbfs filesystem, devices file".
"""

from __future__ import annotations

from ..usb.descriptors import BULK, INTERRUPT, Endpoint, Interface, descriptors_of
from ..usb.sysfs import BusDevice

TYPES = {"Bulk": BULK, "Int.": INTERRUPT}


class ListedDevice(BusDevice):
    """A device of such a file."""

    __slots__ = ("texts",)

    def __init__(self, bus: int, address: int) -> None:
        super().__init__(bus, address, descriptors_of(0, 0, {}))
        self.texts: dict[str, str] = {}

    def text(self, attribute: str) -> str:
        return self.texts.get(attribute, "")

    @property
    def configuration(self) -> int:
        return 1


def parse_devices(path: str) -> list[BusDevice]:
    """Return the devices that the file *path* lists, hubs left out."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    found: list[ListedDevice] = []
    for line in lines:
        kind, fields = line[:2], numbers(line[2:])
        if kind == "T:":
            found.append(ListedDevice(decimal(fields, "Bus"), decimal(fields, "Dev#")))
            found[-1].descriptors.interfaces = []
        elif found:
            take(found[-1], kind, line, fields)
    return [bus_device for bus_device in found if bus_device.descriptors.class_[0] != 9]


def take(bus_device: ListedDevice, kind: str, line: str, fields: dict[str, str]) -> None:
    """Take over one line about *bus_device*."""
    descriptors = bus_device.descriptors
    if kind == "D:":
        descriptors.class_ = class_of(fields)
    elif kind == "P:":
        descriptors.vendor, descriptors.product = (
            hexadecimal(fields, "Vendor"),
            hexadecimal(fields, "ProdID"),
        )
    elif kind == "S:":
        name, _, text = line[2:].strip().partition("=")
        bus_device.texts[name.lower()] = text
    elif kind == "I:":
        number, alternate = decimal(fields, "If#"), decimal(fields, "Alt")
        descriptors.interfaces.append(Interface(number, alternate, class_of(fields), 1))
    elif kind == "E:" and descriptors.interfaces:
        address = hexadecimal(fields, "Ad")
        type_ = next((TYPES[name] for name in TYPES if f"({name})" in line), 0)
        packet = decimal(fields, "MxPS")
        descriptors.interfaces[-1].endpoints.append(Endpoint(address, type_, packet))


def numbers(text: str) -> dict[str, str]:
    """Return the words behind ``name=`` in a line, which may stand apart from it."""
    parts = text.split("=")
    names = [part.split()[-1] if part.split() else "" for part in parts[:-1]]
    values = [part.split()[0] if part.split() else "" for part in parts[1:]]
    return dict(zip(names, values, strict=True))


def decimal(fields: dict[str, str], name: str) -> int:
    """Return a decimal field, 0 if it is none."""
    text = fields.get(name, "").lstrip("*")
    return int(text) if text.isascii() and text.isdecimal() else 0


def hexadecimal(fields: dict[str, str], name: str) -> int:
    """Return a hexadecimal field, as 04b8 or 81(I), 0 if it is none."""
    try:
        return int(fields.get(name, "").partition("(")[0], 16) & 0xFFFF
    except ValueError:
        return 0


def class_of(fields: dict[str, str]) -> tuple[int, int, int]:
    """Return the class triple of a line."""
    return hexadecimal(fields, "Cls"), hexadecimal(fields, "Sub"), hexadecimal(fields, "Prot")
