"""The driver of docs/driver-guide.md, exactly as it is written there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    text = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    folder = tmp_path / "drivers"
    folder.mkdir(mode=0o755)
    path = folder / "gradient.py"
    path.write_text(code.group(1), encoding="utf-8")
    path.chmod(0o644)
    return path


def test_guide_driver_is_short(driver: Path) -> None:
    assert len(driver.read_text().splitlines()) <= 40


@pytest.mark.parametrize(("negative", "first"), [("no", 0), ("yes", 254)])
def test_guide_driver_scans(
    driver: Path, staged_environment: dict[str, str], negative: str, first: int
) -> None:
    scanimage = shutil.which("scanimage")
    if scanimage is None:
        pytest.skip("peer absent: scanimage")
    environment = {**staged_environment, "PYSANE_BACKEND_PATH": str(driver.parent)}
    done = subprocess.run(
        [scanimage, "-d", "gradient", "--resolution", "75", f"--negative={negative}"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    header, _, pixels = done.stdout.partition(b"\n255\n")
    assert header.endswith(b"295 442")
    ramp = [x * 255 // 295 for x in range(295)]
    row = bytes(ramp if first == 0 else ramp[::-1])
    assert pixels == row * 442
    assert done.stderr == b"Output format is not set, using pnm as a default.\n"
