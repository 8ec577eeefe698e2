"""sane_init to sane_exit from C, in the orders that the standard has and those that occur."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.abi import running
from tests.conftest import PREFIX

# The specification says 0.2, on a machine with nothing else to do.
END_SECONDS = 1.0 * running.SLOWER
SPECIAL = ("local_only", "list_beside_options", "leave_all_open")
LIBRARIES = {
    "libsane.so.1": ("sane", "test:0", "0x01020001"),
    "sane/libsane-test.so.1": ("sane_test", "0", "0x0100001c"),
    "sane/libsane-pysane.so.1": ("sane_pysane", "test:0", "0x01020001"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("lifecycle"), "lifecycle", "cycles")


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(
    ("name", "case"), [c for c in running.cases("lifecycle", "cycles") if c[1] not in SPECIAL]
)
def test_lifecycle_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    done = running.passes(programs[name], case, environment)
    assert done.stderr == ""


def test_lifecycle_local_only_reaches_the_backends(
    programs: dict[str, Path], environment: dict[str, str], config_dir: Path
) -> None:
    (config_dir / "dll.conf").write_text("proper\n")
    running.passes(programs["lifecycle"], "local_only", environment)


def test_lifecycle_slow_list_holds_up_no_open_device(
    programs: dict[str, Path], environment: dict[str, str], config_dir: Path, tmp_path: Path
) -> None:
    (config_dir / "dll.conf").write_text("proper\n")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    given = {**environment, "PYSANE_TEST_FIFO": str(fifo)}
    running.passes(programs["lifecycle"], "list_beside_options", given)


def test_lifecycle_process_ends_at_once_with_everything_open(
    programs: dict[str, Path], environment: dict[str, str]
) -> None:
    done = running.passes(programs["cycles"], "leave_all_open", environment)
    assert time.monotonic() - float(done.stdout) / 1e3 < END_SECONDS


@pytest.mark.parametrize("library", LIBRARIES)
def test_lifecycle_library_is_loaded_and_unloaded_many_times(
    staged_environment: dict[str, str], config_dir: Path, tmp_path: Path, library: str
) -> None:
    (config_dir / "pysane.conf").write_text("backend test\n")
    program = running.build("reload.c", tmp_path)
    command: list[str | Path] = [program, PREFIX / "lib" / library, *LIBRARIES[library]]
    done = running.run(command, staged_environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_lifecycle_killed_process_leaves_nothing(
    programs: dict[str, Path], environment: dict[str, str]
) -> None:
    """No helper outlives the frontend: whoever held its stdout would keep the pipe open."""
    process = subprocess.Popen(
        [programs["cycles"], "growth"], env=environment, stdout=subprocess.PIPE
    )
    process.kill()
    with process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
