"""Closed pipes, full disks and Ctrl-C: no program here ends with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane.cli.ending import ended
from tests import ROOT, TREE

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = [
    (["sane.cli.find"], "sane-find-scanner"),
    (["sane.cli.udev", "rules"], "sane.cli.udev"),
]


def run(words: list[str], stdout: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, "PYTHONPATH": str(TREE), "SANE_CONFIG_DIR": "/nonexistent"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("words", "name"), PROGRAMS)
def test_a_closed_pipe_is_no_traceback(words: list[str], name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(words, writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize(("words", "name"), PROGRAMS)
def test_a_full_disk_is_told(words: list[str], name: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = run(words, full)
    os.close(full)
    assert (done.returncode, done.stderr) == (1, f"{name}: stdout: No space left on device\n")


@pytest.mark.skipif(not (ROOT / "sane").exists(), reason="the scripts' sources are hidden")
def test_the_script_ends_quietly_when_it_is_interrupted_early(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    package = tmp_path / "lib" / "pysane" / "sane" / "cli"
    package.mkdir(parents=True)
    for module, name in (("scan", "pysane-scan"), ("find", "sane-find-scanner")):
        (package / f"{module}.py").write_text("raise KeyboardInterrupt\n")
        script = tmp_path / "bin" / name
        script.write_text((ROOT / "sane" / "cli" / f"{name}.in").read_text())
        done = subprocess.run([sys.executable, "-I", script], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (128 + signal.SIGINT, b"")


def test_ctrl_c_is_a_status() -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert ended("x", interrupted) == 128 + signal.SIGINT
    assert ended("x", lambda: 3) == 3
