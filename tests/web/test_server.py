"""The running server: connections, limits of time and size, TLS, and its own end."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import TREE
from tests.support.ports import free_ports
from tests.support.saned import environment
from tests.support.server import Server
from tests.support.share import (
    SECONDS,
    START,
    Faults,
    Share,
    configure,
    eventually,
    needs_web,
    until_closed,
    within,
)
from tests.support.timing import wait_until

SETTINGS = """
[https]
port = 0
[limits]
connections = 12
connections_per_address = 4
head_seconds = 0.5
body_seconds = 0.5
idle_seconds = 1
stall_seconds = 1.0
"""
GET = b"GET /none HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Share]:
    needs_web()
    folder = tmp_path_factory.mktemp("share")
    config = configure(folder / "sane.d", SETTINGS, dll="tstweb\n")
    with Share(config, folder / "state", **Faults(folder).variables) as made:
        made.wait_for("is shared")
        yield made


def status(reply: bytes) -> int:
    """Return the status of the first reply in *reply*, 0 if there is none."""
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.1 ") else 0


# What is sent


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GET + b"Connection: close\r\n\r\n", 404),
        (b"GET /none HTTP/1.1\nHost: localhost\nConnection: close\n\n", 404),
        (b"GET /none HTTP/1.0\r\n\r\n", 404),
        (b"GET http://localhost/none HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        (GET + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
        (GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /none HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
        (b"GET /none HTTP/1.1\r\n\r\n", 400),
        (GET + b"Host: localhost\r\n\r\n", 400),
        (GET + b"Bad Header: x\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /" + b"x" * 50000, 414),
        (GET + b"".join(b"X-%d: y\r\n" % n for n in range(120)) + b"\r\n", 431),
        (GET + b"X: " + b"y" * 40000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"TRACE /none HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n", 413),
    ],
)
def test_a_request_is_answered_with(share: Share, data: bytes, expected: int) -> None:
    with within(6.0):
        reply = share.raw(data)
    assert status(reply) == expected, reply


def test_requests_that_come_together_are_answered_in_order(share: Share) -> None:
    many = GET + b"\r\n" + b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
    reply = share.raw(GET + b"\r\n" + many)
    assert [int(each) for each in re.findall(rb"HTTP/1.1 (\d+)", reply)] == [404, 404, 403]


def test_replies_have_a_date_and_a_short_server_name(share: Share) -> None:
    headers = share.ask("GET", "/none")[1]
    assert headers["server"] == "PySANE"
    assert headers["date"].endswith(" GMT")


def test_a_client_that_expects_100_gets_it(share: Share) -> None:
    with share.connect() as sock:
        sock.sendall(
            b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"{}")
        assert status(until_closed(sock)) in (400, 401, 422)


def test_garbage_ends_its_connection_and_nothing_else(share: Share) -> None:
    source = random.Random(6411)
    for _ in range(30):
        words = [GET, b"\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n"]
        words += [bytes(source.randrange(256) for _ in range(source.randrange(60))), b"POST / "]
        data = b"".join(source.choice(words) for _ in range(source.randrange(1, 8)))
        with share.connect() as sock, within(8.0):
            sock.sendall(data)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
            until_closed(sock)
    assert share.ask("GET", "/none")[0] == 404
    assert "Traceback" not in share.log


def test_the_server_stays_small_and_loads_no_numpy(share: Share) -> None:
    maps = Path(f"/proc/{share.process.pid}/maps").read_text()
    assert "numpy" not in maps
    status = Path(f"/proc/{share.process.pid}/status").read_text()
    assert int(status.partition("VmHWM:")[2].split()[0]) < 60 << 10


# How long


@pytest.mark.parametrize(
    ("data", "expected", "seconds"),
    [
        (b"", 0, 0.5),
        (b"GET / HT", 408, 0.5),
        (GET, 408, 0.5),
        (b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{", 408, 0.5),
        (GET + b"\r\n", 404, 1.0),  # it is kept for the next request
        (GET + b"\r\nGET /", 404, 0.5),
    ],
)
def test_a_slow_client_is_ended(share: Share, data: bytes, expected: int, seconds: float) -> None:
    began = time.monotonic()
    reply = share.raw(data)
    assert seconds - 0.2 < time.monotonic() - began < seconds + 5.0
    assert status(reply) == expected


def test_a_drop_now_and_then_does_not_buy_time(share: Share) -> None:
    with share.connect() as sock, within(6.0), contextlib.suppress(ConnectionError):
        for char in b"GET /none HTTP/1.1 and so on":
            sock.sendall(bytes((char,)))
            time.sleep(0.1)
        pytest.fail("it is still there")


def test_connections_of_an_address_are_limited_and_places_come_back(share: Share) -> None:
    """The loopback has the limit of all alone."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(share.connect(f"127.0.1.{n}")) for n in range(1, 13)]
        with share.connect("127.0.2.1") as late:
            assert status(until_closed(late)) == 503
        socks[0].close()
        assert eventually(lambda: share.ask("GET", "/none")[0] == 404)


# TLS


def test_https_has_a_certificate_for_this_machine(share: Share) -> None:
    with share.connect(tls=True) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() in ("TLSv1.2", "TLSv1.3")
        sock.sendall(GET + b"Connection: close\r\n\r\n")
        assert status(until_closed(sock)) == 404
    key = share.state / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert share.state.stat().st_mode & 0o777 == 0o700


def test_a_handshake_that_does_not_come_is_ended(share: Share) -> None:
    with within(6.0), socket.create_connection(("127.0.0.1", share.https_port), SECONDS) as sock:
        assert until_closed(sock) == b""


# The program


def started(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a server that is to end by itself."""
    line = [sys.executable, "-I", "-c", START, str(TREE), "--port", "0", "--no-announce"]
    return subprocess.run(
        [*line, *options],
        env={**environment(configure(folder, SETTINGS)), **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_second_server_is_refused_the_same_state(share: Share, tmp_path: Path) -> None:
    done = started(tmp_path, "--state", str(share.state))
    assert done.returncode == 69
    assert f"another server uses {share.state} (pid {share.process.pid})" in done.stderr


def test_a_home_that_cannot_be_written_to_is_told_with_the_remedy(tmp_path: Path) -> None:
    needs_web()
    done = started(tmp_path, HOME="/proc/no", XDG_STATE_HOME="", STATE_DIRECTORY="")
    assert done.returncode == 73
    folder = "/proc/no/.local/state/pysane-share"
    told = f"its state, {folder}: No such file or directory; --state gives it another"
    assert done.stderr.splitlines()[-1].endswith(told)


def test_closed_streams_are_no_mistake(tmp_path: Path) -> None:
    """A shell's `>&-`: there is no place to show the address, and the server serves."""
    needs_web()
    config = configure(tmp_path / "sane.d", SETTINGS)
    line = [sys.executable, "-I", "-c", START, str(TREE), "--port", "0", "--no-announce"]
    shell = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *line]
    with Server(
        [*shell, "-vv", "--bind", "127.0.0.1", "--state", str(tmp_path / "state")],
        environment(config),
        stdin=subprocess.DEVNULL,
    ) as made:
        wait_until(lambda: "is shared" in made.log or made.process.poll() is not None, SECONDS)
        assert "is shared" in made.log and made.process.poll() is None, made.log
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(SECONDS) == 0
    done = subprocess.run(
        [*shell, "--hash-password"],
        env=environment(config),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (64, "pysane share: no password\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_workers(tmp_path: Path, number: int) -> None:
    needs_web()
    config = configure(tmp_path / "sane.d", SETTINGS)
    with Share(config, tmp_path / "state") as made:
        made.wait_for("is shared")
        with made.connect() as sock:
            sock.sendall(GET)
            made.process.send_signal(number)
            assert made.process.wait(SECONDS) == 0
        assert "Traceback" not in made.log


@pytest.mark.parametrize("path", ["/eSCL/ScannerStatus", "/api/v1/scanners"])
def test_a_request_at_the_start_waits_or_is_told_to_ask_again(tmp_path: Path, path: str) -> None:
    needs_web()
    faults = Faults(tmp_path)
    faults.set("hang-list")
    config = configure(tmp_path / "sane.d", "[https]\nenabled = false\n", dll="tstweb\n")
    with Share(config, tmp_path / "state", **faults.variables) as made:
        with made.connect() as sock:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            sock.sendall(head.encode())
            faults.set("")
            assert status(until_closed(sock)) in (200, 503)

        def answered() -> bool:
            code, headers, _ = made.ask("GET", path)
            assert code == 200 or (code == 503 and int(headers["retry-after"]) > 0)
            return code == 200

        assert eventually(answered)


def test_hangup_reads_the_configuration_again(tmp_path: Path) -> None:
    needs_web()
    config = configure(tmp_path / "sane.d", SETTINGS)
    with Share(config, tmp_path / "state") as made:
        made.wait_for("test:1. is shared")
        more = SETTINGS + "[scanners]\nignore = ['test:1']\n[escl]\nenabled = false\n"
        more += "[server]\nport_per_scanner = true\n"
        (config / "pysane-share.toml").write_text(more)
        made.process.send_signal(signal.SIGHUP)
        made.wait_for("test:1. is gone")
        fixed = r"server\.port_per_scanner, escl\.enabled"
        made.wait_for(f"{fixed}: what is changed there needs a restart")
        assert "server.port," not in made.log and "server.port:" not in made.log
        assert made.ask("GET", "/eSCL/ScannerStatus")[0] == 200
        (config / "pysane-share.toml").write_text("[server]\nport = 'x'\n")
        made.process.send_signal(signal.SIGHUP)
        made.wait_for("pysane-share.toml:2: server.port: 'x' is not")
        assert made.ask("GET", "/none")[0] == 404


def test_each_scanner_may_have_a_port_of_its_own(tmp_path: Path) -> None:
    needs_web()
    settings = f"{SETTINGS}[server]\nport_per_scanner = true\n"
    config = configure(tmp_path / "sane.d", settings)
    with Share(config, tmp_path / "state") as made:
        made.wait_for("test:1. is shared")
        ports = made.state / "ports.json"

        def told() -> re.Match[str] | None:
            text = ports.read_text() if ports.exists() else ""
            return re.search(r"[0-9a-f]{8}-[0-9a-f-]+\": (\d+)", text)

        found = eventually(told)
        with socket.create_connection(("127.0.0.1", int(found.group(1))), SECONDS) as sock:
            sock.sendall(GET + b"Connection: close\r\n\r\n")
            assert status(until_closed(sock)) == 404


def test_a_port_that_another_program_has_is_passed_over(tmp_path: Path) -> None:
    needs_web()
    own = free_ports(2)
    taken = own + 1
    with socket.create_server(("127.0.0.1", taken)):
        settings = f"{SETTINGS}[server]\nport_per_scanner = true\n"
        config = configure(tmp_path / "sane.d", settings)
        with Share(config, tmp_path / "state", "--port", str(own)) as made:
            ports = made.state / "ports.json"
            found = eventually(lambda: ports.exists() and json.loads(ports.read_text()))
            assert taken not in found.values()
            assert min(found.values()) > taken


def test_at_a_terminal_it_shows_a_code_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    needs_web()
    config = configure(tmp_path / "sane.d", SETTINGS)
    line = [sys.executable, "-I", "-c", START, str(TREE), "--port", "0", "--no-announce"]
    master, slave = pty.openpty()
    with open(master, "rb+", buffering=0) as terminal:
        process = subprocess.Popen(
            [*line, "--state", str(tmp_path / "state")],
            env=environment(config, TERM="xterm"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        try:
            shown = b""
            while b"Ctrl-C" not in shown:
                shown += terminal.read(4096)
            assert "▀".encode() in shown or "█".encode() in shown
            assert re.search(rb"  http://\S+:\d+/", shown)
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
            process.wait()


def test_it_serves_ipv6(tmp_path: Path) -> None:
    needs_web()
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    config = configure(tmp_path / "sane.d", SETTINGS)
    with (
        Share(config, tmp_path / "state", "--bind", "::1") as made,
        socket.create_connection(("::1", made.port), SECONDS) as sock,
    ):
        host = f"[::1]:{made.port}".encode()
        sock.sendall(b"GET /none HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
        assert status(until_closed(sock)) == 404


def test_check_tells_what_would_be_shared(tmp_path: Path) -> None:
    needs_web()
    settings = "[server]\nnetworks = ['0.0.0.0/0']\n[scanners]\nignore = ['test:1']\n"
    config = configure(tmp_path / "sane.d", settings)
    line = [sys.executable, "-I", "-c", START, str(TREE), "--port", "0", "--check"]
    line += ["--state", str(tmp_path / "state")]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line,
            env=environment(config),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    done = run()
    assert done.returncode == 0, done.stderr + done.stdout
    assert re.search(r"Noname frontend-tester: test:0, virtual device, [0-9a-f-]{36}", done.stdout)
    assert "not shared: test:1: matches test:1 of scanners.ignore" in done.stdout
    assert "EVERYBODY" in done.stdout
    (config / "pysane-share.toml").write_text("[server]\nprot = 1\n")
    done = run()
    assert done.returncode == 1
    assert "pysane-share.toml:2: server.prot: there is no such key" in done.stdout
