"""Rounding to constraints: an independent reference, and the original's own function as referee."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sane import const
from sane.constraint import distance, fit_range, match_string
from sane.errors import Invalid
from sane.option import Bool, Fixed, Int, Range, String, WordRange
from tests import cc

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD_MIN, WORD_MAX = -(1 << 31), (1 << 31) - 1
WORDS = st.integers(WORD_MIN, WORD_MAX) | st.integers(-40, 40)

# Answers requests [type, constraint, value] with [status, value, info]: what the original's
# sanei_constrain_value made of the value. A constraint is ["range", min, max, quant],
# ["words", ...], ["strings", ...] or null; a value is a list of words or a text.
REFEREE = """
import ctypes, json, sys
from ctypes import POINTER, Structure, Union, byref, c_char_p, c_int, c_void_p, cast
lib = ctypes.CDLL(sys.argv[1])
class Constraint(Union):
    _fields_ = [("strings", c_void_p), ("words", c_void_p), ("range", c_void_p)]
class Option(Structure):
    _fields_ = [("name", c_char_p), ("title", c_char_p), ("desc", c_char_p), ("type", c_int),
                ("unit", c_int), ("size", c_int), ("cap", c_int), ("kind", c_int),
                ("constraint", Constraint)]
KINDS = {"range": 1, "words": 2, "strings": 3}
for request in sys.stdin:
    type, constraint, value = json.loads(request)
    option = Option(b"x", b"x", b"x", type, 0, 4, 5, 0)
    if constraint is not None:
        option.kind, items = KINDS[constraint[0]], constraint[1:]
        if option.kind == 3:
            array = (c_char_p * (len(items) + 1))(*(item.encode() for item in items), None)
        elif option.kind == 2:
            array = (c_int * (len(items) + 1))(len(items), *items)
        else:
            array = (c_int * 3)(*items)
        option.constraint.strings = cast(array, c_void_p)
    info = c_int(0)
    if isinstance(value, str):
        option.size = 200
        memory = ctypes.create_string_buffer(value.encode(), 200)
    else:
        option.size = 4 * len(value)
        memory = (c_int * len(value))(*value)
    status = lib.sanei_constrain_value(byref(option), memory, byref(info))
    result = memory.value.decode() if isinstance(value, str) else list(memory)
    print(json.dumps([status, result, info.value]), flush=True)
"""


class Referee:
    """The original's sanei_constrain_value in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", REFEREE, str(cc.distribution_libsane())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, type: int, constraint: list[Any] | None, value: Any) -> tuple[int, Any, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([type, constraint, value]) + "\n")
        self.process.stdin.flush()
        status, result, info = json.loads(self.process.stdout.readline())
        return status, result, info


@pytest.fixture(scope="module")
def referee() -> Iterator[Referee]:
    found = Referee()
    yield found
    found.process.communicate(timeout=10)


def bytes_of(*words: int) -> bytes:
    return struct.pack(f"={len(words)}i", *words)


def words_of(data: bytes) -> list[int]:
    return list(struct.unpack(f"={len(data) // 4}i", data))


# Ranges


def nearest_in_range(value: int, low: int, high: int, quant: int) -> int:
    """Return the grid point that 5.5 describes, found by searching instead of dividing."""
    value = min(max(value, low), high)
    if quant == 0:
        return value
    below = low + (value - low) // quant * quant
    candidates = [below, below + quant]
    chosen = min(candidates, key=lambda point: (abs(point - value), -point))
    return min(chosen, high)


@settings(max_examples=400)
@given(WORDS, WORDS, WORDS, st.integers(0, WORD_MAX) | st.integers(0, 12))
@example(0, WORD_MIN, WORD_MAX, 0)
@example(WORD_MAX, -2763653, 2147483641, 131072)
def test_fit_range_takes_the_nearest_grid_point(
    value: int, one: int, other: int, quant: int
) -> None:
    low, high = min(one, other), max(one, other)
    # Beyond that, 32-bit arithmetic wraps: there the original is the referee.
    assume(high - low + quant <= WORD_MAX and high + quant <= WORD_MAX)
    assert fit_range(value, low, high, quant) == nearest_in_range(value, low, high, quant)


@pytest.mark.parametrize(
    ("limits", "value", "expected"),
    [
        *(((0, 100, 7), v, e) for v, e in ((3, 0), (4, 7), (10, 7), (11, 14), (99, 98), (100, 98))),
        ((-10, 10, 4), -8, -6),
        ((-10, 10, 4), 9, 10),
        ((5, 10, 3), 9, 8),
        ((5, 10, 3), 10, 10),
        ((1000, 200000, 1000), 1499, 1000),
        ((1000, 200000, 1000), 1500, 2000),
        ((-2763653, 2147483641, 131072), 2741370, 2741371),
        ((-2763653, 2147483641, 131072), 0, -11141),
        ((-2763653, 2147483641, 131072), 32767 << 16, 2147472507),
        ((7, 7, 3), 100, 7),
    ],
)
def test_fit_range_of_the_specified_samples(
    limits: tuple[int, int, int], value: int, expected: int
) -> None:
    assert fit_range(value, *limits) == expected


def in_range(value: int, low: int, high: int, quant: int) -> int:
    """Return what the formula of test-backend 0.1 gives, in the 32-bit arithmetic of C."""
    value = max(value, low)
    value = min(value, high)
    if quant:
        half = abs(quant) // 2 * (1 if quant > 0 else -1)
        steps = (value - low + half) % (1 << 32) // (quant % (1 << 32))
        value = min((steps * quant + low + (1 << 31)) % (1 << 32) - (1 << 31), high)
    return value


@settings(max_examples=300)
@given(WORDS, WORDS, WORDS, WORDS)
def test_the_formula_is_that_of_the_original(
    referee: Referee, value: int, low: int, high: int, quant: int
) -> None:
    status, theirs, info = referee.ask(const.TYPE_INT, ["range", low, high, quant], [value])
    ours = in_range(value, low, high, quant)
    assert (0, theirs[0]) == (status, ours)
    if low <= high and quant >= 0:
        assert info == const.INFO_INEXACT * (ours != value)


@given(WORDS, WORDS, WORDS, st.integers(0, WORD_MAX) | st.integers(0, 12))
@example(WORD_MAX, WORD_MIN, WORD_MAX, 3)  # the rounding exceeds 32 bits
def test_fit_range_follows_the_formula(value: int, one: int, other: int, quant: int) -> None:
    limits = (min(one, other), max(one, other), quant)
    assert fit_range(value, *limits) == in_range(value, *limits)


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (5, (100, 50, 0)),  # test.conf may say so: resolution_min 100, resolution_max 50
        (75, (100, 50, 1)),
        (200, (100, 50, 7)),
        (5, (0, 100, -1)),  # geometry_quant -1
        (50, (0, 100, -3)),
        (WORD_MIN, (WORD_MAX, WORD_MIN, WORD_MIN)),
    ],
)
def test_fit_range_follows_the_formula_with_senseless_limits(
    value: int, limits: tuple[int, int, int]
) -> None:
    assert fit_range(value, *limits) == in_range(value, *limits)


def test_fit_applies_a_range_to_every_element(referee: Referee) -> None:
    option = Int("Vector", "", Range(4, 192, 2), length=6)
    given = [3, 5, 200, 4, -9, 7]
    fitted, info = option.fit(bytes_of(*given), option.constraint)
    theirs = referee.ask(const.TYPE_INT, ["range", 4, 192, 2], given)
    assert (0, words_of(fitted), info) == theirs
    assert words_of(fitted) == [4, 6, 192, 4, 4, 8]


def test_fit_of_a_value_on_the_grid_is_exact() -> None:
    option = Fixed("F", "", Range(0, 200, 1))
    data = bytes_of(5 << 16)
    assert option.fit(data, option.constraint) == (data, 0)


# Word lists


@given(WORDS, WORDS)
def test_distance_is_that_of_32_bit_arithmetic(value: int, entry: int) -> None:
    difference = (value - entry + (1 << 31)) % (1 << 32) - (1 << 31)
    expected = -difference if WORD_MIN < difference < 0 else difference
    assert distance(value, entry) == expected


def fit_words(entries: list[int], value: int) -> tuple[int, int]:
    option = Int("List", "", tuple(entries))
    fitted, info = option.fit(bytes_of(value), option.constraint)
    return words_of(fitted)[0], info


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-25, -42),
        (-24, -8),
        (8, 0),
        (9, 17),
        (149, 42),
        (150, 256),
        (WORD_MIN, 0),
        (WORD_MAX, 1073741824),
        (42, 42),
    ],
)
def test_fit_of_the_specified_word_list(value: int, expected: int) -> None:
    entries = [-42, -8, 0, 17, 42, 256, 65536, 16777216, 1073741824]
    assert fit_words(entries, value) == (expected, const.INFO_INEXACT * (value != expected))


@settings(max_examples=300)
@given(st.lists(WORDS, min_size=1, max_size=9), WORDS)
@example([1, -1], 0)
@example([WORD_MAX, WORD_MIN], -1)
def test_fit_to_a_word_list_agrees_with_the_original(
    referee: Referee, entries: list[int], value: int
) -> None:
    status, theirs, info = referee.ask(const.TYPE_INT, ["words", *entries], [value])
    assert (status, (theirs[0], info)) == (0, fit_words(entries, value))


def test_fit_of_a_vector_to_a_word_list_fits_the_first_word_only(referee: Referee) -> None:
    option = Int("Vector", "", (1, 8, 16), length=3)
    fitted, info = option.fit(bytes_of(5, 5, 5), option.constraint)
    assert words_of(fitted) == [8, 5, 5]
    assert (0, words_of(fitted), info) == referee.ask(const.TYPE_INT, ["words", 1, 8, 16], [5] * 3)


# No constraint


@pytest.mark.parametrize("word", [0, 1, 2, -1, WORD_MIN, WORD_MAX])
def test_fit_of_a_bool_takes_0_and_1_only(referee: Referee, word: int) -> None:
    option = Bool("B")
    status = referee.ask(const.TYPE_BOOL, None, [word])[0]
    try:
        assert option.fit(bytes_of(word), None) == (bytes_of(word), 0)
        assert status == const.STATUS_GOOD
    except Invalid:
        assert status == const.STATUS_INVAL


@given(WORDS)
def test_fit_without_constraint_takes_everything(word: int) -> None:
    for option in (Int("I"), Fixed("F")):
        assert option.fit(bytes_of(word), None) == (bytes_of(word), 0)


# Strings

LISTS = [
    ["Color", "Color Lineart", "Gray", "Grayish", "gray"],
    ["First entry", "Second entry", "3", "4", *(str(number) for number in range(30, 40))],
    ["Only"],
    ["", "A"],
    ["a", "A", "aa"],
    ["Ärger", "ärger", "ÄRGER x"],
]
TEXTS = ["", "c", "C", "col", "COLOR L", "color", "G", "gray", "Grayi", "GRAYISH", "Grayishs"]
TEXTS += ["3", "30", "4", "first", "Second entry ", " Gray", "on", "ONLY", "A", "aa"]
TEXTS += ["Ä", "ärg", "ÄRGER"]


def match(text: str, choices: list[str]) -> tuple[int, str]:
    try:
        return const.STATUS_GOOD, match_string(text, choices, "x")
    except Invalid:
        return const.STATUS_INVAL, text


@pytest.mark.parametrize("choices", LISTS)
def test_match_string_agrees_with_the_original(referee: Referee, choices: list[str]) -> None:
    for text in TEXTS:
        status, theirs, info = referee.ask(const.TYPE_STRING, ["strings", *choices], text)
        assert match(text, choices) == (status, theirs), text
        assert info == 0


LETTERS = st.text("aAbB é", max_size=4)


@settings(max_examples=300)
@given(st.lists(LETTERS, min_size=1, max_size=5), LETTERS)
def test_match_string_agrees_with_the_original_on_random_lists(
    referee: Referee, choices: list[str], text: str
) -> None:
    status, theirs, _ = referee.ask(const.TYPE_STRING, ["strings", *choices], text)
    assert match(text, choices) == (status, theirs)


def test_fit_of_a_string_reports_no_inexact() -> None:
    option = String("S", "", ("Color", "Gray"))
    assert option.fit(b"gr\0", option.constraint) == (b"Gray\0", 0)
    with pytest.raises(Invalid, match=r"'\?' is not in \('Color', 'Gray'\)"):
        option.fit(b"?\0", option.constraint)
    with pytest.raises(Invalid, match="'' is ambiguous"):
        option.fit(b"\0", option.constraint)


def test_to_abi_keeps_a_range_of_words() -> None:
    words = WordRange(1, 2, 3)
    assert Fixed("F").to_abi(words) is words
    scaled = Fixed("F").to_abi(Range(1, 2, 0.5))
    assert (scaled.min, scaled.max, scaled.quant) == (1 << 16, 2 << 16, 1 << 15)
