"""UsbBackend: the backend of USB scanners that are known by their ids or their class.

It knows the configuration lines and which device on the bus is one of its own; it opens no
device itself and knows no protocol. Source: c-abi-and-dll 5.4.
"""

from __future__ import annotations

from . import config, errors
from .backend import Backend, DeviceInfo
from .usb import sysfs
from .usb.bus import Bus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from .backend import Context, Device
    from .usb.descriptors import Interface
    from .usb.sysfs import BusDevice

    UsbId = tuple[int, int, str, str]

UNNAMED = "unknown"


class UsbBackend(Backend):
    """The devices on the bus that usb_ids, usb_classes or a line of <name>.conf name.

    <name>.conf: ``usb auto`` (or only ``usb``) for all that the driver knows, ``usb 0x04b8
    0x0110`` for one more product, ``libusb:001:004`` for one device. Without such a line, all
    that the driver knows.
    """

    usb_ids: ClassVar[Sequence[UsbId]] = ()
    """What the driver knows: vendor id, product id, vendor, model."""

    usb_classes: ClassVar[Sequence[tuple[int, int, int]]] = ()
    """Interface classes (class, subclass, protocol) that it can drive whatever the ids are."""

    usb_vendors: ClassVar[Sequence[int]] = ()
    """The vendor ids that a ``usb`` line may name; empty: any."""

    device: ClassVar[type[Device]]
    """Its objects are made from the open handle alone, which they own from then on."""

    device_type = "flatbed scanner"

    configured: list[tuple[int, int]]
    """Vendor and product ids that lines of the configuration have named, in their order."""

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._auto = True
        self.configured = []
        self._named: list[str] = []

    def set_context(self, context: Context) -> None:
        super().set_context(context)
        self.bus = Bus(context.environment, self.name)

    # Configuration

    def init(self) -> None:
        self._auto, self.configured, self._named = False, [], []
        found = False
        for line in self.read_config():
            try:
                found |= self.read_line(line)
            except errors.Invalid as exc:
                self.debug(0, "%s", exc)
        self._auto = self._auto or not found

    def read_line(self, line: config.Line) -> bool:
        """Take over one line of the configuration; return whether it was one about USB."""
        tokens = line.tokens()
        if sysfs.parse_name(line.text) is not None:
            self._named.append(line.text)
        elif line.words() in (["usb"], ["usb", "auto"]):
            self._auto = True
        elif tokens[:1] == ["usb"]:
            ids = config.parse_usb(line)
            assert ids is not None
            if self.usb_vendors and ids[0] not in self.usb_vendors:
                known = " ".join(f"0x{vendor:04x}" for vendor in self.usb_vendors)
                raise errors.Invalid(f"{line.where()}: vendor 0x{ids[0]:04x} is not {known}")
            self.configured.append(ids)
        else:
            return self.other_line(line)
        return True

    def other_line(self, line: config.Line) -> bool:
        """Take over a line that is not about USB; return False, or True to switch off auto."""
        raise errors.Invalid(f"{line.where()}: {line.text!r} is neither usb nor a device name")

    # Devices

    def known(self, bus_device: BusDevice) -> tuple[str, str] | None:
        """Return vendor and model if the driver drives *bus_device* by itself, else None."""
        for vendor, product, maker, model in self.usb_ids:
            if (vendor, product) == (bus_device.vendor, bus_device.product):
                return maker, model
        for interface in bus_device.descriptors.active(bus_device.configuration):
            if interface.class_ in self.usb_classes:
                return self.texts(bus_device)
        return None

    def wanted(self, bus_device: BusDevice) -> tuple[str, str] | None:
        """Return vendor and model if *bus_device* is to be listed, else None."""
        known = self.known(bus_device) if self._auto else None
        configured = (bus_device.vendor, bus_device.product) in self.configured
        if known is None and (configured or bus_device.name in self._named):
            known = self.known(bus_device) or self.texts(bus_device)
        return known

    def texts(self, bus_device: BusDevice) -> tuple[str, str]:
        """Return what the device calls its maker and itself; its ids where it is silent."""
        model = f"{bus_device.vendor:04x}:{bus_device.product:04x}"
        return bus_device.text("manufacturer") or UNNAMED, bus_device.text("product") or model

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = []
        for bus_device in self.bus.devices():
            texts = self.wanted(bus_device)
            if texts is not None:
                usb = f"{bus_device.vendor:04x}:{bus_device.product:04x}"
                serial = bus_device.text("serial")
                info = DeviceInfo(bus_device.name, *texts, self.device_type, serial=serial, usb=usb)
                found.append(info)
        return found

    def interface(self, bus_device: BusDevice) -> Interface | None:
        """Return the interface to claim; None: the one that looks like a scanner's.

        It is the first of usb_classes, if there are any and the device has one of them.
        """
        for interface in bus_device.descriptors.active(bus_device.configuration):
            if interface.class_ in self.usb_classes and interface.alternate == 0:
                return interface
        return None

    def open(self, name: str) -> Device:
        bus_device = self.find(name)
        return self.making(lambda: self.open_usb(bus_device), is_live=self.bus.is_live)

    def find(self, name: str) -> BusDevice:
        """Return the device *name*, the first wanted one for ""; raises Invalid without one.

        A device that is named need not be one that the driver knows.
        """
        if name:
            return self.bus.device(name)
        for bus_device in self.bus.devices():
            if self.wanted(bus_device) is not None:
                return bus_device
        raise errors.Invalid(f"backend {self.name}: no USB device found")

    def open_usb(self, bus_device: BusDevice) -> Device:
        """Open *bus_device* and make its Device; nothing stays open when that fails."""
        usb = self.bus.open(bus_device, self.interface(bus_device))
        try:
            device = self.device(usb)
        except BaseException:
            usb.close()
            raise
        usb.belongs_to(device)
        return device
