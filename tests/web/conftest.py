"""Scanners in worker processes, with an environment of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.share import configure
from tests.support.workers import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    config = configure(tmp_path / "sane.d", dll="tstweb\n")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(config))
    made = Stack(tmp_path)
    for name, value in made.faults.variables.items():
        monkeypatch.setenv(name, value)
    return made
