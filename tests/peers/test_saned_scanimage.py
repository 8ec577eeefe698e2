"""The distribution's scanimage, through its own net backend, on our saned: as without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.support.ports import PORT, ipv6_loopback, loopback_address
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
    Pair,
)
from tests.support.saned import Saned, configure


@pytest.fixture(scope="module", params=["IPv4", "IPv6"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("saned")
    config = configure(folder / "server")
    with (
        nullcontext(loopback_address()) if request.param == "IPv4" else ipv6_loopback() as address,
        Saned(config, address=address, port=PORT) as server,
    ):
        yield Pair(folder, server, config)


def test_saned_lists_its_devices(pair: Pair) -> None:
    listed = pair.remote.theirs("-f", "%d|%v|%m|%t%n").stdout.decode()
    expected = "".join(
        f"{pair.prefix}test:{n}|Noname|frontend-tester|virtual device\n" for n in (0, 1)
    )
    assert listed == expected


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


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_saned_refuses_what_it_should(pair: Pair, arguments: list[str]) -> None:
    pair.same("test:0", *arguments)


@pytest.mark.parametrize("arguments", PICTURES, ids=" ".join)
def test_saned_scans_are_identical_with_local_ones(pair: Pair, arguments: list[str]) -> None:
    scanned = pair.same("test:0", "--format=pnm", *arguments)
    assert scanned.status == 0
    assert scanned.stdout


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
