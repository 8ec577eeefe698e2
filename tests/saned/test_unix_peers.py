"""Who is a local user: whoever may open the path of a Unix socket, and nobody else."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from sane.wire import messages
from tests.support.saned import command, configure, environment
from tests.support.saned_starts import ended, with_passed_sockets
from tests.support.timing import SECONDS

UNKNOWN = b"access denied: the connection is a Unix socket without a path"


def answer(sock: socket.socket) -> bytes:
    """Return what the server answers to INIT, b"" if it closes."""
    sock.settimeout(SECONDS)
    try:
        sock.sendall(messages.Init(3, None).encode())
        return sock.recv(8)
    except (ConnectionResetError, BrokenPipeError):
        return b""


def ends(kind: str, folder: Path) -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection by a Unix socket."""
    if kind == "pair":
        return socket.socketpair()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket") if kind == "path" else f"\0{folder}")
        listener.listen()
        here = socket.socket(socket.AF_UNIX)
        here.connect(listener.getsockname())
        return here, listener.accept()[0]


def test_inetd_mode_does_not_admit_whoever_is_behind_a_pair(tmp_path: Path) -> None:
    """Super-servers make a pair: they know who is behind it, and saned does not."""
    here, there = socket.socketpair()
    line, env = command("-e", "-d5"), environment(configure(tmp_path))
    with here, there, ended(line, stdin=there, stdout=there, stderr=there, env=env):
        there.close()
        assert answer(here) == b""


@pytest.mark.parametrize("kind", ["pair", "abstract", "path"])
def test_a_passed_connection_admits_those_who_may_open_its_path(tmp_path: Path, kind: str) -> None:
    with contextlib.ExitStack() as stack:
        here, there = map(stack.enter_context, ends(kind, tmp_path))
        process = stack.enter_context(with_passed_sockets(configure(tmp_path / "server"), [there]))
        there.close()
        assert len(answer(here)) == (8 if kind == "path" else 0)
        here.close()
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert (UNKNOWN in process.stderr.read()) == (kind != "path")


@pytest.mark.parametrize("kind", ["abstract", "path"])
def test_a_passed_listening_socket_admits_those_who_may_open_its_path(
    tmp_path: Path, kind: str
) -> None:
    name = str(tmp_path / "socket") if kind == "path" else f"\0{tmp_path}"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(name)
        listener.listen()
        with with_passed_sockets(configure(tmp_path / "server"), [listener]):
            client.settimeout(SECONDS)
            client.connect(name)
            assert len(answer(client)) == (8 if kind == "path" else 0)
