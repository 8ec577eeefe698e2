"""Which sane and _sane a program gets: ours, beside python-sane's or after it; and its types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT, TREE
from tests.conftest import ABSENT

DISTRIBUTION = Path("/usr/lib/python3/dist-packages")
FOREIGN = """
class error(Exception):
    pass
def init():
    raise AssertionError("python-sane's is used")
"""
USE = """
assert sane.__pysane__ and sane.init()[1:] == (1, 2, 1)
with sane.open("test:0") as device:
    assert device.mode == "Gray"
try:
    sane.open("test:9")
except _sane.error as exc:
    assert type(exc) is _sane.error is sane.error is sane._sane.error, type(exc).__mro__
else:
    raise AssertionError
try:
    sane.Scanner("test:9")
except _sane.error as exc:
    assert isinstance(exc, sane.Invalid)
print("good")
"""
ORDERS = {
    "sane first": "import sane, _sane\nassert sane._sane is _sane\n",
    "_sane first": "import _sane, sane\nassert sane._sane is _sane\n",
    "_sane as sane": "import _sane as low\nimport _sane, sane\nassert low.init is _sane.init\n",
    "from": "from _sane import TYPE_INT, error\nfrom sane import _sane\nimport sane\n",
}


def run(code: str, path: list[Path], folder: Path) -> None:
    (folder / "dll.conf").write_text("test\n")
    environ = {"PATH": os.defpath, "SANE_CONFIG_DIR": str(folder)}
    environ["PYTHONPATH"] = ":".join(map(str, path))
    done = subprocess.run(
        [sys.executable, "-c", code + USE],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("good\n", "")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder as pip leaves it with both installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sane").symlink_to(TREE / "sane")
    installed = TREE / "_sane"  # by pip: beside the package
    (folder / "_sane").symlink_to(
        installed if installed.exists() else TREE / "sane" / "compat" / "_sane"
    )
    (folder / "sane.py").write_text("raise AssertionError('python-sane is used')\n")
    return folder


@pytest.mark.parametrize("order", ORDERS)
def test_ours_is_used_where_both_are_installed(site: Path, tmp_path: Path, order: str) -> None:
    (site / "_sane.py").write_text(FOREIGN)
    run(ORDERS[order], [site], tmp_path)


def test_ours_is_used_beside_python_sanes_library(site: Path, tmp_path: Path) -> None:
    found = list(DISTRIBUTION.glob(f"_sane.cpython-{sys.version_info[0]}{sys.version_info[1]}-*"))
    if not found:
        pytest.skip(f"{ABSENT}python3-sane")
    shutil.copy(found[0], site)
    for order in ORDERS.values():
        run(order, [site], tmp_path)


def test_a_foreign_error_that_is_loaded_is_ours_too(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "_sane.py").write_text(FOREIGN)
    run("import _sane, sane\nassert sane._sane is not _sane\n", [theirs, TREE], tmp_path)


def test_a_foreign_library_that_is_loaded_lends_its_error(tmp_path: Path) -> None:
    found = list(DISTRIBUTION.glob(f"_sane.cpython-{sys.version_info[0]}{sys.version_info[1]}-*"))
    if not found:
        pytest.skip(f"{ABSENT}python3-sane")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(found[0], theirs)
    run("import _sane, sane\nassert not hasattr(_sane, '__pysane__')\n", [theirs, TREE], tmp_path)


def test_ours_is_found_once_a_device_was_opened(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "_sane.py").write_text(FOREIGN)
    code = "import sane\nsane.open('test').close()\nsane.exit()\nimport _sane\n"
    run(f"{code}assert _sane is sane._sane\n", [TREE, theirs], tmp_path)


def test_a_source_tree_has_sane_alone(tmp_path: Path) -> None:
    run("import sane\n_sane = sane._sane\nassert __import__('_sane') is _sane\n", [TREE], tmp_path)


def test_importing_sane_imports_nothing(tmp_path: Path) -> None:
    """So that a program that only asks for the version pays nothing."""
    code = (
        "import sys\nbefore = set(sys.modules)\nimport sane\n"
        "assert set(sys.modules) - before <= {'sane', '__future__'}, set(sys.modules) - before\n"
        "assert 'SaneDev' in dir(sane) and not hasattr(sane, '__all__')\nimport _sane\n"
    )
    run(code, [TREE, TREE / "sane" / "compat"], tmp_path)


TYPED = """
from __future__ import annotations

import _sane
import sane


def page(name: str) -> tuple[int, int]:
    try:
        with sane.open(name) as device:
            device.mode = "Color"
            reveal_type(device.mode)
            option = device["mode"]
            info: int = option.set("Gray")
            reveal_type(device.snap)
            reveal_type(device.dev.get_parameters())
            print(info, option.choices, device.opt["mode"].unit_name)
    except _sane.error as exc:
        print(exc.status)
    except sane.Jammed as exc:
        print(exc.detail, exc.name)
    return sane.TYPE_STR is None, _sane.CAP_INACTIVE | sane.STATUS_JAMMED


sane.nothing_of_this_name
"""


def test_a_program_is_checked_by_mypy(tmp_path: Path) -> None:
    """D32"""
    pytest.importorskip("mypy.api")
    (tmp_path / "_sane").symlink_to(ROOT / "sane" / "compat" / "_sane")
    (tmp_path / "sane").symlink_to(ROOT / "sane")
    (tmp_path / "program.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    command += ["--follow-imports=silent", "program.py"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert lines[0] == 'note: Revealed type is "Any"', done.stdout
    assert "no_cancel: bool =, progress:" in lines[1]
    assert "tuple[str, int, tuple[int, int], int, int]" in lines[2].replace("builtins.", "")
    assert 'error: Module has no attribute "nothing_of_this_name"  [attr-defined]' in lines
    assert sum(line.startswith("error") for line in lines) == 1, done.stdout
