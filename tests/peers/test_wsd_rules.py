"""The WS-Scan device keeps the rules of the standard, on the glass and in the feeder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sane.testing.wsd import Emulator, Scanner
from tests.conftest import PREFIX

pytestmark = pytest.mark.process


@pytest.mark.parametrize("source", ["Flatbed", "ADF Duplex"])
def test_wsd_keeps_the_rules_of_the_standard(
    source: str, staged_environment: dict[str, str], config_dir: Path
) -> None:
    with Emulator(Scanner(sheets=200)) as device:
        (config_dir / "dll.conf").write_text("wsd\n")
        (config_dir / "wsd.conf").write_text(f"discovery off\n{device.url}\n")
        settings = ("-s", f"source={source}", "-s", "resolution=75")
        done = subprocess.run(
            [sys.executable, "-m", "sane.testing", *settings, f"wsd:{device.url}"],
            env={**staged_environment, "PYTHONPATH": str(PREFIX / "lib" / "pysane")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken, " in done.stdout
