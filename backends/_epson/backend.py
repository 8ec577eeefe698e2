"""Lists and opens Epson scanners: those on the bus, and those that a .conf names on the network.

What speaks to a scanner is the driver's. Source: specification esci 1 and 5.2.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, errors
from ...usb_backend import UsbBackend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ClassVar

    from ...backend import Device
    from ...cancel import Cancel
    from ...usb.handle import Usb
    from ...usb.sysfs import BusDevice
    from .network import Packets

VENDOR = 0x04B8
VENDOR_NAME = "Epson"
NET, AUTODISCOVERY = "net:", "autodiscovery"


class EpsonBackend(UsbBackend):
    """Adds to the .conf ``net HOST`` and ``net autodiscovery``; devices are called net:HOST."""

    usb_vendors = (VENDOR,)

    lock: ClassVar[bytes] = b""
    """The payload with which a scanner on the network is locked."""

    def init(self) -> None:
        self.hosts: list[str] = []
        self.discovers = False
        super().init()

    # What a driver fills in

    def discover(self, wait: Callable[[float, int], bool]) -> list[str]:
        """Return the addresses of scanners on the network that are not configured."""
        raise NotImplementedError

    def open_bulk(self, usb: Usb) -> Device:
        """Return the Device behind *usb*, which it owns; *usb* is closed if there is none."""
        raise NotImplementedError

    def open_packets(self, packets: Packets) -> Device:
        """Return the Device behind *packets*, as above."""
        raise NotImplementedError

    def model(self, device: Device) -> str:
        """Return what *device*, on the network, is listed as."""
        raise NotImplementedError

    # Configuration

    def other_line(self, line: config.Line) -> bool:
        word, rest = config.get_string(line.text)
        host = rest.strip(config.WHITESPACE)
        if word == "net" and config.without_comment(host) == AUTODISCOVERY:
            self.discovers = True
        elif word == "net" and host:
            self.hosts.append(host)
        else:
            return super().other_line(line)
        return True

    # Devices

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = list(super().list_devices(local_only))
        if not local_only and (self.hosts or self.discovers):
            from ...discovery.search import search

            discover = self.discover if self.discovers else None
            found += search(self.hosts, discover, self.probe, self.debug)
        return found

    def probe(self, host: str, cancel: Cancel | None) -> DeviceInfo:
        """Return what answers at *host*; raises what is wrong with it."""
        device = self.open_host(host, cancel)
        device.close()
        return DeviceInfo(NET + host, VENDOR_NAME, self.model(device), self.device_type)

    def open(self, name: str) -> Device:
        if name.startswith(NET):
            return self.open_host(name.removeprefix(NET))
        if name:
            return self.open_usb(self.find(name))
        devices = self.list_devices(local_only=True) or self.list_devices(local_only=False)
        if not devices:
            raise errors.Invalid(f"backend {self.name}: no scanner found")
        return self.open(devices[0].name)

    def reaches(self, name: str) -> str:
        host = name.removeprefix(NET) if name.startswith(NET) else ""
        return "" if host in self.hosts else host

    def open_usb(self, bus_device: BusDevice) -> Device:
        return self.open_bulk(self.bus.open(bus_device, self.interface(bus_device)))

    def open_host(self, host: str, cancel: Cancel | None = None) -> Device:
        """Open the scanner at *host*, a name or an address."""
        from .network import Packets

        if not host:
            raise errors.Invalid(f"{NET} wants a host")
        return self.open_packets(Packets.open(host, self.lock, cancel))
