"""What docs/share-clients.md shows: the settings are taken."""

from __future__ import annotations

import re
from pathlib import Path

from sane.web import config
from sane.web.config import ClientSettings
from sane.web.escl import words
from tests import ROOT

TEXT = (ROOT / "docs" / "share-clients.md").read_text()


def test_the_settings_for_a_client_are_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "pysane-share.toml"
    path.write_text(block)
    assert config.read(str(path)).client == (ClientSettings("AirScanScanner", png=True),)


def test_the_qualities_are_those_of_the_program() -> None:
    assert f"0 (quality {words.quality_of(0)}) to 100 (quality {words.quality_of(100)})" in TEXT
