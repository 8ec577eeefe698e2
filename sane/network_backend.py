"""NetworkBackend: the backend of scanners that are reached over the network.

It knows the configuration lines, which hosts are asked, and what a device name means; it speaks no
protocol and opens nothing itself. Hosts are asked at the same time, within one deadline; opening by
name asks that host alone.
"""

from __future__ import annotations

from . import errors
from .backend import Backend, DeviceInfo, debug_level, describe
from .listed import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar

    from .backend import Context, Device
    from .cancel import Cancels
    from .config import Line
    from .discovery.service import Service
    from .transport.network import Network

    Wait = Callable[[float, int], bool]

LIST_SECONDS = 4.0  # for all hosts; a scanner that sleeps needs two or three to answer
ON, OFF = "on", "off"
UNKNOWN = "unknown"  # a vendor or model
HOST_NAMES = 16  # of one host: two families on a few networks
NAME_SECONDS = 1.0  # to look up a host that has just answered


class Place:
    """Where a scanner is: *host* and *port*, spoken to by *method*, with *path* and *settings*.

    settings: of its line in the configuration, by their names; what the driver says they are
    without one. texts: what DNS-SD told, in small letters. uuid, serial, usb: who it is, where that
    is known before it is asked. also_known_as: other names and addresses of the host, by which
    another backend may know it; those that DNS-SD told come in by themselves.
    """

    __slots__ = (
        *("also_known_as", "host", "method", "path", "port"),
        *("serial", "settings", "texts", "usb", "uuid"),
    )

    def __init__(self, method: str, host: str, port: int, path: str = "") -> None:
        self.method = method
        self.host = host
        self.port = port
        self.path = path
        self.settings: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.uuid = self.serial = self.usb = ""
        self.also_known_as: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"Place({self.method!r}, {self.host!r}, {self.port}, {self.path!r})"


class NetworkBackend(Backend):
    """The scanners that <name>.conf names and those that the network tells of.

    <name>.conf: ``METHOD://HOST[:PORT][/PATH] [SETTING=VALUE]...`` for one scanner, ``discovery
    on`` and ``discovery off``. A line that is not understood is told and left out.

    A driver says in `methods` and `settings` what its lines may have, and fills in `connect`;
    `probe` where a list can be made without opening, `place_at` and `broadcast` to find others.
    """

    methods: ClassVar[Mapping[str, int]] = {}
    """The methods of its lines and names, each with the port that it uses, 0: none of its own."""

    settings: ClassVar[Mapping[str, tuple[Callable[[str], Any], Any]]] = {}
    """What may follow the address in a line, by its name: a function that makes the value of the
    text, or raises ValueError if it is wrong; and the value if the line does not have it."""

    discovers_by_default: ClassVar[bool] = False
    """Whether the network is searched where the configuration does not say."""

    service_types: ClassVar[Sequence[str]] = ()
    """The DNS-SD types that its scanners announce, as ``_uscan._tcp``."""

    list_seconds: ClassVar[float] = LIST_SECONDS
    """How long a list may take, for all its hosts together."""

    device_type = "flatbed scanner"

    places: list[Place]
    """Those of the configuration, in its order."""

    discovers: bool
    """Whether a list searches the network."""

    discovered: dict[str, Place]
    """Those that the last list has found besides, by the names that they had then."""

    _network: Network | None = None

    @property
    def network(self) -> Network:
        """What everything is opened by, so that it can be recorded and replayed."""
        if self._network is None:
            from .transport.network import Network

            self._network = Network(self.context.environment, self.name)
        return self._network

    def set_context(self, context: Context) -> None:
        super().set_context(context)
        self._leave_network()

    def _leave_network(self) -> None:
        if self._network is not None:
            self._network.close()
            self._network = None

    # What a driver fills in

    def connect(self, place: Place, cancel: Cancels | None) -> Device:
        """Return the open Device at *place*; nothing stays open when that fails.

        cancel: ends every wait while it opens; cancel.CancelOf(device, cancel) ends those later.
        """
        raise NotImplementedError

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        """Return what *place* is listed as; raises what is wrong with it.

        Unless overridden the scanner is opened, and asked for its `vendor` and `model`.
        """
        device: Any = self.connect(place, cancel)
        try:
            return self.listed(place, device.vendor, device.model)
        finally:
            device.close()

    def place_at(self, service: Service) -> Place | None:
        """Return where the scanner is that DNS-SD found, None if it is none of ours."""
        raise NotImplementedError

    def places_at(self, services: Sequence[Service]) -> Iterable[Place]:
        """Return the scanners that DNS-SD found, of all `service_types` in their order.

        Unless overridden, one for each instance name: its first service that place_at takes.
        """
        found: dict[str, Place] = {}
        for service in services:
            if service.instance not in found and (place := self.place_at(service)) is not None:
                place.texts = service.texts
                found[service.instance] = place
        return list(found.values())

    def broadcast(self, wait: Wait) -> Iterable[Place]:
        """Return the scanners that answer a question to all hosts (self.network.search)."""
        return ()

    # Names: whoever overrides one of these two overrides both

    def name_of(self, place: Place) -> str:
        """Return the device name of the scanner at *place*, the same at each list."""
        host = f"[{place.host}]" if ":" in place.host else place.host
        port = "" if place.port == self.methods.get(place.method) else f":{place.port}"
        return f"{place.method}://{host}{port}{place.path}"

    def place_of(self, name: str) -> Place | None:
        """Return the place that *name* means, None for a name of another kind.

        Raises Invalid for one that is meant to be a place and is none.
        """
        if name.partition("://")[0] not in self.methods:
            return None
        from .transport.url import Url

        url = Url.parse(name)
        return Place(url.scheme, url.host, url.port or self.methods[url.scheme], url.path)

    # Configuration

    def init(self) -> None:
        self.reset()
        for line in self.read_config():
            try:
                if not self.read_place(line):
                    raise errors.Invalid(f"{line.where()}: {line.text!r} is not understood")
            except errors.Invalid as exc:
                self.debug(0, "%s", exc)

    def reset(self) -> None:
        """Forget what the configuration said."""
        self.places, self.discovers = [], self.discovers_by_default
        self.discovered = {}

    def read_place(self, line: Line) -> bool:
        """Take over a line about the network; return False for one that is not.

        Raises Invalid, with the place of the line, for one that is wrong.
        """
        words = line.words()
        if words[:1] == ["discovery"] and words[1:] in ([ON], [OFF]):
            self.discovers = words[1] == ON
            return True
        try:
            place = self.place_of(words[0]) if words else None
            if place is None:
                return False
            place.settings = self.read_settings(words[1:])
        except errors.Invalid as exc:
            raise errors.Invalid(f"{line.where()}: {exc}") from exc
        self.places.append(place)
        return True

    def read_settings(self, words: Sequence[str]) -> dict[str, Any]:
        """Return the settings that *words*, each SETTING=VALUE, give, the others as by default."""
        found = {name: default for name, (_, default) in self.settings.items()}
        for word in words:
            name, mark, text = word.partition("=")
            if not mark or name not in self.settings:
                known = ", ".join(self.settings) or "nothing"
                raise errors.Invalid(f"{word!r}: {known} may be set")
            try:
                found[name] = self.settings[name][0](text)
            except ValueError as exc:
                raise errors.Invalid(f"{word!r}: {exc}") from exc
        return found

    # Devices

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        return [] if local_only else self.list_network()

    def list_network(self) -> list[DeviceInfo]:
        """Return the scanners that answer, those of the configuration first, each once.

        It takes `list_seconds` at most, however many are silent. A debug message of level 1 names
        each one that fails.
        """
        places = {self.name_of(place): place for place in self.places}
        if not places and not self.discovers:
            return []
        from .discovery.search import search

        is_live = self.network.is_live  # the network is made before there are threads
        discovered: dict[str, Place] = {}

        def discover(wait: Wait) -> list[str]:
            for place in self.discover(wait):
                place.settings = place.settings or self.read_settings(())
                discovered.setdefault(self.name_of(place), place)
            return list(discovered)

        def probe(name: str, cancel: Cancels) -> DeviceInfo:
            place = places.get(name) or discovered[name]
            try:
                found = self.making(lambda: self.probe(place, cancel), is_live=is_live)
                if is_live:
                    found.host = " ".join(_known_as(found.host.split(), cancel))
                return found
            except (errors.SaneError, OSError):
                raise
            except Exception as exc:  # a mistake of the driver costs this host alone
                self.debug(debug_level(exc), "%s", describe(f"probe of {name}", exc))
                raise errors.DeviceIOError(f"cannot be asked: {exc}") from exc

        hears = discover if self.discovers else None
        found = search(list(places), hears, probe, self.debug, self.list_seconds)
        self.discovered = discovered
        return distinct(found)

    def discover(self, wait: Wait) -> list[Place]:
        """Return the scanners that the network tells of: by DNS-SD, and by `broadcast`.

        Both go on at the same time. wait(seconds, fd) waits for a descriptor to be readable and
        tells whether it is; it ends when the list has to.
        """
        from .discovery.search import side_by_side

        announced: dict[str, list[Service]] = {}
        heard: list[Place] = []

        def browse(cancel: Cancels) -> None:
            announced.update(self._browse(cancel))

        def broadcast(_cancel: Cancels) -> Sequence[Callable[[Cancels], None]]:
            try:
                heard.extend(self.broadcast(wait))  # those before a failure are heard
            except (errors.SaneError, OSError) as exc:
                self.debug(1, "search for scanners: %s", exc)
            return ()

        tasks = [browse] if self.service_types else []
        side_by_side(tasks, self.list_seconds, broadcast)
        services = [one for type in self.service_types for one in announced.get(type, ())]
        places = [*self.places_at(services), *heard]
        names = _names_of_hosts(services)
        for place in places:
            place.also_known_as = [*place.also_known_as, *names.get(place.host, ())]
        return places

    def _browse(self, cancel: Cancels) -> dict[str, list[Service]]:
        """Return the services that announce themselves, by their type."""
        from .discovery.dnssd import services_of
        from .discovery.service import Service

        told: dict[str, list[Service]] = {}

        def rows(type: str) -> list[list[str]]:
            if not told:
                told.update(services_of(self.service_types, self.debug, cancel=cancel))
            return [service.row() for service in told[type]]

        found: dict[str, list[Service]] = {}
        for type in self.service_types:
            try:
                answers = self.network.told(type, lambda type=type: rows(type))  # type: ignore[misc]
                found[type] = [Service.of_row(row) for row in answers]
            except (errors.SaneError, OSError, ValueError) as exc:
                self.debug(1, "%s: %s", type, exc)
                continue
            for service in found[type]:
                service.type = type
        return found

    def listed(self, place: Place, vendor: str, model: str, type: str = "") -> DeviceInfo:
        """Return the entry of the scanner at *place* in a list.

        vendor and model may be as the network tells them: a control character becomes a question
        mark, an empty text the word that it is unknown.
        """
        return DeviceInfo(
            self.name_of(place),
            printable(vendor.strip()) or UNKNOWN,
            printable(model.strip()) or UNKNOWN,
            type or self.device_type,
            uuid=place.uuid,
            serial=place.serial,
            host=" ".join(dict.fromkeys((place.host, *place.also_known_as))),
            usb=place.usb,
        )

    def open(self, name: str) -> Device:
        """Open the scanner *name*, asking its host alone; "" is the first that a list has."""
        if not name:
            for device in self.list_devices(local_only=False):
                return self.open(device.name)
            raise errors.Invalid(f"backend {self.name}: no scanner found")
        place = self.known_place(name) or self.place_of(name)
        if place is None:
            raise errors.Invalid(f"{name!r} is no device of {self.name}")
        return self.open_at(place)

    def open_at(self, place: Place) -> Device:
        """Return the open scanner at *place*; what `open` does with the place of a name."""
        if not place.settings:
            place.settings = self.read_settings(())
        return self.making(lambda: self.connect(place, None), is_live=self.network.is_live)

    def known_place(self, name: str) -> Place | None:
        """Return the place of the scanner *name* of the configuration or of the last list."""
        for place in self.places:
            if self.name_of(place) == name:
                return place
        return self.discovered.get(name)

    def reaches(self, name: str) -> str:
        try:
            place = self.place_of(name) if name else None
        except errors.Invalid:
            return ""  # open fails without asking anybody
        if place is None or self.known_place(self.name_of(place)) is not None:
            return ""
        return place.host

    def exit(self) -> None:
        self._leave_network()


def _known_as(names: Sequence[str], cancel: Cancels) -> list[str]:
    """Return *names* of a host, with its addresses if there are only names.

    Another backend may know the same scanner by its address.
    """
    from .discovery.service import is_host_address
    from .transport.names import resolve

    found = dict.fromkeys(names)
    if not any(map(is_host_address, names)):
        for name in names:
            try:
                addresses = resolve(name, 0, NAME_SECONDS, cancel)
            except errors.DeviceIOError:
                continue  # it is listed under its name alone
            found.update((str(where[0]), None) for _, where in addresses[:HOST_NAMES])
    return list(found)


def _names_of_hosts(services: Sequence[Service]) -> dict[str, list[str]]:
    """Return, for each address of *services*, the names and addresses of its host.

    Of a host that announces thousands, the first HOST_NAMES.
    """
    of_name: dict[str, dict[str, None]] = {}
    for service in services:
        names = of_name.setdefault(service.name, {service.name: None})
        if len(names) < HOST_NAMES:
            names[service.address] = None
    found: dict[str, list[str]] = {}
    for names in of_name.values():
        for name in names:
            found.setdefault(name, []).extend(names)
    return found


def distinct(devices: Sequence[DeviceInfo]) -> list[DeviceInfo]:
    """Return *devices* without those that are one of them again, by another way.

    The same UUID, or the same serial number of the same model, is the same scanner.
    """
    found: list[DeviceInfo] = []
    seen: set[tuple[str, ...]] = set()
    for device in devices:
        keys: set[tuple[str, ...]] = set()
        if device.uuid:
            keys.add(("uuid", device.uuid))
        if device.serial:
            keys.add(("serial", device.vendor, device.model, device.serial))
        if not keys & seen:
            found.append(device)
        seen |= keys
    return found
