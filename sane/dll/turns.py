"""One caller at a time for each C backend: its library was never promised two at once.

It knows a lock and the calls of a native device; a C frontend that calls the library itself is
not held up here. Source: SANE standard 4.4: only sane_cancel may come beside another call.
"""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..param import Parameters
    from . import native


class Turns:
    """A lock in whose queue nobody is overtaken by whoever has just released it.

    A frame is read in a loop: with a plain lock, a request beside it might wait until its end. A
    frontend that is asked for a password in the middle of a call may call again.
    """

    def __init__(self) -> None:
        self._next = _thread.allocate_lock()
        self._lock = _thread.allocate_lock()
        self._owner = 0  # the thread whose turn it is
        self._depth = 0

    def __enter__(self) -> None:
        thread = _thread.get_ident()
        if self._owner != thread:
            with self._next:
                self._lock.acquire()
            self._owner = thread
        self._depth += 1

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = 0
            self._lock.release()


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
