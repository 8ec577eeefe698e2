"""Runs the distribution's programs on our libsane.so.1 and on the one they were made for."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import ROOT
from tests.conftest import PREFIX

TIMEOUT = 8.0  # of one program; none here takes a second
ATTEMPTS = 3
HUNG = -1000  # no exit status
Environ = dict[str, str] | None  # what is added to an environment
LATENCY = 1.0  # seconds from a signal to the end; typically 2 ms, but the machine may be busy
SLOW = ("--resolution=1200", "--read-delay=yes", "--read-delay-duration=200000")  # takes minutes
CLOCK = re.compile(r"^\[\d\d:\d\d:\d\d\.\d{6}\] ", re.MULTILINE)
RACE_LOST = re.compile(  # what the original's test backend causes at the end of one scan in ten
    r"(?:scanimage: (?:received signal 13|trying to stop scanner|aborting)\n)+\Z"
)
DESCRIPTION = re.compile(r"(?:^ {8}.*\n)+", re.MULTILINE)  # the help texts in scanimage -A
OURS = PREFIX / "lib"  # as LD_LIBRARY_PATH: our libsane.so.1


# The read that was under way ends with an I/O error, as the original's does; the next one, if the
# signal came between two, is cancelled. The original's own device looks whether it is cancelled and
# then whether it scans at all: between these two looks the read is an invalid one. scanimage exits
# with the number of the status.
STOPPED = re.compile(
    r"(?:rogress|\rProgress).*\rscanimage: received signal (?P<signal>\d+)\n"
    r"(?s:.*)scanimage: trying to stop scanner\n(?s:.*)"
    r"scanimage: sane_read: (?P<error>.*)\n"
)
EXITS = {"Operation was canceled": 2, "Error during device I/O": 9}
EXITS_OF_THE_ORIGINALS = {**EXITS, "Invalid argument": 4}


class Outcome(NamedTuple):
    """What a program left: exit status, output, messages without their times, files by name."""

    status: int
    stdout: bytes
    stderr: str
    files: dict[str, bytes]


def peer(name: str) -> str:
    """Return the path of the program *name* of the distribution; skip the test without it."""
    found = shutil.which(name, path="/usr/bin:/usr/sbin")
    if found is None:
        pytest.skip(f"peer absent: {name}")
    return found


def environment(config: Path, libraries: Path | None) -> dict[str, str]:
    """Return an environment: configuration, LD_LIBRARY_PATH (None: the distribution's)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_", "PYTHON"))}
    kept |= {"LC_ALL": "C", "SANE_CONFIG_DIR": str(config)}
    if libraries is not None:
        if not (PREFIX / "lib" / "libsane.so.1").exists():
            pytest.fail(f"nothing staged in {PREFIX}: make build")
        kept["LD_LIBRARY_PATH"] = str(libraries)
    return kept


def configure(folder: Path, dll: str = "test\n", **files: str) -> Path:
    """Write dll.conf, the shipped test.conf and *files* (``dll_aliases`` is dll.aliases)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text(dll)
    shutil.copy(ROOT / "etc" / "test.conf", folder)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return folder


class Scanimage:
    """scanimage with one configuration, in a folder of its own for each library."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.program = peer("scanimage")
        self.folder = folder
        self.config = config

    def run(
        self, libraries: Path | None, *arguments: str, stdin: bytes = b"", environ: Environ = None
    ) -> Outcome:
        """Run it once on *libraries* (see environment); *environ* is added to the environment."""
        place = self.folder / ("theirs" if libraries is None else libraries.name)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        done = subprocess.run(
            [self.program, *arguments],
            input=stdin,
            capture_output=True,
            cwd=place,
            env=environment(self.config, libraries) | (environ or {}),
            timeout=TIMEOUT,
            check=False,
        )
        files = {path.name: path.read_bytes() for path in sorted(place.iterdir())}
        messages = CLOCK.sub("", done.stderr.decode("latin-1"))
        return Outcome(done.returncode, done.stdout, messages, files)

    def ours(self, *arguments: str, stdin: bytes = b"", environ: Environ = None) -> Outcome:
        """Run it on our libsane.so.1."""
        return self.run(OURS, *arguments, stdin=stdin, environ=environ)

    def theirs(self, *arguments: str, stdin: bytes = b"", environ: Environ = None) -> Outcome:
        """Run it on the distribution's; again if that hangs (see agree)."""
        for _ in range(ATTEMPTS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.run(None, *arguments, stdin=stdin, environ=environ)
        pytest.fail(f"the original hangs with {arguments}")

    def same(self, *arguments: str, stdin: bytes = b"", environ: Environ = None) -> Outcome:
        """Run it on both, which must not differ in anything; return ours."""
        ours = self.ours(*arguments, stdin=stdin, environ=environ)
        self.agree(ours, lambda: self.theirs(*arguments, stdin=stdin, environ=environ))
        return ours

    @staticmethod
    def agree(ours: Outcome, run_theirs: Callable[[], Outcome]) -> None:
        """Check that the original leaves the same as ours left; it may try again.

        Its test backend at times loses a race with its own thread, and then gets SIGPIPE at the
        end of a scan, or hangs.
        """
        theirs = ours._replace(status=HUNG)
        for _ in range(ATTEMPTS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                theirs = run_theirs()
                theirs = theirs._replace(stderr=RACE_LOST.sub("", theirs.stderr))
            if theirs == ours:
                break
        assert ours.status == theirs.status, (ours.stderr, theirs.stderr)
        assert ours.stderr == theirs.stderr
        assert ours.stdout == theirs.stdout
        assert list(ours.files) == list(theirs.files)
        assert ours.files == theirs.files


def interrupt(config: Path, libraries: Path | None, number: int, device: str = "test") -> float:
    """Send a signal to a scanimage in mid-scan; check how it ends, return after how many seconds.

    It arrives when the first data are there and the next are 200 ms away. SIGPIPE is not sent:
    nobody reads stdout any more.
    """
    with subprocess.Popen(
        [peer("scanimage"), "--format=pnm", "--progress", "-d", device, *SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(config, libraries),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert os.read(process.stderr.fileno(), 1) == b"P"
            before = time.monotonic()
            if number == signal.SIGPIPE:
                process.stdout.close()
            else:
                process.send_signal(number)
            stderr = process.communicate(timeout=TIMEOUT)[1]
            seconds = time.monotonic() - before
        finally:
            process.kill()
    check_stopped(stderr.decode(), number, process.returncode, EXITS)
    return seconds


def check_stopped(stderr: str, number: int, status: int, exits: dict[str, int]) -> None:
    """Check what scanimage said and exited with that the signal *number* stopped."""
    match = STOPPED.fullmatch(stderr)
    assert match, stderr
    assert int(match["signal"]) == number
    assert exits.get(match["error"]) == status, stderr
