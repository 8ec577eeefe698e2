"""The bus: which USB devices there are, which of them are wanted, and opening one.

It is the only place that decides whether devices are real or come from a recorded session, and
whether a session is recorded. It knows no backend.
"""

from __future__ import annotations

from ..debug import Debug
from ..errors import Invalid
from . import sysfs
from .descriptors import scanner_interface
from .handle import Usb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from .descriptors import Interface
    from .link import Link
    from .sysfs import Entry


class Bus:
    """The devices that a program with *environment* sees."""

    def __init__(self, environment: Environment) -> None:
        self._debug = Debug("usb", environment)

    def entries(self) -> list[Entry]:
        """Return the devices that are there now."""
        return sysfs.entries()

    def entry(self, name: str) -> Entry:
        """Return the device ``libusb:BBB:DDD``; raises Invalid if there is none."""
        place = sysfs.parse_name(name)
        if place is None:
            raise Invalid(f"{name!r} is not a USB device name (libusb:BBB:DDD)")
        for entry in self.entries():
            if (entry.bus, entry.address) == place:
                return entry
        raise Invalid(f"{name}: no such USB device")

    def open(self, entry: Entry, interface: Interface | None = None) -> Usb:
        """Open *entry* and claim *interface*, by default the one that looks like a scanner's.

        Raises AccessDenied, DeviceBusy or DeviceIOError with the reason and the remedy.
        """
        chosen = interface or scanner_interface(entry.descriptors, entry.configuration)
        if chosen is None:
            raise Invalid(f"{entry.name}: no interface with a bulk IN endpoint for a scanner")
        return Usb(entry, chosen, self._link(entry, chosen), self._debug)

    def _link(self, entry: Entry, interface: Interface) -> Link:
        from .pyusb import RealLink

        return RealLink(entry, interface, self._debug)
