"""An emulated device that answers WS-Discovery, on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterable

from ..net import UdpEmulator
from .emulator import Emulator
from .matches import matches

PORT, GROUP = 3702, "239.255.255.250"


class Beacon(UdpEmulator):
    """Answers for *device* who is asked for on the network.

    tells_urls: says where the device is at once; otherwise it has to be asked with Resolve.
    """

    def __init__(self, device: Emulator, *, tells_urls: bool = True, port: int = PORT) -> None:
        self._device = device
        self._tells_urls = tells_urls
        super().__init__("", port, [GROUP])

    def answers(self, data: bytes) -> Iterable[bytes]:
        device = self._device
        uuid, url = device.scanner.uuid, device.device_url
        found = matches(uuid, url, data, tells_url=self._tells_urls)
        return () if found is None else (found,)
