"""Words of configuration files: tokens, numbers, names; the original and libc are the referee."""

from __future__ import annotations

import ctypes
import math
import re
import sys
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sane import config, errors
from sane.config import Line
from tests.support.config_referee import Referee


@pytest.fixture(scope="module")
def referee() -> Any:
    process = Referee({})
    yield process
    process.close()


def line(text: str) -> Line:
    return Line("x.conf", 7, text)


# Tokens

TOKENS = [
    ("", "", ""),
    ("  ", "", ""),
    (" a b", "a", " b"),
    ('"a b"c', "a b", "c"),
    ('"a', None, ""),
    ('"', None, ""),
    ('""', "", ""),
    (' "" x', "", " x"),
    ('a"b c"', 'a"b', ' c"'),
    ("a\vb", "a", "\vb"),
    ("a\x1cb", "a\x1cb", ""),
    (r'"a\"b"', "a\\", 'b"'),
]


@pytest.mark.parametrize(("text", "token", "rest"), TOKENS)
def test_get_string_splits_off_a_token(text: str, token: str | None, rest: str) -> None:
    assert config.get_string(text) == (token, rest)


@settings(max_examples=500)
@given(st.text(st.sampled_from('ab"\\# \t\v\x1c\x85\xa0é'), max_size=12))
def test_get_string_agrees_with_the_original(referee: Referee, text: str) -> None:
    assert list(config.get_string(text)) == referee.ask("get_string", text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("  a  b ", ["a", "b"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ('"" a', ["", "a"]),
        ('"a""b"c', ["a", "b", "c"]),
        ('a "b c', ["a"]),
        ("a b#c # d", ["a", "b#c", "#", "d"]),
    ],
)
def test_line_tokens(text: str, tokens: list[str]) -> None:
    assert line(text).tokens() == tokens


# Values

INTEGERS = [
    ("0", 0),
    ("12", 12),
    ("-12", -12),
    ("+12", 12),
    (" \t12", 12),
    ("0x1F", 31),
    ("0X1f", 31),
    ("010", 8),
    ("08", 0),
    ("0x", 0),
    ("0xg", 0),
    ("0b11", 3),
    ("0B101", 5),
    ("-0b11", -3),
    ("0b11z", 3),
    ("0b12", 1),
    ("0b", 0),
    ("0b2", 0),
    ("0b" + "1" * 63, -1),
    ("0x" + "f" * 15, -1),
    ("12junk", 12),
    ("1_0", 1),
    ("2147483648", -2147483648),
    ("4294967299", 3),
    ("9223372036854775807", -1),
    ("-9223372036854775808", 0),
    ("0" * 5000 + "7", 7),
]
NO_INTEGERS = ["", "-", "+-1", "x", "--1", "- 1", "٣", "9223372036854775808", "9" * 5000]
NO_INTEGERS += ["0b1" + "0" * 63, "0b" + "1" * 5000]
REALS = [
    ("0", 0),
    ("-0", 0),
    ("50.0", 50 * 65536),
    ("-1.5e1", -15 * 65536),
    (".5", 32768),
    ("5.", 5 * 65536),
    ("1e", 65536),
    ("1e+", 65536),
    ("1E2x", 100 * 65536),
    ("0x.8", 32768),
    ("0x1p3", 8 * 65536),
    ("0x1p", 65536),
    ("0x", 0),
    ("0x.", 0),
    ("1,5", 65536),
    ("1_0", 65536),
    ("0.9999999", 65535),
    ("-0.9999999", -65535),
    ("32767.99999", 2147483647),
    ("-32768", -2147483648),
    ("0e999", 0),
    ("0x0p-9999", 0),
    ("1e-300", 0),
]
NO_REALS = [
    *("", ".", "-", "e5", "x", "nan", "inf", "-Infinity", "٣"),
    *("32768", "-32769", "1e400", "-1e400", "0x1p99999", "1e-400", "1e-310", "0x1p-9999"),
    "0x1p" + "9" * 40,
]


@pytest.mark.parametrize(("text", "value"), INTEGERS)
def test_parse_int_reads_c_integers(text: str, value: int) -> None:
    assert config.parse_int(text) == value


@pytest.mark.parametrize("text", NO_INTEGERS)
def test_parse_int_refuses(text: str) -> None:
    with pytest.raises(errors.Invalid):
        config.parse_int(text)


@pytest.mark.parametrize(("text", "value"), REALS)
def test_parse_fixed_reads_c_reals(text: str, value: int) -> None:
    assert config.parse_fixed(text) == value


@pytest.mark.parametrize("text", NO_REALS)
def test_parse_fixed_refuses(text: str) -> None:
    with pytest.raises(errors.Invalid):
        config.parse_fixed(text)


LIBC = ctypes.CDLL(None, use_errno=True)
# glibc 2.38 has C23's beside the older one: what programs call that are compiled with it.
STRTOL = "__isoc23_strtol" if hasattr(LIBC, "__isoc23_strtol") else "strtol"
getattr(LIBC, STRTOL).restype = ctypes.c_long
LIBC.strtod.restype = ctypes.c_double
LIBC.atoi.restype = ctypes.c_int
NUMBERS = st.text(st.sampled_from("0123456789abcdefxXbBpP.+-eE _"), max_size=26) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", "+", "0x", "-0x", "0", "0b", "-0B"]),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**66), 2**66),
    st.sampled_from(["", "z", "e3", "p2"]),
)


def c_call(name: str, text: str, *more: object) -> tuple[Any, bool]:
    """Return what the C function makes of *text*, and whether it found a number in range."""
    buffer = ctypes.create_string_buffer(text.encode())
    end = ctypes.c_void_p()
    ctypes.set_errno(0)
    value = getattr(LIBC, name)(buffer, ctypes.byref(end), *more)
    return value, end.value != ctypes.addressof(buffer) and not ctypes.get_errno()


@settings(max_examples=500)
@given(NUMBERS)
def test_parse_int_agrees_with_strtol(text: str) -> None:
    assume(STRTOL != "strtol" or not re.match(r"\s*[+-]?0[bB][01]", text))
    value, good = c_call(STRTOL, text, 0)
    try:
        assert (config.parse_int(text), good) == (ctypes.c_int(value).value, True)
    except errors.Invalid:
        assert not good


@settings(max_examples=500)
@given(NUMBERS)
def test_parse_fixed_agrees_with_strtod(text: str) -> None:
    value, good = c_call("strtod", text)
    assume(not 0 < abs(value) < sys.float_info.min)  # C permits the exact ones of these
    good = good and math.isfinite(value) and -32768 <= value < 32768
    try:
        assert (config.parse_fixed(text), good) == (int(value * 65536), True)
    except errors.Invalid:
        assert not good


@settings(max_examples=300)
@given(NUMBERS)
def test_atoi_agrees_with_c(text: str) -> None:
    assert config.atoi(text) == LIBC.atoi(text.encode())


@pytest.mark.parametrize(
    ("text", "numeric", "value"),
    [
        ("true", False, True),
        ("false", False, False),
        ("1", True, True),
        ("0", True, False),
        ("true", True, True),
        ("False", True, None),
        ("1", False, None),
        ("yes", True, None),
        ("", True, None),
    ],
)
def test_parse_bool(text: str, numeric: bool, value: bool | None) -> None:
    if value is None:
        with pytest.raises(errors.Invalid, match="neither"):
            config.parse_bool(text, numeric=numeric)
    else:
        assert config.parse_bool(text, numeric=numeric) is value


# Forms of lines


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("usb 0x04b8 0x0138", (0x04B8, 0x0138)),
        ("usb 1208 0470 more", (1208, 0o470)),
        ("usb0x12 3", (0x12, 3)),
        ('usb "0x12" 9junk', (0x12, 9)),
        ("/dev/usb/scanner0", None),
        ("USB 1 2", None),
    ],
)
def test_parse_usb_reads_the_pair(text: str, ids: tuple[int, int] | None) -> None:
    assert config.parse_usb(line(text)) == ids


@pytest.mark.parametrize(
    "text", ["usb", "usb 1", "usb a b", "usb -1 2", "usb 1 65536", "usbfoo 1 2", 'usb 1 "2']
)
def test_parse_usb_names_the_line_it_refuses(text: str) -> None:
    with pytest.raises(errors.Invalid, match=r"^x\.conf:7: "):
        config.parse_usb(line(text))


# Comments behind something


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a", "a"),
        (" a b ", "a b"),
        ("a # b", "a"),
        ("a\t#b # c", "a"),
        ("a#b", "a#b"),
        ("a#b # c", "a#b"),
        ("a#b#c #", "a#b#c"),
        ("#", ""),
        (" # a", ""),
        ("##", ""),
        ("a#", "a#"),
    ],
)
def test_without_comment(text: str, expected: str) -> None:
    assert config.without_comment(text) == expected
    assert config.Line("x.conf", 1, text.strip()).words() == expected.split()
