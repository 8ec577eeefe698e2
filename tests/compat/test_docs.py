"""The examples of docs/python-sane.md run, each as a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import ROOT, TREE

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docs" / "python-sane.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRINTED = (
    "(236, 295) RGB\n(295, 236, 3) uint8\n",
    "['Gray', 'Color'] 1 1\nSANE_FIXED requires a floating point number\n",
    "[9, 2, 3, 4, 5, 6]\nGray 1200.0\n1\nRange(1.0, 1200.0, 1.0) ['Gray', 'Color'] Gray\n",
    "10\n(196, 196)\n",
    "Invalid argument True\n",
)


def test_all_examples_are_here() -> None:
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_an_example_runs(tmp_path: Path, number: int) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    (tmp_path / "test.conf").write_text("resolution 50\nbr_x 80\nbr_y 100\n")
    environ = {"PATH": os.defpath, "PYTHONPATH": str(TREE), "SANE_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert PRINTED[number] in done.stdout
