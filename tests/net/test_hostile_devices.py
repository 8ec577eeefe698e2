"""Servers whose devices lie: sizes, constraints, values, parameters that would harm a frontend."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from sane import const
from sane.errors import DeviceIOError
from sane.wire import messages as m
from sane.wire.records import Range
from tests.fakes.saned import COUNT, DEPTH, MODE, FakeSaned
from tests.net.opening import backend, handle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sane.handle import Handle

BOOL, INT, FIXED, STRING, BUTTON, GROUP = range(6)
ACTIVE, INACTIVE = 5, 5 | const.CAP_INACTIVE
NONE, RANGE, WORDS, TEXTS = range(4)
A_RANGE = Range(0, 10, 1)


def described(type: int, size: int, constraint: Any = (NONE, None), cap: int = ACTIVE) -> Any:
    return m.Descriptor("thing", "Thing", "", type, 0, size, cap, *constraint)


def opening(tmp_path: Path, **settings: Any) -> AbstractContextManager[Handle]:
    """Open the device of a server with *settings*."""
    from contextlib import contextmanager

    @contextmanager
    def open_device() -> Iterator[Handle]:
        with FakeSaned(**settings) as server:
            made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
            opened = None
            try:
                opened = handle(made, "127.0.0.1:test:0")
                yield opened
            finally:
                if opened is not None:
                    opened.close()
                made.exit()

    return open_device()


NO_COUNTS = [
    described(INT, 4096),
    described(INT, 8),
    described(INT, 0),
    described(FIXED, 4),
    described(STRING, 4),
    described(GROUP, 0),
]


@pytest.mark.parametrize("count", NO_COUNTS, ids=lambda d: f"{d.type}-{d.size}")
def test_hostile_option_0_is_one_word(tmp_path: Path, count: Any) -> None:
    with (
        pytest.raises(DeviceIOError, match="option 0"),
        opening(tmp_path, descriptors=[count, DEPTH, MODE]),
    ):
        pass


@pytest.mark.parametrize("told", [-(1 << 31), -1, 0, 2, 4, 1_000_000])
def test_hostile_option_0_counts_what_was_described(tmp_path: Path, told: int) -> None:
    values = {0: told.to_bytes(4, "little", signed=True)}
    with opening(tmp_path, values=values) as opened:
        assert opened.get(0) == (3).to_bytes(4, sys.byteorder)


NO_OPTIONS = {
    "bool of 4096": described(BOOL, 4096),
    "bool of 1": described(BOOL, 1),
    "bool of 0": described(BOOL, 0),
    "inactive bool of 4096": described(BOOL, 4096, cap=INACTIVE),
    "bool with words": described(BOOL, 4, (WORDS, (0, 1))),
    "int of 6": described(INT, 6),
    "int of 3": described(INT, 3, cap=INACTIVE),
    "int of 0": described(INT, 0),
    "int with texts": described(INT, 4, (TEXTS, ("a", "b"))),
    "fixed of 2": described(FIXED, 2),
    "fixed with texts": described(FIXED, 4, (TEXTS, ("a",))),
    "text of 0": described(STRING, 0),
    "text with a range": described(STRING, 9, (RANGE, A_RANGE)),
    "text with words": described(STRING, 9, (WORDS, (1, 2))),
}


@pytest.mark.parametrize("what", NO_OPTIONS)
def test_hostile_an_option_that_cannot_be_refuses_the_device(tmp_path: Path, what: str) -> None:
    with (
        pytest.raises(DeviceIOError, match="option 2, thing"),
        opening(tmp_path, descriptors=[COUNT, DEPTH, NO_OPTIONS[what]]),
    ):
        pass


@pytest.mark.parametrize("what", NO_OPTIONS)
def test_hostile_an_option_that_cannot_be_after_a_reload(tmp_path: Path, what: str) -> None:
    lists = [[COUNT, DEPTH, MODE], [COUNT, DEPTH, NO_OPTIONS[what]]]

    def describe(fake: FakeSaned, server: Any, request: Any) -> Any:
        return server.reply(m.DescriptorsReply(lists.pop(0) if len(lists) > 1 else lists[0]))

    with opening(tmp_path, answers={m.GetDescriptors: describe}) as opened:
        assert opened.set(2, b"Color\0")[1] & const.INFO_RELOAD_OPTIONS
        for _ in range(2):
            with pytest.raises(DeviceIOError, match="option 2, thing"):
                opened.get(1)


ALLOWED = {
    "inactive int of 0": described(INT, 0, cap=INACTIVE),
    "inactive text of 0": described(STRING, 0, cap=INACTIVE),
    "vector": described(FIXED, 24, (RANGE, A_RANGE)),
    "group with a constraint": described(GROUP, 4096, (WORDS, (1, 2))),
    "button": described(BUTTON, 4, (TEXTS, ("a",))),
    "no type": described(99, 4),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_hostile_an_odd_option_is_no_reason_to_refuse(tmp_path: Path, what: str) -> None:
    with opening(tmp_path, descriptors=[COUNT, DEPTH, ALLOWED[what]]) as opened:
        option = opened.descriptor(2)
        assert (option.type, option.size) == (ALLOWED[what].type, ALLOWED[what].size)
        assert option.constraint is None or what == "vector"


def test_hostile_a_unit_that_is_none(tmp_path: Path) -> None:
    odd = m.Descriptor("thing", "", "", INT, 44, 4, ACTIVE, 0, None)
    with opening(tmp_path, descriptors=[COUNT, odd]) as opened:
        assert opened.descriptor(1).unit == const.UNIT_NONE


def test_hostile_a_choice_that_is_longer_than_the_value_is_none(tmp_path: Path) -> None:
    long = described(STRING, 5, (TEXTS, ("Gray", "Color", "Lineart", "\udcff\udcff\udcff\udcff")))
    with opening(tmp_path, descriptors=[COUNT, DEPTH, long]) as opened:
        assert opened.descriptor(2).constraint == ("Gray", "\udcff\udcff\udcff\udcff")


def test_hostile_a_step_below_zero(tmp_path: Path) -> None:
    odd = described(INT, 4, (RANGE, Range(0, 10, -1)))
    with opening(tmp_path, descriptors=[COUNT, odd]) as opened:
        constraint: Any = opened.descriptor(1).constraint
        assert (constraint.min, constraint.max, constraint.quant) == (0, 10, 0)


def test_hostile_a_text_without_its_nul_gets_one(tmp_path: Path) -> None:
    values = {2: b"Colour"}
    with opening(tmp_path, values=values) as opened:
        assert opened.get(2) == b"Colou\0"
        assert opened.set(2, b"Colour")[0][-1:] == b"\0"
        assert opened.set(2, b"Gray\0")[0] == b"Gray\0"


def test_hostile_info_bits_that_are_none(tmp_path: Path) -> None:
    def control(fake: FakeSaned, server: Any, request: Any) -> Any:
        size = request.value_size
        return server.reply(m.ControlReply(0, -8, request.value_type, size, request.value, None))

    with opening(tmp_path, answers={m.ControlOption: control}) as opened:
        assert opened.set(1, bytes(4))[1] == 0


GRAY8 = {"format": 0, "last_frame": True, "bytes_per_line": 4, "pixels_per_line": 4}
NO_FRAMES: dict[str, dict[str, int]] = {
    "format 5": {"format": 5},
    "format -1": {"format": -1},
    "lines -2": {"lines": -2},
    "negative pixels": {"pixels_per_line": -4},
    "negative bytes": {"bytes_per_line": -4},
    "negative depth": {"depth": -8},
    "a short line": {"bytes_per_line": 3},
    "a short line of colour": {"format": 1, "bytes_per_line": 11},
    "a short line of 16 bits": {"depth": 16, "bytes_per_line": 7},
    "a short line of bits": {"depth": 1, "pixels_per_line": 9, "bytes_per_line": 1},
    "a line of 2 Gi pixels": {"pixels_per_line": 0x7FFFFFFF},
}


@pytest.mark.parametrize("what", NO_FRAMES)
def test_hostile_parameters_that_no_frame_has(tmp_path: Path, what: str) -> None:
    found = m.Parameters(**{**GRAY8, "lines": 2, "depth": 8, **NO_FRAMES[what]})
    with opening(tmp_path, parameters=found) as opened:
        with pytest.raises(DeviceIOError, match="parameters that no frame has"):
            opened.parameters()
        with pytest.raises(DeviceIOError, match="parameters that no frame has"):
            opened.start()


@pytest.mark.parametrize("change", [{"lines": -1}, {"bytes_per_line": 9}, {"depth": 12}], ids=str)
def test_hostile_unusual_parameters_are_parameters(tmp_path: Path, change: dict[str, int]) -> None:
    found = m.Parameters(**{**GRAY8, "lines": 2, "depth": 8, **change})
    with opening(tmp_path, parameters=found) as opened:
        assert opened.parameters().pixels_per_line == 4
