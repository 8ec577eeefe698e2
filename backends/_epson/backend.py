"""Lists and opens Epson scanners: those on the bus, and those that a .conf names on the network.

What speaks to a scanner is the driver's. Source: specification esci 1 and 5.2.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, errors
from ...network_backend import Place
from ...usb_network_backend import UsbNetworkBackend
from . import PORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from ...backend import Device
    from ...cancel import Cancels
    from ...usb.handle import Usb
    from ...usb.sysfs import BusDevice
    from .network import Packets

VENDOR = 0x04B8
VENDOR_NAME = "Epson"
NET, AUTODISCOVERY = "net:", "autodiscovery"


class EpsonBackend(UsbNetworkBackend):
    """Adds to the .conf ``net HOST`` and ``net autodiscovery``; devices are called net:HOST."""

    usb_vendors = (VENDOR,)
    places_switch_off_auto = True

    lock: ClassVar[bytes] = b""
    """The payload with which a scanner on the network is locked."""

    # What a driver fills in

    def open_bulk(self, usb: Usb) -> Device:
        """Return the Device behind *usb*, which it owns; *usb* is closed if there is none."""
        raise NotImplementedError

    def open_packets(self, packets: Packets) -> Device:
        """Return the Device behind *packets*, as above."""
        raise NotImplementedError

    def model(self, device: Device) -> str:
        """Return what *device*, on the network, is listed as."""
        raise NotImplementedError

    # The network

    def name_of(self, place: Place) -> str:
        return NET + place.host

    def place_of(self, name: str) -> Place | None:
        if not name.startswith(NET):
            return None
        if name == NET:
            raise errors.Invalid(f"{NET} wants a host")
        return Place("", name.removeprefix(NET), PORT)

    def read_place(self, line: config.Line) -> bool:
        word, rest = config.get_string(line.text)
        host = rest.strip(config.WHITESPACE)
        if word != "net" or not host:
            return False
        if config.without_comment(host) == AUTODISCOVERY:
            self.discovers = True
        else:
            self.places.append(Place("", host, PORT))
        return True

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        device = self.connect(place, cancel)
        device.close()
        return self.listed(place, VENDOR_NAME, self.model(device))

    def connect(self, place: Place, cancel: Cancels | None) -> Device:
        from .network import Packets

        packets = Packets.open(place.host, self.lock, cancel, place.port, self.network.open)
        return self.open_packets(packets)

    def open_usb(self, bus_device: BusDevice) -> Device:
        return self.open_bulk(self.bus.open(bus_device, self.interface(bus_device)))
