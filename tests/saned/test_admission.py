"""Who gets a place, what a client may reach, and what happens to devices at an abrupt end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sane.saned.client import keep_place
from sane.sessions.access import Peer
from sane.sessions.dataport import DataPorts
from sane.sessions.leaving import Leaving
from sane.wire import messages
from tests import ROOT, TREE
from tests.conftest import ABSENT
from tests.support.saned import (
    Client,
    Saned,
    clients,
    command,
    configure,
    environment,
    read_all,
    split_frame,
)
from tests.support.saned_requests import USERS, answer, challenge
from tests.support.timing import SECONDS, wait_until

SET, STRING, MODE = 1, 3, 2
INVAL = 4
END = b"\xff\xff\xff\xff\x05"


# Places


@pytest.mark.parametrize("mode", ["strangers", "announcer", "taken"])
def test_in_a_network_of_its_own(tmp_path: Path, mode: str) -> None:
    """Strangers and a silent name service; two quick reloads of an announced server; a port."""
    if os.geteuid() != 0 or shutil.which("ip", path="/usr/sbin:/sbin:/bin:/usr/bin") is None:
        pytest.skip(f"{ABSENT}a network namespace needs root and iproute2")
    script = Path(__file__).with_name("namespace.py")
    line = ["unshare", "-n", "-m", sys.executable, str(script), mode, str(tmp_path)]
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    variables = {**os.environ, "PATH": path, "PYTHONPATH": f"{TREE}:{ROOT}"}
    variables["SANE_TEST_TREE"] = str(TREE)
    done = subprocess.run(
        line, env=variables, check=False, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stdout + done.stderr


def test_a_program_of_this_machine_may_have_many_sessions(tmp_path: Path) -> None:
    with Saned(configure(tmp_path)) as server, clients(server, 40):
        assert len(server.children()) == 40


def test_all_loopback_addresses_are_one_host_and_leave_places(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="max_clients = 16\nmax_clients_per_host = 8\n")
    with Saned(config) as server, clients(server, 14):
        for source in ("127.0.0.1", "127.0.0.2"):
            with socket.create_connection(
                (server.address, server.port), SECONDS, (source, 0)
            ) as sock:
                assert sock.recv(1) == b""
        server.wait_for("this machine")


def test_the_lines_by_which_test_suites_find_the_port(tmp_path: Path) -> None:
    with Saned(configure(tmp_path)) as server:
        assert server.wait_for("do_bindings: [0] socket () using IPv4")
        line = server.wait_for("selected ephemeral port: ")
        assert line.endswith(f"do_bindings: [0] selected ephemeral port: {server.port}")


# What a client may reach


@pytest.mark.parametrize("backend", ["epson2", "epsonds"])
def test_a_name_does_not_lead_to_another_machine(tmp_path: Path, backend: str) -> None:
    files = {f"{backend}_conf": "net 127.0.0.9\n"}
    with (
        Saned(configure(tmp_path, dll=f"{backend}\n", **files)) as server,
        server.client() as client,
    ):
        for host in ("127.0.0.8", "localhost", "127.0.0.9 ", "scanner.example"):
            assert client.ask(messages.Open(f"{backend}:net:{host}")).status == INVAL
            server.wait_for(f"leads to {host}")
        begin = len(server.log)
        assert client.ask(messages.Open(f"{backend}:net:127.0.0.9")).status
        server.wait_for("127.0.0.9", begin=begin)  # nobody is there, but it was tried
        assert "leads to" not in server.log[begin:]


@pytest.mark.parametrize("unlisted", [False, True])
def test_a_backend_that_dll_conf_does_not_name(tmp_path: Path, unlisted: bool) -> None:
    conf = f"open_unlisted = {'yes' if unlisted else 'no'}\n"
    config = configure(tmp_path, dll="epson2\n", epson2_conf="", saned_conf=conf)
    with Saned(config) as server, server.client() as client:
        assert client.ask(messages.Open("test:0")).status == (0 if unlisted else INVAL)
        assert client.ask(messages.Open("dll:test:0")).status == INVAL
        if not unlisted:
            server.wait_for("backend test is not enabled in dll.conf (open_unlisted)")


def test_passwords_cannot_be_guessed_at_leisure(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_users=USERS)
    with Saned(config) as server, server.client() as client:
        for guess in range(3):
            assert answer(client, challenge(client), "joe", f"guess {guess}") == 11
        client.send(messages.Authorize(challenge(client), "joe", "the last").encode())
        client.receive(4)
        assert client.is_closed()
        server.wait_for("4 wrong passwords")


def test_a_new_connection_for_each_password_is_no_faster(tmp_path: Path) -> None:
    """The place of a client that has guessed stays taken when it does not wait for the answer."""
    conf = "max_clients_per_host = 2\nmax_clients = 2\n"
    with Saned(configure(tmp_path, saned_users=USERS, saned_conf=conf)) as server:
        for guess in ("one", "two"):
            with server.client() as client:
                client.send(messages.Authorize(challenge(client), "joe", guess).encode())
            server.wait_for_children(1 if guess == "one" else 2)
        with server.connect() as client:
            assert client.is_closed()
            server.wait_for("refused: 2 clients")
        assert len(server.children()) == 2


def test_a_place_that_is_kept_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM counts also when it comes while the client's devices are put to rest."""
    monkeypatch.setattr(signal, "sigtimedwait", lambda *args: pytest.fail("it stays"))
    before = signal.getsignal(signal.SIGTERM)
    try:
        leaving = Leaving()
        leaving.is_over = True
        signal.raise_signal(signal.SIGTERM)
        keep_place(leaving)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("attempt", range(10))
def test_a_place_that_is_kept_ends_by_sigterm(
    monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    """Whenever it comes: before, in and after the steps of keep_place."""
    monkeypatch.setattr("sane.saned.client.GUESSED_SECONDS", 3600.0)
    ready, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        leaving = Leaving()
        leaving.is_over = True
        os.write(writer, b"1")
        keep_place(leaving)
        os._exit(0)
    ended = False
    try:
        assert os.read(ready, 1) == b"1"
        os.kill(pid, signal.SIGTERM)
        ended = wait_until(lambda: os.waitpid(pid, os.WNOHANG) == (pid, 0))
    finally:
        os.close(ready)
        os.close(writer)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert ended, "it stays"


def test_the_client_is_known_though_its_connection_is_gone() -> None:
    """A client that resets its connection at once is no error of the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        control, address = listener.accept()
        peer = Peer.at(address)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()
        with control:
            assert wait_until(lambda: _is_gone(control))
            assert peer is not None
            DataPorts(control, peer, 0, 0).open().close()


def _is_gone(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return True
    return False


# A frame that the client has not read


def set_mode(client: Client, handle: int) -> int:
    return int(client.ask(messages.ControlOption(handle, MODE, SET, STRING, 6, b"Color\0")).status)


@pytest.mark.parametrize("half_closed", [False, True])
@pytest.mark.parametrize("unix", [False, True])
def test_nothing_is_set_before_the_client_has_the_frame(
    tmp_path: Path, unix: bool, half_closed: bool
) -> None:
    """Else parameters and data disagree: a short frame is sent before the client reads."""
    path = tmp_path / "socket"
    config = configure(tmp_path / "conf", saned_conf=f"listen_unix = {path}\n" if unix else "")
    with Saned(config) as server, Client(path) if unix else server.connect() as client:
        assert client.ask(messages.Init(0x01000003, "x")).status == 0
        for _ in range(5):
            handle = client.open()
            before = client.ask(messages.GetParameters(handle)).parameters
            stream = client.start(handle)
            if half_closed:
                stream.shutdown(socket.SHUT_WR)
            assert set_mode(client, handle) == INVAL
            data = b""
            while END not in data:
                more = stream.recv(1 << 16)
                assert more
                data += more
            stream.close()
            after = client.ask(messages.GetParameters(handle)).parameters
            assert after == before
            assert len(split_frame(data)[0]) == before.bytes_per_line * before.lines
            assert set_mode(client, handle) == 0
            client.ask(messages.Close(handle))


def test_cancel_lets_options_be_set_again(tmp_path: Path) -> None:
    with Saned(configure(tmp_path)) as server, server.client() as client:
        handle = client.open()
        with client.start(handle):
            assert set_mode(client, handle) == INVAL
            client.ask(messages.Cancel(handle))
            assert set_mode(client, handle) == 0


def test_a_client_that_waits_for_our_end_has_it(tmp_path: Path) -> None:
    with Saned(configure(tmp_path)) as server, server.client() as client:
        handle = client.open()
        stream = client.start(handle)
        stream.shutdown(socket.SHUT_WR)
        _, tail = split_frame(read_all(stream))
        assert tail == END
        assert set_mode(client, handle) == 0


# Abrupt ends

SLOW = """
import time

from ..backend import FRAME_GRAY, Backend as Base, Device, DeviceInfo, Parameters


class Slow(Device):
    def parameters(self):
        return Parameters(FRAME_GRAY, 100, 1000, 8, bytes_per_line=100)

    def start(self):
        pass

    def read_into(self, view):
        view[:10] = bytes(10)
        self.wait(0.01)
        return 10

    def finish(self, aborted):
        self.debug(0, "lamp: switching off")
        time.sleep(0.4)
        self.debug(0, "lamp: off")

    def close(self):
        self.debug(0, "closed")


class Backend(Base):
    def list_devices(self, local_only):
        return [DeviceInfo("0", "Noname", "Slow", "virtual device")]

    def open(self, name):
        return Slow()
"""


@pytest.mark.parametrize("left", [True, False], ids=["client leaves first", "client stays"])
def test_sigterm_does_not_interrupt_the_clean_up(tmp_path: Path, left: bool) -> None:
    drivers = tmp_path / "drivers"
    drivers.mkdir(mode=0o755)
    (drivers / "slow.py").write_text(SLOW)
    with Saned(
        configure(tmp_path / "conf", dll="slow\n"), "--backend-path", str(drivers)
    ) as server:
        client = server.client()
        streams = [client.start(client.open("slow:0")) for _ in range(2)]
        for stream in streams:
            assert stream.recv(10)
        if left:
            client.close()
            server.wait_for("lamp: switching off")
        (child,) = server.children()
        for _ in range(3):
            os.kill(child, signal.SIGTERM)
        server.wait_for_children(0)
        assert server.log.count("lamp: off") == server.log.count("] closed") == 2
        client.close()
        for stream in streams:
            stream.close()


def test_the_sockets_of_a_killed_process_are_swept_up(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    kept = tmp_path / "socket.12x"
    kept.write_text("no socket\n")
    config = configure(
        tmp_path / "conf", saned_conf=f"listen_unix = {path}\ndata_connect_timeout = 0\n"
    )
    with Saned(config) as server:
        for _ in range(3):
            with Client(path) as client, Client(path) as other:
                for one in (client, other):
                    assert one.ask(messages.Init(0x01000003, "x")).status == 0
                    assert one.ask(messages.Start(one.open())).status == 0
                assert len(list(tmp_path.glob("socket.*"))) == 3
                os.kill(server.children()[0], signal.SIGKILL)
                server.wait_for_children(1)
                assert wait_until(lambda: len(list(tmp_path.glob("socket.*"))) == 2)
            server.wait_for_children(0)
        assert wait_until(lambda: list(tmp_path.glob("socket.*")) == [kept])


def test_a_group_too_many_is_no_identity(tmp_path: Path) -> None:
    """Told to be a user that it is already, but for its groups, it does not keep those."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip(f"{ABSENT}setpriv, as root")
    config = configure(tmp_path)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    line = ("-l", "-e", "-p", "0", "-b", "127.0.0.1", "-u", "nobody")
    reads = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]  # this tree
    for groups in (["--regid", "0", "--groups", "0,6,24"], ["--regid", "65534", "--groups", "6"]):
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", *groups, *reads, *command(*line)],
            env=environment(config),
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 1
        assert "cannot become user nobody" in done.stderr
