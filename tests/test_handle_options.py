"""Options through a handle: which access is allowed, info bits, rounding, and failed changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sane import const, errors, option
from sane.backend import Device, Parameters, when
from sane.handle import Handle
from sane.option import Bool, Int, Range
from sane.values import DIRECT_GET, DIRECT_SET
from tests.fakes.device import Fake, calls, fake, number, outcome, words

GET, SET, AUTO = const.ACTION_GET_VALUE, const.ACTION_SET_VALUE, const.ACTION_SET_AUTO
INEXACT = const.INFO_INEXACT
OPTIONS = const.INFO_RELOAD_OPTIONS
PARAMS = const.INFO_RELOAD_PARAMS


@pytest.fixture
def handle() -> Iterator[Handle]:
    found = Handle(Fake())
    yield found
    found.close()


# Access (c-abi-and-dll 1.7)

ALLOWED = {
    "number": (True, True, False),
    "sensor": (True, False, False),
    "hidden": (False, False, False),
    "quality": (True, True, True),
    "press": (False, True, False),
    "text": (True, True, False),
    "off": (False, False, False),
    "tl-x": (True, True, False),
}


@pytest.mark.parametrize("action", [GET, SET, AUTO])
@pytest.mark.parametrize("name", ALLOWED)
def test_access_depends_on_the_capabilities(handle: Handle, name: str, action: int) -> None:
    expected = None if ALLOWED[name][action] else errors.Invalid
    assert outcome(lambda: handle.access(number(handle, name), action)) is expected


@pytest.mark.parametrize("action", [-1, 3, 99])
@pytest.mark.parametrize("name", ALLOWED)
def test_an_unknown_action_is_invalid(handle: Handle, name: str, action: int) -> None:
    assert outcome(lambda: handle.access(number(handle, name), action)) is errors.Invalid


@pytest.mark.parametrize("action", [GET, SET, AUTO])
def test_a_group_cannot_be_accessed(handle: Handle, action: int) -> None:
    assert outcome(lambda: handle.access(1, action)) is errors.Invalid


@pytest.mark.parametrize("index", [-1, 14, 1 << 30, -(1 << 31)])
def test_an_index_outside_is_invalid(handle: Handle, index: int) -> None:
    assert outcome(lambda: handle.descriptor(index)) is errors.Invalid
    assert outcome(lambda: handle.get(index)) is errors.Invalid
    assert outcome(lambda: handle.set(index, words(1))) is errors.Invalid
    assert outcome(lambda: handle.set_auto(index)) is errors.Invalid


def test_option_0_can_only_be_read(handle: Handle) -> None:
    assert handle.get(0) == words(len(handle.options))
    assert outcome(lambda: handle.set(0, words(3))) is errors.Invalid
    assert outcome(lambda: handle.set_auto(0)) is errors.Invalid


def test_get_is_allowed_during_a_scan(handle: Handle) -> None:
    handle.start()
    assert handle.get(number(handle, "text")) == b"Color\0"
    assert outcome(lambda: handle.set(number(handle, "press"), b"")) is errors.Invalid
    assert "press" not in calls(handle)


# Values and info


@pytest.mark.parametrize(
    ("name", "given", "effective", "info"),
    [
        ("number", words(20), words(20), 0),
        ("number", words(22), words(20), INEXACT),
        ("number", words(-5), words(0), INEXACT),
        ("number", words(11), words(10), INEXACT),  # rounded to what it is already
        ("number", words(10), words(10), 0),
        ("quality", words(5), words(5), PARAMS),
        ("quality", words(6), words(5), INEXACT | PARAMS),
        ("quality", words(1), words(1), 0),
        ("text", b"gr\0", b"Gray\0", 0),
        ("text", b"Color\0", b"Color\0", 0),
        ("br-x", words(150 << 16), words(150 << 16), PARAMS),
        ("br-x", words(300 << 16), words(200 << 16), INEXACT),
    ],
)
def test_set_answers_what_took_effect(
    handle: Handle, name: str, given: bytes, effective: bytes, info: int
) -> None:
    index = number(handle, name)
    assert handle.set(index, given) == (effective, info)
    assert handle.get(index) == effective


def test_a_text_that_fits_none_leaves_the_value(handle: Handle) -> None:
    index = number(handle, "text")
    assert outcome(lambda: handle.set(index, b"Blue\0")) is errors.Invalid
    assert handle.get(index) == b"Color\0"


def test_automatic_sets_the_value_of_the_device(handle: Handle) -> None:
    index = number(handle, "quality")
    assert handle.set_auto(index) == PARAMS
    assert handle.get(index) == words(5)
    assert handle.set_auto(index) == 0


def test_a_button_runs_its_action(handle: Handle) -> None:
    assert handle.set(number(handle, "press"), b"") == (b"", 0)
    assert calls(handle) == ["press"]


def test_a_failing_action_reaches_the_caller(handle: Handle) -> None:
    fake(handle).fails["press"] = errors.CoverOpen("lid")
    assert outcome(lambda: handle.set(number(handle, "press"), b"")) is errors.CoverOpen


# A change that fails halfway


class Linked(Fake):
    """Options that depend on mode, whose change may fail."""

    mode = option.mode("Gray", "Lineart")
    threshold = Int("Threshold", "", Range(0, 255), active=when(mode="Lineart"))
    resolution = Int("Resolution", "", (75, 300, 600), default=600)

    @resolution.constrained("mode")
    def _resolutions(self) -> tuple[int, ...]:
        return (75, 300) if self.mode == "Lineart" else (75, 300, 600)

    @mode.changed
    def _changed(self) -> None:
        self.note("mode")


@pytest.fixture
def linked() -> Iterator[Handle]:
    found = Handle(Linked())
    yield found
    found.close()


def everything(handle: Handle) -> tuple[Any, ...]:
    options = handle.options
    constraints = [repr(constraint) for constraint in options.constraints]
    return bytes(options.values), list(options.caps), constraints, bytes(handle.direct)


def test_a_change_reaches_activity_and_constraints(linked: Handle) -> None:
    assert linked.set(number(linked, "mode"), b"Lineart\0")[1] == OPTIONS | PARAMS
    assert outcome(lambda: linked.get(number(linked, "threshold"))) is None
    assert linked.get(number(linked, "resolution")) == words(300)
    assert linked.set(number(linked, "resolution"), words(600))[0] == words(300)


@pytest.mark.parametrize("exc", [errors.Jammed("x"), ZeroDivisionError("x"), MemoryError()])
def test_a_change_that_fails_leaves_everything_as_it_was(linked: Handle, exc: Exception) -> None:
    before = everything(linked)
    fake(linked).fails["mode"] = exc
    with pytest.raises(type(exc)):
        linked.set(number(linked, "mode"), b"Lineart\0")
    assert everything(linked) == before
    assert outcome(lambda: linked.get(number(linked, "threshold"))) is errors.Invalid
    fake(linked).fails.clear()
    assert linked.set(number(linked, "mode"), b"Lineart\0")[1] == OPTIONS | PARAMS


def test_changed_options_are_listed_for_the_c_side(linked: Handle) -> None:
    assert linked.options.changed == []
    linked.set(number(linked, "mode"), b"Lineart\0")
    expected = {number(linked, "threshold"), number(linked, "resolution")}
    assert set(linked.options.changed) == expected


# What the C side may do alone

DIRECT = {
    "number": DIRECT_GET | DIRECT_SET,
    "sensor": DIRECT_GET,
    "hidden": 0,
    "quality": DIRECT_GET | DIRECT_SET,
    "press": 0,
    "text": DIRECT_GET | DIRECT_SET,
    "off": 0,
    "tl-x": DIRECT_GET | DIRECT_SET,
}


@pytest.mark.parametrize("name", DIRECT)
def test_direct_access_is_for_options_without_methods(handle: Handle, name: str) -> None:
    assert handle.direct[number(handle, name)] == DIRECT[name]


@pytest.mark.parametrize("name", DIRECT)
def test_direct_access_sets_nothing_during_a_scan(handle: Handle, name: str) -> None:
    handle.start()
    assert handle.direct[number(handle, name)] == DIRECT[name] & ~DIRECT_SET
    handle.cancelled()
    assert handle.direct[number(handle, name)] == DIRECT[name]


def test_direct_access_follows_the_activity(linked: Handle) -> None:
    index = number(linked, "threshold")
    assert linked.direct[index] == 0
    linked.set(number(linked, "mode"), b"Lineart\0")
    assert linked.direct[index] == DIRECT_GET | DIRECT_SET
    linked.set(number(linked, "mode"), b"Gray\0")
    assert linked.direct[index] == 0


class Hooked(Device):
    """Every kind of method in an option's way."""

    plain = Int("Plain")
    asked = Int("Asked")
    rounded = Int("Rounded")
    heard = Int("Heard")
    needed = Bool("Needed")
    dependent = Int("Dependent", active=when(needed=True))
    vector = Int("Vector", length=2)

    @asked.on_get
    def _asked(self) -> int:
        return 1

    @rounded.on_set
    def _rounded(self, value: int) -> int:
        return value

    @heard.changed
    def _heard(self) -> None:
        pass

    def parameters(self) -> Parameters:
        return Parameters(const.FRAME_GRAY, 1, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", DIRECT_GET | DIRECT_SET),
        ("asked", 0),
        ("rounded", DIRECT_GET),
        ("heard", DIRECT_GET),
        ("needed", DIRECT_GET),
        ("dependent", 0),
        ("vector", DIRECT_GET),
    ],
)
def test_direct_access_never_passes_a_method_of_the_driver(name: str, expected: int) -> None:
    handle = Handle(Hooked())
    try:
        assert handle.direct[number(handle, name)] == expected
    finally:
        handle.close()
