"""What docs/page-work.md shows, as it is written there: a program on the test device, a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pikepdf

from sane.pagework.profiles import Configuration
from sane.pagework.toml import TomlFile
from tests import ROOT, TREE

TEXT = (ROOT / "docs" / "page-work.md").read_text()


def sample(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)
    return str(code)


def test_the_program_makes_a_document_of_the_feeder_s_pages(tmp_path: Path) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    code = sample("python").replace('sane.Scanner("test")', 'sane.Scanner("test", settings=feeder)')
    assert "feeder" in code
    code = 'feeder = {"source": "feeder", "resolution": 75}\n' + code
    variables = {**os.environ, "SANE_CONFIG_DIR": str(tmp_path), "PYTHONPATH": str(TREE)}
    variables["TMPDIR"] = str(tmp_path)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, check=True)
    with pikepdf.open(tmp_path / "letter.pdf") as pdf:
        assert len(pdf.pages) == 10
        assert str(pdf.docinfo.Title) == "Letter"
    assert list(tmp_path.glob("pysane-*")) == []


def test_the_configuration_is_one() -> None:
    found = Configuration([TomlFile("page-work.md", sample("toml"))])
    settings = found.settings("receipts", device="epsonds:libusb:001:004")
    assert settings["crop"] == "auto"
    assert settings["mode"] == "gray"
    assert settings["source"] == "duplex"
    assert settings["options"] == {"brightness": 10}


def test_the_example_configuration_is_one_with_and_without_its_comments() -> None:
    text = (ROOT / "etc" / "examples" / "pysane-cli.toml").read_text()
    keys = re.sub(r"^#([a-z_-]+ = |\[)", r"\1", text, flags=re.M)
    assert keys != text
    for form in (text, keys):
        found = Configuration([TomlFile("pysane-cli.toml", form)])
        assert found.names == ["letters", "photos", "receipts"]
        assert found.settings("receipts")["dpi"] == 300
    assert set(found.hooks) == {"after_page", "after_file"}
