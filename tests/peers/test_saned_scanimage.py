"""The distribution's scanimage, through its own net backend, on our saned: as without a network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.frontends import OURS, Outcome, Scanimage
from tests.saned.running import Saned, configure

# scanimage shows what was in its buffer, which the original net backend clears.
UNREADABLE = re.compile(rb"--bool-hard-select\[=\(yes\|no\)\] \[\w+\]")
PORT = 6566  # the only one that the original client knows

ADF = "--source=Automatic Document Feeder"
COLOR = "--mode=Color"
PATTERN = "--test-picture=Color pattern"
GRID = "--test-picture=Grid"
THREE = "--three-pass=yes"
EXTRA = "--enable-test-options=yes"


def loopback_address() -> str:
    """Return an address of this machine on which nobody else's server listens."""
    number = os.getpid()
    return f"127.{100 + number % 100}.{number >> 8 & 0xFF}.{number & 0xFF or 1}"


class Pair:
    """A server, and scanimage on it through the network and on its devices without."""

    def __init__(self, folder: Path, server: Saned, config: Path) -> None:
        self.server = server
        host = server.address
        self.prefix = f"net:{f'[{host}]' if ':' in host else host}:"
        remote = configure(folder / "client", "net\n", net_conf=f"{host}\n")
        self.remote = Scanimage(folder / "remote", remote)
        self.local = Scanimage(folder / "local", config)

    def through(self, device: str, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run scanimage on a device of the server."""
        return self.remote.theirs("-d", self.prefix + device, *arguments, stdin=stdin)

    def same(self, device: str, *arguments: str) -> Outcome:
        """Run it both ways, on the same device in the end; nothing but its name may differ."""
        far = self.through(device, *arguments)
        near = self.local.run(OURS, "-d", device, *arguments)
        assert far.status == near.status, (far.stderr, near.stderr)
        assert far.stderr.replace(self.prefix, "") == near.stderr
        shown = [UNREADABLE.sub(b"", done.stdout) for done in (far, near)]
        assert shown[0].replace(self.prefix.encode(), b"") == shown[1]
        assert list(far.files) == list(near.files)
        assert far.files == near.files
        return far


@pytest.fixture(scope="module", params=["IPv4", "IPv6"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("saned")
    config = configure(folder / "server")
    address = loopback_address() if request.param == "IPv4" else "::1"
    with Saned(config, address=address, port=PORT) as server:
        yield Pair(folder, server, config)


def test_saned_lists_its_devices(pair: Pair) -> None:
    listed = pair.remote.theirs("-f", "%d|%v|%m|%t%n").stdout.decode()
    expected = "".join(
        f"{pair.prefix}test:{n}|Noname|frontend-tester|virtual device\n" for n in (0, 1)
    )
    assert listed == expected


OPTIONS: tuple[list[str], ...] = (
    [],
    [COLOR, THREE],
    ["--depth=16", "--read-limit=yes", "--read-delay=yes"],
    ["--hand-scanner=yes"],
    [EXTRA],
    ["--resolution=99999", "-l", "300", "-t", "-5", "-x", "50.4", "-y", "1"],
    [EXTRA, "--int=-7", "--int-constraint-range=77", "--int-inexact=5", "--fixed=3.25"],
    [EXTRA, "--int-constraint-word-list=16", "--fixed-constraint-word-list=100"],
    [EXTRA, "--int-constraint-array-constraint-range=[0]4-[5]192"],
    [EXTRA, "--gamma-table=[0]255-[4095]0", "--red-gamma-table=1,2,3"],
    [EXTRA, "--string=Straße", "--string-constraint-string-list=second"],
    [EXTRA, "--bool-soft-select-soft-detect-auto=auto"],
    ["--mode=color", "--test-picture=grid", "--source=auto"],
)


@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("device", ["test:0", "test:1"])
def test_saned_options_of_every_type_are_set_and_read_back(
    pair: Pair, device: str, arguments: list[str]
) -> None:
    shown = pair.same(device, *arguments, "-A")
    assert shown.status == 0
    assert shown.stdout.count(b"\n") > 60


def test_saned_presses_buttons(pair: Pair) -> None:
    """What the driver says about it stays on the server."""
    begin = len(pair.server.log)
    pressed = pair.through("test:0", EXTRA, "--button", "-n")
    assert (pressed.status, pressed.stderr.count("\n")) == (0, 1)
    pair.server.wait_for("the button was pressed", begin=begin)


MISTAKES = (
    ["--mode=Purple"],
    ["--mode="],
    ["--depth=seven"],
    ["--three-pass=yes"],
    ["--nonsense=1"],
    ["--int=1"],
    [EXTRA, "--bool-soft-detect=yes"],
)


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_saned_refuses_what_it_should(pair: Pair, arguments: list[str]) -> None:
    pair.same("test:0", *arguments)


PICTURES = (
    *([PATTERN], [GRID], ["--test-picture=Solid black"], ["--test-picture=Solid white"]),
    [GRID, "--depth=1", "-x", "61"],  # 120 pixels: no padding, which is random
    [PATTERN, "--depth=16", "--resolution=100"],
    [PATTERN, "--depth=16", "--invert-endianess=yes"],
    [COLOR, PATTERN],
    [COLOR, GRID, "-l", "3", "-t", "5.5", "-x", "61.2", "-y", "10"],
    [COLOR, PATTERN, "--depth=16"],
    [COLOR, PATTERN, THREE],
    [COLOR, GRID, THREE, "--three-pass-order=BRG"],
    [COLOR, PATTERN, THREE, "--resolution=1", "-x", "2", "-y", "2"],
    ["--hand-scanner=yes", GRID, "--resolution=30"],
    [COLOR, "--hand-scanner=yes", PATTERN, "--resolution=20"],
    [PATTERN, "--resolution=1", "-x", "1", "-y", "1"],
    [PATTERN, "--read-limit=yes", "--read-limit-size=7"],
    [COLOR, PATTERN, "--read-delay=yes", "--read-delay-duration=1000"],
    [PATTERN, "--non-blocking=yes", "--select-fd=yes"],
    [COLOR, PATTERN, "-x", "200", "-y", "200", "--resolution=300"],
)


@pytest.mark.parametrize("arguments", PICTURES, ids=" ".join)
def test_saned_scans_are_identical_with_local_ones(pair: Pair, arguments: list[str]) -> None:
    scanned = pair.same("test:0", "--format=pnm", *arguments)
    assert scanned.status == 0
    assert scanned.stdout


STATUSES = (
    *("SANE_STATUS_UNSUPPORTED", "SANE_STATUS_CANCELLED", "SANE_STATUS_DEVICE_BUSY"),
    *("SANE_STATUS_INVAL", "SANE_STATUS_EOF", "SANE_STATUS_JAMMED", "SANE_STATUS_NO_DOCS"),
    *("SANE_STATUS_COVER_OPEN", "SANE_STATUS_IO_ERROR", "SANE_STATUS_NO_MEM"),
    "SANE_STATUS_ACCESS_DENIED",
)


@pytest.mark.parametrize("status", STATUSES)
def test_saned_reports_every_status_of_a_read(pair: Pair, status: str) -> None:
    ended = pair.same("test:0", "--format=pnm", f"--read-return-value={status}")
    assert ended.status == (0 if status.endswith("EOF") else STATUSES.index(status) + 1)


def test_saned_batch_ends_when_the_feeder_is_empty(pair: Pair) -> None:
    batch = pair.same("test:0", "--format=pnm", "--batch", ADF, "--resolution=20")
    assert len(batch.files) == 10


def test_saned_batch_with_a_count(pair: Pair) -> None:
    words = ("--batch=page%d.pnm", "--batch-count=3", "--format=pnm", COLOR, THREE)
    assert list(pair.same("test:0", *words).files) == ["page1.pnm", "page2.pnm", "page3.pnm"]


def test_saned_opens_the_first_device_for_no_name(pair: Pair) -> None:
    first = pair.through("", "--format=pnm", PATTERN)
    assert first.stdout == pair.through("test:0", "--format=pnm", PATTERN).stdout
    assert first.stdout
