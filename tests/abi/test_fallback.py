"""Our libsane.so.1 where Python cannot start: the distribution's takes over, or one line says why.

A copy of the library lies alone in a folder, with as much of the installation as a test wants.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import cc
from tests.abi import running
from tests.conftest import PREFIX
from tests.peers import walks
from tests.peers.frontends import Scanimage, configure
from tests.peers.walks import DISPATCHED
from tests.support.other_pythons import OTHERS, PYHOST, other_python, system_python

PACKAGE = PREFIX / "lib" / "pysane"
BOOT = sorted(PACKAGE.glob("boot.*.so"))
Environ = dict[str, str]


class Installation:
    """A libsane.so.1 of ours in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "libsane.so.1"
        folder.mkdir()
        shutil.copy(running.LIBSANE, self.library)

    def runtime(self, **values: str | None) -> None:
        """Write pysane.runtime as installed, with *values* in it (None: no such line)."""
        lines = (PACKAGE / "pysane.runtime").read_text().splitlines()
        lines = [line for line in lines if line.partition("=")[0] not in values]
        lines += [f"{key}={value}" for key, value in values.items() if value is not None]
        (self.folder / "pysane").mkdir(exist_ok=True)
        (self.folder / "pysane" / "pysane.runtime").write_text("\n".join(lines) + "\n")

    def boot(self) -> None:
        for path in BOOT:
            shutil.copy(path, self.folder / "pysane")


@pytest.fixture
def alone(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "lib")


@pytest.fixture
def environment(staged_environment: Environ, alone: Installation) -> Environ:
    return {**staged_environment, "LD_LIBRARY_PATH": str(alone.folder)}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build("plain.c", tmp_path_factory.mktemp("plain"))


# How an installation can be broken, and what the one line has to say.


def libpython_gone(alone: Installation, **more: str) -> None:
    alone.runtime(libpython="/nonexistent/libpython3.11.so.1.0", **more)


def libpython_no_library(alone: Installation, **more: str) -> None:
    alone.runtime(libpython="pysane.runtime", **more)


def boot_gone(alone: Installation, **more: str) -> None:
    alone.runtime(boot="boot.gone.so", **more)


def no_line_boot(alone: Installation, **more: str) -> None:
    alone.runtime(boot=None, **more)


def no_line_version(alone: Installation, **more: str) -> None:
    alone.runtime(version=None, **more)


def package_gone(alone: Installation, **more: str) -> None:
    alone.runtime(**more)
    alone.boot()


def standard_library_gone(alone: Installation, **more: str) -> None:
    alone.runtime(stdlib="/nonexistent", home="/nonexistent", **more)
    alone.boot()


Damage = Callable[..., None]
DAMAGES: dict[Damage, str] = {
    libpython_gone: "cannot load Python: .*libpython3.11",
    libpython_no_library: "cannot load Python: .*pysane.runtime",
    boot_gone: "boot.gone.so",
    no_line_boot: "no line boot=",
    no_line_version: "no line version=",
    package_gone: "cannot start Python: .*No module named",
    standard_library_gone: "cannot start Python: ",
}


def names(damage: object) -> str:
    return getattr(damage, "__name__", "")


def said(stderr: str) -> str:
    """Return the one line of ours in *stderr*; Python itself may say more."""
    lines = re.findall(r"^pysane: .*$", stderr, re.MULTILINE)
    assert len(lines) == 1, stderr
    return str(lines[0])


# -- With the distribution's libsane -------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGES, ids=names)
def test_fallback_answers_as_the_distributions_libsane(
    plain: Path, alone: Installation, environment: Environ, damage: Damage
) -> None:
    theirs = cc.distribution_libsane()
    damage(alone)
    done = running.run([plain], environment)
    expected = running.run([plain], {**environment, "LD_LIBRARY_PATH": str(theirs.parent)})
    assert "devices GOOD some\nopen GOOD written\n" in expected.stdout
    assert done.returncode == expected.returncode == 0
    assert done.stdout.splitlines()[1:] == expected.stdout.splitlines()[1:]  # but the version
    line = said(done.stderr)
    assert re.match(f"pysane: .*{DAMAGES[damage]}", line)
    assert Path(line.partition("; using ")[2]).resolve() == theirs.resolve()


def test_fallback_is_known_without_the_folder(
    plain: Path, alone: Installation, environment: Environ
) -> None:
    """The package was removed with all its files but the library."""
    cc.distribution_libsane()
    done = running.run([plain], environment)
    assert "devices GOOD some\nopen GOOD written\n" in done.stdout
    assert re.match(r"pysane: no file pysane/pysane\.runtime in .*; using /usr/", said(done.stderr))


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


def test_fallback_walks_are_those_of_the_distributions_libsane(
    walker: Path, alone: Installation, tmp_path: Path
) -> None:
    theirs = walks.their_library()
    libpython_gone(alone)
    chosen = (walks.generate_test_walk(seed, DISPATCHED) for seed in range(walks.walk_count(20)))
    side = theirs._replace(library=alone.library)
    report = walks.check_walks(walker, side, theirs, chosen, tmp_path)
    assert not report, report


def test_fallback_scanimage_scans_and_stops(alone: Installation, tmp_path: Path) -> None:
    cc.distribution_libsane()
    libpython_gone(alone)
    config = configure(tmp_path / "sane.d")
    scanimage = Scanimage(tmp_path / "run", config)
    arguments = ("-d", "test:1", "--mode=Color", "--test-picture=Color pattern", "--format=png")
    ours = scanimage.run(alone.folder, *arguments)
    assert said(ours.stderr)
    assert ours.stdout == scanimage.theirs(*arguments).stdout
    assert ours.stdout.startswith(b"\x89PNG")


SCAN = """
import ctypes, runpy, sys
Sane = runpy.run_path(sys.argv[1])["Sane"]
loaders = {"CDLL": ctypes.CDLL, "PyDLL": ctypes.PyDLL}
sane = Sane(sys.argv[2], loaders[sys.argv[3]])
for _ in range(2):
    sane.init()
    handle = sane.opened("test:0")
    print(*sane.devices(), len(sane.scan(handle)))
    sane.lib.sane_close(handle)
    sane.lib.sane_exit()
"""
SCANNED = "0 ['test:0', 'test:1'] 30772\n" * 2


@pytest.mark.parametrize("loader", ["CDLL", "PyDLL"])  # without and with the GIL held
@pytest.mark.parametrize("version", OTHERS)
def test_fallback_serves_a_host_of_another_python(
    staged_environment: Environ, version: str, loader: str
) -> None:
    cc.distribution_libsane()
    python = other_python(version)
    command: list[str | Path] = [python, "-c", SCAN, PYHOST, running.LIBSANE, loader]
    done = running.run(command, staged_environment)
    assert (done.returncode, done.stdout) == (0, SCANNED)
    assert re.match(f"pysane: this program runs Python {version}", said(done.stderr))


def test_fallback_serves_a_python_whose_drivers_are_gone(
    alone: Installation, environment: Environ
) -> None:
    """The host's interpreter is the right one, the package is not there."""
    cc.distribution_libsane()
    package_gone(alone)
    command: list[str | Path] = [system_python(), "-c", SCAN, PYHOST, alone.library, "CDLL"]
    done = running.run(command, environment)
    assert (done.returncode, done.stdout) == (0, SCANNED)
    assert re.search(r"No such file or directory: '\S+/pysane/sane/__init__.py'", said(done.stderr))


# -- Without one ---------------------------------------------------------------------------------

REFUSALS = (
    "init GOOD 1.2\nstrstatus Invalid argument\n"
    + "devices UNSUPPORTED none\nopen UNSUPPORTED untouched\n" * 2
    + "read INVAL 0\n"
)


@pytest.mark.parametrize("damage", DAMAGES, ids=names)
def test_fallback_of_nothing_refuses_all_calls_and_says_once_why(
    plain: Path, alone: Installation, environment: Environ, damage: Damage
) -> None:
    damage(alone, fallback="")
    done = running.run([plain], environment)
    assert (done.returncode, done.stdout) == (0, REFUSALS)
    line = said(done.stderr)
    assert re.match(f"pysane: .*{DAMAGES[damage]}", line)
    assert line.endswith('; SANE calls return "Operation not supported"')


@pytest.mark.parametrize("version", OTHERS)
def test_fallback_of_nothing_refuses_another_python(
    alone: Installation, environment: Environ, version: str
) -> None:
    """Struct-based calls would corrupt the host's memory."""
    alone.runtime(fallback="")
    python = other_python(version)
    done = running.run([python, PYHOST, alone.library, "refused"], environment)
    assert (done.returncode, done.stdout) == (0, "1 []\n1\n" * 2)
    line = said(done.stderr)
    assert version in line and "the scanner drivers need" in line


FREE_THREADED = ("experimental free-threading build", "free-threading build")  # of 3.13, of 3.14


@pytest.mark.parametrize("build", FREE_THREADED)
def test_fallback_of_nothing_refuses_a_free_threaded_python(
    alone: Installation, environment: Environ, tmp_path: Path, build: str
) -> None:
    """Its version is the right one, its objects are laid out otherwise."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}.0 {build} (main, Oct  7 2025)"
    host = running.build("plain.c", tmp_path, f'-DPYTHON="{version}"', "-rdynamic")
    alone.runtime(fallback="")
    done = running.run([host], environment)
    assert (done.returncode, done.stdout) == (0, REFUSALS)
    assert said(done.stderr).startswith("pysane: this program runs a free-threaded Python, ")


def test_fallback_is_never_a_library_of_ours(
    plain: Path, alone: Installation, environment: Environ, tmp_path: Path
) -> None:
    """Neither the library itself under another name, nor a copy: they would call each other."""
    link, copy, text = (tmp_path / name for name in ("link.so.1", "copy.so.1", "text.so.1"))
    link.symlink_to(alone.library)
    shutil.copy(alone.library, copy)
    text.write_text("no library\n")
    candidates = [link, tmp_path / "absent.so.1", text, copy, tmp_path]
    libpython_gone(alone, fallback=":".join(map(str, candidates)))
    done = running.run([plain], environment)
    assert (done.returncode, done.stdout) == (0, REFUSALS)
    assert "Operation not supported" in said(done.stderr)


def test_fallback_takes_the_first_that_can_be_used(
    plain: Path, alone: Installation, environment: Environ, tmp_path: Path
) -> None:
    other = tmp_path / "other.so.1"
    other.symlink_to(cc.distribution_libsane().resolve())
    libpython_gone(alone, fallback=f"/nonexistent/a:{alone.library}::{other}:/nonexistent/b")
    done = running.run([plain], environment)
    assert "devices GOOD some\n" in done.stdout
    assert said(done.stderr).endswith(f"; using {other}")


def test_fallback_is_not_for_a_backend_of_another_libsane(
    alone: Installation, tmp_path: Path
) -> None:
    """Its dll would be asked by ours, and ours by its dll."""
    cc.distribution_libsane()
    folder = tmp_path / "sane"
    folder.mkdir()
    shutil.copy(PREFIX / "lib" / "sane" / "libsane-pysane.so.1", folder)
    (tmp_path / "pysane").mkdir()
    config = configure(tmp_path / "sane.d", "pysane\n")
    done = Scanimage(tmp_path / "run", config).run(folder, "-d", "pysane:test:0", "-n")
    assert done.status != 0
    assert "Operation not supported" in said(done.stderr)


def test_fallback_complaint_raises_no_sigpipe(
    plain: Path, alone: Installation, environment: Environ
) -> None:
    """A frontend treats SIGPIPE as "cancel" or "terminate"; stderr may be a broken pipe."""
    libpython_gone(alone, fallback="")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [plain],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=writing,
            text=True,
            timeout=running.TIMEOUT,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stdout) == (0, REFUSALS)
