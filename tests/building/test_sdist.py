"""The source archive: complete, and a wheel is built from it in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import ABSENT

pytestmark = [pytest.mark.process, pytest.mark.long]

SCAN = """
import sane, sane.dll.native, sane.image.jpeg, sane.usb.transfers
assert sane.__path__[0].startswith(__import__("sys").prefix)
with sane.Scanner("test:0") as scanner:
    print(scanner.scan().array.shape)
"""


def run(*command: object, **more: str) -> str:
    """Run a program outside the checkout; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SANE_")}
    line = [str(part) for part in command]
    done = subprocess.run(
        line, env={**kept, **more}, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path) -> Path:
    """Make an empty virtual environment; return its folder of programs."""
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean copy of the checkout, with the changes that are not committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip(f"{ABSENT}git, or a checkout")
    folder = tmp_path_factory.mktemp("checkout")
    ours = ("ls-files", "--cached", "--others", "--exclude-standard")
    for name in run("git", "-C", ROOT, *ours).split("\n"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "sane" / "backends").symlink_to("../backends")
    return folder


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source archive."""
    out = tmp_path_factory.mktemp("sdist")
    run("sh", "-c", f"cd {checkout} && {sys.executable} setup.py -q sdist -d {out}")
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that pip makes of the archive, without anything installed before."""
    out = tmp_path_factory.mktemp("wheel")
    programs = environment(out / "empty")
    run(programs / "pip", "wheel", "-q", "--no-deps", "-w", out, sdist)
    (wheel,) = out.glob("*.whl")
    return wheel


def test_the_archive_holds_what_the_checkout_does(checkout: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    paths = (p.relative_to(checkout) for p in checkout.rglob("*") if p.is_file())
    files = {str(path) for path in paths if "__pycache__" not in path.parts}
    own = {name for name in files if ".egg-info" in name} | {".gitignore"}
    assert files - own - held == set()
    assert not [name for name in held if name.startswith("sane/backends")]


def test_the_wheel_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (metadata,) = (name for name in held if name.endswith(".dist-info/METADATA"))
        about = archive.read(metadata).decode()
    stems = {name.split(".")[0] for name in held if name.endswith(".so")}
    assert {"sane/dll/native", "sane/image/rows", "sane/backends/test/stream"} <= stems
    assert {"sane/py.typed", "sane/dll/native.pyi", "sane/backends/pnm/__init__.py"} <= held
    assert {"_sane/__init__.py", "_sane/py.typed"} <= held
    assert not [name for name in held if name.startswith("sane/compat/_sane")]
    assert {
        "sane/lib/libsane.so.1",
        "sane/lib/pysane/probe",
        "sane/lib/pysane/pysane.runtime",
    } <= held
    assert not [name for name in held if name.endswith((".pyx", ".pxd", ".c", ".h"))]
    assert "any" not in wheel.name.rsplit("-", 1)[1]
    assert "Classifier: Typing :: Typed\n" in about


def test_the_wheel_wins_beside_python_sane(wheel: Path, tmp_path: Path, config_dir: Path) -> None:
    """Whichever is installed first; the files of one are none of the other's."""
    found = list(Path("/usr/lib/python3/dist-packages").glob("*sane*"))
    tag = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
    if not any(tag in path.name for path in found):
        pytest.skip(f"{ABSENT}python3-sane")
    code = "import _sane, sane; print(sane.__pysane__, sane._sane is _sane, sane.init()[1:])"
    for first in ("ours", "theirs"):
        programs = environment(tmp_path / first)
        (site,) = (tmp_path / first / "lib").glob("python*/site-packages")
        for which in (first, "theirs" if first == "ours" else "ours"):
            if which == "ours":
                run(programs / "pip", "install", "-q", "--no-deps", wheel)
            else:
                for path in found:
                    copy = shutil.copytree if path.is_dir() else shutil.copy2
                    copy(path, site / path.name)
        settings = {"SANE_CONFIG_DIR": str(config_dir)}
        assert run(programs / "python", "-c", code, **settings) == "True True (1, 2, 1)\n"
        run(programs / "pip", "uninstall", "-q", "-y", "sane-stack")
        assert run(programs / "python", "-c", "import _sane; print(_sane.error)").strip()
        assert (site / "sane.py").exists()


def test_the_wheel_scans(wheel: Path, tmp_path: Path, config_dir: Path) -> None:
    programs = environment(tmp_path / "venv")
    run(programs / "pip", "install", "-q", wheel)
    settings = {"SANE_CONFIG_DIR": str(config_dir)}
    assert run(programs / "python", "-c", SCAN, **settings) == "(196, 157)\n"
    assert "test:0" in run(programs / "pysane-scan", "-L", **settings)
    (lib,) = (tmp_path / "venv" / "lib").glob("python*/site-packages/sane/lib")
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    assert "test:0" in run("scanimage", "-L", LD_LIBRARY_PATH=str(lib), **settings)
