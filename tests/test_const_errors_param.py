"""The numbers of the standard, the exceptions for statuses, and the arithmetic of parameters."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sane
from sane import const, errors
from sane.param import Area, Parameters, fix, line_bytes, pixels, unfix, wrap_word
from tests import cc

HEADER = (cc.INCLUDE / "sane" / "sane.h").read_text()
DEFINED = {
    name: eval(value)  # a number, or (1 << a number)
    for name, value in re.findall(r"SANE_([A-Z_]+) (?:= )?(\d+|\(1 << \d\))", HEADER)
}
OWN = {"FIXED_SCALE", "MM_PER_INCH", "STATUS_NAMES", "STATUS_TEXTS", "OPERATIONS"}
OWN |= {"LIBRARY_VERSION", "STATUS_WARMING_UP", "STATUS_HW_LOCKED"}
WORDS = st.integers(-(1 << 31), (1 << 31) - 1)


# const


@pytest.mark.parametrize("name", [name for name in vars(const) if name.isupper()])
def test_const_agrees_with_the_header(name: str) -> None:
    if name not in OWN:
        assert DEFINED[name] == getattr(const, name)


def test_const_names_each_status_by_its_number() -> None:
    for number, name in enumerate(const.STATUS_NAMES):
        assert getattr(const, f"STATUS_{name}") == number
    assert len(const.STATUS_NAMES) == len(const.STATUS_TEXTS) == 12


def test_const_texts_are_those_of_the_original() -> None:
    program = (
        "import ctypes, sys\n"
        "text = ctypes.CDLL(sys.argv[1]).sane_strstatus\n"
        "text.restype = ctypes.c_char_p\n"
        "for status in range(12): print(text(status).decode())\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(cc.distribution_libsane())]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert tuple(done.stdout.splitlines()) == const.STATUS_TEXTS


def test_const_fixed_scale_is_that_of_the_header() -> None:
    assert DEFINED["FIXED_SCALE_SHIFT"] == 16
    assert const.FIXED_SCALE == 1 << 16


# errors


@pytest.mark.parametrize("status", range(1, 12))
def test_errors_have_one_class_for_each_status(status: int) -> None:
    cls = errors.BY_STATUS[status]
    assert cls.status == status
    assert errors.status_of(cls("why")) == status
    assert str(cls("why")) == "why"
    assert str(cls()) == const.STATUS_TEXTS[status]


def test_errors_table_holds_every_subclass() -> None:
    found = {*errors.BY_STATUS.values(), *errors.DRAFTS.values()}
    assert found == set(errors.SaneError.__subclasses__())
    assert sorted(errors.BY_STATUS) == list(range(1, 12))


class OwnError(errors.Jammed):
    """What a driver may derive."""


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (errors.SaneError("x"), const.STATUS_IO_ERROR),
        (OwnError("x"), const.STATUS_JAMMED),
        (OSError(5, "x"), const.STATUS_IO_ERROR),
        (PermissionError(13, "x"), const.STATUS_ACCESS_DENIED),
        (OSError(13, "x"), const.STATUS_ACCESS_DENIED),
        (FileNotFoundError(2, "x"), const.STATUS_IO_ERROR),
        (TimeoutError("x"), const.STATUS_IO_ERROR),
        (MemoryError(), const.STATUS_NO_MEM),
        (ZeroDivisionError(), const.STATUS_IO_ERROR),
        (KeyboardInterrupt(), const.STATUS_IO_ERROR),
        (SystemExit(0), const.STATUS_IO_ERROR),
        (GeneratorExit(), const.STATUS_IO_ERROR),
        (NotImplementedError(), const.STATUS_IO_ERROR),
    ],
)
def test_errors_any_exception_is_a_status_but_never_good(exc: BaseException, status: int) -> None:
    assert errors.status_of(exc) == status


@pytest.mark.parametrize("number", [0, 12, 77, -1, 1 << 40, "JAMMED", None, [], True])
def test_errors_a_status_that_a_driver_made_up_is_an_io_error(number: object) -> None:
    made_up = type("MadeUp", (errors.SaneError,), {"status": number})
    try:
        assert errors.status_of(made_up("x")) == const.STATUS_IO_ERROR
        is_number = number.__class__ is int and number != 0
        text = f"Unknown SANE status code {number}" if is_number else "Error during device I/O"
        assert str(made_up()) == text
    finally:
        del made_up
        gc.collect()  # it is no subclass any more


BUILTINS = {
    errors.Unsupported: NotImplementedError,
    errors.DeviceBusy: BlockingIOError,
    errors.Invalid: ValueError,
    errors.EndOfFrame: EOFError,
    errors.DeviceIOError: OSError,
    errors.NoMemory: MemoryError,
    errors.AccessDenied: PermissionError,
    errors.DeviceNotFound: LookupError,
    errors.ScanTimeout: TimeoutError,
}


@pytest.mark.parametrize("cls", BUILTINS)
def test_errors_are_builtin_exceptions_too(cls: type[errors.SaneError]) -> None:
    assert issubclass(cls, BUILTINS[cls])
    with pytest.raises(BUILTINS[cls], match="why"):
        raise cls("why")
    assert isinstance(cls("why"), errors.error)


def test_errors_tell_what_they_concern() -> None:
    exc = errors.Invalid("4 is odd", device="test:0", option="depth", hint="try 8")
    assert (exc.device, exc.option, exc.hint, exc.detail) == (
        "test:0",
        "depth",
        "try 8",
        "4 is odd",
    )
    assert (exc.name, exc.status, exc.text) == ("INVAL", 4, "Invalid argument")
    assert (str(exc), exc.detail) == ("4 is odd", "4 is odd")
    plain = errors.Jammed()
    assert (plain.device, plain.option, plain.hint, plain.detail) == ("", "", "", "")
    assert (str(plain), plain.name) == ("Document feeder jammed", "JAMMED")


class WithWords(errors.AccessDenied):
    """One that takes something else than its text."""

    def __init__(self, realm: str) -> None:
        super().__init__(f"the scanner wants a password for {realm}")
        self.realm = realm


@pytest.mark.parametrize(
    "exc",
    [
        *(cls("why", device="test:0", hint="none") for cls in errors.BY_STATUS.values()),
        *(errors.ScanTimeout(), errors.WarmingUp("so"), errors.error_of(77, "start")),
        *(WithWords("here"), sane.error("Device busy")),
    ],
)
def test_errors_can_be_pickled(exc: errors.error) -> None:
    assert sane._sane.error is errors.error  # pickle looks for it there
    for again in (pickle.loads(pickle.dumps(exc)), copy.copy(exc)):
        assert type(again) is type(exc)
        assert (str(again), again.args, vars(again)) == (str(exc), exc.args, vars(exc))


def test_errors_of_a_c_backend_keep_its_status() -> None:
    assert type(errors.error_of(6, "x")) is errors.Jammed
    assert type(errors.error_of(12, "x")) is errors.WarmingUp
    assert type(errors.error_of(13, "x")) is errors.HardwareLocked
    strange = errors.error_of(77, "sane_start")
    assert type(strange) is errors.SaneError
    assert (strange.status, strange.name) == (77, "STATUS_77")
    assert str(strange) == "sane_start: status 77 is not in the standard"
    assert strange.text == "Unknown SANE status code 77"
    assert errors.status_of(strange) == const.STATUS_IO_ERROR


def test_errors_have_python_sanes_class_as_their_base() -> None:
    assert (errors.error.__module__, errors.error.__name__) == ("_sane", "error")
    assert errors.error.__doc__ is None
    assert errors.error.__bases__ == (Exception,)


# param: fixed point


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0, 0),
        (1, 65536),
        (0.1, 6553),
        (-0.1, -6553),
        (-42.17, -2763653),
        (80.55, 5278924),
        (41.83, 2741370),
        (33.33, 2184314),
        (32767.9999, 2147483641),
        (-32768, -(1 << 31)),
    ],
)
def test_fix_truncates_toward_zero(value: float, word: int) -> None:
    assert fix(value) == word


@given(WORDS)
def test_fix_and_unfix_are_inverse(word: int) -> None:
    assert fix(unfix(word)) == word


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_fix_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        fix(value)


@given(st.integers(-(1 << 70), 1 << 70))
def test_wrap_word_is_what_a_c_conversion_gives(value: int) -> None:
    expected = int.from_bytes((value & 0xFFFFFFFF).to_bytes(4, "little"), "little", signed=True)
    assert wrap_word(value) == expected


# param: sizes


@pytest.mark.parametrize(
    ("mm", "dpi", "expected"),
    [(25.4, 300, 300), (80, 50, 157), (100, 50, 196), (0, 600, 0), (215.9, 1200, 10200)],
)
def test_pixels_are_whole(mm: float, dpi: float, expected: int) -> None:
    assert pixels(mm, dpi) == expected


@pytest.mark.parametrize(
    ("width", "channels", "depth", "expected"),
    [
        (1, 1, 1, 1),
        (8, 1, 1, 1),
        (9, 1, 1, 2),
        (9, 3, 1, 6),
        (157, 1, 8, 157),
        (157, 3, 8, 471),
        (157, 3, 16, 942),
        (10, 1, 12, 20),
    ],
)
def test_line_bytes_are_the_minimum(width: int, channels: int, depth: int, expected: int) -> None:
    assert line_bytes(width, channels, depth) == expected


def test_area_puts_its_corners_in_order() -> None:
    area = Area(80, 100, 10, 20)
    assert (area.tl_x, area.tl_y, area.br_x, area.br_y) == (10, 20, 80, 100)
    assert (area.width, area.height) == (70, 80)


def test_area_orders_each_axis_alone() -> None:
    area = Area(80, 20, 10, 100)
    assert (area.tl_x, area.tl_y, area.br_x, area.br_y) == (10, 20, 80, 100)


@pytest.mark.parametrize(
    ("area", "dpi", "expected"),
    [
        (Area(0, 0, 80, 100), 50, (157, 196)),
        (Area(80, 100, 0, 0), 50, (157, 196)),
        (Area(10, 10, 10, 10), 300, (1, 1)),
        (Area(0, 0, 200, 200), 1, (7, 7)),
    ],
)
def test_parameters_for_area_have_a_pixel_at_least(
    area: Area, dpi: float, expected: tuple[int, int]
) -> None:
    params = Parameters.for_area(const.FRAME_GRAY, area, dpi)
    assert (params.pixels_per_line, params.lines) == expected


@pytest.mark.parametrize(
    ("frame", "channels"),
    [
        (const.FRAME_GRAY, 1),
        (const.FRAME_RGB, 3),
        (const.FRAME_RED, 1),
        (const.FRAME_GREEN, 1),
        (const.FRAME_BLUE, 1),
    ],
)
def test_parameters_count_the_channels_of_the_frame(frame: int, channels: int) -> None:
    params = Parameters(frame, 10, 4, 16)
    assert (params.channels, params.bytes_per_line) == (channels, 20 * channels)
    assert params.frame_bytes == 80 * channels


def test_parameters_of_unknown_height_have_no_size() -> None:
    assert Parameters(const.FRAME_GRAY, 10, -1).frame_bytes == -1
    assert Parameters(const.FRAME_GRAY, 10, 0).frame_bytes == 0


def test_parameters_compare_by_their_fields() -> None:
    one, other = (Parameters(const.FRAME_GRAY, 10, 4, 8) for _ in range(2))
    assert one == other
    other.last_frame = False
    assert one != other
    assert one != (0, True, 10, 10, 4, 8)
    assert one.as_tuple() == (0, True, 10, 10, 4, 8)
