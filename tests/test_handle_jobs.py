"""Jobs: finish runs exactly once in every way out, pages and colours belong to one job."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from sane import const, errors
from sane.backend import Parameters
from sane.cancel import wait_readable
from sane.handle import FRAME, STOPPED, Handle
from tests.fakes.device import LINES, WIDTH, Fake, calls, fake, finishes, outcome, read

FRAME_BYTES = LINES * WIDTH


@pytest.fixture
def handle() -> Iterator[Handle]:
    found = Handle(Fake())
    yield found
    if "close" not in calls(found):
        fake(found).fails.clear()
        found.close()


def page(handle: Handle) -> bytes:
    handle.start()
    data = read(handle)
    assert outcome(lambda: read(handle)) is errors.EndOfFrame
    return data


# Ways out of a job, each after pages whole ones: what happens, and whether it is an abortion


def cancel_idle(handle: Handle) -> None:
    handle.cancelled()


def cancel_before_reading(handle: Handle) -> None:
    handle.start()
    handle.cancelled()


def cancel_in_frame(handle: Handle) -> None:
    handle.start()
    read(handle, 7)
    handle.cancelled()


def cancel_twice(handle: Handle) -> None:
    cancel_in_frame(handle)
    handle.cancelled()
    handle.cancelled()


def read_fails(handle: Handle) -> None:
    handle.start()
    fake(handle).fails["read_into"] = errors.Jammed("paper")
    assert outcome(lambda: read(handle)) is errors.Jammed
    handle.cancelled()


def start_fails(handle: Handle) -> None:
    fake(handle).fails["start"] = errors.CoverOpen("lid")
    assert outcome(handle.start) is errors.CoverOpen
    handle.cancelled()


def no_more_documents(handle: Handle) -> None:
    fake(handle).pages = 0
    assert outcome(handle.start) is errors.NoDocs
    handle.cancelled()


def parameters_fail(handle: Handle) -> None:
    fake(handle).lines = -9
    assert outcome(handle.start) is errors.Misbehaved
    handle.cancelled()


def close_between(handle: Handle) -> None:
    handle.close()


def close_in_frame(handle: Handle) -> None:
    handle.start()
    read(handle, 7)
    handle.close()


def cancel_then_close(handle: Handle) -> None:
    handle.start()
    handle.cancelled()
    handle.close()


WAYS_OUT: list[tuple[Callable[[Handle], None], bool]] = [
    (cancel_idle, False),
    (cancel_before_reading, True),
    (cancel_in_frame, True),
    (cancel_twice, True),
    (read_fails, True),
    (start_fails, True),
    (no_more_documents, False),
    (parameters_fail, True),
    (close_between, False),
    (close_in_frame, True),
    (cancel_then_close, True),
]


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize(("way_out", "aborted"), WAYS_OUT)
def test_finish_runs_once_for_a_job_of_pages(
    handle: Handle, way_out: Callable[[Handle], None], aborted: bool, pages: int
) -> None:
    for _ in range(pages):
        assert len(page(handle)) == FRAME_BYTES
    assert finishes(handle) == []
    way_out(handle)
    assert finishes(handle) == [f"finish {aborted}"]


@pytest.mark.parametrize(("way_out", "aborted"), WAYS_OUT)
def test_finish_runs_once_whatever_comes_first(
    handle: Handle, way_out: Callable[[Handle], None], aborted: bool
) -> None:
    way_out(handle)
    started = outcome_is_started(way_out)
    assert finishes(handle) == ["finish True"] * started


def outcome_is_started(way_out: Callable[[Handle], None]) -> bool:
    """Tell whether the driver's start was called: finish follows whatever came of it."""
    return way_out not in (cancel_idle, close_between)


@pytest.mark.parametrize(("way_out", "aborted"), WAYS_OUT[:8])
def test_finish_runs_again_for_the_next_job(
    handle: Handle, way_out: Callable[[Handle], None], aborted: bool
) -> None:
    page(handle)
    way_out(handle)
    fake(handle).fails.clear()
    fake(handle).pages, fake(handle).lines = 9, LINES
    page(handle)
    handle.cancelled()
    assert finishes(handle) == [f"finish {aborted}", "finish False"]


def test_finish_may_fail_without_harm(handle: Handle, capfd: pytest.CaptureFixture[str]) -> None:
    fake(handle).fails["finish"] = ZeroDivisionError("lamp")
    page(handle)
    handle.cancelled()
    assert len(finishes(handle)) == 1
    assert "[fake] finish: ZeroDivisionError: lamp (" in capfd.readouterr().err
    assert outcome(handle.start) is None


def test_finish_may_wait_for_the_device(handle: Handle) -> None:
    """It runs after a cancel, but what it does is not to be cancelled."""

    class Slow(Fake):
        def finish(self, aborted: bool) -> None:
            self.wait(0)
            self.note("finish waited")

    slow = Handle(Slow())
    slow.start()
    slow.cancel_request.set()
    slow.cancelled()
    slow.close()
    assert "finish waited" in calls(slow)


# Feeders


def test_a_feeder_delivers_its_pages_and_then_no_docs(handle: Handle) -> None:
    fake(handle).pages = 3
    assert [len(page(handle)) for _ in range(3)] == [FRAME_BYTES] * 3
    assert outcome(handle.start) is errors.NoDocs
    assert finishes(handle) == ["finish False"]
    assert outcome(lambda: read(handle)) is errors.Invalid


def test_an_empty_feeder_ends_the_job_that_it_began(handle: Handle) -> None:
    fake(handle).pages = 0
    assert outcome(handle.start) is errors.NoDocs
    handle.cancelled()
    assert finishes(handle) == ["finish True"]


def test_a_refilled_feeder_starts_a_new_job(handle: Handle) -> None:
    fake(handle).pages = 1
    page(handle)
    assert outcome(handle.start) is errors.NoDocs
    fake(handle).pages = 1
    page(handle)
    handle.cancelled()
    assert finishes(handle) == ["finish False", "finish False"]


# Cancel requests that another thread made


def test_a_request_before_a_read_is_answered_by_it(handle: Handle) -> None:
    handle.start()
    handle.cancel_request.set()
    assert outcome(lambda: read(handle)) is errors.Cancelled
    handle.cancelled()
    assert handle.state == STOPPED
    assert finishes(handle) == ["finish True"]
    assert not handle.cancel_request.is_set()


def test_a_request_during_a_read_ends_it(handle: Handle) -> None:
    class Waiting(Fake):
        def read_into(self, view: memoryview) -> int:
            self.cancel_request.set()
            self.wait(10)
            return 1

    waiting = Handle(Waiting())
    waiting.start()
    assert outcome(lambda: read(waiting)) is errors.Cancelled
    waiting.cancelled()
    assert finishes(waiting) == ["finish True"]
    assert outcome(lambda: read(waiting)) is errors.Cancelled
    waiting.close()


def test_a_request_during_start_ends_it(handle: Handle) -> None:
    class Warming(Fake):
        def start(self) -> None:
            self.note("start")
            self.cancel_request.set()
            self.wait(10)

    warming = Handle(Warming())
    assert outcome(warming.start) is errors.Cancelled
    warming.cancelled()
    assert outcome(lambda: read(warming)) is errors.Cancelled
    warming.close()


def test_an_old_request_does_not_end_the_next_job(handle: Handle) -> None:
    handle.start()
    handle.cancel_request.set()
    handle.cancelled()
    handle.start()
    assert len(read(handle)) == FRAME_BYTES


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


def test_a_request_before_the_driver_is_started_does_not_start_it() -> None:
    handle = Handle(Fake())
    handle.cancel_request.set()
    assert outcome(handle.start) is errors.Cancelled
    assert calls(handle) == []
    assert outcome(lambda: read(handle)) is errors.Cancelled
    handle.cancelled()
    handle.start()
    assert read(handle) == b"\x55" * FRAME_BYTES
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


class Lamp(Fake):
    """Its start switches the lamp on, then fails or waits; its finish waits for the lamp."""

    def __init__(self, failure: BaseException | None) -> None:
        super().__init__()
        self.failure = failure
        self.is_on = False

    def start(self) -> None:
        self.note("start")
        self.is_on = True
        if self.failure is not None:
            raise self.failure
        self.wait(LONG)

    def finish(self, aborted: bool) -> None:
        self.note(f"finish {aborted}")
        self.wait(0.001)  # not ended by the cancel that ended the start
        self.is_on = False


LONG = 10.0
FAILURES: list[BaseException] = [
    errors.NoDocs(),
    errors.Jammed(),
    errors.DeviceBusy(),
    errors.Cancelled("at the device"),
    OSError("pulled"),
    ZeroDivisionError(),
]


@pytest.mark.parametrize("is_cancelled", [False, True])
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_failed_first_start_is_finished(failure: BaseException, is_cancelled: bool) -> None:
    lamp = Lamp(failure)
    handle = Handle(lamp)
    timer = threading.Timer(0.05, handle.cancel_request.set)
    if is_cancelled:
        lamp.failure = None
        timer.start()
    with pytest.raises(BaseException) as caught:
        handle.start()
    assert caught.type is (errors.Cancelled if is_cancelled else type(failure))
    if is_cancelled:
        timer.join()
        handle.cancelled()
    assert (lamp.is_on, lamp.calls) == (False, ["start", "finish True"])
    assert not handle.cancel_request.is_set()
    handle.close()
    assert lamp.calls == ["start", "finish True", "close"]


class Interrupted(Lamp):
    """The frontend cancels while it starts."""

    def start(self) -> None:
        self.cancel_request.set()
        super().start()


def test_a_cancelled_start_answers_before_the_driver_finishes() -> None:
    lamp = Interrupted(None)
    handle = Handle(lamp)
    with pytest.raises(errors.Cancelled):
        handle.start()
    assert lamp.calls == ["start"]
    assert outcome(lambda: read(handle)) is errors.Cancelled
    handle.close()
    assert lamp.calls == ["start", "finish True", "close"]
    assert not lamp.is_on
