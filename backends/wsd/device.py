"""A WS-Scan device."""

from __future__ import annotations

from .._driverless.choice import Formats
from .._driverless.device import DriverlessDevice
from .job import FOR_RICOH, Job
from .quirks import COUNTS_IMAGES, quirks_of
from .ticket import UNTIL_EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ...debug import Debug
    from ...errors import SaneError
    from .._driverless.request import Request
    from .capabilities import ScanCapabilities
    from .service import Service


class Wsd(DriverlessDevice):
    """One open scanner; readable: the formats that can be read here."""

    def __init__(
        self,
        service: Service,
        capabilities: ScanCapabilities,
        readable: Collection[str],
        debug: Debug,
    ) -> None:
        self._service = service
        self._found = capabilities
        self.debug = debug
        self.vendor, self.model = capabilities.vendor, capabilities.model
        super().__init__(capabilities, Formats(readable))

    def conditions(self) -> list[SaneError] | None:
        found = self._service.client(self.cancel_request).status()
        return found.faults() if found.state else None

    def new_job(self, request: Request) -> Job:
        format = self._found.value_of(request.choice.format, request.choice.kind)
        return Job(
            request,
            self._service,
            self.debug,
            format=format,
            most_images=self._images(request),
        )

    def _images(self, request: Request) -> int:
        """Return how many images the device is asked for."""
        if not request.is_feeder:
            return 1
        if request.most_pages:
            return request.most_pages
        has_quirk = COUNTS_IMAGES in quirks_of(self._found.name)
        return FOR_RICOH if has_quirk else UNTIL_EMPTY
