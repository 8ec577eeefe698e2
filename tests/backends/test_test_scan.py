"""The test backend without C: states of a scan as the specification lists them (5, 8.40-50)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sane import const, errors
from sane.cancel import wait_readable
from sane.handle import Handle
from tests.support.testdev import (
    DELAY,
    DEPTH,
    DURATION,
    FEEDER,
    FORCED,
    FUZZY,
    LIMIT,
    LIMIT_SIZE,
    MODE,
    NON_BLOCKING,
    ORDER,
    RESOLUTION,
    SELECT_FD,
    SOURCE,
    THREE_PASS,
    Stack,
    fetch,
    fixed,
    frame,
    handle,
    outcome,
    put,
    read,
    read_all,
    stack,
    words,
)

__all__ = ["handle", "stack"]  # fixtures

SIZE = 157 * 196


def three_pass(handle: Handle, order: bytes = b"RGB\0") -> None:
    put(handle, MODE, b"Color\0")
    put(handle, THREE_PASS, words(1))
    put(handle, ORDER, order)


# 40, 41


def test_read_before_the_first_start_is_invalid(handle: Handle) -> None:
    assert outcome(lambda: read(handle)) is errors.Invalid
    handle.cancelled()
    assert outcome(lambda: read(handle)) is errors.Invalid


def test_the_end_of_a_frame_stays(handle: Handle) -> None:
    assert len(frame(handle)) == SIZE
    for _ in range(3):
        assert outcome(lambda: read(handle)) is errors.EndOfFrame
    handle.cancelled()
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


def test_a_cancelled_frame_stays_cancelled_until_start(handle: Handle) -> None:
    handle.start()
    read(handle, 100)
    handle.cancelled()
    handle.cancelled()
    for _ in range(3):
        assert outcome(lambda: read(handle)) is errors.Cancelled
    assert len(frame(handle)) == SIZE


def test_options_are_free_with_the_last_byte(handle: Handle) -> None:
    handle.start()
    read(handle, SIZE - 1)
    assert outcome(lambda: handle.get(DEPTH)) is errors.Invalid
    assert outcome(lambda: handle.get(0)) is errors.Invalid
    assert outcome(lambda: handle.set(DEPTH, words(1))) is errors.Invalid
    assert outcome(lambda: handle.descriptor(DEPTH)) is None
    read(handle, 1)
    assert outcome(lambda: handle.get(DEPTH)) is None


# 42


def test_a_second_start_in_colour_is_refused(handle: Handle) -> None:
    put(handle, MODE, b"Color\0")
    handle.start()
    first = read(handle, 100)
    assert outcome(handle.start) is errors.Invalid
    assert len(first + read_all(handle)) == 3 * SIZE


@pytest.mark.parametrize("prepare", [lambda handle: None, three_pass], ids=["gray", "three-pass"])
def test_a_second_start_elsewhere_restarts_the_frame(
    handle: Handle, prepare: Callable[[Handle], None]
) -> None:
    prepare(handle)
    handle.start()
    before = handle.parameters()
    read(handle, 100)
    handle.start()
    assert handle.parameters() == before
    assert len(read_all(handle)) == SIZE


# 43


def test_the_feeder_is_empty_at_every_eleventh_start(handle: Handle) -> None:
    put(handle, SOURCE, FEEDER)
    outcomes = [outcome(lambda: frame(handle)) for _ in range(33)]
    assert [i + 1 for i, found in enumerate(outcomes) if found is errors.NoDocs] == [11, 22, 33]


def test_starts_on_the_flatbed_count_too(handle: Handle) -> None:
    outcomes = [outcome(lambda: frame(handle)) for _ in range(11)]
    put(handle, SOURCE, FEEDER)
    outcomes += [outcome(lambda: frame(handle)) for _ in range(11)]
    assert [i + 1 for i, found in enumerate(outcomes) if found is errors.NoDocs] == [22]


def test_three_frames_count_as_one_page(handle: Handle) -> None:
    three_pass(handle)
    put(handle, SOURCE, FEEDER)
    outcomes = [outcome(lambda: frame(handle)) for _ in range(31)]
    assert outcomes == [None] * 30 + [errors.NoDocs]


def test_an_empty_feeder_leaves_a_running_scan_alone(handle: Handle) -> None:
    put(handle, SOURCE, FEEDER)
    for _ in range(10):
        handle.start()
        read(handle, 10)
    assert outcome(handle.start) is errors.NoDocs
    assert len(read_all(handle)) == SIZE - 10


# 44


@pytest.mark.parametrize("name", const.STATUS_NAMES[1:])
def test_a_forced_status_comes_in_every_state(handle: Handle, name: str) -> None:
    expected = errors.BY_STATUS[const.STATUS_NAMES.index(name)]
    put(handle, FORCED, b"SANE_STATUS_" + name.encode() + b"\0")
    assert outcome(lambda: read(handle)) is expected
    handle.start()
    for _ in range(2):
        assert outcome(lambda: read(handle)) is expected
    assert outcome(handle.read_nowhere) is expected
    assert outcome(lambda: handle.get(DEPTH)) is errors.Invalid  # the scan goes on
    handle.cancelled()
    assert outcome(lambda: read(handle)) is expected
    put(handle, FORCED, b"Default\0")
    assert outcome(lambda: read(handle)) is errors.Cancelled


# 45, 46


def test_a_read_of_no_bytes_ends_the_frame(handle: Handle) -> None:
    handle.start()
    assert outcome(lambda: read(handle, 0)) is errors.EndOfFrame
    assert outcome(lambda: read(handle)) is errors.EndOfFrame
    assert outcome(lambda: handle.get(DEPTH)) is None


def test_a_read_without_a_buffer_is_invalid_and_harmless(handle: Handle) -> None:
    handle.start()
    assert outcome(handle.read_nowhere) is errors.Invalid
    assert len(read_all(handle)) == SIZE


@pytest.mark.parametrize("limit", [1, 100, 20000, 65536])
def test_the_limit_caps_each_read(handle: Handle, limit: int) -> None:
    put(handle, LIMIT, words(1))
    put(handle, LIMIT_SIZE, words(limit))
    handle.start()
    assert len(read(handle, 50)) == min(limit, 50)
    assert len(read(handle)) == min(limit, SIZE - 50)


# 47, 48


def test_io_mode_and_select_need_a_scan(handle: Handle) -> None:
    for call in (lambda: handle.set_io_mode(False), lambda: handle.set_io_mode(True)):
        assert outcome(call) is errors.Invalid
    assert outcome(handle.select_fd) is errors.Invalid
    frame(handle)
    assert outcome(handle.select_fd) is errors.Invalid


def test_io_mode_and_select_depend_on_the_options(handle: Handle) -> None:
    handle.start()
    assert outcome(lambda: handle.set_io_mode(True)) is errors.Unsupported
    assert outcome(lambda: handle.set_io_mode(False)) is None
    assert outcome(handle.select_fd) is errors.Unsupported
    handle.cancelled()
    put(handle, NON_BLOCKING, words(1))
    put(handle, SELECT_FD, words(1))
    handle.start()
    assert outcome(lambda: handle.set_io_mode(True)) is None
    assert wait_readable((handle.select_fd(),), 10)


def test_a_non_blocking_read_without_data_goes_on(handle: Handle) -> None:
    """The original ends the frame here; docs/deviations.md."""
    for index in (NON_BLOCKING, SELECT_FD, DELAY):
        put(handle, index, words(1))
    put(handle, DURATION, words(200000))
    handle.start()
    handle.set_io_mode(True)
    assert read(handle) == b""
    data = b""
    while len(data) < SIZE:
        assert wait_readable((handle.select_fd(),), 10)
        data += read(handle)
    assert outcome(lambda: read(handle)) is errors.EndOfFrame


# 49, 50 and three passes


@pytest.mark.parametrize("order", [b"RGB\0", b"BGR\0", b"GRB\0"])
def test_three_frames_come_in_order(handle: Handle, order: bytes) -> None:
    three_pass(handle, order)
    letters = {const.FRAME_RED: "R", const.FRAME_GREEN: "G", const.FRAME_BLUE: "B"}
    seen = ""
    for last in (False, False, True):
        params = handle.parameters()
        assert (params.last_frame, params.bytes_per_line) == (last, 157)
        seen += letters[params.format]
        assert len(frame(handle)) == SIZE
    assert seen.encode() == order[:3]
    assert letters[handle.parameters().format] == seen[0]


def test_cancel_after_a_whole_frame_keeps_the_pass(handle: Handle) -> None:
    three_pass(handle)
    frame(handle)
    handle.cancelled()
    assert handle.parameters().format == const.FRAME_GREEN


def test_cancel_within_a_frame_begins_anew(handle: Handle) -> None:
    three_pass(handle)
    frame(handle)
    handle.start()
    handle.cancelled()
    assert handle.parameters().format == const.FRAME_RED


def test_open_begins_anew_with_the_first_colour(stack: Stack, handle: Handle) -> None:
    three_pass(handle)
    frame(handle)
    stack.close(handle)
    again = stack.open()
    fetch(again)
    assert again.parameters().format == const.FRAME_RED


def test_close_during_a_scan_is_no_obstacle(stack: Stack, handle: Handle) -> None:
    handle.start()
    read(handle, 100)
    stack.close(handle)
    again = stack.open()
    assert len(frame(again)) == SIZE


# Parameters


def test_fuzzy_parameters_are_exact_in_a_frame(handle: Handle) -> None:
    put(handle, FUZZY, words(1))
    idle = handle.parameters()
    assert (idle.pixels_per_line, idle.lines) in ((157, 196), (1, 0))
    handle.start()
    params = handle.parameters()
    assert (params.pixels_per_line, params.lines, params.bytes_per_line) == (157, 196, 157)
    read_all(handle)
    assert handle.parameters() == idle


def test_without_a_resolution_a_frame_is_the_smallest(stack: Stack) -> None:
    """The original would take the raw word 50; docs/deviations.md."""
    found = stack.configure("resolution 0.001\n").open()
    fetch(found)
    assert found.get(RESOLUTION) == fixed(0.001)
    params = found.parameters()
    assert (params.pixels_per_line, params.lines) == (1, 1)
    assert frame(found) == b"\0"


def test_two_devices_scan_at_once(stack: Stack, handle: Handle) -> None:
    other = stack.open("1")
    fetch(other)
    put(other, RESOLUTION, fixed(100))
    handle.start()
    other.start()
    sizes = [0, 0]
    while sizes[0] < SIZE:
        sizes[0] += len(read(handle, 1000))
        sizes[1] += len(read(other, 3000))
    assert sizes[0] == SIZE
    assert sizes[1] + len(read_all(other)) == 314 * 393
