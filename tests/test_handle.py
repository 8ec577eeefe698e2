"""The states of an open device: every call in every state, jobs, errors that stick, parameters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sane import const, errors
from sane.backend import Parameters
from sane.cancel import Cancel
from sane.handle import ENDED, FRAME, IDLE, STOPPED, Handle
from tests.fakes.clock import FakeCancel
from tests.fakes.device import (
    LINES,
    WIDTH,
    Fake,
    calls,
    fake,
    finishes,
    number,
    outcome,
    read,
    words,
)

Opened = Callable[..., Handle]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return what makes a Handle of a device; it is closed after the test."""
    handles = []

    def make(device: Fake, *cancel: Cancel) -> Handle:
        handles.append(Handle(device, *cancel))
        return handles[-1]

    yield make
    for handle in handles:
        fake(handle).fails.clear()
        if "close" not in calls(handle):
            handle.close()


@pytest.fixture
def handle(opened: Opened) -> Handle:
    return opened(Fake())


# How to get into each state


def into(handle: Handle, state: str) -> None:
    """Bring a new handle into *state*."""
    if state == "idle":
        return
    if state == "failed":
        fail_read(handle, errors.Jammed("paper"))
        return
    handle.start()
    if state == "mid-frame":
        read(handle, 7)
    if "ended" in state:
        read(handle)
    if "cancelled" in state:
        handle.cancelled()


STATE = {
    "idle": IDLE,
    "frame": FRAME,
    "mid-frame": FRAME,
    "ended": ENDED,
    "cancelled": STOPPED,
    "ended-cancelled": STOPPED,
    "failed": STOPPED,
}


def fail_read(handle: Handle, exc: BaseException) -> None:
    handle.start()
    fake(handle).fails["read_into"] = exc
    with pytest.raises(type(exc)):
        read(handle)
    del fake(handle).fails["read_into"]


@pytest.mark.parametrize("state", STATE)
def test_handle_gets_into_each_state(handle: Handle, state: str) -> None:
    into(handle, state)
    assert handle.state == STATE[state]


GOOD = None
TABLE = {
    # call: results in the order of STATE
    "start": (GOOD, errors.Invalid, errors.Invalid, GOOD, GOOD, GOOD, GOOD),
    "read": (
        errors.Invalid,
        GOOD,
        GOOD,
        errors.EndOfFrame,
        errors.Cancelled,
        errors.Cancelled,
        errors.Jammed,
    ),
    "get": (GOOD,) * 7,
    "set": (GOOD, errors.Invalid, errors.Invalid, GOOD, GOOD, GOOD, GOOD),
    "auto": (GOOD, errors.Invalid, errors.Invalid, GOOD, GOOD, GOOD, GOOD),
    "press": (GOOD, errors.Invalid, errors.Invalid, GOOD, GOOD, GOOD, GOOD),
    "parameters": (GOOD,) * 7,
    "blocking": (errors.Invalid, GOOD, GOOD, *(errors.Invalid,) * 4),
    "non-blocking": (errors.Invalid, GOOD, GOOD, *(errors.Invalid,) * 4),
    "select_fd": (errors.Invalid, GOOD, GOOD, *(errors.Invalid,) * 4),
    "cancel": (GOOD,) * 7,
    "close": (GOOD,) * 7,
}
CALLS: dict[str, Callable[[Handle], object]] = {
    "start": lambda handle: handle.start(),
    "read": read,
    "get": lambda handle: handle.get(number(handle, "number")),
    "set": lambda handle: handle.set(number(handle, "number"), words(20)),
    "auto": lambda handle: handle.set_auto(number(handle, "quality")),
    "press": lambda handle: handle.set(number(handle, "press"), b""),
    "parameters": lambda handle: handle.parameters(),
    "blocking": lambda handle: handle.set_io_mode(False),
    "non-blocking": lambda handle: handle.set_io_mode(True),
    "select_fd": lambda handle: handle.select_fd(),
    "cancel": lambda handle: handle.cancelled(),
    "close": lambda handle: handle.close(),
}
EVERY = [
    (state, call, expected)
    for call, results in TABLE.items()
    for state, expected in zip(STATE, results, strict=True)
]


@pytest.mark.parametrize(("state", "call", "expected"), EVERY)
def test_call_in_state(handle: Handle, state: str, call: str, expected: object) -> None:
    into(handle, state)
    assert outcome(lambda: CALLS[call](handle)) is expected


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("start", "close")])
@pytest.mark.parametrize("state", ["ended", "cancelled", "ended-cancelled", "failed"])
def test_what_read_answers_stays_until_start(handle: Handle, state: str, call: str) -> None:
    into(handle, state)
    expected = errors.Cancelled if call == "cancel" and state == "ended" else None
    expected = expected or outcome(lambda: read(handle))  # type: ignore[assignment]
    outcome(lambda: CALLS[call](handle))
    if (call, state) == ("cancel", "failed"):
        return  # either answer is right
    assert outcome(lambda: read(handle)) is outcome(lambda: read(handle)) is expected


@pytest.mark.parametrize("state", STATE)
def test_close_releases_the_device_once_and_ends_its_job(handle: Handle, state: str) -> None:
    into(handle, state)
    started = "start" in calls(handle)
    handle.close()
    assert calls(handle)[-1] == "close"
    assert len(finishes(handle)) == started


# The frame


def test_a_frame_is_delivered_whole_and_then_ends(handle: Handle) -> None:
    handle.start()
    assert (read(handle, 30), read(handle, 30)) == (b"\x55" * 30, b"\x55" * 10)
    assert handle.state == ENDED
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


def test_read_never_asks_for_more_than_the_frame_holds(handle: Handle) -> None:
    fake(handle).pages = 1
    handle.start()
    fake(handle).left = 1000
    assert len(read(handle, 25)) + len(read(handle, 25)) == WIDTH * LINES
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


def test_a_frame_of_unknown_height_ends_when_the_driver_says_so(handle: Handle) -> None:
    fake(handle).lines = -1
    handle.start()
    assert len(read(handle)) == WIDTH * LINES
    assert handle.state == FRAME
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


def test_a_frame_that_the_driver_ends_early_is_shorter(handle: Handle) -> None:
    handle.start()
    read(handle, 7)
    fake(handle).left = 0
    assert outcome(lambda: read(handle)) is errors.EndOfFrame
    assert handle.state == ENDED


def test_frame_ended_is_told_once_after_the_last_byte(handle: Handle) -> None:
    handle.start()
    read(handle, 39)
    assert "frame_ended" not in calls(handle)
    read(handle, 1)
    for _ in range(3):
        outcome(lambda: read(handle))
    assert calls(handle).count("frame_ended") == 1


@pytest.mark.parametrize("state", ["frame", "mid-frame"])
def test_a_read_of_no_bytes_is_refused_and_changes_nothing(handle: Handle, state: str) -> None:
    into(handle, state)
    assert outcome(lambda: read(handle, 0)) is errors.Invalid
    assert handle.state == FRAME
    assert outcome(handle.read_nowhere) is errors.Invalid


def test_parameters_of_a_frame_stay_while_it_is_read(handle: Handle) -> None:
    handle.start()
    fake(handle).lines = 99
    assert handle.parameters().lines == LINES
    read(handle)
    assert handle.parameters().lines == 99


# Parameters that break the rules

WRONG = [
    Parameters(5, WIDTH, LINES),
    Parameters(-1, WIDTH, LINES),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, 4),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, 0),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, 32),
    Parameters(const.FRAME_GRAY, WIDTH, -2),
    Parameters(const.FRAME_GRAY, 0, LINES),
    Parameters(const.FRAME_GRAY, -5, LINES),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, bytes_per_line=0),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, bytes_per_line=WIDTH - 1),
    Parameters(const.FRAME_RGB, WIDTH, LINES, bytes_per_line=WIDTH),
    Parameters(const.FRAME_GRAY, WIDTH, LINES, 16, bytes_per_line=WIDTH),
    Parameters(const.FRAME_GRAY, 1 << 31, LINES),
    Parameters(const.FRAME_GRAY, WIDTH, 1 << 31),
    None,
    (0, True, 10, 10, 4, 8),
    "params",
    Parameters("gray", WIDTH, LINES),  # type: ignore[arg-type]
    Parameters(const.FRAME_GRAY, 10.5, LINES, bytes_per_line=11),  # type: ignore[arg-type]
]


class Wrong(Fake):
    """Reports what the test says."""

    answer: Any = None

    def parameters(self) -> Parameters:
        return self.answer  # type: ignore[no-any-return]


@pytest.mark.parametrize("answer", WRONG, ids=repr)
@pytest.mark.parametrize("call", ["parameters", "start"])
def test_parameters_that_break_the_rules_are_an_io_error(
    opened: Opened, answer: Any, call: str
) -> None:
    device = Wrong()
    handle = opened(device)
    device.answer = answer
    with pytest.raises(Exception) as caught:
        CALLS[call](handle)
    assert errors.status_of(caught.value) == const.STATUS_IO_ERROR
    assert handle.state == IDLE


def test_a_start_with_wrong_parameters_lets_the_driver_finish(opened: Opened) -> None:
    """The driver's start succeeded: its lamp is on, its paper is in."""
    device = Wrong()
    handle = opened(device)
    device.answer = Parameters(const.FRAME_GRAY, 0, 0)
    assert outcome(handle.start) is errors.Misbehaved
    handle.close()
    assert calls(handle) == ["start", "finish True", "close"]


def test_padding_at_the_end_of_lines_is_allowed(opened: Opened) -> None:
    device = Wrong()
    device.answer = Parameters(const.FRAME_GRAY, WIDTH, LINES, bytes_per_line=16)
    assert opened(device).parameters().bytes_per_line == 16


# What read_into may return


@pytest.mark.parametrize("answer", [-1, 41, 1 << 40, None, "5", 5.0, True, b"x", [], 101])
def test_an_impossible_answer_of_read_into_is_an_io_error(handle: Handle, answer: object) -> None:
    handle.start()
    fake(handle).answers = [answer]
    with pytest.raises(errors.Misbehaved, match="read_into returned"):
        read(handle)
    assert handle.state == STOPPED
    with pytest.raises(errors.DeviceIOError):
        read(handle)
    assert finishes(handle) == ["finish True"]


RAISED = [
    (errors.Jammed("paper"), const.STATUS_JAMMED),
    (errors.CoverOpen("lid"), const.STATUS_COVER_OPEN),
    (errors.NoDocs("tray"), const.STATUS_NO_DOCS),
    (OSError(5, "cable"), const.STATUS_IO_ERROR),
    (MemoryError(), const.STATUS_NO_MEM),
    (PermissionError(13, "no"), const.STATUS_ACCESS_DENIED),
    (ZeroDivisionError("oops"), const.STATUS_IO_ERROR),
    (KeyboardInterrupt(), const.STATUS_IO_ERROR),
    (SystemExit(1), const.STATUS_IO_ERROR),
]


@pytest.mark.parametrize(("exc", "status"), RAISED)
def test_an_error_of_read_ends_the_job_and_sticks(
    handle: Handle, exc: BaseException, status: int
) -> None:
    fail_read(handle, exc)
    assert finishes(handle) == ["finish True"]
    for _ in range(2):
        with pytest.raises(errors.SaneError) as caught:
            read(handle)
        assert errors.status_of(caught.value) == status
    handle.start()
    assert read(handle, 5) == b"\x55" * 5


@pytest.mark.parametrize(("exc", "status"), RAISED)
def test_an_error_of_start_leaves_the_handle_idle(
    handle: Handle, exc: BaseException, status: int
) -> None:
    fake(handle).fails["start"] = exc
    with pytest.raises(type(exc)):
        handle.start()
    assert handle.state == IDLE
    assert outcome(lambda: read(handle)) is errors.Invalid
    del fake(handle).fails["start"]
    assert outcome(handle.start) is None


def test_an_error_with_arguments_of_its_own_sticks_too(handle: Handle) -> None:
    class LampError(errors.DeviceIOError):
        def __init__(self, lamp: int, *, hot: bool) -> None:
            super().__init__(f"lamp {lamp}")
            self.hot = hot

    fail_read(handle, LampError(3, hot=True))
    assert finishes(handle) == ["finish True"]
    with pytest.raises(errors.DeviceIOError):
        read(handle)


def test_end_of_frame_raised_by_the_driver_ends_the_frame(handle: Handle) -> None:
    handle.start()
    fake(handle).fails["read_into"] = errors.EndOfFrame()
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


# Closing, and callers that come after it


def test_close_is_reported_but_raises_nothing(
    handle: Handle, capfd: pytest.CaptureFixture[str]
) -> None:
    fake(handle).fails = {"close": ZeroDivisionError("lamp"), "finish": KeyError("x")}
    handle.start()
    handle.close()
    said = capfd.readouterr().err
    assert "[fake] finish: KeyError: 'x' (" in said
    assert "[fake] close: ZeroDivisionError: lamp (" in said


@pytest.mark.parametrize("exc", [SystemExit(1), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["finish", "close"])
def test_close_releases_everything_whatever_the_driver_raises(
    opened: Opened, call: str, exc: BaseException
) -> None:
    cancel = Cancel()
    handle = opened(Fake(), cancel)
    fake(handle).fails = {call: exc}
    handle.start()
    try:
        handle.close()
    except BaseException as caught:
        pytest.fail(f"close raised {caught!r} after {calls(handle)}")
    assert calls(handle)[-2:] == ["finish True", "close"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(cancel.fd)


def test_the_cancel_request_given_is_the_one_that_the_driver_sees(opened: Opened) -> None:
    cancel = Cancel()
    handle = opened(Fake(), cancel)
    assert handle.cancel_request is cancel is handle.device.cancel_request


# Busy devices


def test_a_busy_start_waits_a_little_before_it_fails(opened: Opened) -> None:
    """simple-scan tries again at once: 1.7."""
    clock = FakeCancel()
    handle = opened(Fake(), clock)
    fake(handle).fails["start"] = errors.DeviceBusy("warming up")
    assert outcome(handle.start) is errors.DeviceBusy
    assert clock.waits == [0.2]


def test_a_busy_start_is_cancelled_during_the_delay(opened: Opened) -> None:
    handle = opened(Fake(), FakeCancel(cancelled=True))
    fake(handle).fails["start"] = errors.DeviceBusy("warming up")
    assert outcome(handle.start) is errors.Cancelled
    assert outcome(lambda: read(handle)) is errors.Cancelled
