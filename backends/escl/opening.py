"""Opening a scanner: the ways to it one after the other, until one tells its capabilities.

Source: specification escl 1.5, 5 and 6.2.
"""

from __future__ import annotations

from ...errors import AccessDenied, Cancelled, DeviceIOError, Invalid, SaneError
from ...transport.failures import NoAnswer
from ...transport.http import is_loopback
from ...transport.tls import Trust
from . import capabilities
from .access import PIN, SYSTEM, Keys, Passwords
from .places import HTTPS, ordered
from .quirks import NETWORK, USB, quirks_of
from .service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...cancel import Cancels
    from ...debug import Debug
    from ...transport.http import Http
    from ...transport.network import Network
    from ...transport.url import Url
    from .._driverless.capabilities import Capabilities
    from .conf import Conf
    from .places import Endpoint, EsclPlace
    from .quirks import Quirks

CONNECT_SECONDS = 10.0


class Opened:
    """A scanner that has told its capabilities: how to ask it, and how to treat it."""

    __slots__ = ("capabilities", "passwords", "quirks", "service")

    def __init__(
        self, service: Service, found: Capabilities, quirks: Quirks, passwords: Passwords
    ) -> None:
        self.service = service
        self.capabilities = found
        self.quirks = quirks
        self.passwords = passwords


class Opener:
    """Opens the scanner at *place* as *conf* says; *keys* are those that were seen before."""

    def __init__(
        self,
        place: EsclPlace,
        *,
        conf: Conf,
        network: Network,
        keys: Keys,
        passwords: Passwords,
        debug: Debug,
    ) -> None:
        self._place = place
        self._conf = conf
        self._network = network
        self._keys = keys
        self._passwords = passwords
        self._debug = debug

    def open(self, cancel: Cancels | None) -> Opened:
        """Return the scanner by the first way that leads to it; raises what the first one did."""
        endpoints = self._endpoints()
        failure: SaneError | None = None
        silent: set[tuple[str, int, str]] = set()  # another path of theirs is no other way
        for endpoint in endpoints:
            place = endpoint.url.host, endpoint.url.port, endpoint.socket
            if place in silent:
                continue
            try:
                return self._open(endpoint, cancel)
            except (AccessDenied, Cancelled):
                raise  # another way would be a way around
            except DeviceIOError as exc:
                self._debug(1, "%s: %s", endpoint.url, exc)
                failure = failure or exc
                if isinstance(exc, NoAnswer):
                    silent.add(place)
        if failure is None:
            raise Invalid(f"{self._place.name}: there is no way to it")
        raise failure

    def _endpoints(self) -> list[Endpoint]:
        ways = self._place.endpoints
        plain = [one for one in ways if one.url.scheme != HTTPS]
        if plain and self._quirks(self._place.model).has("force-http"):
            ways = plain
        if self._conf.https != "require":
            return ways if self._place.is_named else ordered(ways, self._conf.https)
        safe = [
            one
            for one in ways
            if one.url.scheme == HTTPS or one.socket or is_loopback(one.url.host)
        ]
        if not safe:
            raise AccessDenied(f"{self._place.name}: not encrypted, as 'https require' wants it")
        return safe

    def _open(self, endpoint: Endpoint, cancel: Cancels | None) -> Opened:
        settings = self._place.settings
        service = Service(endpoint.url, self._connect(endpoint), self._debug, self._conf.limits)
        quirks = self._quirks(self._place.model)
        if settings["host"] != "default":
            quirks.host = settings["host"]
        service.quirks = quirks
        client = service.client(cancel, self._passwords.asked)
        response = client.capabilities()
        self._keys.check(self._identity(endpoint), client.key, self._conf.verify)
        has_duplex = self._place.texts.get("duplex", "").upper() == "T"
        found = capabilities.read(response.body, has_duplex=has_duplex)
        service.quirks = quirks = self._quirks(
            found.name, found.manufacturer, response.header("server")
        )
        if settings["host"] != "default":
            quirks.host = settings["host"]
        if quirks.max_resolution:
            limit_resolution(found, quirks.max_resolution)
        return Opened(service, found, quirks, self._passwords)

    def _quirks(self, model: str, manufacturer: str = "", server: str = "") -> Quirks:
        place = USB if self._place.is_local else NETWORK
        return quirks_of(self._conf.quirks, model, manufacturer, server, place)

    def _identity(self, endpoint: Endpoint) -> str:
        return self._place.uuid or endpoint.url.authority

    def _connect(
        self, endpoint: Endpoint
    ) -> Callable[[Url, Cancels | None, str, Callable[[str], tuple[str, str]]], Http]:
        """Return what makes clients of the scanner by this way."""
        settings, conf = self._place.settings, self._conf
        trust = self._trust(endpoint)

        def connect(
            base: Url,
            cancel: Cancels | None,
            host_header: str,
            credentials: Callable[[str], tuple[str, str]],
        ) -> Http:
            return self._network.http(
                base,
                cancel=cancel,
                trust=trust,
                credentials=credentials,
                basic_in_clear=settings["basic-in-clear"],
                names=endpoint.names,
                socket_path=endpoint.socket,
                host_header=host_header,
                may_downgrade=conf.https != "require",
                connect_seconds=CONNECT_SECONDS,
            )

        return connect

    def _trust(self, endpoint: Endpoint) -> Trust:
        least, policy = self._place.settings["tls-min"], self._conf.verify
        if policy == SYSTEM:
            return Trust.system()
        known = self._keys.known(self._identity(endpoint)) if policy == PIN else ""
        return Trust.pinned([known], least) if known else Trust.anybody(least)


def limit_resolution(found: Capabilities, most: int) -> None:
    """Leave out the resolutions above *most*, where others are left."""
    for bed in found.beds.values():
        for profile in bed.profiles:
            limited = {kind: one.at_most(most) for kind, one in profile.resolutions.items()}
            profile.resolutions.update({kind: one for kind, one in limited.items() if one})
