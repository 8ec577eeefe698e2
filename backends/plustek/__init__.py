"""USB scanners with an LM9831, LM9832 or LM9833, which the host drives register by register.

Canon CanoScan N and LiDE 20 to 30, Plustek OpticPro, Epson 1250 and 1260, HP 2100c and 2200c,
Mustek BearPaw, UMAX 3400 and 5400 and their kin. The options, names and files of the original
backend of this name. Source: specification plustek 1, 6.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, UsbBackend, errors
from . import models, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backend import Context, Device, Usb
    from ...usb.descriptors import Interface
    from ...usb.sysfs import BusDevice
    from .cache import Cache
    from .models import Unit
    from .settings import Section, Settings

VENDOR_CLASS = 0xFF
INTERFACE_CLASSES = (0xFF, 0x00, 0x06, 0x10)


class Backend(UsbBackend):
    """The units of the table on the bus that sections of plustek.conf want."""

    version = (1, 0, 12)
    usb_ids = tuple(
        dict.fromkeys(
            (unit.vendor, unit.product, unit.vendor_name, unit.model) for unit in models.ALL
        )
    )

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._sections = settings.without_file()
        self._units: dict[tuple[str, int, int], Unit] = {}

    # Configuration

    def init(self) -> None:
        lines = config.read(self.context.environment, f"{self.name}.conf")
        if lines is None:
            self._sections = settings.without_file()
            return
        complaints: list[str] = []
        wanted = [line for line in lines if not (line.is_blank or line.is_comment)]
        self._sections = settings.read_sections(wanted, complaints)
        for text in complaints:
            self.debug(1, "%s", text)

    # Devices

    def attached(self) -> list[tuple[BusDevice, Settings]]:
        """Return the units that the sections want, each by one section, in their order."""
        there = self._known_devices()
        found = []
        for section in self._sections:
            for bus_device in there:
                if fits(section, bus_device):
                    there.remove(bus_device)
                    found.append((bus_device, section.settings))
                    break
        return found

    def _known_devices(self) -> list[BusDevice]:
        """Return the units on the bus that the table has, in its order."""
        order: dict[tuple[int, int], int] = {}
        for number, unit in enumerate(models.ALL):
            order.setdefault((unit.vendor, unit.product), number)
        there = [
            (order[ids], place, bus_device)
            for place, bus_device in enumerate(self.bus.devices())
            if (ids := (bus_device.vendor, bus_device.product)) in order
        ]
        return [bus_device for _, _, bus_device in sorted(there, key=lambda item: item[:2])]

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = []
        for bus_device, values in self.attached():
            unit = self._unit_of(bus_device, values)
            if unit is not None:
                found.append(self._listed(bus_device, unit))
        return found[::-1]  # the order of the original: what was attached last comes first

    def _listed(self, bus_device: BusDevice, unit: Unit) -> DeviceInfo:
        kind = "sheetfed scanner" if unit.is_sheet_fed else self.device_type
        ids = f"{bus_device.vendor:04x}:{bus_device.product:04x}"
        texts = bus_device.name, unit.vendor_name, unit.model, kind
        return DeviceInfo(*texts, serial=bus_device.text("serial"), usb=ids)

    def _unit_of(self, bus_device: BusDevice, values: Settings) -> Unit | None:
        """Return which unit it is; None for one that does not answer, or is not known.

        It is asked only where its ids do not say it, and once as long as it stays where it is.
        """
        units = models.units_of(bus_device.vendor, bus_device.product)
        if len(units) == 1 and units[0].board is None and units[0].vendor != models.PLUSTEK:
            return units[0]
        if units[0].vendor != models.PLUSTEK:
            mov = values.number("mov") if values.number("mov") in (0, 1) else 0
            return next((unit for unit in units if unit.board in (None, mov)), None)
        place = bus_device.name, bus_device.vendor, bus_device.product
        if place not in self._units:
            from .chip import identify

            try:
                usb = self.bus.open(bus_device, self.interface(bus_device))
                try:
                    self._units[place] = identify(usb)
                finally:
                    usb.close()
            except (errors.SaneError, OSError) as exc:
                self.debug(1, "%s: %s", bus_device.name, exc)
                return None
        return self._units[place]

    def interface(self, bus_device: BusDevice) -> Interface | None:
        """Return the first interface of a scanner's class."""
        interfaces = bus_device.descriptors.active(bus_device.configuration)
        if bus_device.descriptors.class_[0] == VENDOR_CLASS:
            return interfaces[0] if interfaces else None
        for interface in interfaces:
            if interface.class_[0] in INTERFACE_CLASSES:
                return interface
        return None

    def find(self, name: str) -> BusDevice:
        attached = self.attached()
        if not name:
            if not attached:
                raise errors.Invalid(f"backend {self.name}: no USB device found")
            return attached[-1][0]
        try:
            return self.bus.device(name)
        except errors.Invalid as exc:  # the original's status for a name that nothing has
            raise errors.DeviceIOError(f"backend {self.name}: no device {name!r}") from exc

    def open_usb(self, bus_device: BusDevice) -> Device:
        """Open *bus_device*, find out what it is, and bring it to rest."""
        if not models.units_of(bus_device.vendor, bus_device.product):
            raise errors.DeviceIOError(f"{bus_device.name}: no unit that is known")
        values = self._settings_of(bus_device)
        usb = self.bus.open(bus_device, self.interface(bus_device))
        try:
            return self.open_unit(usb, values, identity_of(bus_device))
        except BaseException:
            usb.close()
            raise

    def open_unit(self, usb: Usb, values: Settings, identity: str) -> Device:
        """Return the Device behind *usb*, which it owns. identity: see identity_of()."""
        from .device import Plustek
        from .options import options_for
        from .scanner import Scanner

        scanner = Scanner.found(usb, values, self.debug)
        cache = self._cache_of(scanner.unit, values, identity or usb.name)
        form = scanner.unit, values
        kind = options_for(Plustek, *form, has_film_unit=scanner.has_film_unit)
        device: Plustek = kind(scanner, cache)
        return device

    def _settings_of(self, bus_device: BusDevice) -> Settings:
        """Return the settings of the section that wants *bus_device*, or the preset ones."""
        for attached, values in self.attached():
            if attached.name == bus_device.name:
                return values
        return settings.Settings()

    def _cache_of(self, unit: Unit, values: Settings, identity: str) -> Cache | None:
        """Return where calibrations of *unit* are kept; None without a home."""
        home = self.context.environment.get("HOME")
        if not home or not home.startswith("/"):
            return None
        from .cache import Cache

        return Cache(home, unit, identity, values.number("cacheDays"), self.debug)


def identity_of(bus_device: BusDevice) -> str:
    """Return what tells a unit from others of its model: its serial number, or its port."""
    return bus_device.text("serial") or bus_device.path.rpartition("/")[2] or bus_device.name


def fits(section: Section, bus_device: BusDevice) -> bool:
    """Tell whether *section* wants *bus_device*."""
    if section.ids is not None and section.ids != (bus_device.vendor, bus_device.product):
        return False
    return section.device in (settings.AUTO, bus_device.name)
