"""A libusb without a bus below the transfers of sane.usb, compiled or not: a function answers."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.usb.link import Transfers

    Answer = Callable[[int, bytes, int], tuple[int, bytes] | None]

COMPLETED, CANCELLED = 0, 3
ERROR_TIMEOUT = -7


class Transfer(ctypes.Structure):
    """struct libusb_transfer, without isochronous packets."""

    _fields_ = (
        ("dev_handle", ctypes.c_void_p),
        ("flags", ctypes.c_uint8),
        ("endpoint", ctypes.c_ubyte),
        ("type", ctypes.c_ubyte),
        ("timeout", ctypes.c_uint),
        ("status", ctypes.c_int),
        ("length", ctypes.c_int),
        ("actual_length", ctypes.c_int),
        ("callback", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("user_data", ctypes.c_void_p),
        ("buffer", ctypes.c_void_p),
        ("num_iso_packets", ctypes.c_int),
    )


class FakeLibusb:
    """Carries out what *answer* says: answer(endpoint, sent, size) -> status and data, or None.

    None: the transfer does not end. The library object of OpenDevice and its addresses in one.
    """

    handle = None

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.library = self
        self._made: dict[int, Transfer] = {}
        self._waiting: list[int] = []
        self._cancelled: set[int] = set()
        pointer, number = ctypes.c_void_p, ctypes.c_int
        self._no_fds = (ctypes.c_void_p * 1)()
        self._functions = {
            "libusb_alloc_transfer": ctypes.CFUNCTYPE(pointer, number)(self._alloc),
            "libusb_free_transfer": ctypes.CFUNCTYPE(None, pointer)(self._free),
            "libusb_submit_transfer": ctypes.CFUNCTYPE(number, pointer)(self._submit),
            "libusb_cancel_transfer": ctypes.CFUNCTYPE(number, pointer)(self._cancel),
            "libusb_handle_events_timeout_completed": ctypes.CFUNCTYPE(
                number, pointer, pointer, pointer
            )(self._handle_events),
            "libusb_get_pollfds": ctypes.CFUNCTYPE(pointer, pointer)(
                lambda context: ctypes.addressof(self._no_fds)
            ),
            "libusb_free_pollfds": ctypes.CFUNCTYPE(None, pointer)(lambda fds: None),
        }

    def transfers(self) -> Transfers:
        """Return the transfers of the tree that is tested, on this library."""
        made: Transfers
        try:
            from sane.usb.transfers import Transfers as Compiled
        except ImportError:
            from sane.usb.slices import SlicedTransfers

            made = SlicedTransfers(self)  # type: ignore[arg-type]
        else:
            made = Compiled(self.address, 1, 2)
        return made

    @property
    def is_clean(self) -> bool:
        """Whether nothing is on its way, and every transfer was freed."""
        return not (self._waiting or self._made)

    # Asynchronous: the C functions

    def address(self, name: str) -> int:
        return ctypes.cast(self._functions[name], ctypes.c_void_p).value or 0

    def _alloc(self, packets: int) -> int:
        transfer = Transfer()
        address = ctypes.addressof(transfer)
        self._made[address] = transfer
        return address

    def _free(self, address: int) -> None:
        assert address not in self._waiting
        del self._made[address]

    def _submit(self, address: int) -> int:
        self._waiting.append(address)
        return 0

    def _cancel(self, address: int) -> int:
        self._cancelled.add(address)
        return 0

    def _handle_events(self, context: int, seconds: int, done: int) -> int:
        for address in self._waiting:
            transfer = self._made[address]
            if address in self._cancelled:
                self._cancelled.remove(address)
                outcome: tuple[int, bytes] | None = (CANCELLED, b"")
            else:
                sent = ctypes.string_at(transfer.buffer, transfer.length)
                outcome = self.answer(transfer.endpoint, sent, transfer.length)
            if outcome is None:
                continue
            self._waiting.remove(address)
            transfer.status, data = outcome
            transfer.actual_length = len(data) if transfer.endpoint & 0x80 else transfer.length
            if transfer.endpoint & 0x80:
                ctypes.memmove(transfer.buffer, data, len(data))
            transfer.callback(address)
            break
        return 0

    # Synchronous: what the slices call

    def libusb_bulk_transfer(
        self, handle: Any, endpoint: int, buffer: Any, size: int, moved: Any, timeout_ms: int
    ) -> int:  # fmt: skip
        outcome = self.answer(endpoint, bytes(buffer[:size]), size)
        count = ctypes.cast(moved, ctypes.POINTER(ctypes.c_int))
        count[0] = 0
        if outcome is None:
            return ERROR_TIMEOUT
        assert outcome[0] == COMPLETED
        count[0] = len(outcome[1]) if endpoint & 0x80 else size
        if endpoint & 0x80:
            ctypes.memmove(buffer, outcome[1], len(outcome[1]))
        return 0

    def libusb_control_transfer(self, handle: Any, *setup_and_data: Any) -> int:
        outcome = self.answer(0, b"", setup_and_data[-2])
        assert outcome is not None
        return len(outcome[1])
