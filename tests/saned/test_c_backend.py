"""The distribution's scanimage and net backend on our saned, which serves its C backend `test`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers import walks
from tests.support.ports import PORT, loopback_address
from tests.support.remote_scans import Pair
from tests.support.saned import Saned, configure

PATTERN = "--test-picture=Color pattern"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pytest.importorskip("sane.dll.native", reason="C backends need the compiled tree")
    walks.their_library("test")
    folder = tmp_path_factory.mktemp("saned")
    config = configure(folder / "server", pysane_conf="native test\n")
    with Saned(config, address=loopback_address(), port=PORT, SANE_DEBUG_DLL="3") as server:
        yield Pair(folder, server, config)


SCANS: tuple[list[str], ...] = (
    ["--mode=Color", "--format=png"],
    ["--depth=16", "--format=tiff"],
    ["--mode=Color", "--three-pass=yes", "--format=pnm"],
    ["--hand-scanner=yes", "--resolution=20", "--format=pnm"],
    ["--source=Automatic Document Feeder", "--batch", "--resolution=20"],
    ["--mode=Nothing"],
    ["--read-return-value=SANE_STATUS_JAMMED"],
)


@pytest.mark.parametrize("arguments", SCANS, ids=" ".join)
def test_a_c_backend_scans_as_without_a_network(pair: Pair, arguments: list[str]) -> None:
    begin = len(pair.server.log)
    far = pair.through("test:1", PATTERN, *arguments)
    near = pair.local.theirs("-d", "test:1", PATTERN, *arguments)
    assert far.status == near.status, (far.stderr, near.stderr)
    assert far.stdout == near.stdout
    assert far.files == near.files
    pair.server.wait_for("/libsane-test.so.1", begin=begin)


def test_a_c_backend_shows_its_options(pair: Pair) -> None:
    arguments = ("--mode=Color", "--enable-test-options=yes", "-A")
    far = pair.through("test:0", *arguments)
    near = pair.local.theirs("-d", "test:0", *arguments)
    shown = [done.stdout.replace(pair.prefix.encode(), b"").splitlines() for done in (far, near)]
    # The original net backend clears its buffers; scanimage shows what is in them all the same.
    differing = [a for a, b in zip(*shown, strict=True) if a != b]
    assert all(b"-hard-select" in line for line in differing)
    assert len(shown[0]) > 100
