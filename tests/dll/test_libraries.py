"""Where C backends are looked for, and when one is chosen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sane.config import Environment
from sane.debug import Debug
from sane.dll.finder import EntryPoints, NotFound, find
from sane.dll.libraries import directories, libraries
from sane.dll.pysane_conf import PysaneConf

MULTIARCH = getattr(sys.implementation, "_multiarch", "")
SYSTEM = [f"/usr/lib/{MULTIARCH}/sane"] if MULTIARCH else []
SYSTEM += ["/usr/lib/sane", "/usr/lib64/sane"]

PATHS: list[tuple[dict[str, str], list[str]]] = [
    ({}, []),
    ({"LD_LIBRARY_PATH": "/a:/b"}, ["/a", "/b"]),
    ({"LD_LIBRARY_PATH": "/a::b:"}, ["/a", "", "b", ""]),
    ({"LD_LIBRARY_PATH": "", "SHLIB_PATH": "/c"}, [""]),
    ({"SHLIB_PATH": "/c", "LIBPATH": "/d"}, ["/c"]),
    ({"LIBPATH": "/d"}, ["/d"]),
]


@pytest.mark.parametrize(("variables", "expected"), PATHS)
def test_the_loaders_variable_comes_before_the_system(
    variables: dict[str, str], expected: list[str]
) -> None:
    assert directories(Environment(variables)) == [*expected, *SYSTEM]


def test_all_that_can_be_read_are_candidates_in_order(tmp_path: Path) -> None:
    for folder in ("b", "a", "empty"):
        (tmp_path / folder).mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "libsane-tst.so.1").write_text("")
    path = ":".join(str(tmp_path / folder) for folder in ("b", "empty", "absent", "a"))
    found = libraries("tst", Environment({"LD_LIBRARY_PATH": path}))
    assert found == [f"{tmp_path}/b/libsane-tst.so.1", f"{tmp_path}/a/libsane-tst.so.1"]


def test_a_pipe_is_no_library_to_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "libsane-tst.so.1")
    found = libraries("tst", Environment({"LD_LIBRARY_PATH": str(tmp_path)}))
    assert len(found) == 1  # loading it fails, at once


def test_relative_entries_start_where_init_was_called(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "libsane-tst.so.1").write_text("")
    cwd = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    try:
        found = libraries("tst", Environment({"LD_LIBRARY_PATH": "here"}, cwd))
    finally:
        os.close(cwd)
    assert found == [f"{tmp_path}/here/libsane-tst.so.1"]
    assert libraries("tst", Environment({"LD_LIBRARY_PATH": "here"})) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "nul\0", "absent"])
def test_a_name_stays_in_its_directory(name: str, tmp_path: Path) -> None:
    (tmp_path / "libsane-..").mkdir()
    (tmp_path / "libsane-..").joinpath("x.so.1").write_text("")
    assert libraries(name, Environment({"LD_LIBRARY_PATH": str(tmp_path)})) == []


# pysane.conf


def environment(folder: Path, conf: str, **variables: str) -> Environment:
    (folder / "pysane.conf").write_text(conf)
    return Environment({"SANE_CONFIG_DIR": str(folder), **variables})


def test_settings_take_known_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf = '# c\n\nnative epson2\n native "a b"\nbackend test\nlist-cache 5\nnative\nnat x\n'
    recorded = environment(tmp_path, conf)
    found = PysaneConf(recorded, Debug("dll", recorded))
    assert found.natives == frozenset(("epson2", "a b"))
    assert found.backends == ["test"]
    said = capfd.readouterr().err
    assert f"{tmp_path}/pysane.conf:7: native wants one value\n" in said
    assert "pysane.conf:8: there is no nat" in said
    assert "list-cache" not in said


def test_settings_without_a_file_are_empty(tmp_path: Path) -> None:
    recorded = Environment({"SANE_CONFIG_DIR": str(tmp_path)})
    assert PysaneConf(recorded, Debug("dll", recorded)).natives == frozenset()


def chosen(folder: Path, name: str, conf: str, *there: str) -> str:
    """Return "C", "Python" or "" for what stands for *name*; *there* has C libraries."""
    for library in there:
        (folder / f"libsane-{library}.so.1").write_text("no library")
    recorded = environment(folder, conf, LD_LIBRARY_PATH=str(folder))
    debug = Debug("dll", recorded)
    try:
        find(name, recorded, debug, EntryPoints(), PysaneConf(recorded, debug).natives)
    except NotFound as exc:
        return "C" if "compiled" in str(exc) else ""
    except Exception as exc:
        assert "cannot load the C backend" in str(exc)
        return "C"
    return "Python"


CHOICES: list[tuple[str, str, tuple[str, ...], str]] = [
    ("test", "", ("test",), "Python"),
    ("test", "native test", ("test",), "C"),
    ("test", "native pnm", ("test",), "Python"),
    ("test", "native *", ("test",), "C"),
    ("test", "native nosuch\nnative test", ("test",), "C"),
    ("tst_only_c", "", ("tst_only_c",), "C"),
    ("9", "", ("9",), "C"),  # no name of a Python module
    ("tst_nowhere", "", (), ""),
    ("tst_nowhere", "native *", (), ""),
    ("tst_nowhere", "native tst_nowhere", (), ""),
]


@pytest.mark.parametrize(("name", "conf", "there", "expected"), CHOICES)
def test_ours_is_used_unless_the_c_backend_is_asked_for(
    tmp_path: Path, name: str, conf: str, there: tuple[str, ...], expected: str
) -> None:
    assert chosen(tmp_path, name, conf, *there) == expected


def test_star_leaves_a_backend_without_a_c_library_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.dll.libraries.directories", lambda environment: [str(tmp_path)])
    assert chosen(tmp_path, "test", "native *") == "Python"
    assert chosen(tmp_path, "test", "native test") == ""  # nobody gets what was not asked for
