"""The examples of docs/python-api.md run on the test device."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT, TREE

DOCS = (ROOT / "docs" / "python-api.md").read_text()
SECTIONS = [section.partition("\n") for section in DOCS.split("\n## ")[1:]]
EXAMPLES = {
    title: text.partition("```python\n")[2].partition("```")[0]
    for title, _, text in SECTIONS
    if "```python\n" in text
}


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_runs(title: str, config_dir: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[title]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(TREE), "SANE_CONFIG_DIR": str(config_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_all_examples_are_run() -> None:
    assert len(EXAMPLES) == DOCS.count("```python") == 8
