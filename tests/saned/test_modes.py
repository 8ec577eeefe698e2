"""How saned runs: inetd, systemd, alone, once, in the background; limits, reload, the Unix socket.

Source: net-protocol 8.1 to 8.4 and 11, 81 to 90.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from sane.saned import listeners
from sane.wire import messages
from tests.support.ports import loopback_address
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
from tests.support.saned_requests import words
from tests.support.saned_starts import (
    PID_FILE,
    background_pids,
    ended,
    run,
    with_passed_sockets,
)
from tests.support.timing import SECONDS, wait_until


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


def client_on(sock: socket.socket) -> Client:
    client = Client.__new__(Client)
    from sane.wire.codec import Reader

    client.sock, client._reader, client.address = sock, Reader(), "127.0.0.1"
    sock.settimeout(SECONDS)
    return client


def scan(client: Client) -> bytes:
    """Return the image of one frame."""
    image, tail = split_frame(read_all(client.start(client.open())))
    assert tail == bytes.fromhex("ffffffff05")
    return image


# One connection: inetd, and systemd with Accept=yes


def test_inetd_passes_the_connection_as_standard_output(tmp_path: Path) -> None:
    here, there = pair()
    config = configure(tmp_path)
    with (
        here,
        there,
        ended(
            command(), stdin=there, stdout=there, stderr=there, env=environment(config)
        ) as process,
    ):
        there.close()
        client = client_on(here)
        assert client.ask(messages.Init(3, None)).status == 0
        fds = {int(fd): os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in (0, 1, 2)}
        assert set(fds.values()) == {"/dev/null"}
        assert scan(client)
        client.send(words(10))
        assert client.is_closed()
        assert process.wait(SECONDS) == 0


def test_what_a_backend_prints_never_reaches_the_connection(tmp_path: Path) -> None:
    here, there = pair()
    config = configure(tmp_path)
    variables = environment(config, SANE_DEBUG_TEST="255", SANE_DEBUG_DLL="255")
    with (
        here,
        there,
        ended(
            command("-e", "-d5"), stdin=there, stdout=there, stderr=there, env=variables
        ) as process,
    ):
        there.close()
        client = client_on(here)
        client.send(messages.Init(3, None).encode())
        assert client.receive(8)[:4] == words(0)
        assert scan(client)
        here.close()
        assert process.wait(SECONDS) == 0


def test_without_a_connection_it_says_how_to_start(tmp_path: Path) -> None:
    done = subprocess.run(
        command("-e"), capture_output=True, env=environment(configure(tmp_path)), check=False
    )
    assert done.returncode == 1
    assert b"start saned by inetd or systemd, or with -l" in done.stderr


def test_systemd_passes_an_accepted_connection(tmp_path: Path) -> None:
    here, there = pair()
    with here, there, with_passed_sockets(configure(tmp_path), [there]) as process:
        there.close()
        client = client_on(here)
        assert client.ask(messages.Init(3, None)).status == 0
        assert scan(client)
        assert "socket" not in os.readlink(f"/proc/{process.pid}/fd/2")
        flags = Path(f"/proc/{process.pid}/fdinfo/3").read_text().split("flags:")[1].split()[0]
        assert int(flags, 8) & os.O_CLOEXEC  # or programs that a driver starts would hold it
        here.close()
        assert process.wait(SECONDS) == 0


def test_systemd_passes_a_listening_socket_and_all_clients_are_served(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, with_passed_sockets(configure(tmp_path), [listener]):
        for _ in range(3):
            with Client(*listener.getsockname()) as client:
                client.ask(messages.Init(3, None))
                assert scan(client)


def test_two_passed_connections_are_refused(tmp_path: Path) -> None:
    ends = [*pair(), *pair()]
    with contextlib.ExitStack() as stack:
        for end in ends:
            stack.enter_context(end)
        with with_passed_sockets(configure(tmp_path), ends[1::2]) as process:
            assert process.wait(SECONDS) == 0
            assert process.stderr is not None
            assert b"systemd passed 2 connections" in process.stderr.read()


def test_sockets_passed_to_another_process_are_not_ours(tmp_path: Path) -> None:
    variables = environment(configure(tmp_path)) | {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    done = subprocess.run(command("-e"), capture_output=True, env=variables, check=False)
    assert done.returncode == 1


# Alone


def test_port_0_is_the_same_free_one_in_both_families() -> None:
    addresses = [(socket.AF_INET6, ("::1", 0, 0, 0)), (socket.AF_INET, ("127.0.0.1", 0))]
    found, failures, taken = listeners.bind_all(addresses)
    try:
        assert (len(found), failures, taken) == (2, [], False)
        assert found[0].port == found[1].port != 0
        for listener in found:
            host = listener.name.rpartition(":")[0].strip("[]")
            with socket.create_connection((host, listener.port)):
                accepted = listener.accept()
            assert accepted is not None
            os.close(accepted[0])
    finally:
        for listener in found:
            listener.close()


def test_an_occupied_port_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(configure(tmp_path), "-l", "-e", "-b", "127.0.0.1", "-p", port)
    assert done.returncode == 1
    assert f"cannot listen: 127.0.0.1 port {port}: Address already in use" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("-l", "-e", "-b", "no.such.host.invalid"), "cannot resolve the address"),
        (("-l", "-e", "-p", "0", "-b", "127.0.0.1", "-u", "no-such-user"), "there is no user"),
        (("-p", "seven"), "not a number"),
        (("--nonsense",), "unknown option"),
    ],
)
def test_what_cannot_be_started_ends_with_status_1(
    tmp_path: Path, arguments: tuple[str, ...], text: str
) -> None:
    done = run(configure(tmp_path), *arguments)
    assert done.returncode == 1
    assert text in done.stderr


def test_help_is_no_error(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Usage: saned")


def test_once_serves_one_client_and_ends(tmp_path: Path) -> None:
    with Saned(configure(tmp_path), "--once") as server:
        with server.client() as client:
            assert wait_until(lambda: not can_connect(server))
            assert scan(client)
        assert server.process.wait(SECONDS) == 0


def can_connect(server: Saned) -> bool:
    try:
        socket.create_connection((server.address, server.port), SECONDS).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_its_clients(odd: Saned, number: int) -> None:
    client = odd.client()
    client.open("odd:0")
    odd.process.send_signal(number)
    assert odd.process.wait(SECONDS) == 0
    assert client.is_closed()
    client.close()
    odd.wait_for("odd: close")


@pytest.mark.skipif(os.geteuid() != 0, reason="peer absent: root, for the pid file")
@pytest.mark.parametrize("user", ["", "nobody"])
def test_in_the_background_it_leaves_terminal_and_directory(tmp_path: Path, user: str) -> None:
    if PID_FILE.exists():
        pytest.skip(f"{PID_FILE} belongs to somebody else")
    tmp_path.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = configure(tmp_path / "server")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = run(config, f"-a{user}", "-b", "127.0.0.1", "-p", str(port), "-d0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert wait_until(lambda: PID_FILE.exists() and PID_FILE.read_text().endswith("\n"))
    pid = int(PID_FILE.read_text())
    assert pid in background_pids(port)
    try:
        with Client("127.0.0.1", port) as client:
            assert client.ask(messages.Init(3, None)).status == 0
            assert os.readlink(f"/proc/{pid}/cwd") == "/"
            assert os.getsid(pid) == pid
            assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
            if user:
                check_identity(pid, user)
                (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                check_identity(int(child), user)
    finally:
        os.kill(pid, signal.SIGTERM)
        assert wait_until(lambda: not Path(f"/proc/{pid}").exists())
        if user:
            PID_FILE.unlink()
    assert not PID_FILE.exists()


def check_identity(pid: int, user: str) -> None:
    """Check that real, effective, saved and file system ids are all the user's, groups too."""
    entry = pwd.getpwnam(user)
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    assert status["Uid"].split() == [str(entry.pw_uid)] * 4
    assert status["Gid"].split() == [str(entry.pw_gid)] * 4
    assert set(map(int, status["Groups"].split())) == set(os.getgrouplist(user, entry.pw_gid))
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="peer absent: root, to give up privileges")
def test_in_the_foreground_there_is_no_pid_file_and_privileges_go(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with Saned(configure(tmp_path / "server"), "-u", "nobody") as server:
        check_identity(server.process.pid, "nobody")
        with contextlib.suppress(FileNotFoundError):  # a daemon of another test may have one
            assert PID_FILE.read_text() != f"{server.process.pid}\n"


# Limits


def test_more_clients_than_allowed_are_turned_away(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="max_clients = 2\n")
    with Saned(config) as server:
        with clients(server, 2):
            with server.connect() as third:
                assert third.is_closed()
            server.wait_for("refused: 2 clients")
        server.wait_for_children(0)
        with server.client():
            pass


def test_a_silent_client_is_given_up(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="request_timeout = 1\nidle_timeout = 1\n")
    with Saned(config) as server:
        beginnings = (b"", messages.Init(3, None).encode()[:5])
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(server.connect()) for _ in beginnings]
            for client, data in zip(silent, beginnings, strict=True):
                client.send(data)
            idle = stack.enter_context(server.client())
            half = stack.enter_context(server.client())
            half.send(messages.Open("test:0").encode()[:-1])
            for client in (*silent, idle, half):
                assert client.is_closed()


def test_an_idle_client_that_scans_is_not_given_up(odd: Saned, tmp_path: Path) -> None:
    config = tmp_path / "server" / "saned.conf"
    config.write_text("idle_timeout = 1\n")
    odd.process.send_signal(signal.SIGHUP)
    odd.wait_for("read again")
    from tests.support.saned_requests import option, set_word

    with odd.client() as client:
        handle = client.open("odd:0")
        set_word(client, handle, option(client, handle, "block"), 0, 1)
        with client.start(handle) as stream:
            assert stream.recv(1)
            assert not wait_until(lambda: odd.children() == [], 1.3)
            client.ask(messages.Cancel(handle))
            assert client.is_closed()


# What other servers do not offer


def test_sighup_reads_the_settings_again(tmp_path: Path) -> None:
    config = configure(tmp_path)
    with Saned(config) as server:
        for text, allowed in (("max_clients = 1\n", 1), ("max_clients = x\n", 3)):
            (config / "saned.conf").write_text(text)
            begin = len(server.log)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("read again", begin=begin)
            with clients(server, allowed):
                assert len(server.children()) == allowed
            server.wait_for_children(0)
        server.wait_for("saned.conf:1: max_clients: 'x' is not a number")


def test_sighup_is_not_lost_while_saned_starts(tmp_path: Path) -> None:
    address, log = loopback_address(), tmp_path / "log"
    line = command("-l", "-e", "-d5", "-b", address, "-p", "6566")
    env = environment(configure(tmp_path / "server"))
    with (
        log.open("wb") as stderr,
        subprocess.Popen(line, env=env, stderr=stderr) as process,
    ):
        try:
            assert wait_until(lambda: accepts(address))
            process.send_signal(signal.SIGHUP)  # it reads its programs: ready is later
            assert wait_until(lambda: "read again" in log.read_text())
        finally:
            process.terminate()


def accepts(address: str) -> bool:
    try:
        socket.create_connection((address, 6566)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("reload", [False, True], ids=["at start", "after SIGHUP"])
def test_a_unix_socket_serves_whole_frames(tmp_path: Path, reload: bool) -> None:
    path = tmp_path / "saned.sock"
    config = configure(tmp_path / "server", saned_conf="" if reload else f"listen_unix={path}\n")
    with Saned(config) as server:
        if reload:
            (config / "saned.conf").write_text(f"listen_unix = {path}\n")
            server.process.send_signal(signal.SIGHUP)
        server.wait_for(f"listening on {path}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with Client(path) as client:
            assert client.ask(messages.Init(3, None)).status == 0
            assert scan(client)
            assert [entry.name for entry in tmp_path.iterdir() if entry.is_socket()] == [path.name]
            server.wait_for(f"local user {os.getuid()}")
        (config / "saned.conf").write_text("")
        server.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: not path.exists())


def test_a_unix_socket_of_a_dead_server_is_replaced_and_other_files_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "saned.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    config = configure(tmp_path / "server", saned_conf=f"listen_unix = {path}\n")
    with Saned(config) as server:
        server.wait_for(f"listening on {path}")
        with Client(path) as client:
            assert client.ask(messages.Init(3, None)).status == 0
    assert not path.exists()
    path.write_text("a file")
    with Saned(config) as server:
        server.wait_for(f"cannot listen on {path}: Address already in use")
    assert path.read_text() == "a file"


def test_drivers_of_the_environment_do_not_count(tmp_path: Path) -> None:
    """Only --backend-path names them: whoever starts the server decides, not its environment."""
    folder = tmp_path / "drivers"
    folder.mkdir(mode=0o755)
    (folder / "mine.py").write_text("raise SystemExit(7)\n")
    config = configure(tmp_path / "server", "test\nmine\n")
    with Saned(config, PYSANE_BACKEND_PATH=str(folder)) as server, server.client() as client:
        assert len(client.ask(messages.GetDevices()).devices) == 2
        assert client.ask(messages.Open("mine:0")).status in (1, 4)


def test_the_parent_holds_no_thread(shared: Saned) -> None:
    assert len(os.listdir(f"/proc/{shared.process.pid}/task")) == 1


def libraries(pid: int) -> set[str]:
    """Return the libraries and extension modules that a process has loaded."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split()[-1] for line in lines if ".so" in line}


def test_a_clients_process_loads_nothing_more(shared: Saned) -> None:
    """What a scan needs is there before the first client comes."""
    with shared.client() as client:
        assert scan(client)
        (pid,) = shared.children()
        assert libraries(pid) - libraries(shared.process.pid) == set()


def test_a_shortage_of_descriptors_passes(shared: Saned) -> None:
    pid = shared.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    free = min(set(range(len(taken) + 1)) - taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
    with shared.connect() as client:
        client.send(messages.Init(3, None).encode())
        shared.wait_for("Too many open files")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert client.take(messages.InitReply).status == 0
