"""Calls that overlap, from C: close, cancel, start and read in each other's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abi import running

PROGRAMS = ("lifetimes", "endings", "descriptors", "turns")


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


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("interrupt_start", "start: Misbehaved: does not react to cancel; interrupted"),
        ("interrupt_read", "read_into: Misbehaved: does not react to cancel; interrupted"),
        ("interrupt_look", "_sense: Misbehaved: does not react to cancel; interrupted"),
        ("finish_is_not_interrupted", "finish: DeviceIOError: takes more than a second"),
        ("finish_after_an_error", "finish: DeviceIOError: takes more than a second"),
    ],
)
def test_lifetimes_the_hook_that_goes_on_after_cancel_is_named(
    programs: dict[str, Path], environment: dict[str, str], case: str, said: str
) -> None:
    environment = {**environment, "SANE_DEBUG_STEPPER": "1"}
    lines = running.passes(programs["lifetimes"], case, environment).stderr.splitlines()
    found = [line for line in lines if "cancel" in line and "Cancelled" not in line]
    assert len(found) == 1, lines
    assert said in found[0]
