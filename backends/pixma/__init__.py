"""Canon PIXMA, MAXIFY, imageCLASS and CanoScan units, over USB and the network (BJNP, MFNP).

The options, names and files of the original backend of this name. Source: specification pixma 1.6
to 1.8 and 4.
"""

from __future__ import annotations

from ...backend import DeviceInfo, Url, UsbNetworkBackend, errors
from ...network_backend import Place
from . import bjnp, models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...backend import Device
    from ...cancel import Cancels
    from ...config import Line
    from ...network_backend import Wait
    from ...usb.handle import Usb
    from ...usb.sysfs import BusDevice
    from .device import Pixma
    from .models import Model
    from .netlink import NetLink, Peer

TIMEOUT_MS = 10_000
SERIAL_CHARACTERS = 21  # of a serial number on the bus, in a name
SHORT_HOST = 16  # a longer host is shortened in a name, or replaced by the hardware address
SEARCH_SECONDS, QUIET_SECONDS, ROUND_SECONDS = 2.0, 0.5, 0.01
LIST_SECONDS = 3.5  # for all of a list: units that have answered may take their time
# One of three questions to a unit that may be off: they answer within milliseconds, and those that
# sleep are asked longer, if nobody has answered. One to a unit that has answered before.
ASK_SECONDS, PATIENT_SECONDS, NEXT_SECONDS = 0.25, 1.0, 0.5
NAME_SECONDS = 0.2  # to find out what a host is called
MODEL, MAC, NAME = "model", "mac", "name"  # what a place has learnt, among its texts


class Backend(UsbNetworkBackend):
    """The units of the table on the bus, those that pixma.conf names, and those that answer.

    pixma.conf: ``bjnp://HOST[:PORT][/timeout=MS]`` or ``mfnp://...`` for one unit,
    ``networking=no`` (the first line), ``auto_detection=no``, ``bjnp-timeout=MS``.
    """

    version = (1, 0, 28)
    usb_ids = tuple(
        (models.VENDOR, model.product, models.VENDOR_NAME, model.name)
        for model in models.BY_PRODUCT.values()
    )
    usb_vendors = (models.VENDOR,)
    device_type = "multi-function peripheral"
    methods = bjnp.PORTS
    discovers_by_default = True
    list_seconds = LIST_SECONDS

    # Configuration

    def reset(self) -> None:
        super().reset()
        self._timeout_ms = TIMEOUT_MS
        self._has_network = True
        self._is_first = True
        self._ask_seconds = ASK_SECONDS
        self._links: dict[str, NetLink] = {}  # by the MAC of a unit, of the device opened last

    def read_place(self, line: Line) -> bool:
        text = line.text.strip()
        is_first, self._is_first = self._is_first, False
        name, mark, value = text.partition("=")
        if text == "networking=no":
            if not is_first:
                raise errors.Invalid(f"{line.where()}: {text} must be the first line")
            self._has_network = self.discovers = False
        elif text == "auto_detection=no":
            self.discovers = False
        elif name == "bjnp-timeout" and mark:
            self._timeout_ms = milliseconds(value, line.where())
        elif "://" in text:
            place = self._configured(text, line.where())
            if self._has_network:
                self.places.append(place)
        else:
            return False
        return True

    def _configured(self, text: str, where: str) -> Place:
        try:
            place = self.place_of(text.split(maxsplit=1)[0])
        except errors.Invalid as exc:
            raise errors.Invalid(f"{where}: {exc}") from exc
        if place is None:
            raise errors.Invalid(f"{where}: {text!r}: bjnp:// or mfnp:// is wanted")
        return place

    def place_of(self, name: str) -> Place | None:
        if name.partition("://")[0] not in self.methods or "://" not in name:
            return None
        url = Url.parse(name)
        place = Place(url.scheme, url.host, url.port or self.methods[url.scheme])
        timeout_ms = self._timeout_ms
        if url.path.startswith("/timeout="):
            timeout_ms = milliseconds(url.path.removeprefix("/timeout="), name)
        place.settings = {"timeout": timeout_ms / 1000}
        return place

    # Names

    def name_of(self, place: Place) -> str:
        """Return KEY_HOST once it is known what the unit is, else where it is."""
        key = place.texts.get(MODEL)
        if key is None:
            host = f"[{place.host}]" if ":" in place.host else place.host
            return f"{place.method}://{host}:{place.port}"
        return f"{key}_{short_host(place)}"

    def known_place(self, name: str) -> Place | None:
        for place in (*self.places, *self.discovered.values()):
            if self.name_of(place) == name:
                return place
        return None

    # The network

    def list_network(self) -> list[DeviceInfo]:
        if not self._has_network:
            return []
        found = super().list_network()
        if not found and self.places:
            found = self._list_patiently()
        return found

    def _list_patiently(self) -> list[DeviceInfo]:
        """Return the configured units, which may have slept when they were asked."""
        discovers, self.discovers = self.discovers, False
        self._ask_seconds = PATIENT_SECONDS
        try:
            return super().list_network()
        finally:
            self._ask_seconds, self.discovers = ASK_SECONDS, discovers

    def broadcast(self, wait: Wait) -> Iterator[Place]:
        seen: set[tuple[str, int]] = set()
        answers = self.network.search(
            bjnp.discovery(),
            wait,
            SEARCH_SECONDS,
            from_port=bjnp.PORTS[bjnp.BJNP],
            quiet_seconds=QUIET_SECONDS,
            pause_seconds=ROUND_SECONDS,
        )
        for answer in answers:
            try:
                head, payload = bjnp.payload_of(answer.data)
            except errors.DeviceIOError as exc:
                self.debug(1, "%s: %s", answer.host, exc)
                continue
            if (answer.host, answer.port) in seen:
                continue
            seen.add((answer.host, answer.port))
            place = Place(head.method, answer.host, answer.port)
            place.settings = {"timeout": self._timeout_ms / 1000}
            place.serial = place.texts[MAC] = bjnp.mac_of(payload)
            place.texts[NAME] = ""  # it is asked for, beside that of others
            yield place

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        model = self._identify(place, cancel, self._ask_seconds)
        if place.texts.get(NAME) == "":
            from ...transport.names import name_of

            place.texts[NAME] = name_of(place.host, NAME_SECONDS, cancel) or place.host
            place.also_known_as = [*place.also_known_as, place.texts[NAME]]
        return self.listed(place, models.VENDOR_NAME, model.name)

    def _identify(self, place: Place, cancel: Cancels | None, seconds: float) -> Model:
        """Ask the unit at *place* what it is, and note that there; return its model."""
        peer = self._peer(place)
        if MAC not in place.texts:
            _, payload = peer.ask(bjnp.DISCOVER, b"", cancel, seconds=seconds)
            place.serial = place.texts[MAC] = bjnp.mac_of(payload)
        _, payload = peer.ask(bjnp.IDENTITY, b"", cancel, seconds=max(seconds, NEXT_SECONDS))
        text = bjnp.model_text(place.method, payload)
        model = models.model_called(text)
        if model is None:
            raise errors.Invalid(f"{peer.name}: {text!r} is no model that is known")
        place.texts[MODEL] = model.key
        return model

    def _peer(self, place: Place) -> Peer:
        from .netlink import Peer

        seconds = place.settings["timeout"]
        return Peer(self.network, place.method, place.host, place.port, seconds)

    def connect(self, place: Place, cancel: Cancels | None) -> Pixma:
        from .netlink import NetLink
        from .units import device_for

        model = self._identify(place, cancel, place.settings["timeout"])
        peer, unit = self._peer(place), place.texts[MAC] or place.host
        if unit in self._links and self._links[unit].is_open:
            raise errors.DeviceBusy(f"{peer.name} is open already")
        link = NetLink(peer, self.debug, cancel)
        device: Pixma = device_for(link, model, self.debug)
        self._links[unit] = link
        return device

    # Devices

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        found = self._on_bus()
        infos = [self._listed_usb(bus_device) for bus_device in found]
        infos += [] if local_only else self.list_network()
        return infos[::-1]  # the order of the original: what was found last comes first

    def _on_bus(self) -> list[BusDevice]:
        return [item for item in self.bus.devices() if self.wanted(item) is not None]

    def _listed_usb(self, bus_device: BusDevice) -> DeviceInfo:
        wanted = self.wanted(bus_device)
        assert wanted is not None
        serial = bus_device.text("serial")
        usb = f"{bus_device.vendor:04x}:{bus_device.product:04x}"
        name = usb_name(bus_device)
        return DeviceInfo(name, *wanted, self.device_type, serial=serial, usb=usb)

    def open(self, name: str) -> Device:
        """Open a unit by the name that it is listed by, or by ``METHOD://HOST``."""
        if not name:
            return self.open_first()
        for bus_device in self._on_bus():
            if name in (usb_name(bus_device), bus_device.name):
                return self.open_device_on(bus_device)
        place = self.known_place(name) or self.place_of(name) or self._found(name)
        if place is None:
            raise errors.Invalid(f"backend {self.name}: no device {name!r}")
        return self.open_at(place)

    def open_device_on(self, bus_device: BusDevice) -> Device:
        """Return the open device on the bus; it knows whether a recorded session answers."""
        return self.making(lambda: self.open_usb(bus_device), is_live=self.bus.is_live)

    def _found(self, name: str) -> Place | None:
        """Return the place of a unit that was not listed yet: those in question are asked."""
        _key, mark, host = name.rpartition("_")
        if not mark:
            return None
        for place in self.places:
            if short_host(place) == host:
                self._identify(place, None, place.settings["timeout"])
                if self.name_of(place) == name:
                    return place
        self.list_network()
        return self.known_place(name)

    def open_usb(self, bus_device: BusDevice) -> Pixma:
        from .units import device_for
        from .usblink import UsbLink

        model = models.BY_PRODUCT.get(bus_device.product)
        if model is None or bus_device.vendor != models.VENDOR:
            raise errors.Invalid(f"{bus_device.name}: no model that is known")
        usb: Usb = self.bus.open(bus_device, self.interface(bus_device))
        try:
            return device_for(UsbLink(usb), model, self.debug)
        except BaseException:
            usb.close()
            raise


def milliseconds(text: str, where: str) -> int:
    """Return a time-out; raises Invalid for what is none."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= 600_000):
        raise errors.Invalid(f"{where}: {text!r} are no milliseconds")
    return int(text)


def short_host(place: Place) -> str:
    """Return what stands for the host in a name: at most 15 characters."""
    host = place.texts.get(NAME) or place.host
    first = host.partition(".")[0]
    if len(host) < SHORT_HOST:
        return host
    if "." in host and len(first) < SHORT_HOST:
        return first
    return place.texts.get(MAC, "") or host


def usb_name(bus_device: BusDevice) -> str:
    """Return the name of a unit on the bus: its ids, and its serial number if it has one."""
    serial = bus_device.text("serial")[:SERIAL_CHARACTERS]
    ids = f"{bus_device.vendor:04X}{bus_device.product:04X}"
    return f"{ids}_{serial}" if serial else ids
