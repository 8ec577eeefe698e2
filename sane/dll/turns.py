"""One caller at a time for each C backend: its library was never promised two at once.

It knows a queue and the calls of a native device; a C frontend that calls the library itself is
not held up here. Source: SANE standard 4.4: only sane_cancel may come beside another call.
"""

from __future__ import annotations

from ..threads import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..param import Parameters
    from . import native


class OrderedDevice:
    """A native.Device whose calls take turns with all others of its library, except cancel."""

    def __init__(self, device: native.Device, turns: Turns) -> None:
        self._device = device
        self._turns = turns
        self.cancel = device.cancel

    def descriptor(self, index: int) -> native.Descriptor | None:
        with self._turns:
            return self._device.descriptor(index)

    def control(self, index: int, action: int, value: bytearray) -> int:
        with self._turns:
            return self._device.control(index, action, value)

    def parameters(self) -> Parameters:
        with self._turns:
            return self._device.parameters()

    def start(self) -> None:
        with self._turns:
            self._device.start()

    def read(self, view: memoryview) -> int:
        with self._turns:
            return self._device.read(view)

    def close(self) -> None:
        with self._turns:
            self._device.close()
