"""python-sane's programs print with ours what they print with python-sane, on both libraries."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ABSENT, PREFIX
from tests.peers.frontends import ATTEMPTS, OURS, configure, environment, peer
from tests.peers.sane_programs import PROGRAMS, START

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60.0  # of one program: a second, and an original that hangs
PACKAGE = PREFIX / "lib" / "pysane"


@pytest.fixture(scope="module")
def original() -> str:
    """Return a Python that has python-sane, PIL and NumPy."""
    python = peer("python3")
    command = [python, "-c", "import _sane, PIL, numpy"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"{ABSENT}python3-sane, or python3-numpy")
    return python


def printed(python: str, program: str, environ: dict[str, str], folder: Path) -> tuple[str, str]:
    """Return what a program prints; the original test device may hang: then it is run again."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                [python, "-c", START + program],
                env=environ,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            return done.stdout, done.stderr
    pytest.fail("the program hangs")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sees_what_python_sane_shows(original: str, tmp_path: Path, name: str) -> None:
    config = configure(tmp_path / "sane.d")
    ours = environment(config, None)
    ours["PYTHONPATH"] = f"{PACKAGE}:{PACKAGE / 'sane' / 'compat'}"
    found, messages = printed(sys.executable, PROGRAMS[name], ours, tmp_path)
    assert found and messages == ""
    on_ours, _ = printed(original, PROGRAMS[name], environment(config, OURS), tmp_path)
    assert found.splitlines() == on_ours.splitlines()
    on_theirs, _ = printed(original, PROGRAMS[name], environment(config, None), tmp_path)
    assert found.splitlines() == on_theirs.splitlines()
