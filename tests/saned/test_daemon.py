"""The parent of saned's clients: what several of them do in the same moment, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT, TREE
from tests.saned.rounds import SCENARIOS
from tests.support.timing import SECONDS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_daemon_in_one_round(tmp_path: Path, scenario: str) -> None:
    script = Path(__file__).with_name("rounds.py")
    variables = {**os.environ, "PYTHONPATH": f"{TREE}:{ROOT}", "SANE_TEST_TREE": str(TREE)}
    done = subprocess.run(
        [sys.executable, str(script), scenario, str(tmp_path)],
        env=variables,
        check=False,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stdout + done.stderr
