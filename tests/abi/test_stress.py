"""Threads, signals, forks, cancels, closes, lists and ends at once (make sanitize: for longer)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.abi import c_backends, running

SECONDS = float(os.environ.get("SANE_STRESS_SECONDS") or 3)


@pytest.mark.parametrize("device", ["test:0", "proper:thread"])
def test_stress_ends_well(
    staged_environment: dict[str, str], config_dir: Path, tmp_path: Path, device: str
) -> None:
    program = running.build("stress.c", tmp_path)
    environment = running.with_drivers(staged_environment, tmp_path)
    environment = c_backends.environment(environment, tmp_path)
    # The C backend is opened by name: a list of it waits for a helper, and there would be few.
    (config_dir / "dll.conf").write_text("test\nproper\n")
    command: list[str | Path] = [program, str(SECONDS / 2), device, "scan:one"]
    done = running.run(command, environment, SECONDS + running.TIMEOUT)
    assert done.returncode == 0, done.stderr
    counts = [int(number) for number in re.findall(r"\d+", done.stdout)]
    assert all(counts), done.stdout
