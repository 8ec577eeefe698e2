"""A device whose read_into is plain Python: what a driver costs that compiles nothing.

One page of 200 x 200 mm at 1200 dpi in colour, copied from bytes prepared at import. The bench
drops this file in as the backend ``plain``; its page is as large as the test device's.
"""

# mypy: ignore-errors
# (..backend is there once the file is dropped in)

from __future__ import annotations

from ..backend import FRAME_RGB, Area, Device, DeviceInfo, Parameters
from ..backend import Backend as _Backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PREPARED = memoryview(bytes(range(256)) * 4096)  # 1 MiB


class Plain(Device):
    """A page without options."""

    def __init__(self) -> None:
        self.left = self.position = 0

    def parameters(self) -> Parameters:
        return Parameters.for_area(FRAME_RGB, Area(0.0, 0.0, 200.0, 200.0), 1200.0)

    def start(self) -> None:
        self.left = self.parameters().frame_bytes

    def read_into(self, view: memoryview) -> int:
        begin = self.position
        n = min(len(view), self.left, len(PREPARED) - begin)
        view[:n] = PREPARED[begin : begin + n]
        self.left -= n
        self.position = (begin + n) % len(PREPARED)
        return n


class Backend(_Backend):
    """One such device, called 0."""

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        return [DeviceInfo("0", "Noname", "plain", "virtual device")]

    def open(self, name: str) -> Plain:
        return Plain()
