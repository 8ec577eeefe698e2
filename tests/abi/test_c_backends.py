"""C programs on devices of C backends: loading, calling, cancelling, forking, ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abi import c_backends, running
from tests.abi.running import ASAN

Environ = dict[str, str]


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return c_backends.build(tmp_path_factory.mktemp("backends"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("c_backends.c", tmp_path_factory.mktemp("program"))


@pytest.fixture
def environment(staged_environment: Environ, libraries: Path, tmp_path: Path) -> Environ:
    return c_backends.environment(staged_environment, tmp_path, libraries)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


CASES = [case for _, case in running.cases("c_backends")]


@pytest.mark.parametrize("case", CASES)
def test_c_backends(program: Path, environment: Environ, case: str) -> None:
    done = running.passes(program, case, environment)
    assert done.stderr == ""


UNDER_ASAN = ("own_memory", "scan", "partial", "callback", "exit_in_handler", "cycles")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return running.build("c_backends.c", tmp_path_factory.mktemp("sanitized"), ASAN)
    except RuntimeError as exc:
        if "asan" not in str(exc):
            raise
        pytest.skip("peer absent: libasan")


@pytest.mark.parametrize("case", UNDER_ASAN)
def test_c_backends_touches_no_memory_that_is_gone(
    sanitized: Path, environment: Environ, case: str
) -> None:
    done = running.passes(sanitized, case, {**environment, "ASAN_OPTIONS": "detect_leaks=0"})
    assert "AddressSanitizer" not in done.stderr


def test_c_libraries_are_bound_at_once_if_the_user_says_so(
    program: Path, environment: Environ
) -> None:
    running.passes(program, "linking", {**environment, "LD_BIND_NOW": "1"})


def test_c_library_of_the_first_directory_counts(
    program: Path, environment: Environ, tmp_path: Path, log: Path
) -> None:
    """Even if it cannot be loaded: there is no further search."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "libsane-scan.so.1").write_text("no library\n")
    path = environment["LD_LIBRARY_PATH"]
    first = {**environment, "LD_LIBRARY_PATH": f"{tmp_path}/absent:{tmp_path}/first:{path}"}
    assert running.run([program, "scan"], first).returncode == 1
    last = {**environment, "LD_LIBRARY_PATH": f"{path}:{tmp_path}/first"}
    running.passes(program, "scan", last)
    assert log.read_text().startswith("scan loaded\n")


def test_c_backend_is_ended_in_order_and_unloaded(
    program: Path, environment: Environ, log: Path
) -> None:
    """The one used last heads the list: it is ended first; its devices are closed before."""
    running.passes(program, "cycles", environment)
    cycle = [
        *("scan loaded", "scan init none", "scan open left open"),
        *("under loaded", "under init none", "under open one", "under close one"),
        *("scan close left open", "under exit", "under unloaded", "scan exit", "scan unloaded"),
    ]
    assert log.read_text().splitlines() == cycle * 2


def test_c_backend_is_begun_and_ended_once_for_first_calls_of_several_threads(
    program: Path, environment: Environ, log: Path
) -> None:
    running.passes(program, "first_calls", environment)
    lines = log.read_text().splitlines()
    rounds = lines.count("scan loaded")
    assert rounds == 25
    cycle = ["loaded", "init", "open", "open", "open", "open"]
    cycle += ["close", "close", "close", "close", "exit", "unloaded"]
    assert [line.split()[1] for line in lines] == cycle * rounds


def test_c_backend_is_not_ended_under_a_call_of_another_thread(
    program: Path, environment: Environ, log: Path
) -> None:
    running.passes(program, "exit_beside_open", environment)
    first = ["loaded", "init none", "open signal", "close signal", "exit", "unloaded"]
    second = ["loaded", "init none", "open signal", "open one", "close signal"]
    second += ["close one", "exit", "unloaded"]
    assert log.read_text().splitlines() == [f"scan {line}" for line in first + second]


def test_c_backends_init_that_failed_is_tried_again_and_never_ended(
    program: Path, environment: Environ, log: Path
) -> None:
    running.passes(program, "refusing", environment)
    lines = log.read_text().splitlines()
    for name in ("failing", "version2"):
        expected = ["loaded", "init none", "init none", "unloaded"]
        assert [line for line in lines if line.startswith(name)] == [
            f"{name} {e}" for e in expected
        ]
    assert [line for line in lines if line.startswith("empty")] == [
        "empty loaded",
        "empty unloaded",
    ]


def test_c_backends_failures_are_named(
    program: Path, environment: Environ, libraries: Path
) -> None:
    done = running.passes(program, "refusing", {**environment, "SANE_DEBUG_DLL": "1"})
    for text in (
        f"{libraries}/libsane-empty.so.1 has no function sane_empty_get_option_descriptor",
        "init of the C backend failing failed",
        "the C backend version2 is of version 2, not 1",
        "cannot load the C backend text: ",
        "no backend named 'absent'",
        "there is no C backend ours",
    ):
        assert text in done.stderr


def test_c_backends_callback_reaches_the_backend_as_it_is(
    program: Path, environment: Environ, log: Path
) -> None:
    running.passes(program, "callback", environment)
    lines = [line for line in log.read_text().splitlines() if "init" in line or "given" in line]
    given = "scan given user word"
    assert lines == ["scan init callback", given, given, "scan init none"]


def test_c_backend_in_two_libraries_is_ended_once(
    program: Path, environment: Environ, log: Path
) -> None:
    running.passes(program, "two_libraries", environment)
    lines = log.read_text().splitlines()
    assert lines.count("scan init none") == lines.count("scan exit") == 1
    assert lines.index("scan exit") > lines.index("scan start one")
    assert lines[-1] == "scan unloaded"
