"""UsbNetworkBackend: the backend of scanners that are found on the bus and on the network."""

from __future__ import annotations

from . import errors
from .network_backend import NetworkBackend
from .usb_backend import UsbBackend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from .backend import Device, DeviceInfo
    from .config import Line


class UsbNetworkBackend(UsbBackend, NetworkBackend):
    """Both bases in one: it reads the lines of both, and lists the devices on the bus first."""

    places_switch_off_auto: ClassVar[bool] = False
    """Whether a line about the network counts as one about USB. If it does, devices on the bus are
    listed only if there is also a line ``usb``."""

    def init(self) -> None:
        self.reset()
        UsbBackend.init(self)

    def read_line(self, line: Line) -> bool:
        if self.read_place(line):
            return self.places_switch_off_auto
        return super().read_line(line)

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = list(UsbBackend.list_devices(self, local_only))
        return found if local_only else found + self.list_network()

    def open(self, name: str) -> Device:
        if not name:
            return self.open_first()
        is_place = self.known_place(name) is not None or self.place_of(name) is not None
        return NetworkBackend.open(self, name) if is_place else UsbBackend.open(self, name)

    def open_first(self) -> Device:
        """Open the first device on the bus, else the first on the network."""
        for local_only in (True, False):
            for device in self.list_devices(local_only):
                return self.open(device.name)
        raise errors.Invalid(f"backend {self.name}: no scanner found")

    def reaches(self, name: str) -> str:
        return NetworkBackend.reaches(self, name)
