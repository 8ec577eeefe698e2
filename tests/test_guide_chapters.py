"""Chapters of docs/driver-guide.md: their code runs, or stands in an example that is run."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest

from tests import ROOT

TEXT = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"
FENCED = re.compile(r"```python\n(.*?)```", re.DOTALL)
# By which test each block is run; the beginning of a block names it.
RUN_ELSEWHERE = {
    '"""Gradient': "tests/peers/test_guide.py",
    '"""Acme S1': "tests/peers/test_guide_usb.py",
    '"""An emulated Acme S1': "tests/peers/test_guide_usb.py",
    '"""A test: scanimage': "tests/peers/test_guide_usb.py",
    "def start(self) -> None:\n    p = self.parameters()\n    layout": "tests/image/test_guide.py",
    "limits = image.shading": "tests/image/test_guide.py",
    "depth = option.depth": "tests/image/test_guide.py",
    "document = image.Document(": "tests/image/test_guide.py",
    '"""Acme G1': "tests/test_guide_drivers.py",
    '"""Acme S9': "tests/test_guide_drivers.py",
    '"""Acme N2': "tests/test_guide_drivers.py",
}


CHAPTERS = (
    *("Options", "From a capture to a driver", "A feeder with two sides"),
    *("A scanner on the network", "A scanner that the host drives register by register"),
)


def chapter(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## )", TEXT, re.M | re.S)
    assert found is not None, title
    return found.group(1)


@pytest.mark.parametrize(
    ("title", "example"),
    [
        ("A feeder with two sides", "acme.py"),
        ("A scanner on the network", "acmenet.py"),
        ("A scanner that the host drives register by register", "acmechip.py"),
    ],
)
def test_excerpts_are_lines_of_an_example_that_is_run(title: str, example: str) -> None:
    whole = (EXAMPLES / example).read_text()
    blocks = FENCED.findall(chapter(title))
    assert blocks
    for block in blocks:
        assert block in whole, block


def test_the_chapter_on_captures_is_right() -> None:
    for block in FENCED.findall(chapter("From a capture to a driver")):
        exec(textwrap.dedent(block), {})


def test_the_options_of_the_guide_work() -> None:
    """The block is the inside of a class: it is put into one, with the options that it names."""
    from sane import option
    from sane.backend import CAP_SOFT_DETECT, Device

    (block,) = FENCED.findall(chapter("Options"))
    names: dict[str, Any] = {"option": option, "CAP_SOFT_DETECT": CAP_SOFT_DETECT, "Device": Device}
    head = (
        "class Told(Device):\n"
        "    source = option.source('Flatbed', 'ADF')\n"
        "    resolution = option.resolution(75, 150, 300, 600)\n"
        "    sent = b''\n"
        "    def send(self, data): self.sent += data\n"
        "    def ask(self, data): return b'1'\n"
    )
    exec(head + block, names)
    from sane.handle import Handle

    handle = Handle(names["Told"]())
    by_name = {item.name: item for item in handle.options.declared}

    def choose(name: str, value: object) -> None:
        handle.set(by_name[name].index, by_name[name].encode(value))

    choose("lamp", True)
    choose("resolution", 600)
    choose("source", "ADF")
    assert handle.device.sent == b"L1"  # type: ignore[attr-defined]
    assert handle.device.resolution == 150  # type: ignore[attr-defined]
    assert handle.get(by_name["page-loaded"].index)[0] == 1
    handle.close()


def test_all_names_of_the_standard_are_in_the_table() -> None:
    header = (ROOT / "include" / "sane" / "saneopts.h").read_text()
    names = set(re.findall(r'_NAME_[A-Z_0-9]+\s+"([^"]+)"', header))
    text = chapter("Names that frontends know")
    told = set(re.findall(r"`([a-z-]+)`", text))
    for stem in re.findall(r"`([a-z-]+)`[^|]*(?:each )?also with `-r` `-g` `-b`", text):
        told |= {f"{stem}-{color}" for color in "rgb"}
    for stem in ("highlight", "shadow", "white-level", "cal-exposure-time", "scan-exposure-time"):
        told |= {f"{stem}-{color}" for color in "rgb"}
    assert names - told == set()


def test_every_block_of_the_guide_is_run_somewhere() -> None:
    here = [block for title in CHAPTERS for block in FENCED.findall(chapter(title))]
    for block in FENCED.findall(TEXT):
        tests = [test for start, test in RUN_ELSEWHERE.items() if block.startswith(start)]
        assert tests or block in here, block
        assert all((ROOT / test).is_file() for test in tests)
