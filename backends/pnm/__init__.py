"""A scanner that "scans" PNM files (P4, P5, P6), to test frontends with real pictures.

The same devices, options, data and answers as the original backend of this name; what deviates
from the standard is declared in device.py. Source: specification of the test backend, part B.
"""

from __future__ import annotations

from ...backend import Backend as _Backend
from ...backend import DeviceInfo, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backend import Context
    from .device import PnmDevice

NAMES = ("0", "1")


class Backend(_Backend):
    """Two names for one device: all state is common to both, and survives close."""

    version = (1, 0, 9)
    survives_exit = True

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self.device: PnmDevice | None = None

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        return [DeviceInfo(name, "Noname", "PNM file reader", "virtual device") for name in NAMES]

    def open(self, name: str) -> PnmDevice:
        if (name or NAMES[0]) not in NAMES:
            raise errors.Invalid(f"no device {name!r}: there are {NAMES}")
        if self.device is None:
            from .device import PnmDevice  # its many options are not needed for a list

            self.device = PnmDevice()
        if self.device.is_open:
            raise errors.DeviceBusy("one of the two devices is open already")
        self.device.reopen()
        return self.device
