# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner with a button: it is pressed while the file SANE_TEST_BUTTON names exists."""

import os

from ..backend import CAP_SOFT_DETECT, FRAME_GRAY, Device, DeviceInfo, Parameters, option
from ..backend import Backend as _Backend


class Scanner(Device):
    scan = option.Bool("Scan button", "Whether it is pressed.", cap=CAP_SOFT_DETECT)

    @scan.on_get
    def _scan(self):
        return os.path.exists(self.file)

    def __init__(self, file):
        self.file = file

    def parameters(self):
        return Parameters(FRAME_GRAY, 8, 8)


class Backend(_Backend):
    def list_devices(self, local_only):
        return [DeviceInfo("one", "Acme", "Button", "flatbed scanner")]

    def open(self, name):
        return Scanner(self.context.environment.get("SANE_TEST_BUTTON"))
