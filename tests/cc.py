"""Compiles small C programs for tests, with $CC or gcc, and finds the distribution's SANE files."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"


def compiler() -> list[str]:
    """Return the command line of the C compiler, or skip the test without one."""
    command = shlex.split(os.environ.get("CC", "")) or ["gcc"]
    if shutil.which(command[0]) is None:
        pytest.skip(f"peer absent: C compiler {command[0]}")
    return command


def compile_program(source: str | Path, out: Path, *flags: str, language: str = "c") -> Path:
    """Compile *source*, a file or the program's text, to *out* and return *out*.

    *flags* follow the source, so that libraries may stand there. Raises RuntimeError with the
    compiler's output.
    """
    if isinstance(source, str):
        text, source = source, out.with_name(out.name + ".source")
        source.write_text(text)
    _run([*compiler(), "-x", language, str(source), "-x", "none", "-o", str(out), *flags])
    return out


def preprocess(text: str, *flags: str) -> str:
    """Return what the C preprocessor makes of *text*."""
    return _run([*compiler(), "-E", "-P", *flags, "-x", "c", "-"], text)


def distribution_headers() -> Path:
    """Return the folder of the distribution's sane/sane.h, or skip the test without it."""
    folder = Path("/usr/include")
    if not (folder / "sane" / "saneopts.h").exists():
        pytest.skip("peer absent: libsane-dev")
    return folder


def distribution_libsane() -> Path:
    """Return the distribution's libsane.so.1, or skip the test without it."""
    found = Path(_run([*compiler(), "-print-file-name=libsane.so.1"]).strip())
    if not found.is_absolute() or not found.resolve().is_relative_to("/usr/lib"):
        pytest.skip("peer absent: libsane1")
    return found


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
