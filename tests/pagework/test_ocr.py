"""OCR by programs on the path: stand-ins that answer, fail and hang, and the real tesseract."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
import pytest

from sane.pagework.encode import picture_of
from sane.pagework.ocr import find_ocr
from sane.pagework.pdf import Document
from sane.pagework.problem import HELPER, PROCESSING, USAGE, PageWorkError
from sane.pagework.spool import Spool
from sane.pagework.steps import steps_for
from sane.pagework.turn import rotate_upright
from sane.pagework.writers import write
from tests.conftest import ABSENT

from .drawn import blank, printed, sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.pagework.spool import SpooledPage

LANGUAGES = 'if [ "$1" = --list-langs ]; then printf "List:\\ndeu\\neng\\n"; exit; fi\n'
# Called as PICTURE BASE -l LANG --dpi N -c ... pdf txt
READS = LANGUAGES + 'cp "$LAYER" "$2.pdf"; echo "text of $4" > "$2.txt"\n'
# Called as -l LANG --output-type KIND --skip-text [--sidecar FILE] SOURCE TARGET
MAKES = """\
echo "$@" > "$TOLD"
while [ $# -gt 2 ]; do [ "$1" = --sidecar ] && echo "its text" > "$2"; shift; done
cp "$1" "$2"
"""


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[list[SpooledPage]]:
    with Spool(str(tmp_path)) as spool:
        sheets = [sheet_of(np.full((60, 40), 99, np.uint8), number=i) for i in (1, 2)]
        yield [spool.add(sheet, picture_of(sheet, "pdf")) for sheet in sheets]


class Programs:
    """A folder that is the whole path, with stand-ins for programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, script: str) -> Path:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "cp", "sleep"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("LAYER", str(tmp_path / "layer.pdf"))
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    with pikepdf.new() as layer:
        layer.add_blank_page(page_size=(10, 10))
        layer.pages[0].obj.Contents = pikepdf.Stream(layer, b"BT 3 Tr ET % its layer")
        layer.save(tmp_path / "layer.pdf")
    return Programs(folder)


def contents(path: Path, password: str = "") -> list[bytes]:
    """Return what each page of a PDF holds, without pictures."""
    found = []
    with pikepdf.open(path, password=password) as pdf:
        for page in pdf.pages:
            forms = [
                item.read_bytes()
                for item in page.obj.Resources.XObject.as_dict().values()
                if item.Subtype == "/Form"
            ]
            found.append(b"".join(forms))
    return found


def test_without_a_program_it_is_told_before_the_scan(programs: Programs) -> None:
    with pytest.raises(PageWorkError, match="OCR needs ocrmypdf or tesseract") as caught:
        find_ocr()
    assert caught.value.exit_code == HELPER
    assert "apt install ocrmypdf" in caught.value.hint


def test_a_missing_language_is_told_before_the_scan(programs: Programs) -> None:
    programs.add("tesseract", LANGUAGES)
    programs.add("ocrmypdf", MAKES)
    with pytest.raises(PageWorkError, match="needs tesseract's language fra, nld") as caught:
        find_ocr("eng+fra+nld")
    assert caught.value.exit_code == HELPER
    assert caught.value.hint == "apt install tesseract-ocr-fra tesseract-ocr-nld"
    assert find_ocr("eng+deu").name == "ocrmypdf"


def test_tesseract_s_text_is_laid_over_our_pages(
    programs: Programs, pages: list[SpooledPage], tmp_path: Path
) -> None:
    programs.add("tesseract", READS)
    path, text = tmp_path / "a.pdf", tmp_path / "a.txt"
    before = sorted(os.listdir(pages[0].spool.folder))
    written = write(pages, str(path), "pdf", ocr=find_ocr("deu"), sidecar=str(text))
    assert written.problems == []
    assert all(b"its layer" in layer for layer in contents(path))
    assert text.read_text() == "text of deu\n\ftext of deu\n"
    assert set(os.listdir(pages[0].spool.folder)) <= {*before, "assembly.pdf"}


def test_ocrmypdf_makes_a_pdf_of_ours(
    programs: Programs, pages: list[SpooledPage], tmp_path: Path
) -> None:
    programs.add("ocrmypdf", MAKES)
    path, text = tmp_path / "a.pdf", tmp_path / "a.txt"
    document = Document(title="T", password="sesame")
    ocr = find_ocr("deu")
    written = write(pages, str(path), "pdf", ocr=ocr, sidecar=str(text), document=document)
    assert written.problems == []
    assert (tmp_path / "told").read_text().startswith("-l deu --output-type pdf --skip-text")
    assert text.read_text() == "its text\n"
    with pikepdf.open(path, password="sesame") as pdf:
        assert len(pdf.pages) == 2
        assert str(pdf.docinfo.Title) == "T"
    write(pages, str(path), "pdf", ocr=ocr, document=Document(pdfa=True), force=True)
    assert "--output-type pdfa-2 " in (tmp_path / "told").read_text()


@pytest.mark.parametrize(
    ("name", "script", "reason"),
    [
        ("tesseract", LANGUAGES + "echo out of ink >&2; exit 3", "status 3: out of ink"),
        ("tesseract", LANGUAGES + "exit 0", "has made no text"),
        ("tesseract", LANGUAGES + "sleep 60 & sleep 60", "did not end within"),
        ("ocrmypdf", "echo no Ghostscript >&2; exit 7", "status 7: no Ghostscript"),
        ("ocrmypdf", "exit 0", "has made no PDF"),
        ("ocrmypdf", "sleep 60 & sleep 60", "did not end within"),
        ("ocrmypdf", "kill -9 $$", "status -9"),
    ],
)
def test_pages_are_kept_where_ocr_fails(
    programs: Programs,
    pages: list[SpooledPage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    script: str,
    reason: str,
) -> None:
    monkeypatch.setattr("sane.pagework.ocr.START_SECONDS", 0.4)
    programs.add(name, script)
    path = tmp_path / "a.pdf"
    begin = time.monotonic()
    ocr = find_ocr(page_seconds=0.1)
    written = write(pages, str(path), "pdf", ocr=ocr, sidecar=str(tmp_path / "a.txt"))
    assert time.monotonic() - begin < 20
    assert written.problems
    assert all(reason in str(problem) for problem in written.problems)
    assert {problem.exit_code for problem in written.problems} == {PROCESSING}
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == 2


def test_a_file_that_is_there_is_told_before_minutes_of_ocr(
    programs: Programs, pages: list[SpooledPage], tmp_path: Path
) -> None:
    programs.add("tesseract", READS.replace("cp ", 'echo ran > "$TOLD"; cp '))
    path, text = tmp_path / "a.pdf", tmp_path / "a.txt"
    text.write_text("mine")
    with pytest.raises(PageWorkError, match=r"a\.txt exists already"):
        write(pages, str(path), "pdf", ocr=find_ocr(), sidecar=str(text))
    assert not path.exists()
    assert not (tmp_path / "told").exists()
    write(pages, str(path), "pdf", ocr=find_ocr(), sidecar=str(text), force=True)
    assert text.read_text() != "mine"


def test_ocr_makes_nothing_but_pdf(
    programs: Programs, pages: list[SpooledPage], tmp_path: Path
) -> None:
    programs.add("tesseract", READS)
    with pytest.raises(PageWorkError, match="not tiff") as caught:
        write(pages, str(tmp_path / "a.tif"), "tiff", ocr=find_ocr())
    assert caught.value.exit_code == USAGE


# Which way up

SEEN = 'cat > "$TOLD"; echo "Rotate: 270"; echo "Orientation confidence: {}"\n'


def test_pages_are_turned_as_their_print_stands(programs: Programs) -> None:
    page = sheet_of(printed(100), dpi=100)
    sure, unsure = programs.add("sure", SEEN.format(9.5)), programs.add("unsure", SEEN.format(0.3))
    turned = rotate_upright(page, str(sure))
    assert turned.facts["turned"] == 270
    assert np.array_equal(turned.array, np.rot90(page.array))
    assert rotate_upright(page, str(unsure)).array is page.array
    silent = programs.add("silent", "echo Too few characters >&2; exit 1\n")
    assert rotate_upright(page, str(silent)).facts["turned"] == 0


def test_a_program_that_hangs_is_a_failed_step(programs: Programs) -> None:
    hung = programs.add("hung", "exec sleep 60\n")
    with pytest.raises(PageWorkError, match=r"did not tell in 0.2 s .*page 1"):
        rotate_upright(sheet_of(blank(75), dpi=75), str(hung), 0.2)
    with pytest.raises(PageWorkError, match="cannot be run"):
        rotate_upright(sheet_of(blank(75), dpi=75), str(programs.folder / "none"))


def test_without_tesseract_pages_are_not_turned_and_that_is_noted(programs: Programs) -> None:
    (step,) = steps_for(rotate="auto")
    page = sheet_of(blank(75), dpi=75)
    assert "needs tesseract" in step.work(page).facts["notes"][0]


# The real one


@pytest.fixture
def tesseract() -> str:
    found = shutil.which("tesseract")
    if found is None:
        pytest.skip(f"{ABSENT}tesseract")
    return found


def test_tesseract_turns_pages_upright(tesseract: str) -> None:
    page = printed(200, lines=14)
    lying: Any = np.ascontiguousarray(np.rot90(page, -1))
    assert np.array_equal(rotate_upright(sheet_of(lying, dpi=200), tesseract).array, page)


def test_tesseract_finds_the_words_and_our_picture_stays(tesseract: str, tmp_path: Path) -> None:
    sheet = sheet_of(printed(200, size=(210.0, 80.0), lines=3), dpi=200)
    path, text = tmp_path / "a.pdf", tmp_path / "a.txt"
    with Spool(str(tmp_path)) as spool:
        page = spool.add(sheet, picture_of(sheet, "pdf"))
        ocr = find_ocr()
        if ocr.takes_documents:
            ocr.name, ocr.program = "tesseract", tesseract
        written = write([page], str(path), "pdf", ocr=ocr, sidecar=str(text))
        assert written.problems == []
        assert "wizards" in text.read_text()
        with pikepdf.open(path) as pdf:
            pictures = [
                item
                for item in pdf.pages[0].obj.Resources.XObject.as_dict().values()
                if item.Subtype == "/Image"
            ]
            assert [picture.read_raw_bytes() for picture in pictures] == [page.read()]
    assert any(b"Tj" in layer or b"TJ" in layer for layer in contents(path))
