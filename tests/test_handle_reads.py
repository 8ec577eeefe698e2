"""Reads of a handle that do not block, and by a thread: select, cancel, drivers that hang."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from sane import const, errors
from sane.backend import Parameters
from sane.cancel import wait_readable
from sane.handle import FRAME, Handle
from tests.fakes.device import LINES, WIDTH, Fake, calls, fake, finishes, outcome, read

FRAME_BYTES = LINES * WIDTH


@pytest.fixture
def handle() -> Iterator[Handle]:
    found = Handle(Fake())
    yield found
    if "close" not in calls(found):
        fake(found).fails.clear()
        found.close()


# Non-blocking reads and select


class Trickle(Fake):
    """Delivers ten bytes whenever something is written to the pipe, in a frame of 40."""

    def __init__(self) -> None:
        super().__init__()
        self.end, self.feed = os.pipe()
        self.waiting = threading.Event()

    def read_into(self, view: memoryview) -> int:
        self.waiting.set()
        self.wait(None, self.end)
        return os.readv(self.end, [view[:10]])

    def close(self) -> None:
        super().close()
        os.close(self.end)
        os.close(self.feed)


@pytest.fixture
def trickle() -> Iterator[Handle]:
    found = Handle(Trickle())
    yield found
    found.cancel_request.set()
    found.close()


def feed(handle: Handle, data: bytes) -> None:
    device = handle.device
    assert isinstance(device, Trickle)
    os.write(device.feed, data)


def ready(fd: int, seconds: float = 0) -> bool:
    return wait_readable((fd,), seconds) == [fd]


def test_a_non_blocking_read_without_data_returns_nothing(trickle: Handle) -> None:
    trickle.start()
    trickle.set_io_mode(True)
    assert read(trickle) == b""
    assert trickle.state == FRAME


def test_a_non_blocking_read_returns_what_is_there(trickle: Handle) -> None:
    trickle.start()
    trickle.set_io_mode(True)
    fd = trickle.select_fd()
    assert not ready(fd)
    feed(trickle, b"0123456789")
    assert ready(fd, 10)
    assert read(trickle) == b"0123456789"
    assert not ready(fd)
    assert read(trickle) == b""


def test_a_descriptor_stays_readable_at_the_end(trickle: Handle) -> None:
    trickle.start()
    fd = trickle.select_fd()
    feed(trickle, b"x" * FRAME_BYTES)
    data = b""
    while len(data) < FRAME_BYTES:
        assert ready(fd, 10)
        data += read(trickle, 7)
    assert ready(fd, 10)
    assert outcome(lambda: read(trickle)) is errors.EndOfFrame
    assert ready(fd)


def test_a_descriptor_becomes_readable_after_cancel(trickle: Handle) -> None:
    """It must wake a frontend that polls: saned and xsane wait on it."""
    trickle.start()
    fd = trickle.select_fd()
    assert fd > 2
    trickle.cancel_request.set()
    assert ready(fd, 10)
    trickle.cancelled()
    assert outcome(lambda: read(trickle)) is errors.Cancelled


def test_each_frame_begins_in_blocking_mode(trickle: Handle) -> None:
    trickle.start()
    trickle.set_io_mode(True)
    trickle.cancel_request.set()
    trickle.cancelled()
    trickle.start()
    assert not trickle.non_blocking
    feed(trickle, b"0123456789")
    assert read(trickle) == b"0123456789"


@pytest.mark.parametrize("way_out", [Handle.cancelled, Handle.close])
def test_a_reader_thread_that_waits_for_data_is_ended(way_out: Callable[[Handle], None]) -> None:
    """Nobody has requested a cancel: the frontend ends the scan, or closes, without data."""
    device = Trickle()
    handle = Handle(device)
    handle.start()
    handle.set_io_mode(True)
    assert device.waiting.wait(10)
    way_out(handle)
    assert finishes(handle) == ["finish True"]
    if way_out is Handle.cancelled:
        handle.close()
    assert calls(handle)[-1] == "close"


def test_blocking_mode_again_waits_for_data(trickle: Handle) -> None:
    trickle.start()
    trickle.set_io_mode(True)
    assert read(trickle) == b""
    trickle.set_io_mode(False)
    feed(trickle, b"0123456789")
    assert read(trickle) == b"0123456789"


@pytest.mark.parametrize("exc", [errors.Jammed("paper"), OSError(5, "cable"), KeyError("x")])
def test_an_error_in_the_reader_thread_reaches_the_frontend(exc: Exception) -> None:
    device = Fake()
    handle = Handle(device)
    device.fails["read_into"] = exc
    handle.start()
    fd = handle.select_fd()
    assert ready(fd, 10)
    with pytest.raises(type(exc)):
        read(handle)
    assert finishes(handle) == ["finish True"]
    assert errors.status_of(exc) != const.STATUS_GOOD
    handle.close()


class Threaded(Fake):
    """Has said that it blocks."""

    blocking = "thread"


@pytest.mark.parametrize("lines", [LINES, -1])
def test_a_driver_that_blocks_is_read_in_a_thread(lines: int) -> None:
    device = Threaded()
    device.lines = lines
    handle = Handle(device)
    handle.start()
    assert read(handle, 1000) == b"\x55" * FRAME_BYTES
    assert outcome(lambda: read(handle)) is errors.EndOfFrame
    handle.cancelled()
    assert finishes(handle) == ["finish False"]
    handle.close()


class CancelledMeanwhile(Trickle):
    """When its wait is ended, the frontend cancels: at the worst moment of a next start."""

    takes_empty_reads = True

    def read_into(self, view: memoryview) -> int:
        try:
            return super().read_into(view)
        except errors.Cancelled:
            self.handle.cancel_request.set()
            raise

    handle: Handle


def test_a_request_while_a_reader_thread_is_ended_counts_for_the_next_start() -> None:
    device = CancelledMeanwhile()
    handle = device.handle = Handle(device)
    handle.start()
    handle.set_io_mode(True)
    assert device.waiting.wait(10)
    assert outcome(lambda: read(handle, 0)) is errors.EndOfFrame
    assert outcome(handle.start) is errors.Cancelled
    assert calls(handle).count("start") == 1
    handle.close()


class Stuck(Threaded):
    """Blocks in the middle of a frame where nothing reaches it."""

    def read_into(self, view: memoryview) -> int:
        self.note("read_into")
        self.waiting.set()
        assert self.released.wait(20)
        return 0

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.waiting = threading.Event()


def test_a_driver_that_does_not_come_back_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is called no more: its thread may still use the device."""
    monkeypatch.setattr("sane.threads.STOP_SECONDS", 0.1)
    device = Stuck()
    handle = Handle(device)
    ring = None
    try:
        handle.start()
        ring = handle._ring
        assert device.waiting.wait(10)
        handle.cancelled()
        assert outcome(handle.start) is errors.Misbehaved
        handle.close()
        assert "has not returned after cancel" in capfd.readouterr().err
        assert calls(handle) == ["start", "read_into"]
    finally:
        device.released.set()
    assert ring is not None
    assert ring.stop()
    ring.close()


@pytest.mark.parametrize("status", [1, 7, 12, 77, -1, 255])
def test_a_status_of_a_reader_is_one_of_the_standards(handle: Handle, status: int) -> None:
    handle.start()
    known = status in errors.BY_STATUS
    assert handle.reader_ended(status, 0) == (status if known else const.STATUS_IO_ERROR)


def test_parameters_stay_valid_while_a_thread_reads(trickle: Handle) -> None:
    trickle.start()
    trickle.set_io_mode(True)
    assert trickle.parameters() == Parameters(const.FRAME_GRAY, WIDTH, LINES)
