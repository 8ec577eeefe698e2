"""pysane doctor in a network of its own: a firewall, a host elsewhere, IPv6 only, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from sane.cli.doctor.finding import FAULT, OK, WARNING
from tests import ROOT, TREE
from tests.conftest import ABSENT

PROGRAMS = {"unshare": "util-linux", "ip": "iproute2", "nft": "nftables"}
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
APART = (
    *("unshare", "--map-root-user", "--net", "--pid", "--fork"),
    *("--kill-child", "--mount-proc"),
)
START = f"import sys; sys.path[:0] = [{str(TREE)!r}, {str(ROOT)!r}]; from tests.cli.doctor "
START += "import firewalled; firewalled.main()"
Cases = dict[str, dict[str, list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Return what was found in each case: levels and texts, by id."""
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{ABSENT}{program} ({package})")
    folder = tmp_path_factory.mktemp("firewall")
    variables = {"PATH": PATH, "SANE_TEST_FOLDER": str(folder)}
    done = subprocess.run(
        [*APART, sys.executable, "-c", START],
        env={**os.environ, **variables, "PYTHONPATH": str(TREE)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.stderr.startswith("unshare"):
        pytest.skip(f"{ABSENT}namespaces ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    found: Cases = {}
    for case, rows in json.loads(done.stdout).items():
        for id, level, text in rows:
            found.setdefault(case, {}).setdefault(id, []).append((level, text))
    return found


def test_without_a_firewall_the_scanner_is_heard_and_answers(cases: Cases) -> None:
    case = cases["open"]
    ((level, text),) = case["network.dnssd"]
    assert level == OK
    assert "_uscan._tcp" in text
    assert case["network.firewall"][0][0] == OK
    assert case["network.interfaces"] == [(OK, "This machine is in the network 10.99.0.1/24 (v0).")]
    ((level, text),) = case["network.host"]
    assert level == OK, text
    assert text.startswith("10.99.0.2 (in ")


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_server_that_does_not_let_us_in(cases: Cases, whose: str) -> None:
    if f"{whose} denies" not in cases:
        pytest.skip(f"{ABSENT}saned (sane-utils)")
    ((level, text),) = cases[f"{whose} denies"]["network.saned"]
    assert level == FAULT
    denied = "access denied, its saned.conf does not name this machine (10.99.0.1)."
    assert text.endswith(f" closes the connection at once: {denied}")


def test_a_server_that_lets_us_in(cases: Cases) -> None:
    text = "saned at 10.99.0.5 port 6566 lets us in and has 2 scanners."
    assert cases["lets in"]["network.saned"] == [(OK, text)]


def test_a_firewall_before_the_data_port(cases: Cases) -> None:
    level, text = cases["data port"]["network.data-port"][0]
    assert level == FAULT
    assert text.startswith("net:10.99.0.5:test:0: it opens, but no image data come (")
    assert "a firewall may drop the second connection" in text


def test_a_firewall_that_drops_all_answers(cases: Cases) -> None:
    case = cases["firewalled"]
    ((level, text),) = case["network.firewall"]
    assert level == WARNING
    assert text.startswith(
        "Nothing at all is heard from the network, and a firewall (ufw) is active"
    )
    ((level, text),) = case["network.host"]
    assert level == FAULT
    assert "does not answer" in text
    assert text.endswith("it is off, asleep, or behind a firewall.")


def test_an_address_to_which_no_way_leads(cases: Cases) -> None:
    ((level, text),) = cases["elsewhere"]["network.subnet"]
    assert level == FAULT
    assert "cannot be reached (Network is unreachable)" in text
    assert "is in none of this machine's networks" in text


def test_a_machine_with_ipv6_only(cases: Cases) -> None:
    ((level, text),) = cases["ipv6"]["network.ipv6"]
    assert level == WARNING
    assert text.startswith("This machine has IPv6 addresses only")


def test_a_machine_without_a_network(cases: Cases) -> None:
    ((level, text),) = cases["nothing"]["network.interfaces"]
    assert level == WARNING
    assert text.startswith("This machine has no network")
    assert cases["nothing"]["network.firewall"][0][0] == OK
