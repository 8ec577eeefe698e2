"""The pages of the site: which there are, under which heading, and their links mended.

Whoever writes a page in docs/ needs no more than the file: navigation goes by name, and a page
that no pattern fits stands under "More".
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
from pathlib import Path

from .places import DOCS, ROOT, SOURCE

# Pages of the site that lie at the top of the tree.
TOP = {
    "ARCHITECTURE.md": "architecture",
    "CHANGELOG.md": "changelog",
    "CODE_OF_CONDUCT.md": "code-of-conduct",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
}
# Headings of the navigation, and the pages under each in this order; the first that fits counts.
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Start in five minutes", ("start-owner", "start-administrator", "start-*")),
    ("Scan", ("pysane", "page-work", "scanimage", "scanner-not-found", "scanners", "{drivers}")),
    ("Install and share", ("install", "backends", "share*", "saned", "deviations")),
    ("Program", ("python-api", "python-sane", "api/index")),
    ("Write a driver", ("driver-guide", "testing-*", "*-sessions")),
    (
        "Look behind it",
        ("comparison", "benchmarks", "architecture", "protocols", "lifetimes", "screenshots"),
    ),
    ("Reference", ("man/index", "changelog")),
    ("Take part", ("contributing", "site", "code-of-conduct", "security")),
)
MORE = "More"
# Shorter names of pages in the navigation.
SHORT = {
    "backends": "Which backend is used",
    "deviations": "Differences from the originals",
    "fujitsu": "Fujitsu and Ricoh",
    "install": "Installing",
    "net-sessions": "Recorded network sessions",
    "pixma": "Canon",
    "plustek": "Plustek and others, LM983x",
    "pysane": "With pysane",
    "python-sane": "For python-sane's programs",
    "saned": "saned",
    "share": "pysane share",
    "share-clients": "Clients of pysane share",
    "share-api": "REST of pysane share",
    "share-page": "The page of pysane share",
    "site": "This site",
    "start-administrator": "I look after scanners",
    "testing-network": "Emulated network scanners",
    "testing-usb": "Emulated USB scanners",
}
IMAGE = re.compile(r"(!\[[^\[\]]*\])\(([^()\s]+)\)")
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^()\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)
HIDDEN_TREE = "\n:::{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n:::\n"


def driver_pages() -> list[str]:
    """Return the pages that are named after a driver."""
    return sorted(
        path.stem for path in DOCS.glob("*.md") if (ROOT / "backends" / path.stem).is_dir()
    )


def sections(names: list[str]) -> list[tuple[str, list[str]]]:
    """Return the headings with those of the pages *names* that stand under each."""
    left = sorted(set(names) - {"index"})
    found = []
    for caption, patterns in SECTIONS:
        under = []
        for pattern in patterns:
            wanted = driver_pages() if pattern == "{drivers}" else [pattern]
            fitting = [name for one in wanted for name in fnmatch.filter(left, one)]
            under += fitting
            left = [name for name in left if name not in fitting]
        found.append((caption, under))
    return [*found, (MORE, [name for name in left if "/" not in name])]


def entry(name: str) -> str:
    """Return a page's line in a tree of the navigation."""
    return f"{SHORT[name]} <{name}>" if name in SHORT else name


def navigation(names: list[str]) -> str:
    """Return the trees that the home page ends with; the theme shows them beside each page."""
    return "".join(
        HIDDEN_TREE.format(caption=caption, pages="\n".join(map(entry, under)))
        for caption, under in sections(names)
        if under
    )


def outside_code(text: str, change: re.Pattern[str], by: object) -> str:
    """Return *text* with *change* replaced by *by*, but not in fenced code."""
    parts, at = [], 0
    for fence in FENCE.finditer(text):
        parts += [change.sub(by, text[at : fence.start()]), fence.group()]  # type: ignore[call-overload]
        at = fence.end()
    return "".join([*parts, change.sub(by, text[at:])])  # type: ignore[call-overload]


class Pages:
    """Copies pages to where Sphinx reads them, with links that lead to pages of the site."""

    def __init__(self, source: Path = SOURCE) -> None:
        self.source = source
        self.written: set[str] = set()

    def add_all(self) -> list[str]:
        """Copy every page of docs/ and of the top; return their names."""
        for path in sorted(DOCS.glob("*.md")):
            self.add(path, path.stem)
        for name, page in TOP.items():
            if (ROOT / name).exists():
                self.add(ROOT / name, page)
        return sorted(self.written)

    def add(self, path: Path, name: str) -> None:
        """Copy the page *path* under *name*."""
        text = path.read_text(encoding="utf-8")

        def mended(match: re.Match[str]) -> str:
            return f"{match[1]}({self.link(match[2], path.parent)})"

        text = outside_code(text, IMAGE, mended)  # also those that are a link's text
        self.write(name, outside_code(text, LINK, mended))

    def link(self, target: str, folder: Path) -> str:
        """Return where a link of a page in *folder* leads to on the site.

        Files that are no page are copied and offered as they are.
        """
        if re.match(r"[a-z]+:|#|files/", target):
            return target
        name, mark, anchor = target.partition("#")
        path = Path(os.path.normpath(folder / name))
        if path.suffix == ".md" and path.parent == DOCS:
            return f"{path.name}{mark}{anchor}"
        if path.name == "README.md" and path.parent == ROOT:
            return "index.md"
        if path.parent == ROOT and path.name in TOP:
            return f"{TOP[path.name]}.md{mark}{anchor}"
        if not path.exists():
            return target  # Sphinx names it
        if path.is_dir():
            raise FileNotFoundError(f"{folder.name}: a link to the folder {target}; name a file")
        name = f"files/{path.relative_to(ROOT)}" + (".txt" if path.suffix == ".md" else "")
        (self.source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.source / name)
        return name

    def write(self, name: str, text: str) -> None:
        """Write a page; one that is as it was keeps its time, and Sphinx need not read it."""
        self.written.add(name)
        target = self.source / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")

    def remove_others(self) -> None:
        """Remove the pages of before that were not written now."""
        for path in self.source.rglob("*.md"):
            name = str(path.relative_to(self.source).with_suffix(""))
            if name not in self.written and not name.startswith("files/"):
                path.unlink()
