"""Configuration files: search path, files, lines; the original is the referee."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane import config
from sane.config import Environment, Line
from tests import TREE, cc
from tests.support.config_referee import Referee


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


@settings(max_examples=200)
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


# Cost, and the files we ship


def test_import_adds_only_what_is_cheap() -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(TREE)!r}); before = set(sys.modules)\n"
        "import sane.config, sane.debug, sane.dll.config\n"
        "print(*sorted(set(sys.modules) - before - {'__future__'}))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-E",
            "-c",
            f"import sys; sys.path.insert(0, {str(TREE)!r})\n{code}",
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
