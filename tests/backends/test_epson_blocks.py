"""Acknowledged blocks over USB without Python: the same bytes whatever the reader has room for."""

from __future__ import annotations

from typing import Any

import pytest

from sane.cancel import Cancel
from tests.fakes.libusb import COMPLETED, FakeLibusb

blocks = pytest.importorskip("sane.backends._epson.blocks", reason="this tree is not compiled")

ADDRESSES, ACK, MASKS = (0x81, 0x02), b"\x06", (0xC0, 0x10)
SIZE, COUNT, LAST = 100, 5, 30
GOOD, CANCELLED, EOF, IO_ERROR = 0, 2, 5, 9
IMAGE = bytes(i * 7 & 0xFF for i in range(SIZE * COUNT + LAST))


class Scanner:
    """Sends a block for each acknowledgement, with *tail* behind the one of that number."""

    def __init__(self, tail: dict[int, int] | None = None, short: int = -1) -> None:
        self.tail = tail or {}
        self.short = short
        self.sent = 0
        self.acknowledged = 0

    def __call__(self, endpoint: int, data: bytes, size: int) -> tuple[int, bytes] | None:
        if not endpoint & 0x80:
            assert data == ACK
            self.acknowledged += 1
            return COMPLETED, b""
        assert self.sent == self.acknowledged
        at = self.sent * SIZE
        block = IMAGE[at : at + min(SIZE, size - 1)] + bytes((self.tail.get(self.sent, 0),))
        self.sent += 1
        return COMPLETED, block[:-1] if self.sent - 1 == self.short else block


def row(scanner: Scanner, cancel: Cancel | None = None) -> tuple[FakeLibusb, Any, Any]:
    library = FakeLibusb(scanner)
    transfers = library.transfers()
    limits = 5.0, -1 if cancel is None else cancel.fd
    made = blocks.Blocks(transfers, ADDRESSES, (SIZE, COUNT, LAST), ACK, MASKS, limits)
    return library, transfers, made


def read(made: Any, room: int) -> tuple[int, bytes]:
    """Return the status that the row ended with, and what came until then."""
    image = b""
    view = memoryview(bytearray(room))
    while True:
        view[:] = b"\xee" * room
        status, n = made.take(view)
        image += view[:n]
        assert bytes(view[n:]) == b"\xee" * (room - n), "what was not delivered was written to"
        if status != GOOD:
            return status, image


@pytest.mark.parametrize("room", [1, 7, 30, 31, 99, 100, 101, 102, 500, 4096])
def test_blocks_come_whatever_room_there_is(room: int) -> None:
    scanner = Scanner()
    library, transfers, made = row(scanner)
    assert read(made, room) == (EOF, IMAGE)
    assert (scanner.sent, scanner.acknowledged) == (COUNT + 1, COUNT)
    transfers.close()
    assert library.is_clean


@pytest.mark.parametrize("room", [10, 100, 101])
@pytest.mark.parametrize(("bit", "status"), [(0x80, IO_ERROR), (0x10, CANCELLED)])
def test_a_bad_byte_behind_a_block_ends_the_row(room: int, bit: int, status: int) -> None:
    scanner = Scanner({2: bit})
    _library, transfers, made = row(scanner)
    assert read(made, room) == (status, IMAGE[: 2 * SIZE])
    assert scanner.acknowledged == 2
    assert made.tail == bit
    transfers.close()


@pytest.mark.parametrize("room", [10, 101])
def test_a_short_block_is_an_error(room: int) -> None:
    _library, transfers, made = row(Scanner(short=1))
    assert read(made, room) == (IO_ERROR, IMAGE[:SIZE])
    assert made.partial == SIZE
    transfers.close()


@pytest.mark.parametrize("room", [10, 101])
def test_cancel_ends_the_row_before_a_block(room: int) -> None:
    cancel = Cancel()
    scanner = Scanner()
    _library, transfers, made = row(scanner, cancel)
    view = memoryview(bytearray(room))
    assert made.take(view)[0] == GOOD
    cancel.set()
    status, _image = read(made, room)
    assert status == CANCELLED
    assert scanner.sent == 1
    assert made.is_asked
    transfers.close()
    cancel.close()
