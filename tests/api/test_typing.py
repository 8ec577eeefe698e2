"""A typed program is checked by pyright, where that is installed; mypy checks it with the tree."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tests import ROOT


def test_pyright_finds_nothing() -> None:
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "tests/api/typed_program.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode > 1:
        pytest.skip(f"pyright cannot run here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stdout
