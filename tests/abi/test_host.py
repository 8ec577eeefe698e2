"""What the library must leave alone in its host: stdio, signals, process state, forks, locale."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.abi import running

SPECIAL = ("locale", "concurrent", "concurrent_first_use", "plain")
DEBUG = {f"SANE_DEBUG_{name}": "255" for name in ("DLL", "TEST", "PROPER", "SANEI_CONFIG")}
LOCALES = {"C": "0.5", "C.UTF-8": "0.5", "": "0.5"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return running.build_all(tmp_path_factory.mktemp("host"), "host", "forks")


@pytest.fixture
def environment(staged_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return running.with_drivers(staged_environment, tmp_path)


@pytest.mark.parametrize(
    ("name", "case"), [c for c in running.cases("host", "forks") if c[1] not in SPECIAL]
)
def test_host_from_c(
    programs: dict[str, Path], environment: dict[str, str], name: str, case: str
) -> None:
    running.passes(programs[name], case, environment)


@pytest.mark.parametrize("case", ["concurrent", "concurrent_first_use"])
def test_host_threads_scan_side_by_side(
    programs: dict[str, Path], environment: dict[str, str], config_dir: Path, case: str
) -> None:
    config = config_dir / "test.conf"
    config.write_text(config.read_text() + "\nnumber_of_devices 4\n")
    running.passes(programs["forks"], case, environment)


@pytest.mark.parametrize("case", ["plain", "standard_closed", "no_signals", "state"])
def test_host_stdout_and_stdin_are_untouched(
    programs: dict[str, Path], environment: dict[str, str], case: str, tmp_path: Path
) -> None:
    """With all debug output on: it goes to stderr."""
    given = tmp_path / "input"
    given.write_text("for somebody else")
    with given.open() as stdin:
        done = subprocess.run(
            [programs["host"], case],
            env={**environment, **DEBUG},
            stdin=stdin,
            capture_output=True,
            timeout=running.TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == b""
        assert os.lseek(stdin.fileno(), 0, os.SEEK_CUR) == 0
    assert case == "standard_closed" or b"[dll]" in done.stderr


def test_host_debug_output_into_a_broken_pipe_raises_no_signal(
    programs: dict[str, Path], environment: dict[str, str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = subprocess.run(
            [programs["host"], "no_signals"],
            env={**environment, **DEBUG},
            stdin=subprocess.DEVNULL,
            stderr=writing,
            timeout=running.TIMEOUT,
            check=False,
        )
    finally:
        os.close(writing)
    assert process.returncode == 0


@pytest.mark.parametrize("name", LOCALES)
def test_host_locale_changes_no_number(
    programs: dict[str, Path], environment: dict[str, str], config_dir: Path, name: str
) -> None:
    config = config_dir / "test.conf"
    config.write_text(config.read_text() + "\nresolution 33.33\n")
    done = running.passes(programs["host"], "locale", {**environment, "LC_ALL": name})
    assert done.stdout == f"{LOCALES[name]}\n"


def test_host_locale_with_a_decimal_comma_changes_no_number(
    programs: dict[str, Path], environment: dict[str, str], config_dir: Path, tmp_path: Path
) -> None:
    config = config_dir / "test.conf"
    config.write_text(config.read_text() + "\nresolution 33.33\n")
    where = comma_locale(tmp_path)
    done = running.passes(programs["host"], "locale", {**environment, **where})
    assert done.stdout == "0,5\n"
    running.passes(programs["host"], "state", {**environment, **where})


def comma_locale(folder: Path) -> dict[str, str]:
    """Compile a German locale into *folder*; return the variables that choose it."""
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("peer absent: localedef and the locale de_DE (Debian: locales)")
    target = folder / "locales"
    target.mkdir()
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(target / "de_DE.UTF-8")]
    subprocess.run(command, capture_output=True, check=False)  # 1 after mere warnings
    return {"LOCPATH": str(target), "LC_ALL": "de_DE.UTF-8"}


def test_host_cplusplus_throws_around_our_calls(
    staged_environment: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("peer absent: g++")
    program = running.build("host.cc", tmp_path, "-lstdc++", language="c++", standard="-std=c++17")
    done = running.run([program], staged_environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "20 1\n", "")


def test_host_driver_that_others_may_write_is_refused_by_name(
    programs: dict[str, Path], environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "drivers" / "proper.py").chmod(0o666)
    done = running.run([programs["host"], "plain"], environment)
    assert "proper.py is not used" in done.stderr
    assert done.returncode == 1  # the program found no such device
