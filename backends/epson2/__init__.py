"""Epson scanners that speak ESC/I, over USB and the network.

The options, names and files of the original backend of this name. Source: specification esci 1
to 3.
"""

from __future__ import annotations

from ... import config
from ...network_backend import Place
from .._epson import PORT
from .._epson.backend import EpsonBackend
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...usb.handle import Usb
    from .._epson.network import Packets
    from .commands import Wire
    from .device import Epson

UNSUPPORTED_BUSES = ("scsi", "pio")


class Backend(EpsonBackend):
    """The scanners of the table on the bus, and those that epson2.conf names on the network."""

    version = (1, 0, 124)
    usb_ids = models.usb_ids()

    def other_line(self, line: config.Line) -> bool:
        word = config.get_string(line.text)[0]
        if word in UNSUPPORTED_BUSES:
            self.debug(1, "%s: %s scanners are not supported", line.where(), word)
            return True
        return super().other_line(line)

    def broadcast(self, wait: Callable[[float, int], bool]) -> list[Place]:
        from .._epson.network import discover

        return [Place("", host, PORT) for host in discover(self.network.search, wait)]

    def open_bulk(self, usb: Usb) -> Epson:
        from .wires import UsbWire

        return self._open(UsbWire(usb))

    def open_packets(self, packets: Packets) -> Epson:
        from .wires import NetWire

        return self._open(NetWire(packets))

    def _open(self, wire: Wire) -> Epson:
        from .device import Epson

        try:
            return Epson(wire, self.debug)
        except BaseException:
            wire.close()
            raise

    def model(self, device: Epson) -> str:  # type: ignore[override]  # it is one of ours
        return device.caps.name
