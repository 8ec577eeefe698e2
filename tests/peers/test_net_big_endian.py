"""A server whose samples have the other byte order, simulated by a proxy that exchanges them.

It also cuts the frames into records of odd lengths, at which the original client goes wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.peers.frontends import OURS, Scanimage
from tests.peers.original_saned import PORT, OriginalSaned
from tests.peers.proxy import Proxy
from tests.support.ports import loopback_address
from tests.support.remote_scans import COLOR, PATTERN
from tests.support.saned import configure

SCANS = (
    [PATTERN, "--depth=16"],
    [COLOR, PATTERN, "--depth=16", "-x", "31", "-y", "17"],
    [COLOR, PATTERN, "--depth=8", "-x", "31", "-y", "17"],
    [PATTERN, "--depth=1", "-x", "61", "-y", "17"],
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scanimage, Scanimage, str]]:
    folder = tmp_path_factory.mktemp("endian")
    config = configure(folder / "server")
    upstream = loopback_address()
    address = f"127.99.{upstream.split('.', 2)[2]}"
    far = configure(folder / "client", "net\n", net_conf=f"{address}\n")
    with (
        OriginalSaned(config, address=upstream),
        Proxy((upstream, PORT), address, PORT, big_endian=True),
    ):
        yield Scanimage(folder / "far", far), Scanimage(folder / "near", config), address


@pytest.mark.skipif(sys.byteorder != "little", reason="the other order is this machine's")
@pytest.mark.parametrize("arguments", SCANS, ids=" ".join)
@pytest.mark.parametrize("buffer", ["32", "1", "3"])
def test_net_samples_of_a_big_endian_server_are_right(
    pair: tuple[Scanimage, Scanimage, str], arguments: list[str], buffer: str
) -> None:
    far, near, address = pair
    words = ("--format=pnm", f"--buffer-size={buffer}", *arguments)
    scanned = far.ours("-d", f"net:{address}:test:0", *words)
    Scanimage.agree(scanned, lambda: near.run(OURS, "-d", "test:0", *words))
    assert scanned.status == 0
