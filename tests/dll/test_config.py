"""dll.conf, dll.d, dll.aliases and device names; the original dll is the referee."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane import config
from sane.config import Environment
from sane.debug import Debug
from sane.dll import config as lists
from sane.dll.config import Aliases, backend_names, split_name
from tests import cc

# Runs the original dll on the files in SANE_CONFIG_DIR: one init, one call and one exit for each
# request. Answers with the status, the devices listed, and what it said on stderr, a file.
REFEREE = """
import ctypes, json, os, sys
lib = ctypes.CDLL(sys.argv[1])
class Device(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "vendor", "model", "type")]
os.dup2(os.memfd_create("stderr"), 2)
for request in sys.stdin:
    name, listed = json.loads(request), []
    lib.sane_init(None, None)
    if name is None:
        found = ctypes.POINTER(ctypes.POINTER(Device))()
        status = lib.sane_get_devices(ctypes.byref(found), 1)
        while found[len(listed)]:
            listed.append(found[len(listed)].contents.name.decode("latin-1"))
    else:
        handle = ctypes.c_void_p()
        status = lib.sane_open(name.encode("latin-1"), ctypes.byref(handle))
        if status == 0:
            lib.sane_close(handle)
    lib.sane_exit()
    size = os.lseek(2, 0, 1)
    said = os.pread(2, size, 0).decode("latin-1")
    os.ftruncate(2, 0)
    os.lseek(2, 0, 0)
    print(json.dumps([status, listed, said]), flush=True)
"""


class Referee:
    """The original dll, on configuration files in *folder*."""

    def __init__(self, folder: Path) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", REFEREE, str(cc.distribution_libsane())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**clean, "SANE_CONFIG_DIR": str(folder), "SANE_DEBUG_DLL": "3"},
        )

    def ask(self, name: str | None = None) -> tuple[int, list[str], str]:
        """List devices, or open device *name*."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(name) + "\n")
        self.process.stdin.flush()
        status, listed, said = json.loads(self.process.stdout.readline())
        return status, listed, said

    def backend_names(self) -> list[str]:
        return re.findall(r"load: searching backend `(.*)' in `", self.ask()[2])

    def added(self, name: str) -> list[str]:
        """Return the backends that opening *name* adds to those of the configuration."""
        opening = self.ask(name)[2].partition("sane_open: ")[2]
        return re.findall(r"adding backend `(.*)'", opening)


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> Any:
    found = Referee(tmp_path_factory.mktemp("dll"))
    yield found
    found.process.communicate(timeout=10)


@pytest.fixture(autouse=True)
def _no_leftovers(request: pytest.FixtureRequest) -> None:
    if "referee" in request.fixturenames:
        folder = request.getfixturevalue("referee").folder
        for file in (*folder.glob("dll.d/*"), *folder.glob("dll.*")):
            if file.is_file() or file.is_symlink():
                file.unlink()


def load(folder: Path, level: int = -1) -> tuple[list[str], Aliases]:
    environment = Environment({"SANE_CONFIG_DIR": str(folder), "SANE_DEBUG_DLL": str(level)})
    debug = Debug("dll", environment)
    return backend_names(environment, debug), Aliases.load(environment, debug)


def names_in(folder: Path) -> list[str]:
    return [name.encode("utf-8", "surrogateescape").decode("latin-1") for name in load(folder)[0]]


# dll.conf

CONF = [
    (b"", []),
    (b"a\nb\nc\n", ["c", "b", "a"]),
    (b"a\nb\na\n", ["a", "b"]),
    (b" a \r\n\tb\r\n", ["b", "a"]),
    (b"a more words\n", ["a"]),
    (b"a # text\n", ["a"]),
    (b"a#b\n", ["a"]),
    (b'"a b"\n', ["a b"]),
    (b'"a b" c\n', ["a b"]),
    (b'"a#b"\n', ["a"]),
    (b'"#a"\n', []),
    (b'"a\nb\n', ["b"]),
    (b'""\n', [""]),
    (b'a"b\n', ['a"b']),
    (b"#a\n # b\n\n \n", []),
    (b"A\na\n", ["a", "A"]),
    (b"dll\na\n", ["a"]),
    (b'"dll"\ndll#x\n dll x\n', []),
    (b"DLL\n", ["DLL"]),
    (b"\xe4\n", ["ä"]),
    (b"a\0b\nc\n", ["c", "a"]),
    (b"x" * 4095 + b"y\n", ["y", "x" * 4095]),
]


@pytest.mark.parametrize(("conf", "expected"), CONF)
def test_dll_conf_is_read_and_reversed(conf: bytes, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "dll.conf").write_bytes(conf)
    assert names_in(tmp_path) == expected


@pytest.mark.parametrize("conf", [conf for conf, _ in CONF if len(conf) < 4000])
def test_dll_conf_agrees_with_the_original(conf: bytes, referee: Referee) -> None:
    (referee.folder / "dll.conf").write_bytes(conf)
    assert names_in(referee.folder) == referee.backend_names()


CONF_PIECES = st.sampled_from([*"\n\n\n", *'qxq"#" \t\v\r\0\x85é', "dll"])


@settings(max_examples=300)
@given(st.lists(CONF_PIECES, max_size=16).map("".join))
def test_random_dll_conf_agrees_with_the_original(referee: Referee, conf: str) -> None:
    (referee.folder / "dll.conf").write_bytes(conf.encode())
    assert names_in(referee.folder) == referee.backend_names()


def test_no_configuration_is_no_backends(tmp_path: Path) -> None:
    names, aliases = load(tmp_path)
    assert (names, aliases.entries) == ([], [])


@pytest.mark.parametrize(
    ("conf", "level", "said"),
    [
        (b"a\ndll\n", 0, "dll.conf:2: dll cannot be its own backend, remove this line"),
        (b'a\n"b\n', 1, 'dll.conf:2: closing quote missing, ignored: "b'),
        (b"\na\n", 3, "dll.conf:2: adding backend a"),
    ],
)
def test_dll_conf_messages_name_the_line(
    conf: bytes, level: int, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dll.conf").write_bytes(conf)
    load(tmp_path, level)
    assert f"[dll] {tmp_path}/{said}\n" in capfd.readouterr().err
    load(tmp_path, level - 1)
    assert said not in capfd.readouterr().err


# dll.d


def test_dll_d_is_asked_after_dll_conf(tmp_path: Path) -> None:
    (tmp_path / "dll.d").mkdir()
    (tmp_path / "dll.d/one").write_text("a\nb\nc\n")
    (tmp_path / "dll.conf").write_text("d\nb\n")
    assert load(tmp_path)[0] == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        *((name, True) for name in ("a", "a.conf", "a.bak", "a.dpkg-old", "a~b", "#a", "a b")),
        *((name, False) for name in (".a", "a~", "a#", "~", "#")),
    ],
)
def test_dll_d_skips_hidden_and_backup_files(name: str, accepted: bool, tmp_path: Path) -> None:
    (tmp_path / "dll.d").mkdir()
    (tmp_path / "dll.d" / name).write_text("found\n")
    assert load(tmp_path)[0] == (["found"] if accepted else [])


def test_dll_d_skips_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dll.d/folder").mkdir(parents=True)
    os.mkfifo(tmp_path / "dll.d/fifo")
    (tmp_path / "dll.d/dangling").symlink_to("nowhere")
    (tmp_path / "elsewhere").write_text("linked\n")
    (tmp_path / "dll.d/link").symlink_to("../elsewhere")
    assert load(tmp_path)[0] == ["linked"]


def test_dll_d_of_the_first_directory_counts(tmp_path: Path) -> None:
    for name in ("b/dll.d", "c/dll.d", "a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "b/dll.d/x").write_text("from-b\n")
    (tmp_path / "c/dll.d/y").write_text("from-c\n")
    (tmp_path / "c/dll.conf").write_text("conf\n")
    folders = ":".join(str(tmp_path / name) for name in "abc")
    environment = Environment({"SANE_CONFIG_DIR": folders})
    assert backend_names(environment, Debug("dll", environment)) == ["conf", "from-b"]


def test_dll_d_agrees_with_the_original(referee: Referee) -> None:
    folder = referee.folder / "dll.d"
    folder.mkdir()
    for name in ("x.conf", "y.bak", "z~", ".w", "v#", "#u", "t t", "s"):
        (folder / name).write_text(f"{name}\nin-{len(name)}\n")
    (folder / "link").symlink_to("s")
    (folder / "folder").mkdir()
    (referee.folder / "dll.conf").write_text("last\ns\n")
    assert names_in(referee.folder) == referee.backend_names()


# dll.aliases

ALIASES = [
    ("alias A test:0", ["A", "test:1"]),
    ("\talias\tA\ttest:0 trailing words", ["A", "test:1"]),
    ('alias "A B" test:0', ["A B", "test:1"]),
    ('alias "A B"test:0', ["A B", "test:1"]),
    ('alias ""test:0', ["", "test:1"]),
    ('alias A" test:0', ['A"', "test:1"]),
    ("alias \vA test:0", ["A", "test:1"]),
    ("alias A test:0#remark", ["A", "test:1"]),
    ("hide test:0", ["test:1"]),
    ("hide test:0 more", ["test:1"]),
    ("hide test:1\r\nhide test:0", []),
    ("alias A test:0\nalias B test:0", ["B", "test:1"]),
    ("alias A test:0\nhide test:0", ["test:1"]),
    ("hide test:0\nalias A test:0", ["A", "test:1"]),
    ("alias A test:0\nalias A test:1", ["A", "A"]),
    *(
        (line, ["test:0", "test:1"])
        for line in (
            *("", "#alias A test:0", "alias", "alias A", "hide", "Hide test:0", "ALIAS A test:0"),
            *("aliasA test:0", 'alias"A" test:0', 'alias "A test:0', "hidetest:0", '"hide" test:0'),
            *('alias "A#B" test:0', "alias A #test:0", 'alias A "test:0"', 'hide "test:0"'),
            *("alias\vA test:0", "alias A\vtest:0", "hide\vtest:0", "hide test:0\vx"),
            *("hide test", "hide 0", "hide TEST:0", "alias A B test:0"),
        )
    ),
]


def listed(aliases: Aliases, *full_names: str) -> list[str]:
    names = [aliases.listed_name(name) for name in full_names]
    return [name for name in names if name is not None]


@pytest.mark.parametrize(("text", "expected"), ALIASES)
def test_aliases_change_and_hide_listed_names(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "dll.aliases").write_bytes(text.encode())
    assert listed(load(tmp_path)[1], "test:0", "test:1") == expected


@pytest.mark.parametrize("text", [text for text, _ in ALIASES])
def test_aliases_agree_with_the_original(text: str, referee: Referee) -> None:
    (referee.folder / "dll.conf").write_text("test\n")
    (referee.folder / "dll.aliases").write_bytes(text.encode())
    assert listed(load(referee.folder)[1], "test:0", "test:1") == referee.ask()[1]


ALIAS_WORDS = st.sampled_from(
    [
        *("alias ", "alias ", "alias ", "hide ", "hide ", "alias", "hide", "# ", "\n", "\n", "\n"),
        *("A", "B", "A ", "B ", '"A" ', '"A B" ', '"', '""', " ", "\t", "\v", "\r", "\0"),
        *("test:0", "test:0 ", "test:1 ", "test:1\n", "test:7 ", "q:x\n", "q ", ":0 "),
    ]
)


@settings(max_examples=300)
@given(st.lists(ALIAS_WORDS, max_size=18).map("".join))
def test_random_aliases_agree_with_the_original(referee: Referee, text: str) -> None:
    (referee.folder / "dll.conf").write_text("test\n")
    (referee.folder / "dll.aliases").write_text(text, newline="")
    aliases = load(referee.folder)[1]
    assert listed(aliases, "test:0", "test:1") == referee.ask()[1]
    for name in ("A", "B", "A B", "", "test:0"):
        backend, device = split_name(aliases.resolve(name))
        if backend in ("", "test"):
            good = device in ("", "0", "1")
            assert (referee.ask(name)[0] == 0) == good, name
        else:
            assert referee.added(name) == [backend]


def test_aliases_resolve_new_names_once(tmp_path: Path) -> None:
    (tmp_path / "dll.aliases").write_text(
        "alias A test:0\nalias B A\nalias C test:1\nalias C test:2\nhide test:3\n"
    )
    aliases = load(tmp_path)[1]
    names = ["A", "B", "C", "D", "test:0", "test:3", ""]
    assert [aliases.resolve(name) for name in names] == [
        *("test:0", "A", "test:2", "D", "test:0", "test:3", ""),
    ]


def test_aliases_name_the_line_they_do_not_understand(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dll.aliases").write_text("# fine\n\nalias A\n")
    load(tmp_path, 1)
    said = capfd.readouterr().err
    assert f"[dll] {tmp_path}/dll.aliases:3: not an alias, ignored: alias A\n" in said
    assert "aliases:1" not in said


# Device names


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("be", ("be", "")),
        ("be:", ("be", "")),
        ("be:dev", ("be", "dev")),
        ("be:a:b", ("be", "a:b")),
        ("", ("", "")),
        (":x", ("", "x")),
        ("a b: c", ("a b", " c")),
    ],
)
def test_split_name_cuts_at_the_first_colon(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


@settings(max_examples=100)
@given(st.text(st.sampled_from("qx: \t#é"), max_size=6))
def test_split_name_agrees_with_the_original(referee: Referee, name: str) -> None:
    (referee.folder / "dll.aliases").unlink(missing_ok=True)
    (referee.folder / "dll.conf").write_text("test\n")
    backend, _ = split_name(name)
    assert referee.added(name) == ([backend] if backend else [])


# The files we ship


def test_shipped_files_leave_test_and_pnm_out() -> None:
    names, aliases = load(cc.ROOT / "etc")
    assert not {"test", "pnm"} & set(names)
    assert aliases.entries == []


def test_shipped_dll_conf_says_something_about_every_backend() -> None:
    lines = config.read(Environment({"SANE_CONFIG_DIR": str(cc.ROOT / "etc")}), "dll.conf")
    assert lines is not None
    after = False
    for line in lines:
        assert line.is_comment or line.is_blank or after, line
        after = line.is_comment or (after and not line.is_blank)


@pytest.mark.parametrize(
    ("present", "names"),
    [((), ["two", "one"]), (("dll.conf",), []), (("dll.d/three",), ["three"])],
)
def test_a_wheel_uses_its_own_list_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...], names: list[str]
) -> None:
    machine, wheel = tmp_path / "machine", tmp_path / "wheel"
    for folder in (machine / "dll.d", wheel):
        folder.mkdir(parents=True)
    (wheel / "dll.conf").write_text("one\ntwo\n")
    for name in present:
        (machine / name).write_text("three\n" if "/" in name else "# none\n")
    monkeypatch.setattr(config, "DEFAULT_DIRECTORIES", (str(machine),))
    monkeypatch.setattr(lists, "OF_THE_WHEEL", str(wheel))
    assert backend_names(Environment({}), Debug("dll", Environment({}))) == names
    told = Environment({"SANE_CONFIG_DIR": str(tmp_path)})  # by who says where to look: no other
    assert backend_names(told, Debug("dll", told)) == []
