"""Epson scanners that speak ESC/I-2, over USB and the network.

The options, names and files of the original backend of this name. Source: specification esci 1,
4 and 5.2.
"""

from __future__ import annotations

from ... import config
from ...backend import errors
from ...network_backend import Place
from .._epson import PORT
from .._epson.backend import VENDOR, VENDOR_NAME, EpsonBackend
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...discovery.service import Service
    from ...usb.handle import Usb
    from .._epson.network import Packets
    from .capabilities import Capabilities
    from .commands import Commands
    from .device import EpsonDs
    from .wires import NetWire, UsbWire

PROFILE = "profile:"
PROFILE_FIELDS = 4
MAKER, SHORT_NAME = "EPSON", 7  # an instance is "EPSON DS-530 (...)": longer than its maker


class Backend(EpsonBackend):
    """The scanners of the table on the bus, and those that epsonds.conf names on the network."""

    version = (1, 0, 0)
    usb_ids = tuple((VENDOR, row[0], VENDOR_NAME, row[1]) for row in models.MODELS)
    device_type = "ESC/I-2"
    service_types = ("_scanner._tcp",)
    lock = bytes.fromhex("01A0040000012C")

    def init(self) -> None:
        self.models = list(models.MODELS)
        super().init()

    def other_line(self, line: config.Line) -> bool:
        if line.text.startswith(PROFILE):
            self.models.append(profile(line))
            return False
        return super().other_line(line)

    def place_at(self, service: Service) -> Place | None:
        names = {row[1] for row in self.models}
        is_epson = service.instance.startswith(MAKER) and len(service.instance) > SHORT_NAME
        if not is_epson or service.texts.get("mdl") not in names:
            return None
        return Place("", service.address, PORT)

    def open_bulk(self, usb: Usb) -> EpsonDs:
        from .wires import UsbWire

        return self._open(UsbWire(usb))

    def open_packets(self, packets: Packets) -> EpsonDs:
        from .wires import NetWire

        return self._open(NetWire(packets))

    def model(self, device: EpsonDs) -> str:  # type: ignore[override]  # it is one of ours
        return device.capabilities.model

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
