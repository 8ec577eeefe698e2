"""The bus: which USB devices there are, which of them are wanted, and opening one.

It is the only place that decides whether devices are real or come from a recorded session, and
whether a session is recorded. It knows no backend.
"""

from __future__ import annotations

from ..debug import Debug
from ..errors import DeviceIOError, Invalid
from . import sysfs
from .descriptors import scanner_interface
from .handle import Usb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from .descriptors import Interface
    from .link import Link
    from .replay import Tape
    from .sysfs import BusDevice


RECORD, REPLAY = "PYSANE_USB_RECORD", "PYSANE_USB_REPLAY"


class Bus:
    """The devices that a program with *environment* sees; *backend* is who asks.

    PYSANE_USB_RECORD=file notes every transfer in the file; PYSANE_USB_REPLAY=file has the
    recorded devices and no others.
    """

    def __init__(self, environment: Environment, backend: str = "") -> None:
        self._debug = Debug("usb", environment)
        self._backend = backend or "unnamed"
        self._record = environment.get(RECORD)
        self._replay = environment.get(REPLAY)
        self._recorded: list[BusDevice] | None = None
        self._tapes: dict[str, Tape] = {}

    @property
    def is_live(self) -> bool:
        """Whether devices are there, which need time, and not a recorded session."""
        return not self._replay

    def devices(self) -> list[BusDevice]:
        """Return the devices that are there now."""
        if self._replay:
            return self._load(self._replay)
        return sysfs.devices()

    def _load(self, path: str) -> list[BusDevice]:
        """Return the devices of a recorded session; they stay where they are in it."""
        if self._recorded is None:
            from ..record import BadSession
            from .formats import load
            from .replay import RecordedBusDevice, Tape

            try:
                devices = load(path)
            except (BadSession, OSError) as exc:
                reason = f"{path}: {exc.strerror}" if isinstance(exc, OSError) else str(exc)
                self._debug(0, "%s: %s", REPLAY, reason)  # a listing only leaves the device out
                raise DeviceIOError(f"{REPLAY}: {reason}") from exc
            self._recorded = [RecordedBusDevice(device) for device in devices]
            for bus_device, device in zip(self._recorded, devices, strict=True):
                records = device.records_of(self._backend)
                self._tapes[bus_device.name] = Tape(records, device.is_native)
        return self._recorded

    def device(self, name: str) -> BusDevice:
        """Return the device ``libusb:BBB:DDD``; raises Invalid if there is none."""
        place = sysfs.parse_name(name)
        if place is None:
            raise Invalid(f"{name!r} is not a USB device name (libusb:BBB:DDD)")
        for bus_device in self.devices():
            if (bus_device.bus, bus_device.address) == place:
                return bus_device
        raise Invalid(f"{name}: no such USB device")

    def open(self, bus_device: BusDevice, interface: Interface | None = None) -> Usb:
        """Open *bus_device* and claim *interface*, by default the one that looks like a scanner's.

        Raises AccessDenied, DeviceBusy or DeviceIOError with the reason and the remedy.
        """
        chosen = interface or scanner_interface(bus_device.descriptors, bus_device.configuration)
        if chosen is None:
            raise Invalid(f"{bus_device.name}: no interface with a bulk IN endpoint for a scanner")
        return Usb(bus_device, chosen, self._link(bus_device, chosen), self._debug)

    def _link(self, bus_device: BusDevice, interface: Interface) -> Link:
        if self._replay:
            from .replay import ReplayLink

            return ReplayLink(self._tapes[bus_device.name], self._debug)
        from .real import RealLink

        if not self._record:
            return RealLink(bus_device, interface, self._debug)
        from .record import Recorder, RecordingLink

        recorder = Recorder(self._record)
        try:
            link = RealLink(bus_device, interface, self._debug)
        except BaseException:
            recorder.close()
            raise
        return RecordingLink(link, recorder, bus_device, interface, self._backend)
