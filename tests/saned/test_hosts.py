"""Who is let in, with real connections from other addresses, in a network namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import TREE
from tests.support.addresses import ALLOW_MAPPED, ALLOW_V4, ALLOW_V6, DENY_MAPPED, DENY_V4, DENY_V6
from tests.support.saned import configure, environment
from tests.support.timing import SECONDS

PEERS = {"10.77.0.2": (ALLOW_V4, DENY_V4), "fd00:77::2": (ALLOW_V6, DENY_V6)}
CASES = [
    (peer, text, answer)
    for peer, lists in (*PEERS.items(), ("mapped", (ALLOW_MAPPED, DENY_MAPPED)))
    for answer, texts in zip(("ALLOW", "DENY"), lists, strict=True)
    for text in texts
    if ".example" not in text and "example" not in text.lower()  # names are tested without a net
]


class Network:
    """A server in a namespace where other addresses exist."""

    def __init__(self, folder: Path) -> None:
        config = configure(folder)
        scanimage = shutil.which("scanimage", path="/usr/bin") or "scanimage"
        script = Path(__file__).with_name("hosts.py")
        words = [sys.executable, "-I", str(script), str(TREE), str(config), scanimage]
        self.config = config
        self.process = subprocess.Popen(
            ["unshare", "-n", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(config) | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        )

    def ask(self, peer: str, text: str) -> str:
        """Return the answer of *peer*'s connection under this saned.conf."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{peer}\t{text.replace(chr(10), '|')}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    if not shutil.which("ip", path="/sbin:/usr/sbin:/bin:/usr/bin") or not shutil.which("unshare"):
        pytest.skip("peer absent: ip and unshare")
    if subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode:
        pytest.skip("peer absent: the right to make a network namespace")
    network = Network(tmp_path_factory.mktemp("hosts"))
    yield network
    network.close()


@pytest.mark.parametrize(("peer", "text", "answer"), CASES)
def test_hosts_are_let_in_as_the_specification_observed(
    network: Network, peer: str, text: str, answer: str
) -> None:
    assert network.ask(peer, text) == answer


def test_cve_2003_0773_a_refused_host_gets_nothing_and_is_not_read(network: Network) -> None:
    """INIT used to be answered before the address was checked."""
    assert network.ask("10.77.0.2", "") == "DENY"


def test_a_refused_scanimage_fails_and_a_welcome_one_opens(network: Network) -> None:
    if not shutil.which("scanimage", path="/usr/bin"):
        pytest.skip("peer absent: scanimage")
    (network.config / "dll.conf").write_text("test\nnet\n")
    (network.config / "net.conf").write_text("")
    assert network.ask("scanimage", "") == "1"  # it comes from the server's own address
    assert network.ask("scanimage", "10.77.0.0/24") == "0"
