"""The order of pages and the names of files: two tables of what becomes what."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sane.pagework import names
from sane.pagework.order import arrange, collate, split
from sane.pagework.problem import OUTPUT, USAGE, PageWorkError

WHEN = datetime(2026, 11, 29, 22, 41, 5)


class Scanned:
    """As much of a spooled page as its order needs."""

    def __init__(self, number: int, is_blank: bool = False) -> None:
        self.number = number
        self.is_blank = is_blank


@pytest.mark.parametrize(
    ("how", "pages", "fronts", "wanted"),
    [
        ("interleave", [1, 3, 5, 2, 4, 6], None, [1, 2, 3, 4, 5, 6]),
        ("reverse-backs", [1, 3, 5, 6, 4, 2], None, [1, 2, 3, 4, 5, 6]),
        ("deinterleave", [1, 2, 3, 4, 5, 6], None, [1, 3, 5, 2, 4, 6]),
        ("reverse-backs", [1, 2], None, [1, 2]),
        ("interleave", [], None, []),
    ],
)
def test_fronts_and_backs_are_put_together(
    how: str, pages: list[int], fronts: int | None, wanted: list[int]
) -> None:
    assert collate(pages, how, fronts) == (wanted, None)


@pytest.mark.parametrize(
    ("how", "pages", "fronts", "wanted"),
    [
        ("interleave", [1, 3, 5, 2, 4], None, [1, 2, 3, 4, 5]),
        ("reverse-backs", [1, 3, 5, 4, 2], None, [1, 2, 3, 4, 5]),
        ("reverse-backs", [1, 3, 4, 2, 9], 2, [1, 9, 3, 2, 4]),
        ("interleave", [1], None, [1]),
        ("deinterleave", [1, 2, 3], None, [1, 3, 2]),
    ],
)
def test_an_odd_number_of_pages_is_told_and_none_is_lost(
    how: str, pages: list[int], fronts: int | None, wanted: list[int]
) -> None:
    found, note = collate(pages, how, fronts)
    assert found == wanted
    assert note is not None


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (None, [[1, 2, 0, 3, 0]]),
        ("each", [[1], [2], [0], [3], [0]]),
        (2, [[1, 2], [0, 3], [0]]),
        ("3", [[1, 2, 0], [3, 0]]),
        (9, [[1, 2, 0, 3, 0]]),
        ("blank", [[1, 2], [3]]),
    ],
)
def test_pages_are_dealt_out_to_files(where: Any, wanted: list[list[int]]) -> None:
    assert split([1, 2, 0, 3, 0], where, lambda page: page == 0) == wanted
    assert split([], where, lambda page: page == 0) == []


@pytest.mark.parametrize("where", ["0", "-1", "patch-t", "two", "", "²", 0])
def test_other_places_to_split_at_are_errors(where: Any) -> None:
    with pytest.raises(PageWorkError) as caught:
        split([1], where, bool)
    assert caught.value.exit_code == USAGE


def test_backs_that_are_blank_go_after_they_were_put_in_their_places() -> None:
    scanned: Any = [Scanned(1), Scanned(3), Scanned(4, True), Scanned(2)]
    files, notes = arrange(scanned, collation="reverse-backs", skip_blank=True)
    assert [[page.number for page in pages] for pages in files] == [[1, 2, 3]]
    assert notes == []
    files, _ = arrange(scanned, where="blank")
    assert [[page.number for page in pages] for pages in files] == [[1, 3], [2]]
    assert arrange([scanned[2]], skip_blank=True) == ([], [])
    with pytest.raises(PageWorkError, match="reverse-backs"):
        arrange(scanned, collation="sideways")


# Names


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("scan-{date}-{time}.pdf", "scan-2026-11-29-22-41-05.pdf"),
        ("{n}-{n:04}-{n:3}.png", "7-0007-  7.png"),
        ("a/{device}/{profile}.pdf", "a/epson2_net_10.0.0.1/_etc_passwd.pdf"),
        ("{{n}}.pdf", "{n}.pdf"),
        ("plain.pdf", "plain.pdf"),
    ],
)
def test_placeholders_are_filled_in(template: str, wanted: str) -> None:
    known = {"device": "epson2/net/10.0.0.1", "profile": "/etc/passwd"}
    assert names.expand(template, when=WHEN, number=7, **known) == wanted


@pytest.mark.parametrize(
    "device", ["../../x", "..", ".", "/", "a\0b", "a\nb", "", "\\\\host", "é" * 300, "\udcff"]
)
def test_what_is_filled_in_cannot_leave_the_folder(device: str, tmp_path: Path) -> None:
    path = names.expand(f"{tmp_path}/{{device}}", when=WHEN, device=device)
    assert os.path.dirname(os.path.realpath(path)) == str(tmp_path)
    assert os.path.basename(path) not in ("", ".", "..")
    Path(path).touch()


@pytest.mark.parametrize(
    "template", ["{x}", "{n:x}", "{n:99}", "{date:4}", "{", "a}", "{n:}", "{n!r}"]
)
def test_an_unknown_placeholder_is_an_error_that_names_it(template: str) -> None:
    with pytest.raises(PageWorkError, match="no placeholder") as caught:
        names.expand(template, when=WHEN)
    assert caught.value.exit_code == USAGE


def test_names_get_numbers_before_their_ending() -> None:
    assert names.with_number("out/page.png") == "out/page-{n:03}.png"
    assert names.with_number("page") == "page-{n:03}"
    assert names.with_number("{n}.png") == "{n}.png"
    assert names.with_number("-") == "-"
    assert names.partial("a/letter.pdf") == "a/letter.partial.pdf"


def test_the_format_is_the_ending_s_unless_it_is_said(tmp_path: Path) -> None:
    table = {"a.pdf": "pdf", "a.TIF": "tiff", "a.jpg": "jpeg", "a": "pdf", "-": "pdf"}
    table |= {"a.ppm": "pnm", "a/b.c/d": "pdf", "scan.{date}": "pdf", ".pdf": "pdf"}
    assert {path: names.format_for(path) for path in table} == table
    assert names.format_for("a.txt", "png") == "png"
    for path, format in (("a.txt", None), ("a.pdf", "bmp")):
        with pytest.raises(PageWorkError):
            names.format_for(path, format)
    assert names.template_for(None, "pdf") == "scan-{date}-{time}.pdf"
    assert names.template_for(str(tmp_path), "jpeg") == f"{tmp_path}/scan-{{date}}-{{time}}.jpg"
    assert names.template_for("x.pdf", "pdf") == "x.pdf"


def test_a_target_that_cannot_be_written_is_told_before_the_scan(tmp_path: Path) -> None:
    old = tmp_path / "old.pdf"
    old.touch()
    names.check_target(str(tmp_path / "new.pdf"))
    names.check_target(str(old), force=True)
    names.check_target("-")
    names.check_target("/dev/null")
    long = tmp_path / f"{'x' * 300}.pdf"
    for path in (old, tmp_path, tmp_path / "no" / "new.pdf", old / "new.pdf", long):
        with pytest.raises(PageWorkError, match=str(path)) as caught:
            names.check_target(str(path))
        assert caught.value.exit_code == OUTPUT
