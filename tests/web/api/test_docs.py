"""What docs/share-api.md shows: the program runs, the settings are taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sane.web import config
from sane.web.api.problem import STATUS
from sane.web.delivery import kinds
from tests import ROOT
from tests.support.api import ApiServer
from tests.support.web import FakeScanner

TEXT = (ROOT / "docs" / "share-api.md").read_text()


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


def test_the_program_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = samples("python")
    with ApiServer([FakeScanner()], state=tmp_path / "state") as api:
        exec(code.replace(":8090", f":{api.port}"), {})
    assert (tmp_path / "scan.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("text", samples("toml"))
def test_the_settings_are_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pysane-share.toml"
    path.write_text(text)
    assert config.read(str(path))


def test_every_kind_key_and_code_is_explained() -> None:
    keys = {key for known in kinds.KINDS.values() for key in known}
    missing = [key for key in keys if not re.search(rf"\b{key}\b", TEXT)]
    assert missing == []
    assert [code for code in STATUS if not re.search(rf"\b{code}\b", TEXT)] == []
