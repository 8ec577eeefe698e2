"""Other Pythons of this machine, for hosts that cannot or can use ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.abi import running

PYHOST = running.PROGRAMS / "pyhost.py"
SYSTEM = Path("/usr/bin/python3")
OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHERS = [version for version in ("3.10", "3.11", "3.12", "3.13") if version != OURS]


def system_python() -> Path:
    """Return the distribution's Python if it has our version: it contains its libpython."""
    if not SYSTEM.exists() or version_of(SYSTEM) != OURS:
        pytest.skip(f"peer absent: {SYSTEM} {OURS}")
    return SYSTEM


def version_of(python: Path) -> str:
    command = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return done.stdout.strip()


def other_python(version: str) -> Path:
    """Return an interpreter of another minor version, or skip the test."""
    found = shutil.which(f"python{version}")
    versions = Path.home() / ".pyenv" / "versions"
    candidates = [Path(found)] if found else []
    for candidate in [*candidates, *versions.glob(f"{version}.*/bin/python{version}")]:
        if version_of(candidate) == version:
            return candidate
    pytest.skip(f"no Python {version} on this machine")
