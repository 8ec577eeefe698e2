"""Packages beside ours: found where the program has none of its own; sys.path stays as it is."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane import deps
from tests import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that stands for the one beside our package, with a package in it."""
    package = tmp_path / "deps" / "tstdeps"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import part\nWHERE = 'beside'\n")
    (package / "part.py").write_text("VALUE = 5\n")
    monkeypatch.setattr(deps, "FOLDER", str(tmp_path / "deps"))
    before = list(sys.path)
    yield package
    assert sys.path == before
    for name in [name for name in sys.modules if name.startswith("tstdeps")]:
        del sys.modules[name]


@pytest.mark.usefixtures("beside")
def test_a_package_beside_ours_is_found_with_its_parts() -> None:
    deps.load("tstdeps")
    assert sys.modules["tstdeps"].WHERE == "beside"
    assert sys.modules["tstdeps.part"].VALUE == 5


def test_the_programs_own_package_comes_first(
    beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "tstdeps.py").write_text("WHERE = 'own'\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(own))
        deps.load("tstdeps")
    assert sys.modules["tstdeps"].WHERE == "own"


def test_a_package_that_is_broken_is_not_looked_for_elsewhere(
    beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "tstdeps.py").write_text("import tst_missing_too\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(own))
        with pytest.raises(ImportError, match="tst_missing_too"):
            deps.load("tstdeps")
    (beside / "part.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        deps.load("tstdeps")
    assert "tstdeps" not in sys.modules


def test_a_package_that_is_nowhere_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="tst_nowhere"):
        deps.load("tst_nowhere")


OPEN = """
import sys
sys.path.insert(0, sys.argv[1])
from sane import deps
from sane.debug import Debug
from sane.config import Environment
from sane.errors import Unsupported
from sane.usb.real import RealLink
sys.path[:] = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path
               and "dist-packages" not in path)]
deps.FOLDER = "/nonexistent"
class Found:
    name, bus, address, vendor, product = "libusb:001:002", 1, 2, 3, 4
try:
    RealLink(Found(), None, Debug("usb", Environment({})))
except Unsupported as exc:
    print(exc)
"""


def test_a_missing_pyusb_is_told_without_any_debug_level() -> None:
    """The status alone, Operation not supported, says nothing of what to do."""
    if (TREE / "usb").exists():
        pytest.skip("pyusb lies beside this tree")
    done = subprocess.run(
        [sys.executable, "-I", "-c", OPEN, str(TREE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "USB devices need pyusb: No module named 'usb'\n", done.stderr
    assert "[usb] libusb:001:002: USB devices need pyusb: No module named" in done.stderr
