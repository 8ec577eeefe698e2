"""A staged prefix that was moved: its programs find their package where it lies now."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import PREFIX

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the staged prefix, in a folder whose name has a space."""
    if not (PREFIX / "lib" / "libsane.so.1").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    folder = tmp_path_factory.mktemp("moved") / "another prefix"
    shutil.copytree(PREFIX, folder, symlinks=True)
    package = folder / "lib" / "pysane" / "sane" / "__init__.py"
    package.write_text(f"{package.read_text()}\nimport sys\nsys.stderr.write('moved')\n")
    for bytecode in package.parent.glob("__pycache__/__init__.*"):
        bytecode.unlink()
    return folder


PROGRAMS = ("bin/pysane", "bin/pysane-scanimage", "bin/sane-find-scanner", "sbin/saned")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("linked", [False, True], ids=["itself", "by a link"])
def test_a_program_of_a_moved_prefix_uses_its_own_package(
    moved: Path, tmp_path: Path, program: str, linked: bool
) -> None:
    path = moved / program
    if linked:
        link = tmp_path / path.name
        link.symlink_to(path)
        path = link
    done = subprocess.run([path, "--help"], capture_output=True, text=True, check=False)
    assert path.name in done.stdout + done.stderr
    assert "moved" in done.stderr


def test_a_page_from_a_moved_prefix(moved: Path, config_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    command = [str(moved / "bin/pysane-scan"), "-d", "test:0", "-o", str(page)]
    environment = {"SANE_CONFIG_DIR": str(config_dir), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert page.read_bytes().startswith(b"\x89PNG")


def installed(stage: Path, destdir: Path, action: str, *options: str) -> str:
    """Run make install's program, or make uninstall's, with /usr as prefix below *destdir*."""
    command = [sys.executable, str(ROOT / "packaging/install.py"), action, "--stage", str(stage)]
    command += ["--prefix", "/usr", "--destdir", str(destdir), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_scanimage_is_installed_by_its_name_if_wanted(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    (stage / "lib/sane").mkdir(parents=True)
    (stage / "bin").mkdir()
    (stage / "bin/pysane-scanimage").write_text("")
    program = tmp_path / "root/usr/bin/scanimage"
    installed(stage, tmp_path / "root", "install")
    assert not program.is_symlink()
    for _ in range(2):
        installed(stage, tmp_path / "root", "install", "--scanimage", "yes")
        assert program.resolve().name == "pysane-scanimage"
    installed(stage, tmp_path / "root", "uninstall")
    assert not program.is_symlink()
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("another")
    said = installed(stage, tmp_path / "root", "install", "--scanimage", "yes")
    assert "scanimage belongs to somebody else: left alone" in said
    assert program.read_text() == "another"


def test_the_old_name_of_pysane_scan(moved: Path) -> None:
    done = subprocess.run(
        [moved / "bin/pysane-scan", "--help"], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("usage: pysane scan ")


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "bash-completion/completions/pysane"),
        ("zsh", "zsh/site-functions/_pysane"),
        ("fish", "fish/vendor_completions.d/pysane.fish"),
    ],
)
def test_completions_are_those_that_the_program_prints(moved: Path, shell: str, place: str) -> None:
    command = [str(moved / "bin/pysane"), "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (moved / "share" / place).read_text() == done.stdout
