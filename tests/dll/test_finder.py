"""Where backends come from: ours, dropped-in files that may be trusted, entry points."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sane.backends
from sane.backend import Backend
from sane.cli.drivers import names
from sane.config import Environment
from sane.debug import Debug
from sane.dll.finder import (
    EntryPoints,
    bundled,
    directories,
    find_backend,
    is_module_name,
    read_entries,
)
from sane.errors import Invalid

DRIVER = '''
from ..backend import Backend as _Backend, DeviceInfo

class Backend(_Backend):
    """A backend in one file."""

    origin = {origin!r}

    def list_devices(self, local_only):
        return [DeviceInfo("one", "Noname", "Dropped in", "virtual device")]
'''


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    for name in [name for name in vars(sane.backends) if name.startswith("tst")]:
        delattr(sane.backends, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "drivers"
    found.mkdir(mode=0o755)
    return found


def find(name: str, *folders: Path | str) -> Any:
    path = ":".join(str(folder) for folder in folders)
    environment = Environment({"PYSANE_BACKEND_PATH": path} if path else {})
    return find_backend(name, environment, Debug("dll", environment), EntryPoints())


def drop(folder: Path, name: str, origin: str = "file", text: str | None = None) -> Path:
    file = folder / f"{name}.py"
    file.write_text(text or DRIVER.format(origin=origin))
    file.chmod(0o644)
    return file


# Names


@pytest.mark.parametrize("name", ["test", "pnm", "epson2", "hp-3900", "a_b", "A1"])
def test_a_plain_word_is_a_name(name: str) -> None:
    assert is_module_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a.b", "../test", "a/b", "/etc/passwd", "a b", "1a", "-a", "_test"),
        *("__init__", "a\0", "a\n", "tëst", "a;b", "os.path", "test.device", "a:b", "%s"),
    ],
)
def test_anything_else_is_refused(name: str, folder: Path) -> None:
    assert not is_module_name(name)
    with pytest.raises(Invalid):
        find(name, folder)


@pytest.mark.parametrize("name", ["tst_absent", "class", "backends"])
def test_a_backend_that_is_nowhere_is_invalid(name: str, folder: Path) -> None:
    with pytest.raises(Invalid, match=f"no backend named '{name}'"):
        find(name, folder)


# Ours


def test_our_own_backends_are_found() -> None:
    from sane.backends.pnm import Backend as Pnm

    assert find("pnm") is Pnm


def test_a_room_that_drivers_share_is_no_backend() -> None:
    environment = Environment({})
    assert "_epson" in os.listdir(sane.backends.__path__[0])
    assert "_epson" not in bundled() + names(environment)
    with pytest.raises(Invalid):
        find_backend("_epson", environment, Debug("dll", environment), EntryPoints())


def test_our_own_come_before_dropped_in_files(folder: Path) -> None:
    drop(folder, "pnm", "imposter")
    assert not hasattr(find("pnm", folder), "origin")


# Dropped-in files


def test_a_dropped_in_file_is_a_submodule_of_our_backends(folder: Path) -> None:
    file = drop(folder, "tst_one")
    found = find("tst_one", folder)
    assert issubclass(found, Backend)
    assert found.__module__ == "sane.backends.tst_one"
    assert sys.modules[found.__module__].__file__ == str(file)


def test_a_dropped_in_file_is_loaded_once(folder: Path) -> None:
    drop(folder, "tst_one")
    assert find("tst_one", folder) is find("tst_one", folder)


def test_hyphens_are_underscores_in_file_names(folder: Path) -> None:
    drop(folder, "tst_a_b")
    assert find("tst-a-b", folder).origin == "file"


def test_the_first_folder_that_has_the_file_wins(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    drop(folder, "tst_one", "first")
    drop(other, "tst_one", "second")
    assert find("tst_one", folder, other).origin == "first"


@pytest.mark.parametrize("path", ["", ".", "relative", "./x", ":"])
def test_only_absolute_folders_are_searched(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("", "relative", "x"):
        (tmp_path / name).mkdir(exist_ok=True)
        drop(tmp_path / name, "tst_one")
    with pytest.raises(Invalid):
        find("tst_one", path)


def test_the_working_directory_is_never_a_folder() -> None:
    for directory in directories(Environment({"PYSANE_BACKEND_PATH": ".::relative"})):
        assert os.path.isabs(directory)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_refused_by_name(
    folder: Path, mode: int, capfd: pytest.CaptureFixture[str]
) -> None:
    file = drop(folder, "tst_one")
    file.chmod(mode)
    with pytest.raises(Invalid):
        find("tst_one", folder)
    assert f"{file} is not used" in capfd.readouterr().err


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_a_folder_that_others_may_write_is_refused_by_name(
    folder: Path, mode: int, capfd: pytest.CaptureFixture[str]
) -> None:
    drop(folder, "tst_one")
    folder.chmod(mode)
    with pytest.raises(Invalid):
        find("tst_one", folder)
    assert f"{folder} is not used" in capfd.readouterr().err


def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("peer absent: root")
    file = drop(folder, "tst_one")
    os.chown(file, 4242, -1)
    if os.geteuid() == 0 and file.stat().st_uid == 4242:
        with pytest.raises(Invalid):
            find("tst_one", folder)


def test_a_link_into_a_folder_that_others_may_write_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    """Whoever may write there may replace the file that is linked to."""
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    target = drop(open_folder, "tst_one")
    open_folder.chmod(0o777)
    (folder / "tst_one.py").symlink_to(target)
    with pytest.raises(Invalid):
        find("tst_one", folder)


def test_a_link_into_a_folder_that_all_share_is_refused(folder: Path, tmp_path: Path) -> None:
    """There others may put a __pycache__ beside it, even if they cannot replace the file."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (folder / "tst_one.py").symlink_to(drop(shared, "tst_one"))
    shared.chmod(0o1777)
    with pytest.raises(Invalid):
        find("tst_one", folder)


@pytest.mark.parametrize("mode", [0o777, 0o773, 0o772])
def test_a_folder_above_that_others_may_write_is_refused_by_name(
    folder: Path, tmp_path: Path, mode: int, capfd: pytest.CaptureFixture[str]
) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    drop(inner, "tst_one")
    folder.chmod(mode)
    with pytest.raises(Invalid):
        find("tst_one", inner)
    assert f"{folder} is not used" in capfd.readouterr().err


def test_a_folder_in_a_sticky_one_is_used(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir(mode=0o755)
    drop(inner, "tst_one")
    folder.chmod(0o1777)
    assert find("tst_one", inner).origin == "file"


@pytest.mark.parametrize("what", ["__pycache__", "file"])
def test_bytecode_that_others_may_write_is_not_run(
    folder: Path, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = drop(folder, "tst_one")
    bytecode = Path(importlib.util.cache_from_source(str(file)))
    forged = drop(folder, "forged", "forged")
    bytecode.parent.mkdir(mode=0o755)
    py_compile.compile(
        str(forged), str(bytecode), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    assert find("tst_one", folder).origin == "forged"  # as long as nobody else could write it
    del sys.modules["sane.backends.tst_one"]
    weak = bytecode.parent if what == "__pycache__" else bytecode
    weak.chmod(0o777)
    with pytest.raises(Invalid):
        find("tst_one", folder)
    assert f"{weak} is not used" in capfd.readouterr().err


def test_a_refused_file_does_not_hide_a_good_one(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    drop(folder, "tst_one", "bad").chmod(0o666)
    drop(other, "tst_one", "good")
    assert find("tst_one", folder, other).origin == "good"


def test_folders_and_missing_folders_are_no_files(folder: Path, tmp_path: Path) -> None:
    (folder / "tst_one.py").mkdir()
    with pytest.raises(Invalid):
        find("tst_one", folder, tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def (", SyntaxError),
        ("1 / 0", ZeroDivisionError),
        ("import no_such_module", ModuleNotFoundError),
        ("from ..backend import NoSuchName", ImportError),
        ("raise SystemExit(3)", SystemExit),
        ("\0", (SyntaxError, ValueError)),
    ],
)
def test_a_mistake_in_a_file_comes_through_each_time(
    folder: Path, text: str, expected: Any
) -> None:
    drop(folder, "tst_one", text=text)
    for _ in range(2):
        with pytest.raises(expected):
            find("tst_one", folder)
    assert "sane.backends.tst_one" not in sys.modules


@pytest.mark.parametrize(
    "text",
    ["x = 1", "Backend = 5", "class Backend: pass", "from ..backend import Backend"],
)
def test_a_file_without_a_backend_class_is_invalid_by_name(folder: Path, text: str) -> None:
    file = drop(folder, "tst_one", text=text)
    with pytest.raises(Invalid, match=f"{file} defines no class Backend"):
        find("tst_one", folder)


# Entry points


def install(site: Path, entry_points: str, distribution: str = "tst-1.0.dist-info") -> None:
    (site / distribution).mkdir(parents=True, exist_ok=True)
    (site / distribution / "entry_points.txt").write_text(entry_points)
    (site / "tst_package.py").write_text(
        "from sane.backend import Backend\n"
        "class Scanner(Backend):\n    origin = 'entry point'\n"
        "class Holder:\n    Inner = Scanner\n"
    )
    sys.path.append(str(site))


@pytest.mark.parametrize(
    "text",
    [
        "[sane.backends]\ntst-ep = tst_package:Scanner\n",
        "[console_scripts]\nx = y:z\n\n[sane.backends]\nother = a:b\ntst-ep=tst_package:Scanner",
        "[sane.backends]\n tst-ep = tst_package : Scanner [extra]\n",
        "# remark\n[sane.backends]\n# tst-ep = wrong\ntst-ep = tst_package:Scanner\r\n",
    ],
)
def test_an_entry_point_is_found(tmp_path: Path, text: str) -> None:
    install(tmp_path, text)
    assert find("tst-ep").origin == "entry point"


def test_an_entry_point_may_name_an_attribute_of_a_class(tmp_path: Path) -> None:
    install(tmp_path, "[sane.backends]\ntst-ep = tst_package:Holder.Inner\n")
    assert find("tst-ep").origin == "entry point"


def test_egg_info_is_read_too(tmp_path: Path) -> None:
    install(tmp_path, "[sane.backends]\ntst-ep = tst_package:Scanner\n", "tst.egg-info")
    assert find("tst-ep").origin == "entry point"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tst-ep = tst_package:Scanner\n",
        "[other.group]\ntst-ep = tst_package:Scanner\n",
        "[sane.backends]\nTST-EP = tst_package:Scanner\n",
        "[sane.backends]\ntst-ep\n",
        "[sane.backends]\ntst-ep =\n",
    ],
)
def test_no_entry_point_is_no_backend(tmp_path: Path, text: str) -> None:
    install(tmp_path, text)
    with pytest.raises(Invalid):
        find("tst-ep")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("no_such_package:X", ModuleNotFoundError),
        ("tst_package:Missing", (AttributeError, Invalid)),
        ("tst_package:sys", (AttributeError, Invalid)),
        ("tst_package:Backend", Invalid),
    ],
)
def test_an_entry_point_that_leads_nowhere_fails(
    tmp_path: Path, target: str, expected: Any
) -> None:
    install(tmp_path, f"[sane.backends]\ntst-ep = {target}\n")
    with pytest.raises(expected):
        find("tst-ep")


def test_metadata_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a-1.dist-info").mkdir()
    (tmp_path / "a-1.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe\0[sane.backends")
    (tmp_path / "b-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    (tmp_path / "c-1.dist-info").write_text("a file")
    install(tmp_path, "[sane.backends]\ntst-ep = tst_package:Scanner\n")
    assert find("tst-ep").origin == "entry point"


def test_read_entries_without_a_file_is_empty(tmp_path: Path) -> None:
    assert read_entries(str(tmp_path / "missing")) == {}


def test_dropped_in_files_come_before_entry_points(tmp_path: Path, folder: Path) -> None:
    install(tmp_path / "site", "[sane.backends]\ntst_one = tst_package:Scanner\n")
    drop(folder, "tst_one", "dropped")
    assert find("tst_one", folder).origin == "dropped"
