"""An eSCL scanner as a device."""

from __future__ import annotations

from ...errors import AccessDenied
from .._driverless.choice import Formats
from .._driverless.device import DriverlessDevice
from .access import PasswordWanted
from .job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ...debug import Debug
    from ...errors import SaneError
    from .._driverless.request import Request
    from .._driverless.window import Window
    from .opening import Opened

DETECTS_PAPER = "DetectPaperLoaded"


class Escl(DriverlessDevice):
    """One open scanner; readable: the formats that can be read here."""

    def __init__(self, opened: Opened, readable: Collection[str], debug: Debug) -> None:
        self.opened = opened
        self.debug = debug
        self.vendor, self.model = opened.capabilities.vendor, opened.capabilities.model
        super().__init__(opened.capabilities, Formats(readable, opened.quirks.refused_formats))

    def asked_window(self, window: Window) -> Window:
        return window.within(self.bed) if self.opened.quirks.has("full-area") else window

    def conditions(self) -> list[SaneError] | None:
        client = self.opened.service.client(self.cancel_request, self.opened.passwords.asked)
        status = client.status()
        if status is None:
            return None
        found = (status.definite(), status.fault(is_feeder=False))
        return [one for one in found if one is not None]

    def new_job(self, request: Request) -> Job:
        return Job(
            request,
            self.opened,
            self.debug,
            version=self.opened.quirks.version,
            detects_paper=DETECTS_PAPER in self.capabilities.can,
        )

    def knows_better(self, failure: AccessDenied) -> bool:
        """Ask for the password that a job lacked; tell whether there is one now."""
        if not isinstance(failure, PasswordWanted):
            return False
        self.opened.passwords.asked(failure.realm)
        return True
