"""The USB devices that are there now, read from sysfs: no library, no thread, no permission.

It knows the layout of sysfs and of /dev/bus/usb, and opens no device.
Source: Linux, Documentation/ABI/stable/sysfs-bus-usb.
"""

from __future__ import annotations

import os

from .descriptors import HUB_CLASS, Descriptors

ROOT = "/sys/bus/usb/devices"
NODES = "/dev/bus/usb"
NAME_PREFIX = "libusb:"
TEXT_BYTES = 1024  # a string descriptor holds at most 126 characters
DESCRIPTOR_BYTES = 1 << 16  # a configuration's length has 16 bits


class BusDevice:
    """A device on the bus: numbers, descriptors, and texts that are read when asked for.

    name: ``libusb:BBB:DDD``, valid until the device is plugged in again.
    """

    __slots__ = ("address", "bus", "descriptors", "path")

    def __init__(self, bus: int, address: int, descriptors: Descriptors, path: str = "") -> None:
        self.bus = bus
        self.address = address
        self.descriptors = descriptors
        self.path = path

    @property
    def name(self) -> str:
        """The device name for frontends."""
        return device_name(self.bus, self.address)

    @property
    def node(self) -> str:
        """The device node, whose permissions decide who may open the device."""
        return f"{NODES}/{self.bus:03}/{self.address:03}"

    @property
    def vendor(self) -> int:
        """The vendor id."""
        return self.descriptors.vendor

    @property
    def product(self) -> int:
        """The product id."""
        return self.descriptors.product

    def text(self, attribute: str) -> str:
        """Return a text attribute, as manufacturer, product or serial; "" without one."""
        data = _read(f"{self.path}/{attribute}", TEXT_BYTES) if self.path else b""
        text = data.decode("utf-8", "replace").strip()
        return "".join(char if char.isprintable() else " " for char in text)

    @property
    def configuration(self) -> int:
        """The value of the active configuration, 0 when the device has none."""
        text = self.text("bConfigurationValue")
        return int(text) if text.isdecimal() else 0

    def driver(self, interface: int) -> str:
        """Return the kernel driver that holds *interface*: "usbfs" for a program, "" for none."""
        name = f"{os.path.basename(self.path)}:{self.configuration}.{interface}"
        try:
            return os.path.basename(os.readlink(f"{self.path}/{name}/driver"))
        except OSError:
            return ""

    def __repr__(self) -> str:
        return f"<{self.name} {self.vendor:04x}:{self.product:04x}>"


def device_name(bus: int, address: int) -> str:
    """Return the name of the device at *address* of *bus*."""
    return f"{NAME_PREFIX}{bus:03}:{address:03}"


def parse_name(name: str) -> tuple[int, int] | None:
    """Return bus and address of a name ``libusb:BBB:DDD``, None if it is something else."""
    parts = name.removeprefix(NAME_PREFIX).split(":")
    if not name.startswith(NAME_PREFIX) or len(parts) != 2:
        return None
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def devices(root: str = ROOT) -> list[BusDevice]:
    """Return all devices but hubs, by bus and address; [] where there is no USB."""
    try:
        names = os.listdir(root)
    except OSError:
        return []
    found = []
    for name in names:
        if ":" in name or name.startswith("usb"):  # interfaces, root hubs
            continue
        bus_device = read_device(f"{root}/{name}")
        if bus_device is not None and bus_device.descriptors.class_[0] != HUB_CLASS:
            found.append(bus_device)
    found.sort(key=lambda bus_device: (bus_device.bus, bus_device.address))
    return found


def read_device(path: str) -> BusDevice | None:
    """Return the device at *path* of sysfs, None if it is gone or is none."""
    raw = _read(f"{path}/descriptors", DESCRIPTOR_BYTES)
    try:
        bus, address = (int(_read(f"{path}/{name}", TEXT_BYTES)) for name in ("busnum", "devnum"))
        return BusDevice(bus, address, Descriptors(raw), path)
    except ValueError:
        return None  # unplugged between the listing and the reading, or half made


def _read(path: str, size: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = b""
        while len(data) < size and (more := os.read(fd, size - len(data))):
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(fd)
