"""Our search for services beside a real Avahi daemon, on a system bus and networks of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sane.discovery import avahi, dnssd
from tests import ROOT, TREE
from tests.conftest import ABSENT, PREFIX

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


def run(module: str, folder: Path, **variables: str) -> tuple[Any, str]:
    """Run *module* in namespaces of its own; return what it prints, and its messages."""
    pytest.importorskip("jeepney", reason=f"{ABSENT}jeepney")
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{ABSENT}{program} ({package})")
    apart = ["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    apart += ["--mount-proc"]
    variables |= {"PATH": PATH, "PYTHONPATH": str(TREE), "SANE_TEST_FOLDER": str(folder)}
    done = subprocess.run(
        ["unshare", *apart, sys.executable, "-m", module],
        env={**os.environ, **variables},
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


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cases, str]:
    """Return what was found in each case, and what was told of it."""
    return run("tests.peers.avahi_network", tmp_path_factory.mktemp("avahi"))


@pytest.mark.parametrize("case", ["first", "second", "program"])
def test_avahi_announced_services_are_found(cases: tuple[Cases, str], case: str) -> None:
    rows, _ = cases[0][case]
    assert {"10.99.0.1", "127.0.0.1"} <= {row[2] for row in rows if row[1] == "8080"}
    assert any(row[2].startswith("fe80::") and "%v" in row[2] for row in rows)
    (texts,) = {(row[3], *sorted(row[4:])) for row in rows if row[1] == "8080"}
    assert texts == ("Büro 2.Stock", "rs=eSCL", "ty=Acme One")
    assert {row[3] for row in rows if row[1] == "8081"} == {"a\x01\x1b[31mb"}
    (third,) = {(row[0], row[2]) for row in rows if row[1] == "8082"}
    assert third == ("Büro-2.local", "10.99.0.1")


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


def test_a_scanner_that_is_found_in_three_ways_is_listed_once(
    tmp_path: Path, staged_environment: dict[str, str]
) -> None:
    """By eSCL, by ESC/I, and by sane-airscan, which is a C backend."""
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage (sane-utils)")
    if not any(Path("/usr/lib").glob("*/sane/libsane-airscan.so.1")):
        pytest.skip(f"{ABSENT}sane-airscan")
    (tmp_path / "logs").mkdir()
    (default, everything), _ = run(
        "tests.peers.merged_network",
        tmp_path / "logs",
        SANE_CONFIG_DIR=staged_environment["SANE_CONFIG_DIR"],
        SANE_TEST_LIBRARIES=str(PREFIX / "lib"),
    )
    assert [name.partition(":")[0] for name in everything] == ["escl", "epson2", "airscan"]
    assert default == everything[:1]
