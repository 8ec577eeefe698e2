"""What is installed for the web server: the unit, the example, the manual pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from sane.cli.pysane import share
from sane.web import config
from tests import ROOT
from tests.conftest import PREFIX

pytestmark = pytest.mark.process
UNIT = PREFIX / "lib/systemd/system/pysane-share.service"
EXPOSURE = 25  # tenths; saned's has 18, and this one listens by itself
MAN = ROOT / "docs" / "man"


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("peer absent: systemd-analyze")
    return found


def test_the_unit_is_what_systemd_understands(analyze: str) -> None:
    done = subprocess.run(
        [analyze, "verify", "--man=no", UNIT], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "pysane" in line] == []


def test_the_service_is_hardened(analyze: str) -> None:
    line = [str(analyze), "security", "--offline=true", f"--threshold={EXPOSURE}", str(UNIT)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("peer absent: systemd-analyze security --offline")
    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_names_the_installed_program_and_its_state() -> None:
    text = UNIT.read_text()
    assert f"ExecStart={PREFIX}/bin/pysane share --service\n" in text
    for line in ("StateDirectory=pysane-share", "User=saned", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in text
    installed = Path(PREFIX, "etc/sane.d/pysane-share.toml").read_text()
    assert installed == (ROOT / "etc/pysane-share.toml").read_text()


def test_the_manual_pages_name_every_option_and_key() -> None:
    page = (MAN / "pysane-share.8").read_text().replace("\\-", "-")
    for action in share.parser()._actions:
        for name in action.option_strings:
            if name.startswith("--") and name != "--help":
                assert name in page, name
    page = (MAN / "pysane-share.toml.5").read_text()
    for section, kind in {**config.SECTIONS, **config.ENTRIES}.items():
        assert f"[{section}]" in page
        for item in fields(kind):
            assert re.search(rf"\\fB{item.name}\\fR|\.B {item.name}$", page, re.M), item.name
