"""Our net backend under scanimage, on the distribution's saned and on ours: as without a network.

Every option type, frame, depth and mode; status, messages, pictures and files must be the same as
on the server's own devices.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.peers.frontends import OURS, SLOW, Outcome, Scanimage, environment, interrupt, peer
from tests.peers.original_saned import PORT, OriginalSaned
from tests.support.ports import ipv6_loopback, loopback_address
from tests.support.remote_scans import (
    ADF,
    COLOR,
    EXTRA,
    MISTAKES,
    OPTIONS,
    PATTERN,
    PICTURES,
    STATUSES,
    THREE,
)
from tests.support.saned import Saned, configure

LONG = 10.0
RACES = 12  # how often the original's server is asked when it may have lost a race


class Pair:
    """A server, and scanimage on it through our net backend and on its devices without."""

    def __init__(self, folder: Path, server: OriginalSaned | Saned, config: Path) -> None:
        self.server = server
        host = server.address
        self.host = host
        self.prefix = f"net:{f'[{host}]' if ':' in host else host}:"
        self.config = configure(folder / "client", "net\n", net_conf=f"{host}\n")
        self.remote = Scanimage(folder / "remote", self.config)
        self.local = Scanimage(folder / "local", config)

    def through(self, device: str, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run scanimage on a device of the server."""
        return self.remote.ours("-d", self.prefix + device, *arguments, stdin=stdin)

    def near(self, device: str, *arguments: str) -> Outcome:
        """Run it on the server's device directly, on the server's own library."""
        if isinstance(self.server, Saned):
            return self.local.run(OURS, "-d", device, *arguments)
        return self.local.theirs("-d", device, *arguments)

    def same(self, device: str, *arguments: str) -> Outcome:
        """Run it both ways; nothing but the name of the device may differ.

        The original's server answers requests while it reads a frame. When it is at the end of the
        frame by then, it tells the parameters of the next one, or forgets why reading failed.
        """
        for _ in range(0 if isinstance(self.server, Saned) else RACES):
            with contextlib.suppress(AssertionError):
                return self._same(device, *arguments)
        return self._same(device, *arguments)

    def _same(self, device: str, *arguments: str) -> Outcome:
        far = self.through(device, *arguments)
        hidden = Outcome(
            far.status,
            far.stdout.replace(self.prefix.encode(), b""),
            far.stderr.replace(self.prefix, ""),
            far.files,
        )
        Scanimage.agree(hidden, lambda: self.near(device, *arguments))
        return far


@pytest.fixture(scope="module", params=["theirs-IPv4", "theirs-IPv6", "ours-IPv4", "ours-IPv6"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("net")
    config = configure(folder / "server")
    kind, family = request.param.split("-")
    server: OriginalSaned | Saned
    with nullcontext(loopback_address()) if family == "IPv4" else ipv6_loopback() as address:
        if kind == "theirs":
            server = OriginalSaned(config, address=address)
        else:
            server = Saned(config, address=address, port=PORT)
        with server:
            yield Pair(folder, server, config)


def test_net_lists_the_devices(pair: Pair) -> None:
    listed = pair.remote.ours("-f", "%d|%v|%m|%t%n").stdout.decode()
    assert listed == "".join(
        f"{pair.prefix}test:{n}|Noname|frontend-tester|virtual device\n" for n in (0, 1)
    )


@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
def test_net_options_of_every_type_are_set_and_read_back(pair: Pair, arguments: list[str]) -> None:
    if isinstance(pair.server, OriginalSaned) and any(a.endswith("=auto") for a in arguments):
        return  # its answer to SET_AUTO is made of memory that nobody set, or a crash: 3.6
    shown = pair.same("test:1", *arguments, "-A")
    assert shown.status == 0
    assert shown.stdout.count(b"\n") > 60


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_net_refusals_are_those_of_the_server(pair: Pair, arguments: list[str]) -> None:
    pair.same("test:0", *arguments)


@pytest.mark.parametrize("arguments", PICTURES, ids=" ".join)
def test_net_scans_are_identical_with_local_ones(pair: Pair, arguments: list[str]) -> None:
    if isinstance(pair.server, OriginalSaned) and "2" in arguments:
        return  # it sends a first frame of one byte as 0, to its own client too
    scanned = pair.same("test:0", "--format=pnm", *arguments)
    assert scanned.status == 0
    assert scanned.stdout


@pytest.mark.parametrize("status", STATUSES)
def test_net_reports_every_status_of_a_read(pair: Pair, status: str) -> None:
    ended = pair.same("test:0", "--format=pnm", f"--read-return-value={status}")
    assert ended.status == (0 if status.endswith("EOF") else STATUSES.index(status) + 1)


def test_net_batch_ends_when_the_feeder_is_empty(pair: Pair) -> None:
    batch = pair.same("test:0", "--format=pnm", "--batch", ADF, "--resolution=20")
    assert len(batch.files) == 10


def test_net_batch_with_a_count(pair: Pair) -> None:
    words = ("--batch=page%d.pnm", "--batch-count=3", "--format=pnm", COLOR, THREE)
    assert list(pair.same("test:0", *words).files) == ["page1.pnm", "page2.pnm", "page3.pnm"]


def test_net_presses_buttons(pair: Pair) -> None:
    assert pair.through("test:0", EXTRA, "--button", "-n").status == 0


def test_net_opens_the_first_device_for_no_name(pair: Pair) -> None:
    """The server's, by the name of the host; and that of the last configured host by none."""
    wanted = pair.through("test:0", "--format=pnm", PATTERN).stdout
    assert wanted
    for name in (pair.prefix, pair.prefix.removesuffix(":"), "net:", "net"):
        assert pair.remote.ours("-d", name, "--format=pnm", PATTERN).stdout == wanted, name


def test_net_opens_devices_of_the_default_host_by_their_names(pair: Pair) -> None:
    wanted = pair.through("test:0", "--format=pnm", PATTERN).stdout
    assert pair.remote.ours("-d", "net:test", "--format=pnm", PATTERN).stdout == wanted


@pytest.mark.parametrize("name", ["net::dev", "net:[::1", "net:no.such.host.invalid:x"])
def test_net_names_of_nothing_are_refused(pair: Pair, name: str) -> None:
    done = pair.remote.ours("-d", name, "-n")
    error = "Error during device I/O" if "invalid" in name else "Invalid argument"
    assert error in done.stderr
    assert done.status == 1


def test_net_a_device_in_use_is_busy_and_another_is_not(pair: Pair) -> None:
    """The original's test backend shares nothing between the processes of saned: only ours."""
    command = [peer("scanimage"), "-d", f"{pair.prefix}test:0", "--format=pnm", "--progress", *SLOW]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(pair.config, OURS),
    ) as first:
        try:
            assert first.stderr is not None
            assert first.stderr.read(1) == b"P"
            other = pair.through("test:1", "--format=pnm", PATTERN)
            assert (other.status, other.stderr) == (0, "")
            assert other.stdout == pair.near("test:1", "--format=pnm", PATTERN).stdout
        finally:
            first.send_signal(signal.SIGINT)
            first.communicate(timeout=LONG)
            first.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_net_a_signal_in_mid_frame_ends_the_scan_at_once(pair: Pair, number: int) -> None:
    for attempt in range(3):  # the original's server at times loses a race with its own reader
        with contextlib.suppress(AssertionError):
            seconds = interrupt(pair.config, OURS, number, f"{pair.prefix}test:0")
            assert seconds < 2
            return
        assert attempt < 2
    assert pair.through("test:0", "--format=pnm", PATTERN).status == 0


def test_net_a_server_that_is_killed_in_mid_frame_is_an_error_at_once(
    pair: Pair, tmp_path: Path
) -> None:
    config = configure(tmp_path / "server")
    address = loopback_address()
    with OriginalSaned(config, address=address) as server:
        command = [peer("scanimage"), "-d", f"net:{address}:test:0", "--format=pnm", "-p", *SLOW]
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(pair.config, OURS),
        ) as scan:
            try:
                assert scan.stderr is not None
                assert scan.stderr.read(1) == b"P"
                server.kill_all()
                begin = time.monotonic()
                _, stderr = scan.communicate(timeout=LONG)
                assert time.monotonic() - begin < 2
                assert b"sane_read: Error during device I/O" in stderr
                assert scan.returncode == 9
            finally:
                scan.kill()
