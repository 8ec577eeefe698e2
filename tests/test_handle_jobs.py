"""Jobs: finish runs exactly once in every way out, pages and colours belong to one job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from sane import errors
from sane.handle import STOPPED, Handle
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
