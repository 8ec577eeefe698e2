"""pysane doctor, helpers: programs that are there, absent, old, or do not start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sane.cli.doctor import helpers
from sane.cli.doctor.finding import OK, WARNING
from tests.support.doctor import Place

TESSERACT = """case $1 in
--version) echo tesseract 5.3.0 ;;
--list-langs) printf 'List of available languages in "/x/tessdata" (2):\\n{langs}osd\\n' ;;
esac"""


def test_programs_that_are_not_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    found = place.found("helpers.tesseract", "helpers.ocrmypdf", "helpers.pdfa")
    assert [(one.level, one.command) for one in found] == [
        (WARNING, "sudo apt install tesseract-ocr"),
        (WARNING, "sudo apt install ocrmypdf"),
        (WARNING, "sudo apt install ghostscript"),
    ]
    assert found[0].text == "tesseract is not installed: no text can be read out of pages (--ocr)."
    assert found[1].text == (
        "ocrmypdf is not installed: searchable PDFs are made by tesseract alone."
    )


@pytest.mark.parametrize(
    ("langs", "locale", "level", "text", "command"),
    [
        ("eng\\n", "C.UTF-8", OK, "tesseract 5.3.0 reads eng.", ""),
        ("deu\\neng\\n", "de_DE.UTF-8", OK, "tesseract 5.3.0 reads deu, eng.", ""),
        (
            *("eng\\n", "de_DE.UTF-8", WARNING),
            "tesseract 5.3.0 reads eng, and not deu, the language of this user.",
            "sudo apt install tesseract-ocr-deu",
        ),
        (
            *("", "C", WARNING, "tesseract 5.3.0 has no language."),
            "sudo apt install tesseract-ocr-eng",
        ),
    ],
)
def test_languages(
    tmp_path: Path, langs: str, locale: str, level: str, text: str, command: str
) -> None:
    place = Place(tmp_path)
    place.variables["LANG"] = locale
    place.program("tesseract", TESSERACT.format(langs=langs))
    assert place.one("helpers.tesseract") == (level, text, command)


def test_programs_that_are_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.program("ocrmypdf", "echo 16.1.0")
    place.program("gs", "echo 10.00.0")
    place.program("verapdf", "echo veraPDF 1.26.2")
    assert place.one("helpers.ocrmypdf")[1] == "ocrmypdf 16.1.0 makes searchable PDFs."
    assert place.one("helpers.pdfa")[1] == (
        "For PDF/A there is Ghostscript 10.00.0 and veraPDF 1.26.2."
    )


def test_a_program_that_does_not_start(tmp_path: Path) -> None:
    place = Place(tmp_path)
    path = place.program("ocrmypdf", "echo no module named pikepdf >&2; exit 1")
    text = f"{path} does not tell its version: it does not start."
    assert place.one("helpers.ocrmypdf") == (WARNING, text, f"{path} --version")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on Python's path, in the place of those that hold packages."""
    folder = tmp_path / "packages"
    folder.mkdir()
    others = [path for path in sys.path if not path.endswith("-packages")]
    monkeypatch.setattr(sys, "path", [str(folder), *others])
    return folder


def install(folder: Path, name: str, version: str) -> None:
    """Install a package that has nothing but a version."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def one_package(place: Place, name: str) -> tuple[str, str, str]:
    check = helpers.package(name, "tests", "cli", f"python3-{name}", "2.5")
    (finding,) = check(place.machine())
    return finding.level, finding.text, finding.command


PIP = "python3 -m pip install 'sane-stack[cli]'  # or: apt install python3-acmelib"


def test_a_package(tmp_path: Path, packages: Path) -> None:
    place = Place(tmp_path)
    text = "The Python package acmelib is not installed; it is for tests."
    assert one_package(place, "acmelib") == (WARNING, text, PIP)
    install(packages, "acmelib", "2.5.1")
    text = "The Python package acmelib 2.5.1 is there, for tests."
    assert one_package(place, "acmelib") == (OK, text, "")


def test_a_package_that_is_too_old(tmp_path: Path, packages: Path) -> None:
    install(packages, "acmelib", "2.4.9")
    level, text, command = one_package(Place(tmp_path), "acmelib")
    assert level == WARNING
    assert text == "The Python package acmelib 2.4.9 is older than 2.5, the oldest tested."
    assert command == PIP


def test_a_package_of_another_name(tmp_path: Path, packages: Path) -> None:
    install(packages, "opencv-contrib-python-headless", "4.6.0.66")
    assert helpers.installed("opencv-python-headless") == "4.6.0.66"
