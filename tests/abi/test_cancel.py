"""Cancel, close and exit from C: in signal handlers, from other threads, at random moments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abi import running

ENDINGS = ("leave", "exit_in_handler")
DELAYS_US = [1, 300, *range(1000, 60000, 5000), *range(60000, 160000, 15000)]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("cancel"), "cancel", "finish", "storm")


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(("name", "case"), running.cases("cancel", "finish"))
def test_cancel_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    running.passes(programs[name], case, environment)


@pytest.mark.parametrize(
    "case", [case for _, case in running.cases("storm") if case not in ENDINGS]
)
def test_cancel_by_handlers_that_close(
    programs: dict[str, Path], environment: dict[str, str], case: str
) -> None:
    running.passes(programs["storm"], case, environment, timeout=30 * running.SLOWER)


@pytest.mark.parametrize("case", ENDINGS)
def test_cancel_by_handlers_that_end_the_process(
    programs: dict[str, Path], environment: dict[str, str], case: str
) -> None:
    """From the first instruction of start-up on: the delays cover loading Python too."""
    for delay in DELAYS_US:
        given = {**environment, "DELAY_US": str(delay)}
        running.passes(programs["storm"], case, given, timeout=10 * running.SLOWER)
