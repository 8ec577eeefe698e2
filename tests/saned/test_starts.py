"""What saned says, and leaves behind, when it cannot start as it should."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ABSENT
from tests.support.saned import command, configure, environment
from tests.support.saned_starts import PID_FILE, background_pids, run
from tests.support.timing import SECONDS, wait_until


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@pytest.mark.parametrize("passed", [False, True], ids=["inetd", "systemd"])
def test_a_closed_descriptor_is_no_connection(tmp_path: Path, passed: bool) -> None:
    line = "export LISTEN_PID=$$ LISTEN_FDS=1; exec " if passed else "exec "
    close = "3>&-" if passed else ">&-"
    done = subprocess.run(
        ["sh", "-c", f'{line} "$@" {close}', "sh", *command("-e")],
        env=environment(configure(tmp_path)),
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("descriptor 3 is none" if passed else "is no connection: start saned") in done.stderr


@pytest.mark.parametrize("user", [("-ano-such-user",), ("-D", "-l", "-u", "no-such-user")])
def test_an_unknown_user_is_told_before_it_goes_to_the_background(
    tmp_path: Path, user: tuple[str, ...]
) -> None:
    before = PID_FILE.read_text() if PID_FILE.exists() else ""  # of a daemon of another test
    done = run(configure(tmp_path), *user, "-e", "-b", "127.0.0.1", "-p", free_port())
    assert (PID_FILE.read_text() if PID_FILE.exists() else "") == before
    assert done.returncode == 1
    assert "there is no user no-such-user" in done.stderr


def test_the_pid_file_goes_when_the_server_cannot_become_its_user(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip(f"{ABSENT}setpriv, as root")
    if PID_FILE.exists():
        pytest.skip(f"{PID_FILE} belongs to somebody else")
    port = free_port()
    line = command("-anobody", "-b", "127.0.0.1", "-p", port)
    subprocess.run(
        ["setpriv", "--bounding-set=-setgid", *line],
        env=environment(configure(tmp_path)),
        check=True,
        timeout=SECONDS,
    )
    try:
        assert wait_until(lambda: not background_pids(int(port)))
        assert not PID_FILE.exists()
    finally:
        PID_FILE.unlink(missing_ok=True)
