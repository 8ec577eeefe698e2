"""The pages of five minutes as scripts: what a stranger types, word by word."""

from __future__ import annotations

import re
from pathlib import Path

from tests import ROOT
from tests.website.blocks import blocks_of

NAMES = sorted(path.stem for path in (ROOT / "docs").glob("start-*.md"))
FILE = re.compile(r"^`([\w./-]+\.py)`:$", re.M)
# What ends with a status of its own where something is missing, as on a machine without a scanner.
TELLS = re.compile(r"^(pysane list|pysane doctor|.*pysane-saned --check)$", re.M)
INSTALLS = re.compile(r"\bsudo\b|\bpip install\b|-m venv\b|^make build$", re.M)


def files_of(path: Path) -> list[str]:
    """Return the names of the files whose text the page gives, in their order."""
    return FILE.findall(path.read_text(encoding="utf-8"))


def script(name: str, *, installs: bool) -> str:
    """Return the page *name* as a script for bash; without *installs* only what changes nothing.

    A block of Python is written to the file that the line before it names. Blocks for machines
    with systemd are left out.
    """
    path = ROOT / "docs" / f"{name}.md"
    files = files_of(path)
    parts = ["set -e"]
    for block in blocks_of(path):
        if block.kind == "python":
            parts.append(f"cat > {files.pop(0)} <<'END_OF_FILE'\n{block.text}END_OF_FILE")
        elif block.kind == "sh" and (installs or not INSTALLS.search(block.text)):
            parts.append(block.text.rstrip())
        elif block.kind == "sh":
            lines = block.text.splitlines()
            parts += [line for line in lines if not INSTALLS.search(line)]
    assert not files, f"{name}: no block follows {files}"
    return TELLS.sub(r"\1 || test $? -lt 67", "\n".join(parts)) + "\n"
