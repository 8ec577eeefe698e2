"""The terminal that pictures are taken of, and the pictures."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from website.drawing import film, line_of, spans, still
from website.screenshots import plain
from website.terminal import PLAIN, Line, Screen, Style, play

from tests import ROOT

PICTURES = ROOT / "docs" / "pictures"


def line(text: str) -> Line:
    return tuple((sign, PLAIN) for sign in text)


@pytest.mark.parametrize(
    ("fed", "shown"),
    [
        ("one\r\ntwo", "one\ntwo"),
        ("page 1  10%\rpage 1 100%", "page 1 100%"),
        ("long line\r\x1b[2Kshort", "short"),
        ("a\r\nb\x1b[1A\rc", "c\nb"),
        ("\x1b[?25lx\x1b[?25h", "x"),
        ("123456789012", "1234567890\n12"),
        ("x   ", "x"),
    ],
)
def test_a_screen_shows_what_a_terminal_would(fed: str, shown: str) -> None:
    whole, by_bytes = Screen(10, 5), Screen(10, 5)
    if "page" in fed:
        whole.columns = by_bytes.columns = 20
    whole.feed(fed)
    for sign in fed:
        by_bytes.feed(sign)
    assert plain(whole.shown()) == plain(by_bytes.shown()) == shown


def test_colours_are_kept() -> None:
    screen = Screen(10, 2)
    screen.feed("\x1b[1;31mx\x1b[0my")
    assert screen.shown() == ((("x", Style(color=1, bold=True)), ("y", PLAIN)),)


def test_the_last_rows_are_shown() -> None:
    screen = Screen(10, 2)
    screen.feed("1\r\n2\r\n3")
    assert plain(screen.shown()) == "2\n3"


@pytest.mark.parametrize("fed", ["\x1b[5Z", "\x07"])
def test_what_the_terminal_does_not_know_is_an_error(fed: str) -> None:
    with pytest.raises(ValueError, match="does not know"):
        Screen(10, 5).feed(fed)


def test_a_program_runs_in_the_terminal(tmp_path: Path) -> None:
    told: list[str] = []
    words = ["sh", "-c", "test -t 1 && stty size; exit 3"]
    environment = {"PATH": os.defpath}
    status = play(words, environment, str(tmp_path), (33, 7), lambda _at, text: told.append(text))
    assert (status, "".join(told)) == (3, "7 33\r\n")


def test_a_line_is_shown_from_when_it_comes_until_it_changes() -> None:
    a, b = line("a"), line("b")
    frames = [(0.0, (a,)), (1.0, (a, b)), (2.0, (b, b))]
    assert spans(frames, 5.0) == [(0, a, 0.0, 2.0), (0, b, 2.0, 5.0), (1, b, 1.0, 5.0)]
    lines, css = film(frames, 5.0)
    assert lines.count("<g") == 3
    assert lines.count("stays") == 2
    assert "prefers-reduced-motion" in css


def test_signs_of_xml_are_text() -> None:
    assert "&lt;a&gt; &amp;" in line_of(line("<a> &"), 0)
    ET.fromstring(still((line("<a>"),), 10, "t", 'a "title"'))


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_whole_and_needs_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    root = ET.fromstring(text)
    assert root.get("aria-label")
    assert not re.findall(r'(?:href|src)="(?!data:)|url\(', text)
    assert "/work" not in text
    assert len(text) < 200_000
