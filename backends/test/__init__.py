"""The virtual device that the whole stack is tested with: every option type, pictures, faults.

The same devices, options, pictures and answers as the original backend of this name, so that
tests of frontends work with either. Its deviations from the standard are declared in device.py.
Source: specification of the test backend, part A.
"""

from __future__ import annotations

import os

from ...backend import Backend as _Backend
from ...backend import DeviceInfo, errors
from .settings import TestConf, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backend import Context
    from .device import TestDevice


class Backend(_Backend):
    """Devices "0", "1", ... as many as test.conf says."""

    version = (1, 0, 28)
    requires_init = True
    null_name = ""
    survives_exit = True

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self.settings = TestConf()
        self.shared: dict[str, bytes] = {}  # the values that all devices have in common

    def init(self) -> None:
        self.settings = read_settings(self.read_config(), self.debug, self.settings)
        count = self.settings.number_of_devices
        if count <= -2:
            raise errors.NoMemory(f"number_of_devices {count}")
        self.devices: list[TestDevice | None] = [None] * max(count, 0)
        self.fuzz = int(os.urandom(1)[0] / 255 + 0.5)

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        return [
            DeviceInfo(str(number), "Noname", "frontend-tester", "virtual device")
            for number in range(len(self.devices))
        ]

    def open(self, name: str) -> TestDevice:
        from .device import TestDevice  # its many options are not needed for a list

        names = [str(number) for number in range(len(self.devices))]
        if (name or "0") not in names:
            raise errors.Invalid(f"no device {name!r}: there are {len(names)}")
        number = int(name or "0")
        device = self.devices[number]
        if device is None:
            device = self.devices[number] = TestDevice(self)
            device.debug = self.debug
        elif device.is_open:
            raise errors.DeviceBusy(f"device {number} is open already")
        device.reopen()
        return device

    def exit(self) -> None:
        self.devices = []

    def share(self, name: str, data: bytes) -> None:
        """Make *data* the value of the option (attribute) *name* of every device."""
        self.shared[name] = data
        for device in self.devices:
            if device is not None:
                device.adopt(name, data)
