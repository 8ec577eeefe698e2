"""Transfers in short synchronous slices: what an uncompiled tree uses instead of transfers.pyx.

It knows libusb's synchronous calls. A cancel is noticed between two slices, a stream has one
transfer at a time; otherwise it does what transfers.pyx does.
"""

from __future__ import annotations

import time

from .descriptors import IN, INTERRUPT
from .link import CANCELLED, MOST_EMPTY, OK, ONLY_EMPTY, TIMEOUT
from .outcome import of_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .descriptors import Endpoint
    from .libusb import OpenDevice
    from .link import Cancels, Result, Setup

SLICE_MS = 50  # cancel must be noticed within 100 ms
CODE_TIMEOUT = -7  # LIBUSB_ERROR_TIMEOUT


class SlicedTransfers:
    """Carries out transfers on an open *device*."""

    def __init__(self, device: OpenDevice) -> None:
        self._lib = device.library
        self._handle = device.handle

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        """Do one bulk or interrupt transfer into *data*."""
        return self._transfer(endpoint, data, seconds, cancel)

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        """Do one transfer to the device, of no bytes if *data* is empty."""
        return self._transfer(endpoint, data, seconds, cancel)

    def _transfer(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        import ctypes

        if cancel.is_set():
            return CANCELLED, 0
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
        """Do a control transfer; once it is on its way it cannot be cancelled here."""
        import ctypes

        if cancel.is_set():
            return CANCELLED, 0
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
        self, transfers: SlicedTransfers, endpoint: Endpoint, size: int, total: int | None
    ) -> None:
        self._transfers = transfers
        self._endpoint = endpoint
        self._buffer = bytearray(size)
        self._left = -1 if total is None else total
        self._empty = 0  # transfers without data since the last one with some
        self._data = memoryview(b"")
        self.outcome = OK

    def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Move what arrived into *view*; empty transfers end neither cancel nor the deadline."""
        deadline = time.monotonic() + seconds
        while not self._data:
            if self.outcome != OK or not self._left:
                return self.outcome, 0
            left = max(0.0, deadline - time.monotonic())
            if self._empty and not left:
                return TIMEOUT, 0
            outcome, n = self._next(left, cancel)
            if outcome != OK and not n:
                return outcome, 0
        n = min(len(view), len(self._data))
        view[:n] = self._data[:n]
        self._data = self._data[n:]
        return OK, n

    def _next(self, seconds: float, cancel: Cancels) -> Result:
        """Do the next transfer; a failure is the stream's."""
        size = len(self._buffer) if self._left < 0 else min(len(self._buffer), self._left)
        with memoryview(self._buffer) as whole:
            part = whole[:size]
            outcome, n = self._transfers.transfer_in(self._endpoint, part, seconds, cancel)
            self._data = memoryview(bytes(part[:n]))
        self._left -= n if self._left > 0 else 0
        self._empty = 0 if n else self._empty + 1
        if outcome == OK and self._empty >= MOST_EMPTY:
            outcome = ONLY_EMPTY
        if outcome not in (OK, TIMEOUT, CANCELLED):
            self.outcome = outcome
        return outcome, n

    def reader(self, seconds: float, cancel: Cancels) -> None:
        """Return None: reading without Python takes compiled code."""

    def close(self) -> bytes:
        """Return what arrived and was not read."""
        rest, self._data, self._left = bytes(self._data), memoryview(b""), 0
        return rest
