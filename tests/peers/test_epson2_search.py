"""The search for scanners by broadcast, ours and the original's, in a network of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests import ROOT
from tests.conftest import ABSENT, PREFIX

# Broadcasts of this network come back to whoever listens in it.
NETWORK = """
ip link set lo up && ip addr add 10.99.0.1/24 brd 10.99.0.255 dev lo &&
ip route add broadcast 255.255.255.255 dev lo src 10.99.0.1 table local || exit 77
exec "$@"
"""
QUERY = "4550534f4e5000ff00000000000000"
LISTED = "device `epson2:net:10.99.0.1' is a Epson GT-EMU flatbed scanner"


def test_both_find_a_scanner_that_answers_to_all() -> None:
    if shutil.which("unshare") is None or shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux) or scanimage (sane-utils)")
    program = [sys.executable, "-m", "tests.peers.epson_search", "", str(PREFIX / "lib")]
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh", *program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"{ABSENT}a network namespace ({done.stderr.strip()})")
    assert done.stdout.splitlines() == [LISTED, LISTED, QUERY, QUERY], done.stderr
