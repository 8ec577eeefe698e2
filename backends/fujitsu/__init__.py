"""Fujitsu, PFU and Ricoh document scanners: fi series, ScanSnap, SCSI commands over USB.

The options, names and files of the original backend of this name. Source: specification fujitsu
3.1, 4 and 11.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, UsbBackend, errors
from ...usb import sysfs
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...backend import Context
    from ...usb.handle import Usb
    from ...usb.sysfs import BusDevice
    from .capabilities import Capabilities
    from .device import Fujitsu

FUJITSU, RICOH = "FUJITSU", "RICOH"
BUFFER_OPTION = ["option", "buffer-size"]
LEAST_BUFFER, MOST_BUFFER = 4096, 0xFFFFFF  # bytes; the most that a command can ask for
DEVICE_CLASSES = (0x00, 0xFF)  # per interface, or the vendor's own


class Backend(UsbBackend):
    """The scanners of the table on the bus, and those that fujitsu.conf names.

    A scanner is opened once to be listed, as its name is made of what it says: model and serial
    number. What it has said is kept as long as it stays on the bus.
    """

    version = (1, 0, 139)
    usb_ids = (
        *((models.FUJITSU, row[0], FUJITSU, row[1]) for row in models.supported(models.MODELS)),
        *((models.RICOH, row[0], RICOH, row[1]) for row in models.supported(models.RICOH_MODELS)),
    )
    usb_vendors = (models.FUJITSU, models.RICOH)
    device_type = "scanner"

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._known: dict[tuple[str, int, int], Capabilities] = {}
        self._reset()

    # Configuration

    def init(self) -> None:
        self._reset()
        super().init()

    def _reset(self) -> None:
        """Forget the configuration."""
        self._buffer_bytes = 0  # for the lines that follow; 0: as the model likes
        self._buffers: dict[tuple[int, int], int] = {}
        self._auto_buffer = 0

    def read_line(self, line: config.Line) -> bool:
        is_known = super().read_line(line)
        if line.words() in (["usb"], ["usb", "auto"]):
            self._auto_buffer = self._buffer_bytes
        elif line.tokens()[:1] == ["usb"] and self.configured:
            self._buffers[self.configured[-1]] = self._buffer_bytes
        return is_known

    def other_line(self, line: config.Line) -> bool:
        words = line.words()
        if words[:2] == BUFFER_OPTION:
            self._read_buffer(line, words[2:])
            return False
        if words[:1] == ["scsi"]:
            self.debug(1, "%s: scanners on a SCSI bus are not driven", line.where())
            return False
        return super().other_line(line)

    def _read_buffer(self, line: config.Line, words: list[str]) -> None:
        size = config.parse_int(words[0]) if len(words) == 1 else 0
        if size < LEAST_BUFFER:
            raise errors.Invalid(f"{line.where()}: option buffer-size wants {LEAST_BUFFER} or more")
        self._buffer_bytes = min(size, MOST_BUFFER)

    def buffer_bytes(self, bus_device: BusDevice) -> int:
        """Return how much is asked of a scanner at once."""
        ids = bus_device.vendor, bus_device.product
        is_old = bus_device.vendor == models.FUJITSU
        preset = models.buffer_bytes(bus_device.product) if is_old else models.BUFFER_BYTES
        return self._buffers.get(ids, self._auto_buffer) or preset

    # Devices

    def wanted(self, bus_device: BusDevice) -> tuple[str, str] | None:
        if bus_device.descriptors.class_[0] not in DEVICE_CLASSES:
            return None
        return super().wanted(bus_device)

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = []
        for bus_device, name, known in self._found({}):
            ids = f"{bus_device.vendor:04x}:{bus_device.product:04x}"
            identity = known.identity
            info = DeviceInfo(
                *(name, identity.vendor, identity.product, self.device_type),
                serial=bus_device.text("serial"),
                usb=ids,
            )
            found.append(info)
        return found

    def _found(
        self, failures: dict[str, Exception]
    ) -> Iterator[tuple[BusDevice, str, Capabilities]]:
        """Yield the scanners that are there, with names; failures: why others do not answer."""
        devices = [item for item in self.bus.devices() if self.wanted(item) is not None]
        here = {_place(bus_device) for bus_device in devices}
        for place in self._known.keys() - here:
            del self._known[place]
        for bus_device in devices:
            try:
                known = self._known.get(_place(bus_device)) or self._probe(bus_device)
            except (errors.SaneError, OSError) as exc:
                self.debug(1, "%s: %s", bus_device.name, exc)
                failures[bus_device.name] = exc
            else:
                serial = known.serial
                name = f"{known.product}:{serial}" if serial else bus_device.name
                yield bus_device, name, known

    def _probe(self, bus_device: BusDevice) -> Capabilities:
        """Open a scanner, and ask it what it is."""
        usb = self.bus.open(bus_device, self.interface(bus_device))
        try:
            return self._identify(usb, bus_device)
        finally:
            usb.close()

    def _identify(self, usb: Usb, bus_device: BusDevice) -> Capabilities:
        from .presence import preset
        from .scanner import Scanner

        scanner = Scanner(usb, self.debug)
        scanner.await_ready()
        known = scanner.identify(preset)
        self._known[_place(bus_device)] = known
        return known

    def find(self, name: str) -> BusDevice:
        if sysfs.parse_name(name) is not None:
            return self.bus.device(name)
        failures: dict[str, Exception] = {}
        for bus_device, found, _known in self._found(failures):
            if name in ("", found):
                return bus_device
        for failure in failures.values():
            raise failure  # it may be the one that is wanted
        raise errors.Invalid(f"backend {self.name}: no device {name!r}")

    def open_usb(self, bus_device: BusDevice) -> Fujitsu:
        usb = self.bus.open(bus_device, self.interface(bus_device))
        try:
            return self.open_scanner(usb, bus_device)
        except BaseException:
            usb.close()
            raise

    def open_scanner(self, usb: Usb, bus_device: BusDevice) -> Fujitsu:
        """Return the Device behind *usb*, which it owns."""
        from .device import Fujitsu
        from .presence import options_for
        from .scanner import Scanner

        scanner = Scanner(usb, self.debug)
        known = self._known.get(_place(bus_device))
        if known is None:
            known = self._identify(usb, bus_device)
        else:
            scanner.await_ready()
        device: Fujitsu = options_for(Fujitsu, known)(scanner, known, self.buffer_bytes(bus_device))
        return device


def _place(bus_device: BusDevice) -> tuple[str, int, int]:
    """Return what tells one scanner on the bus from another that takes its place."""
    return bus_device.name, bus_device.vendor, bus_device.product
