"""The original's client on our saned: passwords, cancel, ports, several at once, busy devices."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.frontends import LATENCY, Outcome, Scanimage, environment, interrupt, peer
from tests.support.ports import PORT, free_ports, loopback_address
from tests.support.saned import DRIVERS, Saned, configure
from tests.support.timing import wait_until

PICTURE = ("--format=pnm", "--test-picture=Color pattern")
BIG = (*PICTURE, "--mode=Color", "--resolution=600", "-x", "200", "-y", "200")


class Clients:
    """scanimage of the distribution with a server in its net.conf."""

    def __init__(self, folder: Path, address: str) -> None:
        self.config = configure(folder / "client", "net\n", net_conf=f"{address}\n")
        self.home = folder / "home"
        (self.home / ".sane").mkdir(parents=True)
        self.scanimage = Scanimage(folder / "run", self.config)
        self.device = f"net:{address}:test:0"

    def scan(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        words = ("-d", self.device, *PICTURE, *arguments)
        return self.scanimage.theirs(*words, stdin=stdin, environ={"HOME": str(self.home)})

    def write_pass(self, text: str) -> None:
        path = self.home / ".sane" / "pass"
        path.write_text(text)
        path.chmod(0o600)


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[Clients]:
    config = configure(tmp_path / "server", saned_users="joe:secret word:test\n")
    address = loopback_address()
    with Saned(config, address=address, port=PORT):
        yield Clients(tmp_path, address)


@pytest.mark.parametrize("md5", [[], ["--accept-md5-only"]], ids=["", "md5 only"])
@pytest.mark.parametrize(
    ("password", "status"),
    [("secret word", 0), ("wrong", 11), ("", 11)],
    ids=["right", "wrong", "-"],
)
def test_scanimage_sends_the_password_of_its_file(
    protected: Clients, password: str, status: int, md5: list[str]
) -> None:
    address = protected.device.split(":")[1]
    protected.write_pass(f"joe:{password}:net:{address}:test\n")
    done = protected.scan(*md5)
    assert (done.status == 0) is (status == 0), done.stderr
    assert bool(done.stdout) is (status == 0)
    assert status == 0 or "Access to resource has been denied" in done.stderr


def test_scanimage_without_a_password_is_denied(protected: Clients) -> None:
    done = protected.scan(stdin=b"joe\nwrong\n")
    assert done.status != 0
    assert "Access to resource has been denied" in done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Saned]:
    first = free_ports(4)
    config = configure(tmp_path / "server", saned_conf=f"data_portrange = {first} - {first + 3}\n")
    with Saned(config, address=loopback_address(), port=PORT) as server:
        yield server


@pytest.fixture
def remote(server: Saned, tmp_path: Path) -> Clients:
    return Clients(tmp_path, server.address)


def test_scanimage_scans_again_and_again_within_a_port_range(remote: Clients) -> None:
    """The original skips a port for a minute after it was used."""
    images = {remote.scan().stdout for _ in range(9)}
    assert len(images) == 1
    assert images.pop()


def test_two_scanimages_scan_at_once_on_two_devices(remote: Clients, server: Saned) -> None:
    command = [peer("scanimage"), "-d"]
    devices = (remote.device, remote.device.replace("test:0", "test:1"))
    running = [
        subprocess.Popen(
            [*command, device, *BIG],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(remote.config, None),
        )
        for device in devices
    ]
    images = [process.communicate(timeout=30)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert images[0] == images[1]
    assert len(images[0]) > 60_000_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_scan_cancels_it_on_the_server(
    remote: Clients, server: Saned, number: int
) -> None:
    seconds = interrupt(remote.config, None, number, remote.device)
    assert seconds < LATENCY
    server.wait_for_children(0)


def test_a_killed_scanimage_leaves_nothing(remote: Clients, server: Saned) -> None:
    process = subprocess.Popen(
        [peer("scanimage"), "-d", remote.device, *BIG],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(remote.config, None),
    )
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 1)
    process.kill()
    process.communicate()
    assert wait_until(lambda: server.children() == [], 1.0)


def test_the_second_client_of_a_device_finds_it_busy(tmp_path: Path) -> None:
    drivers = tmp_path / "drivers"
    drivers.mkdir(mode=0o755)
    shutil.copyfile(DRIVERS / "odd.py", drivers / "odd.py")
    (drivers / "odd.py").chmod(0o644)
    config = configure(tmp_path / "server", "odd\n", odd_conf=f"{tmp_path}/lock\n")
    address = loopback_address()
    with Saned(config, f"--backend-path={drivers}", address=address, port=PORT) as server:
        remote = Clients(tmp_path, address)
        words = ("-d", f"net:{address}:odd:0", "--format=pnm")
        with server.client() as first:
            first.open("odd:0")
            busy = remote.scanimage.theirs(*words)
            assert "Device busy" in busy.stderr
        server.wait_for_children(0)
        assert remote.scanimage.theirs(*words).status == 0
