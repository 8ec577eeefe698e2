"""Pages of the site: where each stands, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from website.links import dead_links
from website.mending import mended
from website.pages import MORE, TOP, Pages, driver_pages, navigation, sections

from tests import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / n for n in TOP)])
LINK = re.compile(r"\]\(([^()\s]+)\)")
MADE = {"scanners.md", "contributing.md", "changelog.md", "api/index.md", "man/sane-net.5.md"}
CODE = re.compile(r"^```.*?^```$|^    .*$", re.M | re.S)


def slugs(path: Path) -> set[str]:
    """Return the anchors that a forge and the site give to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {text.strip().replace(" ", "-") for text in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_are_there(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    dead = []
    for target in LINK.findall(text):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or name in MADE:
            continue
        found = (path.parent / name).resolve() if name else path
        if not found.is_file() or (anchor and anchor not in slugs(found)):
            dead.append(target)
    assert dead == []


def test_every_page_stands_under_a_heading() -> None:
    names = [path.stem for path in (ROOT / "docs").glob("*.md")]
    found = dict(sections([*names, *TOP.values(), "scanners", "man/index", "api/index"]))
    assert found[MORE] == []
    everything = [name for under in found.values() for name in under]
    assert sorted(everything) == sorted(set(everything))
    assert set(names) - {"index"} <= set(everything)


def test_a_page_that_nobody_knows_stands_under_more() -> None:
    assert dict(sections(["index", "made-up"]))[MORE] == ["made-up"]
    assert f":caption: {MORE}\n\nmade-up\n" in navigation(["index", "made-up"])


def test_drivers_with_a_page_are_listed() -> None:
    assert {"fujitsu", "pixma"} <= set(driver_pages())


def test_links_are_mended_for_the_site(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    docs = ROOT / "docs"
    assert pages.link("install.md#a-diversion", docs) == "install.md#a-diversion"
    assert pages.link("docs/install.md", ROOT) == "install.md"
    assert pages.link("../CONTRIBUTING.md", docs) == "contributing.md"
    assert pages.link("https://example.org/a#b", docs) == "https://example.org/a#b"
    assert pages.link("../setup.py", docs) == "files/setup.py"
    assert (tmp_path / "files" / "setup.py").read_bytes() == (ROOT / "setup.py").read_bytes()
    with pytest.raises(FileNotFoundError, match="name a file"):
        pages.link("../sane", docs)


def test_code_keeps_what_looks_like_a_link(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](../CONTRIBUTING.md)\n\n```\nx[a](../CONTRIBUTING.md)\n```\n")

    class Marked(Pages):
        def link(self, target: str, folder: Path) -> str:
            return f"<{target}>"

    pages = Marked(tmp_path / "source")
    pages.add(page, "page")
    text = (tmp_path / "source" / "page.md").read_text()
    assert text == "[a](<../CONTRIBUTING.md>)\n\n```\nx[a](../CONTRIBUTING.md)\n```\n"


def test_pages_of_before_go_when_they_are_written_no_more(tmp_path: Path) -> None:
    first = Pages(tmp_path)
    first.write("old", "o")
    first.write("kept", "k")
    second = Pages(tmp_path)
    second.write("kept", "k")
    second.remove_others()
    assert [path.name for path in tmp_path.iterdir()] == ["kept.md"]


def test_dead_links_of_a_made_site_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">x</a><a href="#here">y</a>'
    )
    (tmp_path / "b.html").write_text('<img src="gone.png"><a href="a.html">z</a><a href="c/">w</a>')
    assert dead_links(tmp_path) == [
        "a.html: b.html#there leads nowhere",
        "b.html: gone.png leads nowhere",
        "b.html: c/ leads nowhere",
    ]


SIGNATURE = '<dt class="sig">f(<dl>\n<dd><em>a</em>,</dd>\n<dd><em>b</em>,</dd>\n</dl>\n)</dt>'


@pytest.mark.parametrize(
    ("made", "better"),
    [
        ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
        ('<th class="head"><p></p></th>', "<td></td>"),
        ('<th class="head"><p>a</p></th>', '<th class="head"><p>a</p></th>'),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
        (
            SIGNATURE,
            '<dt class="sig">f('
            '<span class="parameters"><span class="parameter"><em>a</em>,</span>\n'
            '<span class="parameter"><em>b</em>,</span>\n</span>\n)</dt>',
        ),
    ],
)
def test_what_the_theme_leaves_is_mended_once(made: str, better: str) -> None:
    assert mended(made) == better == mended(better)


def test_the_picture_that_is_a_link_is_copied(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[![a scan](docs/pictures/scan.svg)](docs/share.md)\n")

    class AtTop(Pages):
        def link(self, target: str, folder: Path) -> str:
            return super().link(target, ROOT)

    AtTop(tmp_path / "source").add(page, "page")
    text = (tmp_path / "source" / "page.md").read_text()
    assert text == "[![a scan](files/docs/pictures/scan.svg)](share.md)\n"
