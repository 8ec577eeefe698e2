"""The test backend without C: its devices, options and states as the specification lists them.

Numbers in comments are those of the compatibility checklist (specification of the test backend,
section 8). What its pixels look like is tested in test_test_picture.py.
"""

from __future__ import annotations

import hashlib
import struct
from functools import partial

import pytest

from sane import const, errors
from sane.handle import Handle
from tests.support.testdev import (
    BR_X,
    BR_Y,
    DEPTH,
    DURATION,
    FEEDER,
    FORCED,
    FUZZY,
    HAND,
    INVERT,
    LIMIT,
    LIMIT_SIZE,
    LOSS,
    MODE,
    ORDER,
    PICTURE,
    RESOLUTION,
    SOURCE,
    TEST_OPTIONS,
    THREE_PASS,
    TL_X,
    Stack,
    fetch,
    fixed,
    frame,
    handle,
    outcome,
    put,
    stack,
    words,
)

__all__ = ["handle", "stack"]  # fixtures

INEXACT, OPTIONS, PARAMS = 1, 2, 4
WORD_LIST, GAMMA = 38, 46


def word(data: bytes) -> int:
    return int(struct.unpack("=i", data)[0])


def active(handle: Handle) -> set[int]:
    return {option.index for option in handle.options.declared if handle.options.is_active(option)}


# Configuration and devices (1 to 11)


def test_devices_are_two_virtual_ones(stack: Stack) -> None:  # 1, 2
    listed = stack.configure(None).registry.get_devices()
    rest = ("Noname", "frontend-tester", "virtual device")
    assert [(d.name, d.vendor, d.model, d.type) for d in listed] == [("0", *rest), ("1", *rest)]
    from sane.backends.test import Backend

    assert Backend.version == (1, 0, 28)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("number_of_devices 0x3zz", 3),
        ("number_of_devices 010", 8),
        ("number_of_devices 0b11", 3),
        ("number_of_devices 500", 500),
        ("number_of_devices 0", 0),
        ("number_of_devices -1", 0),
        ("number_of_devices x", 2),
        ("number_of_devices", 2),
        ("number_of_devices 99999999999999999999", 2),
        ("number_of_devices 4294967299", 3),
        ("number_of_devices 3\nnumber_of_devices 4\nnumber_of_devices x", 4),
    ],
)
def test_number_of_devices_is_read_as_c_does(stack: Stack, text: str, count: int) -> None:  # 3
    assert len(stack.configure(text).registry.get_devices()) == count


def test_a_senseless_number_of_devices_is_no_memory(stack: Stack) -> None:
    stack.configure("number_of_devices -2")
    assert outcome(stack.registry.get_devices) is errors.NoMemory
    assert outcome(lambda: stack.open("")) is errors.NoMemory


PASSES = "mode Color\nthree-pass true\n"
CONF = [  # 4 to 9
    ("mode Color", MODE, b"Color\0"),
    ('"mode" "Color" remark', MODE, b"Color\0"),
    ('mode "Color', MODE, b"Gray\0"),
    ("Mode Color", MODE, b"Gray\0"),
    ("# mode Color", MODE, b"Gray\0"),
    ("  #mode Color", MODE, b"Gray\0"),
    ('"#" mode Color', MODE, b"Gray\0"),
    ("mode\nmode Color\nmode", MODE, b"Color\0"),
    ("hand-scanner true", HAND, words(1)),
    ("hand-scanner True", HAND, words(0)),
    ("hand-scanner 1", HAND, words(0)),
    ("hand_scanner true", HAND, words(0)),
    ("depth 0x10", DEPTH, words(16)),
    ("depth 12", DEPTH, words(12)),
    ("resolution 33.33", RESOLUTION, words(2184314)),
    ("resolution 1e2junk", RESOLUTION, fixed(100)),
    ("resolution junk", RESOLUTION, fixed(50)),
    ("br_x 80.55", BR_X, words(5278924)),
    ("br_x 1e999", BR_X, fixed(80)),
    ("br-x 10", BR_X, fixed(80)),
    ("scan-source " + '"Automatic Document Feeder"', SOURCE, FEEDER),
    ("source Flatbed", SOURCE, b"Flatbed\0"),
    ("read-status-code SANE_STATUS_EOF", FORCED, b"SANE_STATUS_EOF\0"),
    ("ppl-loss 5000", LOSS, words(5000)),
    ("depth 0b1000", DEPTH, words(8)),
    ("read-limit true\nread-limit-size 0B101", LIMIT_SIZE, words(5)),
    ("ppl-loss -0b11", LOSS, words(-3)),
    ("mode gray", MODE, b"Gray\0"),
    ("mode COLOR", MODE, b"Gray\0"),
    ("mode C", MODE, b"Gray\0"),
    ("mode Colorful", MODE, b"Gray\0"),
    ('mode "Color "', MODE, b"Gray\0"),
    ('mode ""', MODE, b"Gray\0"),
    ("mode Color\nmode gray", MODE, b"Color\0"),
    ("mode Gray\nmode Color\nmode Sepia", MODE, b"Color\0"),
    (PASSES + "three-pass-order BGR", ORDER, b"BGR\0"),
    (PASSES + "three-pass-order GBR\nthree-pass-order rgb", ORDER, b"GBR\0"),
    (PASSES + "three-pass-order XYZ", ORDER, b"RGB\0"),
    (PASSES + "three-pass-order RG", ORDER, b"RGB\0"),
    ("test-picture Grid\ntest-picture Nonsense", PICTURE, b"Grid\0"),
    ('test-picture "solid white"', PICTURE, b"Solid black\0"),
    ("test-picture " + "x" * 31, PICTURE, b"Solid black\0"),
    ("scan-source flatbed", SOURCE, b"Flatbed\0"),
    ("scan-source Auto", SOURCE, b"Flatbed\0"),
    ("read-status-code EOF", FORCED, b"Default\0"),
    ("read-status-code default", FORCED, b"Default\0"),
    ("read-status-code SANE_STATUS_GOOD", FORCED, b"Default\0"),
    ("mode " + "x" * 5000, MODE, b"Gray\0"),
    ("\0mode Color\n\xff\xfe\nmode Color", MODE, b"Color\0"),
]


@pytest.mark.parametrize(("text", "index", "expected"), CONF)
def test_a_line_of_the_configuration(stack: Stack, text: str, index: int, expected: bytes) -> None:
    assert stack.value(index, text) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Mode Color", "unknown key Mode"),
        ("hand-scanner True", "'True' is neither true nor false"),
        ("depth many", "'many' is not a number"),
        ("mode", "mode has no value"),
        ("mode gray", "mode 'gray' is none of Gray, Color"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(
    stack: Stack, line: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.configure(f"# first\n{line}\n", debug="1").registry.get_devices()
    assert f"[test] {stack.folder}/test.conf:2: ignored: {said}" in capfd.readouterr().err


def test_an_invalid_text_at_the_second_init_leaves_the_built_in_one(stack: Stack) -> None:
    stack.close(stack.configure('mode Color\ntest-picture "Grid"').open())
    stack.registry.exit()
    (stack.folder / "test.conf").write_text("mode gray\ntest-picture grid\n")
    handle = stack.open()
    fetch(handle)
    assert (handle.get(MODE), handle.get(PICTURE)) == (b"Gray\0", b"Solid black\0")


def test_ranges_of_the_configuration_are_used(stack: Stack) -> None:
    text = "resolution_min 10\nresolution_max 100\nresolution_quant 30\ngeometry_max 99\n"
    handle = stack.configure(text).open()
    fetch(handle)
    assert put(handle, RESOLUTION, fixed(60))[0] == fixed(70)
    assert put(handle, BR_X, fixed(500)) == (fixed(99), INEXACT | PARAMS)


def test_the_configuration_does_not_touch_all_activity(stack: Stack) -> None:  # 9
    text = "depth 16\nhand-scanner true\nmode Color\nthree-pass true\nread-limit true\n"
    handle = stack.configure(text).open()
    assert {TL_X, BR_Y, THREE_PASS, ORDER, LIMIT_SIZE} <= active(handle)
    assert {INVERT, DURATION}.isdisjoint(active(handle))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, None) for name in ("", "0", "1", None)),
        *((name, errors.Invalid) for name in ("00", "7", "2", "-1", "x", " 0", "0 ", "0x1")),
    ],
)
def test_open_takes_exact_names(stack: Stack, name: str | None, expected: object) -> None:  # 10
    stack.configure(None)
    assert outcome(lambda: stack.open(name)) is expected


def test_each_device_opens_once(stack: Stack) -> None:  # 10
    first = stack.configure(None).open("")
    assert outcome(lambda: stack.open("0")) is errors.DeviceBusy
    stack.open("1")
    stack.close(first)
    assert outcome(lambda: stack.open("0")) is None


def test_values_survive_close_but_pages_do_not(stack: Stack) -> None:  # 11
    handle = stack.configure(None).open()
    fetch(handle)
    put(handle, SOURCE, FEEDER)
    put(handle, MODE, b"Color\0")
    for _ in range(5):
        frame(handle)
    stack.close(handle)
    handle = stack.open()
    assert handle.get(MODE) == b"Color\0"
    assert THREE_PASS in active(handle)
    assert [outcome(lambda: frame(handle)) for _ in range(10)] == [None] * 10


# Options (12 to 28)


def test_there_are_57_options(handle: Handle) -> None:  # 12
    assert word(handle.get(0)) == len(handle.options) == 57
    declared = handle.options.declared
    assert [option.index for option in declared if option.type == const.TYPE_GROUP] == [
        *(1, 9, 23, 28, 35, 47, 51, 55)
    ]
    assert [option.index for option in declared if option.type == const.TYPE_BUTTON] == [22, 56]
    assert [option.size for option in declared if option.type == const.TYPE_STRING] == [
        *(6, 4, 26, 14, 26, 97, 84, 13)
    ]
    settable = const.CAP_SOFT_SELECT | const.CAP_SOFT_DETECT
    assert handle.options.caps[36] == settable | const.CAP_ADVANCED | const.CAP_INACTIVE
    assert handle.options.caps[GAMMA] == settable | const.CAP_ADVANCED


def test_access_needs_the_descriptor_first(stack: Stack) -> None:  # 13
    handle = stack.configure(None).open()
    assert outcome(lambda: handle.get(0)) is None
    assert outcome(lambda: handle.get(MODE)) is errors.Invalid
    handle.descriptor(MODE)
    handle.descriptor(DEPTH)
    assert handle.set(MODE, b"Color\0") == (b"Color\0", OPTIONS | PARAMS)
    assert outcome(lambda: handle.get(MODE)) is errors.Invalid
    assert outcome(lambda: handle.get(DEPTH)) is errors.Invalid
    assert outcome(lambda: handle.get(0)) is None


SETS = [
    # 14
    *((DEPTH, words(v), words(e), INEXACT) for v, e in ((12, 8), (5, 8))),
    *((DEPTH, words(v), words(1), INEXACT | OPTIONS | PARAMS) for v in (4, -5)),
    (DEPTH, words(13), words(16), INEXACT | OPTIONS | PARAMS),
    # 15
    (MODE, b"gr\0", b"Gray\0", 0),
    (PICTURE, b"solid b\0", b"Solid black\0", 0),
    (PICTURE, b"SOLID WHITE\0", b"Solid white\0", 0),
    # 16
    (TL_X, fixed(5.4), fixed(5), INEXACT | PARAMS),
    (TL_X, fixed(5.5), fixed(6), INEXACT | PARAMS),
    (TL_X, fixed(-1), fixed(0), INEXACT),
    (TL_X, fixed(300), fixed(200), INEXACT | PARAMS),
    # 26
    (LOSS, words(5), words(5), 0),
    (LOSS, words(500), words(128), INEXACT),
    # the column SET of the table
    (SOURCE, FEEDER, FEEDER, 0),
    (LIMIT, words(1), words(1), OPTIONS),
    (FUZZY, words(1), words(1), PARAMS),
    (TEST_OPTIONS, words(1), words(1), OPTIONS),
    (HAND, words(1), words(1), OPTIONS | PARAMS),
    (RESOLUTION, fixed(99.5), fixed(100), INEXACT | PARAMS),
    (RESOLUTION, fixed(50), fixed(50), 0),
]


@pytest.mark.parametrize(("index", "given", "effective", "info"), SETS)
def test_set_of_an_option(
    handle: Handle, index: int, given: bytes, effective: bytes, info: int
) -> None:
    assert put(handle, index, given) == (effective, info)
    assert handle.get(index) == effective


@pytest.mark.parametrize(
    ("index", "given"),
    [
        (PICTURE, b"solid\0"),
        (MODE, b"\0"),
        (FORCED, b"SANE_STATUS_\0"),
        (MODE, b"Sepia\0"),
        (HAND, words(2)),
        (HAND, words(-1)),
    ],
)
def test_set_refuses(handle: Handle, index: int, given: bytes) -> None:  # 15
    before = handle.get(index)
    assert outcome(lambda: handle.set(index, given)) is errors.Invalid
    assert handle.get(index) == before


@pytest.fixture
def tested(handle: Handle) -> Handle:
    """Return the handle with the test options switched on."""
    put(handle, TEST_OPTIONS, words(1))
    return handle


TEST_SETS = [
    # 18
    *(
        (WORD_LIST, words(v), words(e), INEXACT)
        for v, e in ((-25, -42), (-24, -8), (8, 0), (9, 17), (150, 256), (-(1 << 31), 0))
    ),
    (WORD_LIST, words((1 << 31) - 1), words(1073741824), INEXACT),
    (WORD_LIST, words(149), words(42), INEXACT),
    # 19
    (49, words(2741370), words(2741371), INEXACT),
    (49, words(0), words(-11141), INEXACT),
    (49, fixed(32767), words(2147472507), INEXACT),
    (49, fixed(-41.2), words(-2763653), INEXACT),
    (49, fixed(-41.17), words(-2632581), INEXACT),
    # 20
    (40, words(3, 5, 200, 4, 7, 6), words(4, 6, 192, 4, 8, 6), INEXACT),
    (41, words(1, 1, 1, 1, 1, 1), words(0, 1, 1, 1, 1, 1), INEXACT),
    (39, words(1, 2, 3, 4, 5, 6), words(1, 2, 3, 4, 5, 6), 0),
    # 21
    (42, words(66), words(67), INEXACT),
    (42, words(68), words(69), INEXACT),
    (42, words(67), words(67), 0),
    # lists of texts
    (54, b"3\0", b"3\0", 0),
    (54, b"4\0", b"4\0", 0),
    (54, b"46\0", b"46\0", 0),
]


@pytest.mark.parametrize(("index", "given", "effective", "info"), TEST_SETS)
def test_set_of_a_test_option(
    tested: Handle, index: int, given: bytes, effective: bytes, info: int
) -> None:
    assert put(tested, index, given) == (effective, info)
    assert tested.get(index) == effective


def test_an_entry_that_begins_several_others_is_ambiguous(tested: Handle) -> None:  # 15
    assert outcome(lambda: tested.set(54, b"1\0")) is errors.Invalid


def test_only_one_option_is_automatic(tested: Handle) -> None:  # 22
    given = [index for index in range(57) if outcome(partial(tested.set_auto, index)) is None]
    assert given == [34]
    assert tested.get(34) == words(1)


def test_switching_the_test_options_off_takes_gamma_along(handle: Handle) -> None:  # 23
    tested_ones = {i for i in range(29, 57) if i not in (35, 47, 51, 55)}
    assert tested_ones & active(handle) == {43, 44, 45, 46}
    put(handle, TEST_OPTIONS, words(1))
    assert tested_ones <= active(handle)
    put(handle, TEST_OPTIONS, words(0))
    assert tested_ones.isdisjoint(active(handle))


def test_modes_switch_three_pass(handle: Handle) -> None:  # 24
    put(handle, MODE, b"Color\0")
    assert {THREE_PASS, ORDER} & active(handle) == {THREE_PASS}
    put(handle, THREE_PASS, words(1))
    assert {THREE_PASS, ORDER} <= active(handle)
    put(handle, MODE, b"Gray\0")
    assert {THREE_PASS, ORDER}.isdisjoint(active(handle))
    put(handle, MODE, b"Color\0")
    assert {THREE_PASS, ORDER} <= active(handle)


def test_hand_scanner_and_depth_switch_others(handle: Handle) -> None:  # 25
    put(handle, HAND, words(1))
    assert set(range(24, 28)).isdisjoint(active(handle))
    put(handle, HAND, words(0))
    assert set(range(24, 28)) <= active(handle)
    put(handle, DEPTH, words(16))
    assert INVERT in active(handle)
    put(handle, DEPTH, words(8))
    assert INVERT not in active(handle)


@pytest.mark.parametrize(("index", "length"), [(43, 256), (44, 256), (45, 256), (GAMMA, 4096)])
def test_gamma_tables_begin_nearly_linear(handle: Handle, index: int, length: int) -> None:  # 27
    assert handle.get(index) == words(*(i * 255 // length for i in range(length)))


@pytest.mark.parametrize(("index", "length"), [(39, 6), (40, 6), (41, 6), (43, 256), (46, 4096)])
def test_arrays_are_shared_between_devices(  # 28
    stack: Stack, tested: Handle, index: int, length: int
) -> None:
    other = stack.open("1")
    fetch(other)
    put(other, TEST_OPTIONS, words(1))
    put(other, index, words(*[42] * length))
    assert tested.get(index) == words(*[42] * length)
    put(tested, index, words(*[0] * length))
    assert other.get(index)[:4] == tested.get(index)[:4] != words(42)


def test_the_button_and_the_list_speak(tested: Handle, capfd: pytest.CaptureFixture[str]) -> None:
    assert tested.set(56, b"") == (b"", 0)
    assert capfd.readouterr().err.count("[test] ") == 1
    assert tested.set(22, b"") == (b"", 0)
    assert capfd.readouterr().err.count("[test] ") == 57


# Golden frames, once through the whole handle (35)


def test_a_frame_has_the_golden_bytes(handle: Handle) -> None:
    put(handle, PICTURE, b"Color pattern\0")
    assert hashlib.sha256(frame(handle)).hexdigest().startswith("4add8807bc4ef30c")
