"""Builds and runs the C programs of this folder, with the drivers of drivers/ dropped in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import cc
from tests.conftest import PREFIX

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
LIBSANE = PREFIX / "lib" / "libsane.so.1"
SLOWER = 5 if "-fsanitize" in os.environ.get("CC", "") else 1  # all takes longer, see sanitize.py
TIMEOUT = 60 * SLOWER
ASAN = "-fsanitize=address"
FLAGS = ("-g", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread")


def build(
    name: str, folder: Path, *flags: str, language: str = "c", standard: str = "-std=gnu11"
) -> Path:
    """Compile programs/*name* for the staged libsane.so.1 into *folder*."""
    source = PROGRAMS / name
    libraries = (f"-L{PREFIX / 'lib'}", "-lsane", "-ldl", "-lm")
    include = (f"-I{cc.INCLUDE}", f"-I{PROGRAMS}")
    target = folder / source.stem
    return cc.compile_program(
        source, target, standard, *FLAGS, *include, *flags, *libraries, language=language
    )


def build_all(folder: Path, *names: str, flags: Sequence[str] = ()) -> dict[str, Path]:
    """Compile programs/<name>.c for each of *names*; return the programs by name."""
    return {name: build(f"{name}.c", folder, *flags) for name in names}


def cases(*names: str) -> list[tuple[str, str]]:
    """Return (program, case) for each case in the tables of programs/<name>.c."""
    found = []
    for name in names:
        table = (PROGRAMS / f"{name}.c").read_text().partition("const Case cases[]")[2]
        found += [(name, case) for case in re.findall(r'\{"(\w+)", \w+\}', table)]
    return found


def with_drivers(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Return *environment* with copies of drivers/ in *folder* dropped in."""
    target = folder / "drivers"
    target.mkdir(mode=0o755)
    for path in sorted((HERE / "drivers").glob("*.py")):
        shutil.copyfile(path, target / path.name)
        (target / path.name).chmod(0o644)
    return {**environment, "PYSANE_BACKEND_PATH": str(target)}


def run(
    command: list[str | Path], environment: dict[str, str], timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run a program without input and return what it wrote; one that hangs fails the test."""
    try:
        return subprocess.run(
            [str(part) for part in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        pytest.fail(f"{command} hangs; it wrote {exc.stdout!r} and {exc.stderr!r}")


def passes(
    program: Path, case: str, environment: dict[str, str], timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run one case; fail the test with its complaint unless it ends well."""
    done = run([program, case], environment, timeout)
    assert done.returncode == 0, f"{case}: exit {done.returncode}: {done.stderr}"
    return done
