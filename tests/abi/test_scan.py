"""Scans from C: frames, pages, read sizes, non-blocking reads and select, drivers with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abi import running

NOISY = ("faulty_reads", "failed_starts")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("scan"), "scan", "modes")


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(("name", "case"), running.cases("scan", "modes"))
def test_scan_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    done = running.passes(programs[name], case, environment)
    assert case in NOISY or done.stderr == ""


def test_scan_driver_that_prints_does_not_reach_stdout(
    programs: dict[str, Path], environment: dict[str, str]
) -> None:
    """stdout may be the image."""
    done = running.passes(programs["scan"], "faulty_reads", environment)
    assert done.stdout == ""
    assert "printed by a driver" in done.stderr


def test_scan_mistakes_of_a_driver_are_named(
    programs: dict[str, Path], environment: dict[str, str]
) -> None:
    """Whoever writes a driver sees which one, what and where without any setting."""
    done = running.passes(programs["scan"], "faulty_reads", environment)
    for mistake in ("keeps the view", "returned 65", "a mistake", "faulty.py:"):
        assert mistake in done.stderr
    assert "Traceback" not in done.stderr
