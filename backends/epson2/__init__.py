"""Epson scanners that speak ESC/I, over USB and the network.

The options, names and files of the original backend of this name. Source: specification esci 1
to 3.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, errors
from ...usb_backend import UsbBackend
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...cancel import Cancel
    from ...usb.sysfs import Entry
    from .device import Epson

NET = "net:"
AUTODISCOVERY = "autodiscovery"
UNSUPPORTED_BUSES = ("scsi", "pio")


class Backend(UsbBackend):
    """The scanners of the table on the bus, and those that epson2.conf names on the network."""

    version = (1, 0, 124)
    usb_ids = models.usb_ids()
    usb_vendors = (models.VENDOR,)

    def init(self) -> None:
        self.hosts: list[str] = []
        self.discovers = False
        super().init()

    def other_line(self, line: config.Line) -> bool:
        word, rest = config.get_string(line.text)
        host = rest.strip(config.WHITESPACE)
        if word == "net" and host == AUTODISCOVERY:
            self.discovers = True
        elif word == "net" and host:
            self.hosts.append(host)
        elif word in UNSUPPORTED_BUSES:
            self.debug(1, "%s: %s scanners are not supported", line.where(), word)
        else:
            return super().other_line(line)
        return True

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = list(super().list_devices(local_only))
        if not local_only and (self.hosts or self.discovers):
            from ...discovery.search import search
            from .._epson.network import discover

            discovers = discover if self.discovers else None
            found += search(self.hosts, discovers, self.probe, self.debug)
        return found

    def probe(self, host: str, cancel: Cancel | None) -> DeviceInfo:
        """Return what answers at *host*; raises what is wrong with it."""
        device = self.open_host(host, cancel)
        device.close()
        return DeviceInfo(NET + host, "Epson", device.caps.name, self.device_type)

    def open(self, name: str) -> Epson:
        if name.startswith(NET):
            return self.open_host(name.removeprefix(NET))
        if name:
            return self.open_usb(self.find(name))
        devices = self.list_devices(local_only=False)
        if not devices:
            raise errors.Invalid(f"backend {self.name}: no scanner found")
        return self.open(devices[0].name)

    def open_usb(self, entry: Entry) -> Epson:
        from .device import Epson
        from .wires import UsbWire

        usb = self.bus.open(entry, self.interface(entry))
        try:
            return Epson(UsbWire(usb), self.debug)
        except BaseException:
            usb.close()
            raise

    def open_host(self, host: str, cancel: Cancel | None = None) -> Epson:
        """Open the scanner at *host*, a name or an address."""
        from .._epson.network import Packets
        from .device import Epson
        from .wires import NetWire

        if not host:
            raise errors.Invalid(f"{NET} wants a host")
        packets = Packets.open(host, b"", cancel)
        try:
            return Epson(NetWire(packets), self.debug)
        except BaseException:
            packets.close()
            raise
