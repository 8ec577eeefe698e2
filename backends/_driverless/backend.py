"""What the backends of eSCL and of WS-Scan have in common: the names that lead to a scanner."""

from __future__ import annotations

from ...backend import errors
from ...network_backend import NetworkBackend
from . import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Device
    from ...network_backend import Place
    from .names import Name


class DriverlessBackend(NetworkBackend):
    """Scanners that announce themselves, and those that a file names.

    A name without an address, a UUID or what a scanner calls itself, is looked for in the network.
    """

    version = (1, 0, 0)
    methods = {"http": 80, "https": 443}
    discovers_by_default = True
    device_type = "flatbed or ADF scanner"

    def is_meant(self, place: Place, wanted: Name) -> bool:
        """Tell whether the scanner at *place* is the one that a name without an address means."""
        raise NotImplementedError

    def open(self, name: str) -> Device:
        found = names.parse(name) if name else None
        if found is None or found.url is not None or self.known_place(name) is not None:
            return super().open(name)
        return self.open_at(self.find(found, name))

    def find(self, wanted: Name, name: str) -> Place:
        """Return the one scanner that *wanted*, read from *name*, means; raises Invalid."""
        from ...cancel import NeverCancelled

        known = list(self.places)
        if self.discovers:
            known += self.discover(NeverCancelled().wait)
        fitting = {self.name_of(place): place for place in known if self.is_meant(place, wanted)}
        if len(fitting) > 1:
            raise errors.Invalid(f"{name!r} may be {' or '.join(sorted(fitting))}")
        for place in fitting.values():
            return place
        searched = "is not found" if self.discovers else "is unknown, and discovery is off"
        raise errors.Invalid(f"{name!r} {searched}")
