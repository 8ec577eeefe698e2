"""The blocks of code on the pages, by kind, and by which test each is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4}\S.*\n(?:\n(?= {4}))?)(?: {4}.*\n(?:\n(?= {4}))?)*")


class Block(NamedTuple):
    """A block: its page, kind (the word behind the fence; "" if indented) and text."""

    page: str
    kind: str
    text: str

    @property
    def start(self) -> str:
        return self.text.strip().splitlines()[0].strip()


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks of a page, in their order."""
    text = path.read_text(encoding="utf-8")
    found = [(m.start(), Block(path.name, m[1].strip(), m[2])) for m in FENCED.finditer(text)]
    rest = FENCED.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), text)
    for match in INDENTED.finditer(rest):
        lines = [line[4:] for line in match[0].splitlines()]
        found.append((match.start(), Block(path.name, "", "\n".join(lines) + "\n")))
    return [block for _, block in sorted(found)]


BLOCKS = [block for path in PAGES for block in blocks_of(path)]


def block(page: str, start: str) -> Block:
    """Return the one block of *page* that begins with *start*."""
    (found,) = [one for one in BLOCKS if one.page == page and one.start.startswith(start)]
    return found
