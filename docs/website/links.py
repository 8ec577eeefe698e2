"""Links of the made site that lead nowhere."""

from __future__ import annotations

import html.parser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ATTRIBUTES = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "srcset"}


class Page(html.parser.HTMLParser):
    """What one page names: where it links to, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {values[key] or "" for key in ("id", "name") if values.get(key)}
        target = values.get(ATTRIBUTES.get(tag, ""))
        if target:
            self.targets.append(target)


def dead_links(folder: Path) -> list[str]:
    """Return each link of the pages in *folder* whose file or anchor is not there."""
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html"))}
    dead = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            name = unquote(parts.path)
            found = path if not name else (path.parent / name).resolve()
            if found.is_dir():
                found /= "index.html"
            known = pages.get(found)
            is_place = not parts.fragment or known is None or parts.fragment in known.anchors
            if not found.is_file() or not is_place:
                dead.append(f"{path.relative_to(folder)}: {target} leads nowhere")
    return dead
