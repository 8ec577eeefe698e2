"""The examples of pysane's manual pages and of docs/pysane.md do what they say."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests import ROOT
from tests.support.pysane import Program

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pikepdf")


NOT_RUN = ("pysane doctor", "source ", "pysane watch-button")


def plain(line: str) -> str:
    return line.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")


def manual_examples() -> list[str]:
    text = (ROOT / "docs" / "man" / "pysane.1").read_text()
    block = text.split(".SH EXAMPLES\n.nf\n")[1].split(".fi")[0]
    return [plain(line) for line in block.splitlines()]


def page_examples() -> list[str]:
    text = (ROOT / "docs" / "pysane.md").read_text()
    return [line.strip() for line in text.splitlines() if line.startswith("    pysane ")]


def toml_example() -> str:
    text = (ROOT / "docs" / "man" / "pysane.toml.5").read_text()
    return plain(text.split(".SH EXAMPLE\n.nf\n")[1].split(".fi")[0])


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    (tmp_path / "sane.d" / "dll.conf").write_text("test\n")
    (tmp_path / "sane.d" / "test.conf").write_text("br_x 60\nbr_y 50\n")
    return made


@pytest.mark.parametrize("examples", [manual_examples(), page_examples()], ids=["man", "docs"])
def test_the_examples_work(program: Program, examples: list[str]) -> None:
    assert len(examples) > 5
    for line in examples:
        if line.startswith(NOT_RUN):
            continue
        words = shlex.split(line)
        assert words[0] == "pysane"
        done = program.run(*words[1:], SANE_DEFAULT_DEVICE="test:0")
        assert done.returncode == 0, (line, done.stderr)
        for word in words:
            if word.endswith((".pdf", ".png")) and "{" not in word:
                assert (program.out / word).stat().st_size > 100, line


def test_the_example_of_the_configuration(program: Program) -> None:
    folder = program.folder / "config" / "pysane"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(toml_example())
    found = program.json("scan", "-d", "test:0", "-p", "archive", "-n", "1")
    applied = found["settings"]["applied"]
    assert applied["mode"] == "Gray"
    assert applied["resolution"] == 75
    assert applied["test-picture"] == "Color pattern"
    (file,) = found["files"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-001\.pdf", file["path"])
    assert program.json("profile", "list")["profiles"].keys() == {"archive", "letters"}


def test_the_manual_of_the_configuration_names_every_key() -> None:
    from sane.pagework.keys import KEYS

    text = plain((ROOT / "docs" / "man" / "pysane.toml.5").read_text())
    keys = text.split(".SH KEYS")[1].split(".TP")[0]
    assert set(re.findall(r"[a-z][a-z-]+", keys)) >= set(KEYS)
