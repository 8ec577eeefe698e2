"""The ways in which saned is started: by a shell, and with sockets that systemd passes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.saned import command, environment
from tests.support.timing import SECONDS

PID_FILE = Path("/run/saned.pid")

PASS = """
import os, sys
fds, rest = sys.argv[1].split(","), sys.argv[2:]
high = [os.dup2(int(fd), 100 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.execv(rest[0], rest)
"""


@contextlib.contextmanager
def with_passed_sockets(
    config: Path, sockets: Sequence[socket.socket], *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run saned with sockets passed as systemd passes them."""
    fds = [sock.fileno() for sock in sockets]
    line = [sys.executable, "-I", "-c", PASS, ",".join(map(str, fds)), *command("-e", "-d5")]
    with ended(
        [*line, *arguments],
        pass_fds=fds,
        env=environment(config),
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as process:
        yield process


@contextlib.contextmanager
def ended(line: list[str], **rest: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and end it whatever happens."""
    with subprocess.Popen(line, **rest) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(SECONDS)
            finally:
                process.kill()


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment(config),
        timeout=SECONDS,
        check=False,
    )


def background_pids(port: int) -> set[int]:
    """Return the processes of ours that were told to listen on *port*."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"{port}".encode() in words and b"from sane.saned import main" in b" ".join(words):
            found.add(int(name))
    return found
