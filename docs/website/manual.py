"""The manual pages as pages of the site: pandoc reads them."""

from __future__ import annotations

import re
from pathlib import Path

from .pages import Pages
from .places import DOCS

# What MyST understands of pandoc's Markdown: lists of definitions, no HTML.
FORM = "commonmark+definition_lists-raw_html"
REFERENCE = re.compile(r"(?<![\w/-])([a-z][a-z0-9.-]+)\(([1-8])\)")


def title_of(path: Path) -> str:
    """Return what the page's NAME section says it is about."""
    text = path.read_text(encoding="utf-8").replace("\\-", "-")
    found = re.search(r"^\.SH NAME\n(.*?)(?=^\.)", text, re.M | re.S)
    if found is None:
        raise ValueError(f"{path.name} has no section NAME")
    return " ".join(found[1].split()).partition(" - ")[2]


def converted(path: Path, known: set[str]) -> str:
    """Return the manual page *path* in Markdown; references to *known* ones are links."""
    import pypandoc

    text = pypandoc.convert_file(str(path), FORM, format="man", extra_args=["--wrap=none"])
    text = re.sub(r"^# (.*)$", lambda match: f"## {match[1].capitalize()}", text, flags=re.M)

    def link(match: re.Match[str]) -> str:
        name = f"{match[1]}.{match[2]}"
        return f"[{match[1]}({match[2]})]({name}.md)" if name in known else match[0]

    text = REFERENCE.sub(link, text)
    name, _, section = path.name.rpartition(".")
    return f"# {name}({section})\n\n{text}"


def add_manual(pages: Pages) -> None:
    """Write a page for each manual page, and their list."""
    paths = sorted((DOCS / "man").glob("*.[1-8]"))
    known = {path.name for path in paths}
    rows = []
    for path in paths:
        pages.write(f"man/{path.name}", converted(path, known))
        name, _, section = path.name.rpartition(".")
        rows.append((section, f"| [{name}({section})]({path.name}.md) | {title_of(path)} |"))
    head = "# Manual pages\n\nThe same as `man` shows where PySANE is installed.\n\n"
    table = "\n".join(["| page | about |", "|---|---|", *(row for _, row in sorted(rows))])
    names = "\n".join(path.name for path in paths)
    tree = f"\n\n:::{{toctree}}\n:hidden:\n\n{names}\n:::\n"
    pages.write("man/index", head + table + tree)
