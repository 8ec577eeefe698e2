"""The search for Canon scanners by broadcast, ours and the original's, in a network of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests import ROOT
from tests.conftest import ABSENT

pytest.importorskip("sane.backends.pixma")

# The machine has an address of its own on an Ethernet, and each scanner has one.
NETWORK = """
ip link set lo up && ip link add v0 type veth peer name v1 &&
ip link set v0 up && ip link set v1 up &&
for i in 1 2 3; do ip addr add 10.99.0.$i/24 brd 10.99.0.255 dev v0; done || exit 77
exec "$@"
"""
LISTED = [
    "device `pixma:MF4800_10.99.0.3' is a CANON Canon i-SENSYS MF4800 Series "
    "multi-function peripheral",
    "device `pixma:MP560_10.99.0.2' is a CANON Canon PIXMA MP560 multi-function peripheral",
]
ASKED = ["bjnp 01 30", "mfnp 01 30"]


def test_both_find_scanners_of_both_protocols() -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux) or ip (iproute2)")
    program = [sys.executable, "-m", "tests.peers.pixma_search"]
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh", *program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"{ABSENT}a network namespace ({done.stderr.strip()})")
    lines = [line for line in done.stdout.splitlines() if line]
    assert lines == [*LISTED, *LISTED, *ASKED], done.stderr
