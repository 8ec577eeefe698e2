"""Walks through python-sane's modules show the same with ours, and on both libraries.

The lines of a walk run with python-sane on the original library, with our modules, and with
python-sane on our library, all in the distribution's Python. SANE_WALKS says how many walks.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ABSENT, PREFIX
from tests.peers.frontends import ATTEMPTS, OURS, configure, environment
from tests.peers.walk_python import generate_python_walk
from tests.peers.walks import ENDED, Walk, compare, walk_count
from tests.support.other_pythons import system_python

WALKER = Path(__file__).with_name("python_walker.py")
PACKAGE = PREFIX / "lib" / "pysane"
SECONDS = 120.0  # of one walk: three seconds, and an original that hangs


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the distribution's Python with python-sane; ours is loaded by the same one."""
    found = system_python()
    command = [str(found), "-c", "import _sane, PIL, numpy"]
    if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode:
        pytest.skip(f"{ABSENT}python3-sane, or python3-numpy")
    return found


class Side:
    """A way to run walks: our modules or python-sane's, on a library (None: the original one)."""

    def __init__(self, name: str, libraries: Path | None, *, is_ours: bool = False) -> None:
        self.name = name
        self.libraries = libraries
        self.is_ours = is_ours

    def run(self, python: Path, walk: Walk, folder: Path) -> list[str]:
        """Run *walk* with a configuration in *folder*; return a line for each of its lines."""
        environ = environment(configure(folder), self.libraries) | {"LC_ALL": "C.UTF-8"}
        if self.is_ours:
            environ["PYTHONPATH"] = f"{PACKAGE}:{PACKAGE / 'sane' / 'compat'}"
        try:
            done = subprocess.run(
                [python, WALKER],
                input="\n".join(walk.commands).encode(),
                capture_output=True,
                env=environ,
                cwd=folder,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            return [*(exc.stdout or b"").decode().splitlines(), f"{ENDED} a timeout)"]
        lines = done.stdout.decode().splitlines()
        messages = done.stderr.decode().splitlines()
        return lines if not done.returncode else [*lines, f"{ENDED} {done.returncode})", *messages]


ORIGINAL = Side("python-sane", None)
OTHERS = (Side("ours", None, is_ours=True), Side("python-sane on our library", OURS))


def check(python: Path, walk: Walk, folder: Path) -> str:
    """Run *walk* on all sides at once; return the reports of those that differ, "" if none does.

    The original's test backend at times loses a race with its own thread: it may try again.
    """
    with ThreadPoolExecutor() as pool:
        sides = (ORIGINAL, *OTHERS)
        jobs = [pool.submit(side.run, python, walk, folder / side.name) for side in sides]
    theirs, *traces = [job.result() for job in jobs]
    for _ in range(ATTEMPTS - 1):
        if all(trace == theirs for trace in traces):
            return ""
        theirs = ORIGINAL.run(python, walk, folder / ORIGINAL.name)
    return "\n\n".join(
        f"seed {walk.seed}, {side.name}: {compare(walk.commands, trace, theirs)}"
        for side, trace in zip(OTHERS, traces, strict=True)
        if trace != theirs
    )


def test_walks_python_sane_shows_the_same(python: Path, tmp_path: Path) -> None:
    for seed in range(walk_count(3)):
        report = check(python, generate_python_walk(seed), tmp_path / str(seed))
        assert not report, report


def test_walks_python_depend_on_the_seed_only() -> None:
    walk = generate_python_walk(3)
    assert walk == generate_python_walk(3)
    assert walk.commands != generate_python_walk(4).commands
