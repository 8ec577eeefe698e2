"""Programs that are run for what they write: limits, and what the host notices of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sane.discovery.programs import output_of
from tests import TREE

LONG = 10.0


def shell(script: str, seconds: float = LONG, most: int = 1 << 20) -> str:
    return output_of(("/bin/sh", "-c", script), {"LC_ALL": "C", "WORD": "ü"}, seconds, most)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":  # whoever has orphans here has yet to collect it
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} still runs")


def test_programs_what_is_written_is_returned() -> None:
    assert shell("echo $WORD; echo lost >&2; cat") == "ü\n"
    assert shell("exit 3") == ""
    assert shell("printf '\\377a'") == "\ufffda"


def test_programs_silence_and_too_much_end(tmp_path: Path) -> None:
    begin = time.monotonic()
    assert shell(f"echo $$ > {tmp_path}/pid; echo a; exec sleep 60", 0.3) == "a\n"
    wait_until_gone(int((tmp_path / "pid").read_text()))
    assert len(shell(f"echo $$ > {tmp_path}/pid; exec yes", LONG, 5000)) == 5000
    wait_until_gone(int((tmp_path / "pid").read_text()))
    assert shell("exec yes", 0.1, 1 << 30).startswith("y\n")
    assert time.monotonic() - begin < LONG


def test_programs_that_are_none_are_an_error() -> None:
    with pytest.raises(OSError, match=r"\[Errno 2\]"):
        output_of(("/nonexistent/program",), {}, LONG)
    with pytest.raises(PermissionError):
        output_of(("/etc/passwd",), {}, LONG)


def test_programs_get_no_signal_blocked_and_no_descriptor_of_ours() -> None:
    ours = os.open(os.devnull, os.O_RDWR)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        said = shell("grep SigBlk /proc/self/status; ls -l /proc/self/fd").splitlines()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(ours)
    assert said[0].split() == ["SigBlk:", "0000000000000000"]
    assert not any(f" {ours} -> " in line for line in said[1:] if ours > 3)


NOTICED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from sane.discovery.programs import output_of
seen = []
signal.signal(signal.SIGCHLD, lambda *_: seen.append(1))
before = sorted(os.listdir("/proc/self/fd"))
assert output_of(("/bin/echo", "a"), {}, 10.0) == "a\\n"
assert output_of(("/bin/sleep", "60"), {}, 0.05) == ""
try:
    children = os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    children = "none"
print(seen, children, sorted(os.listdir("/proc/self/fd")) == before)
"""


def test_programs_are_not_noticed_by_the_host() -> None:
    """Compiled; uncompiled they are children while they run, and the host has none afterwards."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", NOTICED, str(TREE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    is_compiled = any((TREE / "sane").glob("spawn.*.so"))
    seen, rest = done.stdout.strip().split(" none ")
    assert rest == "True"
    assert (seen == "[]") or not is_compiled
