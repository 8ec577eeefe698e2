"""The distribution's C backends under our libsane.so.1, chosen by ``native`` in pysane.conf."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import walks
from tests.peers.frontends import (
    ATTEMPTS,
    LATENCY,
    OURS,
    RACE_LOST,
    Outcome,
    Scanimage,
    configure,
    interrupt,
    peer,
)
from tests.peers.walks import DISPATCHED

PATTERN = "--test-picture=Color pattern"


@pytest.fixture
def scanimage(tmp_path: Path) -> Scanimage:
    config = configure(tmp_path / "sane.d", pysane_conf="native test\n")
    return Scanimage(tmp_path / "run", config)


def loaded(scanimage: Scanimage, *arguments: str) -> list[str]:
    """Return the libraries that a run on our libsane.so.1 loads."""
    done = scanimage.ours(*arguments, environ={"LD_DEBUG": "libs"})
    return [line.split()[-1] for line in done.stderr.splitlines() if "calling init:" in line]


def test_native_loads_the_library_of_the_distribution(scanimage: Scanimage) -> None:
    walks.their_library("test")
    libraries = loaded(scanimage, "-d", "test", "-n")
    assert str(OURS / "libsane.so.1") in libraries
    assert [Path(path).parent.name for path in libraries if "libsane-test" in path] == ["sane"]


def test_native_is_not_the_default(scanimage: Scanimage) -> None:
    (scanimage.config / "pysane.conf").write_text("# native test\n")
    assert not [path for path in loaded(scanimage, "-d", "test", "-n") if "libsane-test" in path]


SAME: tuple[list[str], ...] = (
    ["-L"],
    ["-f", "%d|%v|%m|%t|%i|%n"],
    ["-d", "test", "-A"],
    ["-d", "test:1", "--mode=Color", "--enable-test-options=yes", "-A"],
    ["-d", "test:0", PATTERN, "--mode=Color", "--format=png"],
    ["-d", "test:0", PATTERN, "--depth=16", "--format=tiff"],
    ["-d", "test:0", PATTERN, "--mode=Color", "--three-pass=yes", "--format=pnm"],
    ["-d", "test:0", "--source=Automatic Document Feeder", "--batch", "--resolution=20"],
    ["-d", "test:0", "-T", "--mode=Color"],
    ["-d", "test:0", "--mode=Nothing"],
    ["-d", "test:0", "--read-return-value=SANE_STATUS_JAMMED"],
    ["-d", "test:7"],
)


def run_ours(scanimage: Scanimage, *arguments: str) -> Outcome:
    """Run it on our library; the original's backend loses its race here as there (agree)."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = scanimage.ours(*arguments)
            return done._replace(stderr=RACE_LOST.sub("", done.stderr))
    pytest.fail(f"the original's backend hangs with {arguments}")


@pytest.mark.parametrize("arguments", SAME, ids=" ".join)
def test_native_scanimage_does_as_on_its_own_library(
    scanimage: Scanimage, arguments: list[str]
) -> None:
    ours = run_ours(scanimage, *arguments)
    scanimage.agree(ours, lambda: scanimage.theirs(*arguments))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE])
def test_native_stops_at_once_when_interrupted(scanimage: Scanimage, number: int) -> None:
    peer("scanimage")
    assert interrupt(scanimage.config, OURS, number) < LATENCY


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


def _walks(count: int) -> Iterator[walks.Walk]:
    return (walks.generate_test_walk(seed, DISPATCHED) for seed in range(count))


def test_native_walks_are_the_same_through_both_dispatchers(walker: Path, tmp_path: Path) -> None:
    ours = walks.our_library()._replace(choice="native test\n", is_original=True)
    report = walks.check_walks(
        walker, ours, walks.their_library(), _walks(walks.walk_count()), tmp_path
    )
    assert not report, report


ALL_NATIVE = re.compile(r"backend (\w+) is (\S+)")


def test_native_star_takes_every_c_backend(scanimage: Scanimage) -> None:
    (scanimage.config / "pysane.conf").write_text("native *\n")
    (scanimage.config / "dll.conf").write_text("test\npnm\n")
    told = scanimage.ours("-d", "pnm", "-n", environ={"SANE_DEBUG_DLL": "3"}).stderr
    assert [Path(path).name for _, path in ALL_NATIVE.findall(told)] == ["libsane-pnm.so.1"]


def test_native_names_a_library_that_is_not_there(scanimage: Scanimage) -> None:
    """Nobody gets another implementation than the one asked for."""
    (scanimage.config / "pysane.conf").write_text("native nosuch\n")
    done = scanimage.ours("-d", "nosuch", "-n")
    assert done.status == 1
    folder = walks.their_library("test").library.parent
    told = f"pysane.conf says native nosuch: there is no libsane-nosuch.so.1 in {OURS}:"
    assert told in done.stderr
    assert f":{folder}:" in done.stderr


# A few of each kind: refusals, I/O errors, statuses of their own. None waits for a device.
OTHERS = (
    *("avision", "canon_pp", "epson2", "escl", "fujitsu", "genesys", "gphoto2", "hp", "kvs1025"),
    *("net", "niash", "pixma", "plustek", "snapscan", "u12", "umax", "xerox_mfp"),
)


@pytest.mark.parametrize("name", OTHERS)
def test_native_backends_of_the_distribution_answer_as_under_their_own_dll(
    scanimage: Scanimage, name: str
) -> None:
    walks.their_library(name)
    (scanimage.config / "pysane.conf").write_text(f"native {name}\n")
    assert scanimage.same("-d", f"{name}:nosuch", "-n").status == 1
