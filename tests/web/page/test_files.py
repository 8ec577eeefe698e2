"""The files of the page: how they are served, and that they keep to the page's rules."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import string
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra web is not there")

from starlette.applications import Starlette

from sane.web import page

LANGUAGES = {path.stem: path for path in (page.FOLDER / "languages").glob("*.json")}
MODULES = {path.name: path.read_text() for path in page.FOLDER.glob("*.js")}
INDEX = (page.FOLDER / page.INDEX).read_text()
MOST_BYTES = 150_000  # of a visit
KEY = re.compile(r'\bt\(\s*"([\w.-]+)"')


class Answer:
    """What the page's routes answered."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in sent[1:])


def ask(path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask the routes for *path*."""
    sent: list[dict[str, Any]] = []
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": lines}
    rest = {"query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Starlette(routes=page.routes(None))
    asyncio.run(app({**scope, **rest}, receive, send))
    return Answer(sent)


def current(name: str) -> str:
    """Return the path that the index gives a file."""
    version, _ = page.read()
    return f"/page/{version}/{name}"


def test_the_index_is_asked_for_again_and_its_files_are_kept() -> None:
    answer = ask("/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert current("main.js").lstrip("/") in answer.body.decode()
    module = ask(current("main.js"))
    assert module.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in module.headers["cache-control"]


def test_a_file_of_another_version_is_not_kept() -> None:
    assert ask("/page/0123456789abcdef/main.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["icons.svg", "look.css", "languages/zh.json", "app.webmanifest"])
def test_a_file_has_its_type_and_a_tag_that_saves_its_bytes(name: str) -> None:
    whole = ask(current(name))
    suffix = Path(name).suffix
    assert whole.headers["content-type"] == page.TYPES[suffix]
    assert whole.body == (page.FOLDER / name).read_bytes()
    again = ask(current(name), if_none_match=f'"other", W/{whole.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("header", "is_compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_a_file_is_compressed_for_whoever_takes_it(header: str, is_compressed: bool) -> None:
    answer = ask("/", accept_encoding=header)
    assert (answer.headers.get("content-encoding") == "gzip") == is_compressed
    body = gzip.decompress(answer.body) if is_compressed else answer.body
    assert body == ask("/").body


def test_every_answer_forbids_what_is_inline_or_from_elsewhere() -> None:
    for path in ("/", current("main.js"), "/page/x/none.js"):
        policy = ask(path).headers["content-security-policy"]
        assert "default-src 'self';" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/page/x/none.js", "/page/x/../__init__.py", "/page/x/index.htm"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert ask(path).status == 404


def test_a_visit_is_small() -> None:
    _, files = page.read()
    others = {f"languages/{name}.json" for name in LANGUAGES if name != "de"}
    assert sum(len(file.body) for name, file in files.items() if name not in others) < MOST_BYTES


# What is written in them


def imported(name: str, seen: set[str]) -> set[str]:
    """Return the modules that a module needs before it runs, itself included."""
    if name not in seen:
        seen.add(name)
        for other in re.findall(r'^import .*? from "\./([\w.]+)"', MODULES[name], re.M):
            imported(other, seen)
    return seen


def test_the_index_names_the_modules_that_come_first_so_that_they_load_at_once() -> None:
    named = re.findall(r'(?:href|src)="page/(\w+\.js)"', INDEX)
    assert sorted(named) == sorted({"start.js", *imported("main.js", set())})


def test_every_module_is_used() -> None:
    text = "".join(MODULES.values()) + INDEX
    assert [name for name in MODULES if f"/{name}" not in text] == []


def test_nothing_is_inline_or_comes_from_another_host() -> None:
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", INDEX)
    for path in page.FOLDER.rglob("*"):
        if path.is_file():
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://|@import|url\(|\binnerHTML\b|\beval\(", text), path.name


def test_every_icon_is_in_the_sprite_and_used() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (page.FOLDER / "icons.svg").read_text()))
    text = "".join(MODULES.values())
    used = set(re.findall(r'\b(?:icon|button|iconButton)\("([\w-]+)"', text))
    assert used <= sprite
    assert {name for name in sprite if f'"{name}"' not in text} == set()


def forms(words: dict[str, Any], key: str) -> list[str]:
    """Return the texts of a key: one, or one for each plural form."""
    text = words[key]
    return list(text.values()) if isinstance(text, dict) else [text]


def fields(texts: list[str]) -> set[str]:
    """Return the {names} in texts."""
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_has_the_keys_and_fields_of_english(language: str) -> None:
    english = json.loads(LANGUAGES["en"].read_text())
    words = json.loads(LANGUAGES[language].read_text())
    assert list(words) == sorted(english)
    for key in english:
        assert fields(forms(words, key)) == fields(forms(english, key)), key
        assert all(forms(words, key)), key
        if isinstance(english[key], dict):
            wanted = {"other"} if language == "zh" else {"one", "other"}
            assert set(words[key]) == wanted, key


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_language_is_translated(language: str) -> None:
    same = {"mode.color", "selection.size", "resolution.dpi", "save.format", "source", "pages"}
    same |= {"pages.count", "scan.page", "resolution.text", "files", "resolution.photo", "scanners"}
    same |= {"paper.max"}
    english = json.loads(LANGUAGES["en"].read_text())
    words = json.loads(LANGUAGES[language].read_text())
    copied = {key for key in english if words[key] == english[key] and len(str(english[key])) > 1}
    assert copied <= same


def test_every_text_that_is_used_is_there_and_every_one_there_is_used() -> None:
    english = json.loads(LANGUAGES["en"].read_text())
    text = "".join(MODULES.values())
    assert set(KEY.findall(text)) <= set(english)
    # Made of parts in the modules: the beginning stands there.
    made = ("problem.", "delivery.", "mode.", "source.", "state.", "resolution.", "work.", "area.")
    unused = {
        key
        for key in english
        if f'"{key}"' not in text and not key.startswith((*made, "settings.theme."))
    }
    assert unused == set()


def test_the_languages_are_those_that_the_page_offers() -> None:
    line = re.search(r"LANGUAGES = \[(.*)\]", MODULES["start.js"])
    assert line is not None
    assert set(re.findall(r"\w\w", line[1])) == set(LANGUAGES)
