"""What is installed beside the program: systemd's units, examples, the manual page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sane.saned.options import NAMES
from sane.sessions.access import PARSERS
from sane.sessions.users import Users
from tests import ROOT
from tests.conftest import PREFIX

pytestmark = pytest.mark.process
UNITS = PREFIX / "lib" / "systemd" / "system"
EXAMPLES = PREFIX / "share" / "doc" / "pysane" / "examples"
EXPOSURE = 20  # tenths; 0 is sealed off, 96 is an ordinary service


@pytest.fixture
def analyze(tmp_path: Path) -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("peer absent: systemd-analyze")
    return found


def test_the_units_are_what_systemd_understands(analyze: str) -> None:
    units = sorted(UNITS.glob("pysane-saned.*"))
    assert [unit.suffix for unit in units] == [".service", ".socket"]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "pysane" in line] == []


def test_the_service_is_hardened(analyze: str) -> None:
    done = subprocess.run(
        [
            *(analyze, "security", "--offline=true", f"--threshold={EXPOSURE}"),
            UNITS / "pysane-saned.service",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("peer absent: systemd-analyze security --offline")
    assert done.returncode == 0, done.stdout[-200:]
    text = (UNITS / "pysane-saned.service").read_text()
    for line in ("NoNewPrivileges=yes", "PrivateTmp=yes", "DevicePolicy=closed"):
        assert line in text
    assert "SystemCallFilter=@system-service" in text


def test_installed_files_name_the_installed_program() -> None:
    for path in (UNITS / "pysane-saned.service", *EXAMPLES.glob("saned.*netd")):
        assert f"{PREFIX}/sbin/saned" in path.read_text(), path
    done = subprocess.run(
        [PREFIX / "sbin" / "saned", "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split("\n")[0]) == (0, "Usage: saned [OPTION]...")


def test_the_example_of_users_is_one() -> None:
    from sane.config import Line

    lines = (EXAMPLES / "saned.users").read_text().split("\n")
    users = Users(Line("saned.users", n, text) for n, text in enumerate(lines, 1))
    assert users.problems == []
    assert users.check("epson2", "", b"joe", b"a password with spaces")


def test_the_manual_page_names_every_option_and_setting() -> None:
    text = (ROOT / "docs" / "man" / "saned.8").read_text()
    for name in NAMES:
        assert re.search(rf"--{name}\b", text), name
    for name in PARSERS:
        assert rf"\fB{name}\fR" in text, name
