"""Transfers in short synchronous slices: what an uncompiled tree uses instead of transfers.pyx.

It knows libusb's synchronous calls through pyusb's library object. A cancel is noticed between
two slices, a stream has one transfer at a time; otherwise it does what transfers.pyx does.
"""

from __future__ import annotations

import time

from .descriptors import IN, INTERRUPT
from .link import CANCELLED, OK, TIMEOUT
from .outcome import of_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .descriptors import Endpoint
    from .link import Cancels, Result, Setup

SLICE_MS = 50  # cancel must be noticed within 100 ms
CODE_TIMEOUT = -7  # LIBUSB_ERROR_TIMEOUT


class Transfers:
    """Carries out transfers on an open libusb device *handle* of library *lib*."""

    def __init__(self, lib: Any, context: Any, handle: Any) -> None:
        self._lib = lib
        self._handle = handle

    def transfer(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        """Do one bulk or interrupt transfer in the direction of *endpoint*."""
        import ctypes

        size = len(data)
        array = ctypes.c_ubyte * size
        buffer = array.from_buffer(data) if endpoint.is_in and size else None
        if buffer is None:
            buffer = array.from_buffer_copy(data)
        interrupt = endpoint.type == INTERRUPT
        lib = self._lib
        function = lib.libusb_interrupt_transfer if interrupt else lib.libusb_bulk_transfer
        moved = ctypes.c_int()
        done = 0
        deadline = time.monotonic() + seconds
        while True:
            left_ms = int((deadline - time.monotonic()) * 1000)
            code = function(
                self._handle,
                endpoint.address,
                ctypes.cast(ctypes.byref(buffer, done), ctypes.POINTER(ctypes.c_ubyte)),
                size - done,
                ctypes.byref(moved),
                max(1, min(SLICE_MS, left_ms)),
            )
            done += moved.value
            if code != CODE_TIMEOUT or done == size > 0:
                return (OK if code == CODE_TIMEOUT else of_code(code)), done
            if cancel.is_set():
                return CANCELLED, done
            if left_ms <= SLICE_MS:
                return TIMEOUT, done

    def control(self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Do a control transfer; it cannot be cancelled here."""
        import ctypes

        size = len(data)
        array = ctypes.c_ubyte * size
        is_in = bool(setup[0] & IN)
        buffer = array.from_buffer(data) if is_in and size else array.from_buffer_copy(data)
        pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ubyte))
        timeout_ms = max(1, int(seconds * 1000))
        code = self._lib.libusb_control_transfer(self._handle, *setup, pointer, size, timeout_ms)
        return (OK, code) if code >= 0 else (of_code(code), 0)

    def stream(self, endpoint: Endpoint, size: int, depth: int, total: int | None) -> SlicedStream:
        """Return a stream that does one transfer of *size* bytes after the other."""
        return SlicedStream(self, endpoint, size, total)

    def close(self) -> None:
        """Nothing is kept between calls."""


class SlicedStream:
    """A stream that asks for the next bytes when they are wanted."""

    def __init__(
        self, transfers: Transfers, endpoint: Endpoint, size: int, total: int | None
    ) -> None:
        self._transfers = transfers
        self._endpoint = endpoint
        self._buffer = bytearray(size)
        self._left = -1 if total is None else total
        self._data = memoryview(b"")
        self.outcome = OK

    def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Move what arrived into *view*."""
        while not self._data:
            if self.outcome != OK:
                return self.outcome, 0
            if not self._left:
                return OK, 0
            if cancel.is_set():
                return CANCELLED, 0
            size = len(self._buffer) if self._left < 0 else min(len(self._buffer), self._left)
            with memoryview(self._buffer) as whole:
                part = whole[:size]
                outcome, n = self._transfers.transfer(self._endpoint, part, seconds, cancel)
                self._data = memoryview(bytes(part[:n]))
            self._left -= n if self._left > 0 else 0
            if outcome not in (OK, TIMEOUT, CANCELLED):
                self.outcome = outcome
            if outcome != OK and not n:
                return outcome, 0
        n = min(len(view), len(self._data))
        view[:n] = self._data[:n]
        self._data = self._data[n:]
        return OK, n

    def reader(self, seconds: float, cancel: Cancels) -> None:
        """Return None: reading without Python takes compiled code."""

    def close(self) -> bytes:
        """Return what arrived and was not read."""
        rest, self._data, self._left = bytes(self._data), memoryview(b""), 0
        return rest
