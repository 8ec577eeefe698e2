"""Epson scanners that speak ESC/I-2, over USB and the network.

The options, names and files of the original backend of this name. Source: specification esci 1,
4 and 5.2.
"""

from __future__ import annotations

from ... import config
from ...backend import DeviceInfo, errors
from ...usb_backend import UsbBackend
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...cancel import Cancel
    from ...usb.sysfs import Entry
    from .capabilities import Capabilities
    from .commands import Commands
    from .device import EpsonDs
    from .wires import NetWire, UsbWire

NET, AUTODISCOVERY, PROFILE = "net:", "autodiscovery", "profile:"
PROFILE_FIELDS = 4
VENDOR_NAME = "Epson"
SERVICE = "_scanner._tcp"
MAKER, SHORT_NAME = "EPSON", 7  # an instance is "EPSON DS-530 (...)": longer than its maker


class Backend(UsbBackend):
    """The scanners of the table on the bus, and those that epsonds.conf names on the network."""

    version = (1, 0, 0)
    usb_ids = tuple((models.VENDOR, row[0], VENDOR_NAME, row[1]) for row in models.MODELS)
    usb_vendors = (models.VENDOR,)
    device_type = "ESC/I-2"

    def init(self) -> None:
        self.hosts: list[str] = []
        self.discovers = False
        self.models = list(models.MODELS)
        super().init()

    def other_line(self, line: config.Line) -> bool:
        word, rest = config.get_string(line.text)
        host = rest.strip(config.WHITESPACE)
        if line.text.startswith(PROFILE):
            self.models.append(profile(line))
            return False
        if word == "net" and host == AUTODISCOVERY:
            self.discovers = True
        elif word == "net" and host:
            self.hosts.append(host)
        else:
            return super().other_line(line)
        return True

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = list(super().list_devices(local_only))
        if not local_only and (self.hosts or self.discovers):
            from ...discovery.search import search

            discover = self.discover if self.discovers else None
            found += search(self.hosts, discover, self.probe, self.debug)
        return found

    def discover(self, wait: Callable[[float, int], bool]) -> list[str]:
        """Return the addresses of scanners that announce themselves and are known by name."""
        from ...discovery.dnssd import services

        names = {row[1] for row in self.models}
        found: dict[str, str] = {}
        for service in services(SERVICE, self.debug):
            is_epson = service.instance.startswith(MAKER) and len(service.instance) > SHORT_NAME
            if is_epson and service.texts.get("mdl") in names:
                found.setdefault(service.instance, service.address)
        return list(dict.fromkeys(found.values()))

    def probe(self, host: str, cancel: Cancel | None) -> DeviceInfo:
        """Return what answers at *host*; raises what is wrong with it."""
        device = self.open_host(host, cancel)
        device.close()
        return DeviceInfo(NET + host, VENDOR_NAME, device.capabilities.model, self.device_type)

    def open(self, name: str) -> EpsonDs:
        if name.startswith(NET):
            return self.open_host(name.removeprefix(NET))
        if name:
            return self.open_usb(self.find(name))
        devices = self.list_devices(local_only=True) or self.list_devices(local_only=False)
        if not devices:
            raise errors.Invalid(f"backend {self.name}: no scanner found")
        return self.open(devices[0].name)

    def open_usb(self, entry: Entry) -> EpsonDs:
        from .wires import UsbWire

        return self._open(UsbWire(self.bus.open(entry, self.interface(entry))))

    def open_host(self, host: str, cancel: Cancel | None = None) -> EpsonDs:
        """Open the scanner at *host*, a name or an address."""
        from .._epson.network import Packets
        from .wires import LOCK, NetWire

        if not host:
            raise errors.Invalid(f"{NET} wants a host")
        return self._open(NetWire(Packets.open(host, LOCK, cancel)))

    def _open(self, wire: NetWire | UsbWire) -> EpsonDs:
        from .commands import Commands
        from .device import EpsonDs
        from .options import with_sources

        commands = Commands(wire, self.debug)
        try:
            commands.enter()
            capabilities = self._identify(commands)
            kind = with_sources(EpsonDs, capabilities.sources)
            device: EpsonDs = kind(commands, capabilities)
            return device
        except BaseException:
            commands.close()
            raise

    def _identify(self, commands: Commands) -> Capabilities:
        from .capabilities import Capabilities

        info = commands.ask_patiently("INFO")
        capabilities = Capabilities(info, commands.ask("CAPA"), self.models)
        commands.ask("RESA")  # a scanner whose current parameters fail cannot scan either
        return capabilities


def profile(line: config.Line) -> tuple[int, str, str, int]:
    """Return the row of models.MODELS in ``profile:0xPID,WIRENAME,DISPLAYNAME,LUTID``."""
    words = [word.strip() for word in line.text.removeprefix(PROFILE).split(",")]
    if len(words) != PROFILE_FIELDS or not words[1] or not words[2]:
        raise errors.Invalid(f"{line.where()}: profile: wants 0xPID,WIRENAME,DISPLAYNAME,LUTID")
    product, gamma = config.parse_int(words[0]), config.parse_int(words[3])
    if not 0 <= product <= 0xFFFF or gamma not in (0, *models.GAMMA):
        raise errors.Invalid(
            f"{line.where()}: product 0x{product:x} or LUT {gamma} is none of {(0, *models.GAMMA)}"
        )
    return product, words[2], words[1], gamma
