"""Configuration files: search path, line and token syntax, values; the original is the referee."""

from __future__ import annotations

import ctypes
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sane import config, errors
from sane.config import Environment, Line
from tests import cc

# Calls the original's helpers in a process of their own. Requests and answers are JSON lines.
REFEREE = """
import ctypes, json, sys
libc, lib = ctypes.CDLL(None), ctypes.CDLL(sys.argv[1])
libc.fopen.restype = lib.sanei_config_read.restype = ctypes.c_void_p
lib.sanei_config_get_string.restype = ctypes.c_void_p
lib.sanei_config_get_paths.restype = ctypes.c_char_p
def paths(_):
    return lib.sanei_config_get_paths().decode("latin-1")
def lines(path):
    file = ctypes.c_void_p(libc.fopen(path.encode(), b"r"))
    buffer, found = ctypes.create_string_buffer(4096), []
    while lib.sanei_config_read(buffer, 4096, file):
        found.append(buffer.value.decode("latin-1"))
    libc.fclose(file)
    return found
def get_string(text):
    buffer, token = ctypes.create_string_buffer(text.encode("latin-1")), ctypes.c_char_p()
    end = lib.sanei_config_get_string(buffer, ctypes.byref(token)) - ctypes.addressof(buffer)
    value = None if token.value is None else token.value.decode("latin-1")
    return [value, text[end:]]
for request in sys.stdin:
    function, argument = json.loads(request)
    print(json.dumps(globals()[function](argument)), flush=True)
"""


class Referee:
    """The original's helper functions."""

    def __init__(self, variables: dict[str, str]) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", REFEREE, str(cc.distribution_libsane())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean | variables,
        )

    def ask(self, function: str, argument: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([function, argument]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def referee() -> Any:
    process = Referee({})
    yield process
    process.close()


def environment(*folders: Path) -> Environment:
    return Environment({"SANE_CONFIG_DIR": ":".join(map(str, folders))})


def line(text: str) -> Line:
    return Line("x.conf", 7, text)


# The search path

DIRECTORIES = [
    (None, [".", "/etc/sane.d"]),
    ("", [""]),
    ("a", ["a"]),
    ("a:b", ["a", "b"]),
    ("a:", ["a", ".", "/etc/sane.d"]),
    ("a:b:", ["a", "b", ".", "/etc/sane.d"]),
    (":", ["", ".", "/etc/sane.d"]),
    ("::", ["", "", ".", "/etc/sane.d"]),
    (":a", ["", "a"]),
    ("a::b", ["a", "", "b"]),
    ("a:::", ["a", "", "", ".", "/etc/sane.d"]),
]


@pytest.mark.parametrize(("value", "expected"), DIRECTORIES)
def test_directories_follow_the_variable(value: str | None, expected: list[str]) -> None:
    variables = {} if value is None else {"SANE_CONFIG_DIR": value}
    assert config.directories(Environment(variables)) == expected


@pytest.mark.parametrize("value", [value for value, _ in DIRECTORIES])
def test_directories_agree_with_the_original(value: str | None) -> None:
    variables = {} if value is None else {"SANE_CONFIG_DIR": value}
    process = Referee(variables)
    try:
        theirs = process.ask("paths", None)
    finally:
        process.close()
    assert ":".join(config.directories(Environment(variables))) == theirs


def test_environment_current_holds_only_what_concerns_us() -> None:
    code = "from sane.config import Environment as E; print(sorted(E.current().variables))"
    variables = {"SANE_A": "1", "PYSANE_B": "2", "LD_LIBRARY_PATH": "", "SANEX": "", "C": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**variables, "PYTHONPATH": str(cc.ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['LD_LIBRARY_PATH', 'PYSANE_B', 'SANE_A']\n"


def test_environment_get_has_a_default() -> None:
    recorded = Environment({"SANE_A": "1"})
    assert (recorded.get("SANE_A"), recorded.get("SANE_B", "2")) == ("1", "2")
    assert recorded.get("SANE_B") is None


# Files


def test_read_takes_the_first_directory_that_has_the_file(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    (tmp_path / "b/x.conf").write_text("from b")
    (tmp_path / "c/x.conf").write_text("from c")
    found = config.read(environment(*(tmp_path / name for name in "abc")), "x.conf")
    assert found is not None
    assert [entry.text for entry in found] == ["from b"]
    assert found[0].where() == f"{tmp_path}/b/x.conf:1"


def test_read_without_a_file_is_none(tmp_path: Path) -> None:
    assert config.read(environment(tmp_path, tmp_path / "absent"), "x.conf") is None


def test_read_of_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "x.conf").touch()
    assert config.read(environment(tmp_path), "x.conf") == []


def test_read_resolves_relative_directories_against_the_recorded_one(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/x.conf").write_text("here")
    cwd = os.open(tmp_path, os.O_PATH | os.O_CLOEXEC)
    try:
        found = config.read(Environment({"SANE_CONFIG_DIR": "d"}, cwd), "x.conf")
    finally:
        os.close(cwd)
    assert found is not None
    assert [entry.where() for entry in found] == ["d/x.conf:1"]


@pytest.mark.parametrize("kind", ["directory", "fifo", "dangling", "loop"])
def test_read_goes_on_behind_what_is_no_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").mkdir()
    bad = tmp_path / "a/x.conf"
    if kind == "directory":
        bad.mkdir()
    elif kind == "fifo":
        os.mkfifo(bad)
    else:
        bad.symlink_to("nowhere" if kind == "dangling" else "x.conf")
    (tmp_path / "x.conf").write_text("good")
    found = config.read(environment(tmp_path / "a", tmp_path), "x.conf")
    assert found is not None
    assert [entry.text for entry in found] == ["good"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_read_goes_on_behind_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.conf").touch(mode=0o000)
    (tmp_path / "x.conf").write_text("good")
    found = config.read(environment(tmp_path / "a", tmp_path), "x.conf")
    assert found is not None
    assert [entry.text for entry in found] == ["good"]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_read_takes_a_character_device_for_an_empty_file(tmp_path: Path, device: str) -> None:
    (tmp_path / "x.conf").symlink_to(device)
    assert config.read(environment(tmp_path), "x.conf") == []


@pytest.mark.parametrize("name", ["\0", "\ud800"])
def test_read_of_an_impossible_name_is_none(name: str) -> None:
    assert config.read(Environment({}), name) is None


def test_read_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_text("a")
    (tmp_path / "y.conf").mkdir()
    before = os.listdir("/proc/self/fd")
    for name in ("x.conf", "y.conf", "z.conf"):
        config.read(environment(tmp_path), name)
        config.directory_names(environment(tmp_path), name)
    assert os.listdir("/proc/self/fd") == before


def test_directory_names_lists_files_of_the_first_directory(tmp_path: Path) -> None:
    for name in ("a", "b/d", "b/d/folder", "c/d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "c/d/other").touch()
    for name in ("one", ".two", "three~"):
        (tmp_path / "b/d" / name).touch()
    (tmp_path / "b/d/link").symlink_to("one")
    (tmp_path / "b/d/dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "b/d/fifo")
    found = config.directory_names(environment(*(tmp_path / name for name in "abc")), "d")
    raw = os.listdir(tmp_path / "b/d")
    assert found == [name for name in raw if name in {"one", ".two", "three~", "link"}]


def test_directory_names_without_a_directory_is_empty(tmp_path: Path) -> None:
    assert config.directory_names(environment(tmp_path), "d") == []


# Lines

LINES = [
    (b"", []),
    (b"\n\n", ["", ""]),
    (b"a\n b \r\n\nc", ["a", "b", "", "c"]),
    (b" \t\v\f\r x y \t\v\f\r\n", ["x y"]),
    (b"\x1c a \x1c\n", ["\x1c a \x1c"]),
    (b"x\0y\nz\n", ["x", "z"]),
    (b" \0 x\n", [""]),
    (b"a\rb\n", ["a\rb"]),
    (b"a" * 4094 + b"\n", ["a" * 4094]),
    (b"a" * 4095 + b"\n", ["a" * 4095, ""]),
    (b"a" * 4095, ["a" * 4095]),
    (b"a" * 4096 + b"\nb\n", ["a" * 4095, "a", "b"]),
    (b"a" * 4093 + b"  b\n", ["a" * 4093, "b"]),
]

# A byte order mark belongs to no line; the original would make it part of the first word.
MARKED = [
    (b"\xef\xbb\xbfnet\n", ["net"]),
    (b"\xef\xbb\xbf# comment\r\nnet\r\n", ["# comment", "net"]),
    (b"\xef\xbb\xbf", []),
    (b"\xef\xbb\xbf" + b"a" * 4095, ["a" * 4095]),
    (b"\xef\xbbnet\n", ["\udcef\udcbbnet"]),
    (b"net\n\xef\xbb\xbftest\n", ["net", "\ufefftest"]),
]


@pytest.mark.parametrize(("data", "expected"), [*LINES, *MARKED])
def test_lines_are_trimmed_and_cut(data: bytes, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_bytes(data)
    found = config.read(environment(tmp_path), "x.conf")
    assert found is not None
    assert [entry.text for entry in found] == expected


def test_lines_keep_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_bytes("ä".encode() + b"\xe4\n")
    found = config.read(environment(tmp_path), "x.conf")
    assert found is not None
    assert [entry.text for entry in found] == ["ä\udce4"]


def test_lines_count_physical_lines(tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_bytes(b"a\n\n" + b"b" * 5000 + b"\nc\n")
    found = config.read(environment(tmp_path), "x.conf")
    assert found is not None
    assert [entry.number for entry in found] == [1, 2, 3, 3, 4]


PIECES = st.sampled_from([b"\n", b"\0", b" ", b"\r", b"\v", b"\x85", b"x", b"#", b"a" * 4090])


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_lines_agree_with_the_original(
    referee: Referee, tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "x.conf").write_bytes(data)
    found = config.read(environment(folder), "x.conf")
    assert found is not None
    ours = [entry.text.encode("utf-8", "surrogateescape").decode("latin-1") for entry in found]
    assert ours == referee.ask("lines", str(folder / "x.conf"))


@pytest.mark.parametrize(
    ("text", "comment", "blank"), [("# a", True, False), ("", False, True), ("a # b", False, False)]
)
def test_line_knows_comments_and_blanks(text: str, comment: bool, blank: bool) -> None:
    assert (line(text).is_comment, line(text).is_blank) == (comment, blank)


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


@settings(max_examples=500, deadline=None)
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


# Cost, and the files we ship


def test_import_adds_only_what_is_cheap() -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(cc.ROOT)!r}); before = set(sys.modules)\n"
        "import sane.config, sane.debug, sane.dll.config\n"
        "print(*sorted(set(sys.modules) - before - {'__future__'}))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-E",
            "-c",
            f"import sys; sys.path.insert(0, {str(cc.ROOT)!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name.partition(".")[0] == "sane" for name in done.stdout.split()), done.stdout


SHIPPED = {
    **{"number_of_devices": "2", "mode": "Gray", "depth": "8", "hand-scanner": "false"},
    **{"three-pass": "false", "three-pass-order": "RGB", "resolution_min": "1"},
    **{"resolution_max": "1200", "resolution_quant": "1", "resolution": "50.0"},
    **{"test-picture": "Solid black", "invert-endianess": "false", "read-limit": "false"},
    **{"read-limit-size": "1", "read-delay": "false", "read-delay-duration": "1000"},
    **{"read-status-code": "Default", "ppl-loss": "0", "fuzzy-parameters": "false"},
    **{"non-blocking": "false", "select-fd": "false", "enable-test-options": "false"},
    **{"geometry_min": "0", "geometry_max": "200", "geometry_quant": "1"},
    **{"tl_x": "0", "tl_y": "0", "br_x": "80", "br_y": "100"},
}


def test_shipped_test_conf_has_the_documented_values() -> None:
    lines = config.read(environment(cc.ROOT / "etc"), "test.conf")
    assert lines is not None
    pairs = [entry.tokens() for entry in lines if not (entry.is_comment or entry.is_blank)]
    assert dict(pairs) == SHIPPED
    assert len(pairs) == len(SHIPPED)


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
