"""Calls that overlap, from C: close, cancel, start and read in each other's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abi import running

PROGRAMS = ("lifetimes", "endings", "descriptors")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("lifetimes"), *PROGRAMS, flags=("-rdynamic",))


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(("name", "case"), running.cases(*PROGRAMS))
def test_lifetimes_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    running.passes(programs[name], case, environment)
