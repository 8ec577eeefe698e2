"""What the theme leaves to do for screen readers: made pages are mended after Sphinx.

Each step says what axe-core objects to. Mending a page again changes nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

STEPS: tuple[tuple[str, str], ...] = (
    # A heading needs a level.
    (r'<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    # Two regions of a kind need names.
    (r'<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    (r'<aside class="toc-drawer([^"]*)">', r'<aside class="toc-drawer\1" aria-label="This page">'),
    (
        r'(<form class="sidebar-search-container" method="get" action="[^"]*") role="search">',
        r'\1 role="search" aria-label="All pages">',
    ),
    # An empty cell is no heading.
    (r'<th class="head"><p></p></th>', "<td></td>"),
    # A page has a title.
    (r'(<article role="main" id="furo-main-content">\s*)(?=<noscript>)', r"\1<h1>Search</h1>\n"),
)


# Parameters of a signature are no list of definitions.
PARAMETERS = re.compile(r"<dl>\n(<dd>(?:(?!</?dl).)*)</dl>", re.S)


def mended(text: str) -> str:
    """Return a made page with all steps taken."""
    for wrong, right in STEPS:
        text = re.sub(wrong, right, text)

    def spans(match: re.Match[str]) -> str:
        inside = match[1].replace("<dd>", '<span class="parameter">').replace("</dd>", "</span>")
        return f'<span class="parameters">{inside}</span>'

    return PARAMETERS.sub(spans, text)


def mend(folder: Path) -> None:
    """Mend all pages in *folder*."""
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        better = mended(text)
        if better != text:
            path.write_text(better, encoding="utf-8")
