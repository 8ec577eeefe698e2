"""Our search for services beside a real Avahi daemon, on a system bus and networks of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from sane.discovery import avahi, dnssd
from tests.conftest import ABSENT, ROOT, TREE

PROGRAMS = {
    "unshare": "util-linux",
    "ip": "iproute2",
    "dbus-daemon": "dbus-daemon",
    "avahi-daemon": "avahi-daemon",
    "avahi-publish": "avahi-utils",
}
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
WARM_SECONDS = 0.1
SLACK_SECONDS = 2.0  # for a machine that is busy
Cases = dict[str, tuple[list[list[str]], float]]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cases, str]:
    """Return what was found in each case, and what was told of it."""
    pytest.importorskip("jeepney", reason=f"{ABSENT}jeepney")
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{ABSENT}{program} ({package})")
    apart = ["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    folder = tmp_path_factory.mktemp("avahi")
    done = subprocess.run(
        ["unshare", *apart, sys.executable, "-m", "tests.peers.avahi_network"],
        env={**os.environ, "PATH": PATH, "PYTHONPATH": str(TREE), "SANE_TEST_FOLDER": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.stderr.startswith("unshare"):
        pytest.skip(f"{ABSENT}namespaces ({done.stderr.strip()})")
    logs = "".join(file.read_text() for file in folder.glob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("case", ["first", "second", "program"])
def test_avahi_announced_services_are_found(cases: tuple[Cases, str], case: str) -> None:
    rows, _ = cases[0][case]
    assert {"10.99.0.1", "127.0.0.1"} <= {row[2] for row in rows if row[1] == "8080"}
    assert any(row[2].startswith("fe80::") and "%v" in row[2] for row in rows)
    (texts,) = {(row[3], *sorted(row[4:])) for row in rows if row[1] == "8080"}
    assert texts == ("Büro 2.Stock", "rs=eSCL", "ty=Acme One")
    assert {row[3] for row in rows if row[1] == "8081"} == {"a\x01\x1b[31mb"}


def test_avahi_with_a_warm_cache_takes_no_time(cases: tuple[Cases, str]) -> None:
    """Of three; the machine may be busy with something else."""
    assert min(cases[0][case][1] for case in ("first", "second", "program")) < WARM_SECONDS


def test_avahi_says_after_a_second_that_there_is_nothing(cases: tuple[Cases, str]) -> None:
    rows, seconds = cases[0]["nothing"]
    assert rows == []
    assert seconds < dnssd.SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("case", ["hangs", "gone"])
def test_avahi_that_does_not_answer_costs_the_time_of_a_search(
    cases: tuple[Cases, str], case: str
) -> None:
    rows, seconds = cases[0][case]
    assert rows == []
    assert seconds < dnssd.SECONDS + SLACK_SECONDS


def test_avahi_what_fails_is_told_once(cases: tuple[Cases, str]) -> None:
    said = cases[1]
    assert said.count(f"{avahi.NAME}: no answer in {avahi.ANSWER_SECONDS:g} s") == 1
    assert said.count("NameHasNoOwner") == 1
