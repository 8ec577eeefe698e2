"""A staged prefix that was moved: its programs find their package where it lies now."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("program", ["bin/pysane-scan", "bin/sane-find-scanner", "sbin/saned"])
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
    assert done.stderr.startswith("moved")


def test_a_page_from_a_moved_prefix(moved: Path, config_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    command = [str(moved / "bin/pysane-scan"), "-d", "test:0", "-o", str(page)]
    environment = {"SANE_CONFIG_DIR": str(config_dir), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert page.read_bytes().startswith(b"\x89PNG")
