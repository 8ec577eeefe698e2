"""Transfers and streams on a libusb without a bus: cancel, deadlines, nothing but empty ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sane.cancel import Cancel, NeverCancelled
from sane.usb.descriptors import BULK, Endpoint
from sane.usb.link import CANCELLED, MOST_EMPTY, OK, ONLY_EMPTY, TIMEOUT
from tests.fakes.libusb import COMPLETED, FakeLibusb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN, OUT = Endpoint(0x81, BULK, 512), Endpoint(0x02, BULK, 512)
NEVER = NeverCancelled()
DEPTH = 3


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    made = Cancel()
    yield made
    made.close()


class Device:
    """Answers IN transfers with *answers*, then with what *for_ever* is; counts them."""

    def __init__(self, *answers: bytes, for_ever: bytes | None = None) -> None:
        self.answers = list(answers)
        self.for_ever = for_ever
        self.count = 0
        self.at: dict[int, Callable[[], None]] = {}  # done at the transfer of that number

    def __call__(self, endpoint: int, sent: bytes, size: int) -> tuple[int, bytes] | None:
        self.count += 1
        self.at.get(self.count, lambda: None)()
        if not endpoint & 0x80:
            return COMPLETED, b""
        if self.answers:
            return COMPLETED, self.answers.pop(0)
        return None if self.for_ever is None else (COMPLETED, self.for_ever)


def room(size: int = 512) -> memoryview:
    return memoryview(bytearray(size))


@pytest.mark.parametrize("kind", ["in", "out", "control", "stream"])
def test_what_ends_at_once_does_not_outrun_a_cancel(kind: str, cancel: Cancel) -> None:
    """A driver that asks again and again must be stoppable, however quickly it is answered."""
    device = Device(for_ever=b"here")
    library = FakeLibusb(device)
    transfers = library.transfers()
    cancel.set()
    if kind == "in":
        outcome = transfers.transfer_in(IN, room(), 5, cancel)
    elif kind == "out":
        outcome = transfers.transfer_out(OUT, b"again", 5, cancel)
    elif kind == "control":
        outcome = transfers.control((0xC0, 1, 0, 0), room(8), 5, cancel)
    else:
        stream = transfers.stream(IN, 512, DEPTH, None)
        outcome = stream.read_into(room(), 5, cancel)
        stream.close()
    assert outcome == (CANCELLED, 0)
    assert device.count == 0
    cancel.clear()
    assert transfers.transfer_in(IN, room(), 5, cancel) == (OK, 4)
    transfers.close()
    assert library.is_clean


def test_a_stream_of_nothing_but_empty_transfers_fails() -> None:
    device = Device(b"ab", for_ever=b"")
    library = FakeLibusb(device)
    transfers = library.transfers()
    stream = transfers.stream(IN, 512, DEPTH, None)
    assert stream.read_into(room(), 60, NEVER) == (OK, 2)
    assert stream.read_into(room(), 60, NEVER) == (ONLY_EMPTY, 0)
    assert stream.outcome == ONLY_EMPTY
    assert stream.read_into(room(), 60, NEVER) == (ONLY_EMPTY, 0)
    assert MOST_EMPTY < device.count <= MOST_EMPTY + DEPTH + 1
    assert stream.close() == b""
    transfers.close()
    assert library.is_clean


def test_cancel_ends_a_stream_of_empty_transfers(cancel: Cancel) -> None:
    device = Device(for_ever=b"")
    device.at[100] = cancel.set
    transfers = FakeLibusb(device).transfers()
    stream = transfers.stream(IN, 512, DEPTH, None)
    assert stream.read_into(room(), 60, cancel) == (CANCELLED, 0)
    assert device.count <= 100 + DEPTH
    assert stream.outcome == OK  # it may go on
    stream.close()
    transfers.close()


def test_the_deadline_ends_a_stream_of_empty_transfers() -> None:
    device = Device(for_ever=b"")
    transfers = FakeLibusb(device).transfers()
    stream = transfers.stream(IN, 512, DEPTH, None)
    begin = time.monotonic()
    assert stream.read_into(room(), 0.0, NEVER) == (TIMEOUT, 0)
    assert time.monotonic() - begin < 1
    assert device.count <= DEPTH + 1
    stream.close()
    transfers.close()


def test_empty_transfers_between_others_are_passed_over() -> None:
    device = Device(b"", b"ab", b"", b"", b"cd")
    transfers = FakeLibusb(device).transfers()
    stream = transfers.stream(IN, 512, 1, 4)
    view = room()
    assert stream.read_into(view, 5, NEVER) == (OK, 2)
    assert bytes(view[:2]) == b"ab"
    assert stream.read_into(view, 5, NEVER) == (OK, 2)
    assert stream.read_into(view, 5, NEVER) == (OK, 0)
    assert stream.close() == b""
    transfers.close()
