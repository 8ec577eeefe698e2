"""The pages of five minutes are followed, but for the steps that install (make test-starts)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import ABSENT, PREFIX
from tests.support.ports import free_ports
from tests.website.starts import NAMES, script

pytestmark = pytest.mark.process
MADE = {
    "start-administrator": ("page.png",),
    "start-driver": ("gradient.png",),
    "start-owner": ("letter.pdf", "photo.png", "stack.pdf", "page.png"),
    "start-python": ("page.png", "sheet-1.png", "sheet-3.png"),
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a machine on which the steps that install were done."""
    if not (PREFIX / "lib" / "libsane.so.1").exists():
        pytest.fail(f"nothing staged in {PREFIX}: make build")
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    programs, config = tmp_path / "bin", tmp_path / "sane.d"
    programs.mkdir()
    config.mkdir()
    (config / "dll.conf").write_text("test\n")
    package = PREFIX / "lib" / "pysane"
    for name, words in (
        ("pysane", "-m sane.cli.pysane"),
        ("pysane-saned", f"{PREFIX / 'sbin' / 'saned'}"),
        ("python3", ""),
    ):
        line = f'#!/bin/sh\nPYTHONPATH={package} exec {sys.executable} -P {words} "$@"\n'
        (programs / name).write_text(line)
        (programs / name).chmod(0o755)
    (tmp_path / "scanning" / "bin").mkdir(parents=True)
    (tmp_path / "scanning" / "bin" / "python").symlink_to(programs / "python3")
    (tmp_path / "build").symlink_to(ROOT / "build")
    (tmp_path / "drivers").mkdir(mode=0o755)
    return {
        "PATH": f"{programs}:/usr/sbin:{os.defpath}",
        "LD_LIBRARY_PATH": str(PREFIX / "lib"),
        "SANE_CONFIG_DIR": str(config),
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }


def test_there_is_a_start_for_each_of_four() -> None:
    assert set(NAMES) == set(MADE)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_five_minutes_can_be_followed(
    environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    text = script(name, installs=False).replace("16566", str(free_ports(1)))
    text = text.replace("/tmp/", f"{tmp_path}/")
    text = 'trap "kill -- \\$(jobs -p) 2> /dev/null || true" EXIT\n' + text
    done = subprocess.run(
        ["bash", "-c", text],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for file in MADE[name]:
        assert (tmp_path / file).stat().st_size > 100, file
    if name == "start-python":
        assert "(196, 314, 3) uint8 (100.0, 100.0)" in done.stdout
    if name == "start-driver":
        assert "BROKEN" not in done.stdout
