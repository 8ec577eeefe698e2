"""Scanners that speak WS-Scan (WSD), the protocol of Windows: most are older than eSCL.

A scanner that speaks eSCL as well is listed as such. Source: specification escl 9.
"""

from __future__ import annotations

from ...backend import errors
from .._driverless import names
from .._driverless.backend import DriverlessBackend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...backend import DeviceInfo
    from ...cancel import Cancels
    from ...discovery.service import Service
    from ...network_backend import Place, Wait
    from .._driverless.names import Name
    from .capabilities import ScanCapabilities
    from .device import Wsd
    from .places import Finder, WsdPlace
    from .service import Service as ScanService

HINTED = "_scanner._tcp"  # old scanners; and printers that say that they scan
MOST_HOSTS = 32  # that are asked because something else is known of them


class Backend(DriverlessBackend):
    """The scanners that answer WS-Discovery, and those that wsd.conf names."""

    service_types = (HINTED, "_ipp._tcp", "_ipps._tcp")
    list_seconds = 6.0

    # Names

    def name_of(self, place: Place) -> str:
        found: WsdPlace = place  # type: ignore[assignment]  # all of ours are
        return found.name

    def place_of(self, name: str) -> WsdPlace | None:
        found = names.parse(name)
        if found is None or found.url is None or found.socket:
            return None
        from .places import WsdPlace

        place = WsdPlace(str(found.url), [found.url])
        place.shown = found.shown
        return place

    def is_meant(self, place: Place, wanted: Name) -> bool:
        found: WsdPlace = place  # type: ignore[assignment]  # all of ours are
        if wanted.uuid:
            return wanted.uuid == found.uuid
        instance = wanted.instance.lower()
        own = (found.shown, found.model, f"{found.vendor} {found.model}")
        return instance in [name.lower() for name in own]

    # Devices

    def _finder(self) -> Finder:
        from .places import Finder

        return Finder(self.network, self.debug)

    def broadcast(self, wait: Wait) -> Iterable[WsdPlace]:
        return self._finder().search(wait)

    def places_at(self, services: Sequence[Service]) -> Iterable[WsdPlace]:
        """Return the scanners at hosts that DNS-SD knows for something else, asked one by one."""
        from ...transport.http import is_loopback

        hosts = dict.fromkeys(
            service.address
            for service in services
            if (service.type == HINTED or service.texts.get("scan", "").upper() == "T")
            and not is_loopback(service.address)
        )
        return self._finder().ask_directly(list(hosts)[:MOST_HOSTS]) if hosts else ()

    def probe(self, place: Place, cancel: Cancels | None) -> DeviceInfo:
        """Return the entry of *place*; only one that was not found by the network is asked."""
        found: WsdPlace = place  # type: ignore[assignment]  # all of ours are
        if not found.model:
            _, capabilities = self._opened(found, cancel)
            found.vendor, found.model = capabilities.vendor, capabilities.model
        return self.listed(found, found.vendor, found.model)

    def connect(self, place: Place, cancel: Cancels | None) -> Wsd:
        from ...image import readable
        from .._driverless.capabilities import BMP, JPEG, PDF, PNG, TIFF
        from .device import Wsd

        found: WsdPlace = place  # type: ignore[assignment]  # all of ours are
        service, capabilities = self._opened(found, cancel)
        formats = readable((JPEG, PNG, TIFF, BMP, PDF))
        return Wsd(service, capabilities, formats, self.debug)

    def _opened(
        self, place: WsdPlace, cancel: Cancels | None
    ) -> tuple[ScanService, ScanCapabilities]:
        """Return the service of the first way that leads to it, and what it can do."""
        from .service import Service as ScanService

        failure: errors.SaneError | None = None
        for url in place.urls:
            service = ScanService(url, self.network, self.debug)
            try:
                found = service.client(cancel).capabilities()
            except errors.Cancelled:
                raise
            except errors.DeviceIOError as exc:
                self.debug(1, "%s: %s", url, exc)
                failure = failure or exc
                continue
            if place.model:
                found.manufacturer = place.vendor
                found.name = f"{place.vendor} {place.model}"
            return service, found
        assert failure is not None
        raise failure
