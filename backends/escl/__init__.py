"""Scanners that speak eSCL (AirScan, AirPrint scanning): over the network, and USB by a proxy.

Source: specification escl 1 to 6.
"""

from __future__ import annotations

from ...backend import errors
from .._driverless import names
from .._driverless.backend import DriverlessBackend
from .conf import BLOCK, BLOCK_WORDS, SETTINGS, Block, Conf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ...backend import DeviceInfo
    from ...cancel import Cancels
    from ...config import Line
    from ...discovery.service import Service
    from ...network_backend import Place
    from .._driverless.names import Name
    from .device import Escl
    from .opening import Opened
    from .places import EsclPlace


class Backend(DriverlessBackend):
    """The scanners that announce themselves, and those that escl.conf names."""

    settings = SETTINGS
    service_types = ("_uscan._tcp", "_uscans._tcp")

    # Names

    def name_of(self, place: Place) -> str:
        escl: EsclPlace = place  # type: ignore[assignment]  # all of ours are
        return escl.name

    def place_of(self, name: str) -> EsclPlace | None:
        found = names.parse(name)
        if found is None or found.url is None or found.is_wsd:
            return None
        from .places import named_place

        return named_place(found, self.conf.sockets)

    def find(self, wanted: Name, name: str) -> Place:
        if wanted.is_wsd:
            raise errors.Invalid(f"{name!r}: a scanner of WS-Scan, not of eSCL")
        return super().find(wanted, name)

    def is_meant(self, place: Place, wanted: Name) -> bool:
        escl: EsclPlace = place  # type: ignore[assignment]  # all of ours are
        if wanted.uuid:
            return wanted.uuid in (escl.uuid, escl.name.replace("-", ""))
        instance = wanted.instance.lower()
        return instance in escl.instances or instance == escl.shown.lower()

    # Configuration

    def reset(self) -> None:
        super().reset()
        self.conf = Conf()
        self._block: Block | None = None
        self._lists_local = False

    def read_place(self, line: Line) -> bool:
        text = line.text
        if text.startswith(BLOCK):
            self._block = Block()
            return True
        word, _, rest = text.partition(" ")
        if self._block is not None and word in BLOCK_WORDS:
            return self._read_block(self._block, word, rest.strip(), line)
        self._block = None
        try:
            if self.conf.read(text):
                return True
            return self._read_scanner(text) or super().read_place(line)
        except errors.Invalid as exc:
            raise errors.Invalid(f"{line.where()}: {exc}") from exc

    def _read_scanner(self, text: str) -> bool:
        """Take over ``[device] ADDRESS [MODEL] [SETTING=VALUE]...``; False for another line."""
        from .quirks import words_of

        words = words_of(text)
        if words[:1] == ["device"]:
            words = words[1:]
            if len(words) > 1 and "=" not in words[1]:
                words[1] = f"model={words[1]}"
            words = ["host=localhost" if word == "hack=localhost" else word for word in words]
        place = self.place_of(words[0]) if words else None
        if place is None:
            return False
        self._add(place, words[1:])
        return True

    def _add(self, place: EsclPlace, settings: Sequence[str]) -> None:
        place.settings = self.read_settings(settings)
        place.shown = place.settings["name"] or place.shown
        place.model = place.settings["model"]
        self.places.append(place)

    def _read_block(self, block: Block, word: str, value: str, line: Line) -> bool:
        """Take over a line of a block; each makes the scanner anew."""
        block.words[word] = value
        self.places = [place for place in self.places if place is not block.place]
        if not block.url:
            return True
        try:
            place = self.place_of(block.url)
            if place is not None:
                block.place = place
                model = block.words.get("model", "")
                self._add(place, [f"model={model}"] if model else [])
        except errors.Invalid as exc:
            raise errors.Invalid(f"{line.where()}: {exc}") from exc
        return True

    # Devices

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        self._lists_local = local_only and not self.conf.pretends_local
        return self.list_network()

    def places_at(self, services: Sequence[Service]) -> Iterable[EsclPlace]:
        from .places import announced
        from .quirks import NETWORK, USB, quirks_of

        found = []
        for place in announced(services, self.conf):
            where = USB if place.is_local else NETWORK
            is_wanted = not quirks_of(self.conf.quirks, place.model, place=where).has("disable")
            if is_wanted and not self._is_configured(place):
                found.append(place)
        return found

    def _is_configured(self, place: EsclPlace) -> bool:
        """Tell whether the configuration names a scanner that announces itself, too.

        It is listed as there; what it announces helps to find it by its other names.
        """
        hosts = {(way.url.host, way.url.port) for way in place.endpoints}
        for known in self.places:
            escl: EsclPlace = known  # type: ignore[assignment]  # all of ours are
            if hosts & {(way.url.host, way.url.port) for way in escl.endpoints}:
                escl.uuid = escl.uuid or place.uuid
                escl.instances |= place.instances
                return True
        return False

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        """Return the entry of *place*; only one of which nothing is known is asked."""
        escl: EsclPlace = place  # type: ignore[assignment]  # all of ours are
        if self._lists_local and not escl.is_local:
            raise errors.Unsupported("not on this machine")
        if not escl.is_named or escl.model:
            return self.listed(escl, *escl.vendor_and_model, escl.type)
        found = self._opened(escl, cancel).capabilities
        escl.uuid, escl.serial = escl.uuid or found.uuid, escl.serial or found.serial
        kinds = ["ADF" if bed.is_feeder else bed.name.lower() for bed in found.beds.values()]
        type = f"{' or '.join(dict.fromkeys(kinds))} scanner"
        return self.listed(escl, found.vendor or "eSCL", found.model, type)

    def connect(self, place: Place, cancel: Cancels | None) -> Escl:
        from ...image import readable
        from .._driverless.capabilities import BMP, JPEG, PDF, PNG, TIFF
        from .device import Escl

        opened = self._opened(place, cancel)
        return Escl(opened, readable((JPEG, PNG, TIFF, BMP, PDF)), self.debug)

    def _opened(self, place: Any, cancel: Cancels | None) -> Opened:
        from .access import Keys, Passwords
        from .opening import Opener

        environment = self.context.environment
        settings = place.settings
        user = (settings["user"], settings["password"]) if settings["user"] else None
        passwords = Passwords(self.name_of(place), self.context.authorize, user)
        keys = Keys.of(environment, self.debug)
        opener = Opener(
            place,
            conf=self.conf,
            network=self.network,
            keys=keys,
            passwords=passwords,
            debug=self.debug,
        )
        return opener.open(cancel)
