"""pysane scan as a process: files, settings, and what is refused before the scan."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pysane import SECONDS, Program

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pikepdf")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def sizes(program: Program, name: str) -> list[tuple[int, int]]:
    """Return the sizes of the pages of a PDF in points."""
    import pikepdf

    with pikepdf.open(program.out / name) as pdf:
        return [(round(page.mediabox[2]), round(page.mediabox[3])) for page in pdf.pages]


# Files


def test_a_stack_becomes_a_pdf(program: Program) -> None:
    done = program.run("scan", "-d", "paper:pages3", "-o", "x.pdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("x.pdf: 3 pages, ")
    assert program.files() == ["x.pdf"]
    assert sizes(program, "x.pdf") == [(144, 72)] * 3


def test_the_json_of_a_scan(program: Program) -> None:
    found = program.json("scan", "paper:pages2", "-o", "x.pdf", "-m", "color", "quality=20")
    assert found["status"] == "ok"
    (file,) = found["files"]
    assert file == {"path": "x.pdf", "pages": 2, "bytes": (program.out / "x.pdf").stat().st_size}
    assert [page["number"] for page in found["pages"]] == [1, 2]
    assert found["pages"][0]["mode"] == "color"
    assert found["pages"][0]["dpi"] == [100.0, 100.0]
    assert found["device"]["name"] == "paper:pages2"
    assert found["settings"] == {
        "asked": {"mode": "color", "quality": 20},
        "applied": {"mode": "Color", "quality": 20},
        "inexact": [],
    }
    assert found["warnings"] == []


def test_without_a_name_the_time_is_the_name(program: Program) -> None:
    done = program.run("scan", "-d", "paper:flat")
    assert done.returncode == 0, done.stderr
    (name,) = program.files()
    assert name.startswith("scan-2")
    assert name.endswith(".pdf")
    assert done.stdout.startswith(f"{name}: 1 page, ")


def test_several_pictures_get_numbers(program: Program) -> None:
    done = program.run("scan", "-d", "paper:pages3", "-o", "x.png")
    assert done.returncode == 0, done.stderr
    assert program.files() == ["x-001.png", "x-002.png", "x-003.png"]
    assert done.stdout.splitlines()[0] == "x-001.png: 200 x 100 pixels"


def test_one_picture_keeps_its_name(program: Program) -> None:
    assert program.run("scan", "-d", "paper:flat", "-o", "x.png").returncode == 0
    assert program.files() == ["x.png"]


def test_placeholders_are_filled_in(program: Program) -> None:
    name = "{device}-{n:02}-{profile}.png"
    done = program.run("scan", "-d", "stack", "-o", name, "-n", "2")
    assert done.returncode == 0, done.stderr
    assert program.files() == ["Stack 300-01-_.png", "Stack 300-02-_.png"]


def test_a_folder_gets_a_name_in_it(program: Program) -> None:
    (program.out / "inbox").mkdir()
    assert program.run("scan", "-d", "paper:flat", "-o", "inbox").returncode == 0
    assert len(list((program.out / "inbox").glob("scan-*.pdf"))) == 1


def test_stdout_takes_a_page(program: Program) -> None:
    done = subprocess.run(
        program.command("scan", "-d", "paper:flat", "-o", "-", "--format", "pnm", "-m", "gray"),
        env=program.environment(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"P5\n200 100\n255\n")
    assert len(done.stdout) == 15 + 200 * 100
    assert done.stderr == b"pysane: stdout: 200 x 100 pixels\n"


def test_stdout_takes_a_pdf(program: Program) -> None:
    done = subprocess.run(
        program.command("scan", "-d", "paper:pages2", "-o", "-", "-q"),
        env=program.environment(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"%PDF-")


def test_pages_are_added_to_a_pdf(program: Program) -> None:
    for count in (1, 2):
        done = program.run("scan", "-d", "paper:flat", "--append", "x.pdf")
        assert done.returncode == 0, done.stderr
        assert program.pages("x.pdf") == count


def test_a_pdf_with_a_password(program: Program) -> None:
    done = program.run("scan", "paper:flat", "-o", "x.pdf", "--encrypt", PYSANE_PDF_PASSWORD="pa")
    assert done.returncode == 0, done.stderr
    code = "import pikepdf, sys; pikepdf.open(sys.argv[1], password=sys.argv[2])"
    for password, status in (("pa", 0), ("", 1)):  # in a process: OpenSSL keeps a descriptor
        command = [sys.executable, "-c", code, str(program.out / "x.pdf"), password]
        assert subprocess.run(command, capture_output=True, check=False).returncode == status
    done = program.run("scan", "paper:flat", "-o", "y.pdf", "--encrypt")
    assert (done.returncode, program.files()) == (64, ["x.pdf"])
    assert "PYSANE_PDF_PASSWORD" in done.stderr


@pytest.mark.parametrize("where", ["each", "2", "blank"])
def test_a_stack_is_split(program: Program, where: str) -> None:
    done = program.run("scan", "paper:pages3:blank2", "-o", "x.pdf", "--split", where)
    assert done.returncode == 0, done.stderr
    pages = {"each": [1, 1, 1], "2": [2, 1], "blank": [1, 1]}[where]
    assert [program.pages(name) for name in program.files()] == pages
    assert program.files()[0] == "x-001.pdf"


def test_blank_pages_are_left_out(program: Program) -> None:
    found = program.json("scan", "paper:pages3:blank2", "-o", "x.pdf", "--skip-blank")
    assert program.pages("x.pdf") == 2
    assert [page["blank"] for page in found["pages"]] == [False, True, False]
    assert [page["dropped"] for page in found["pages"]] == [False, True, False]


def test_a_stack_of_blank_pages_leaves_nothing(program: Program) -> None:
    found = program.json("scan", "paper:pages1:blank1", "-o", "x.pdf", "--skip-blank", status=65)
    assert "nothing is left: the page is blank" in found["error"]["message"]
    assert program.files() == []


def test_the_backs_come_after_the_fronts(program: Program) -> None:
    words = ("scan", "paper:pages3", "-o", "x.png", "--manual-duplex")
    done = program.run(*words, stdin="\n")
    assert done.returncode == 0, done.stderr
    assert "Turn the 3 sheets over" in done.stderr
    ink = [(program.out / name).read_bytes() for name in program.files()]
    assert len(ink) == 6
    # Sheets 1 2 3, turned over 3 2 1, which this driver calls 1 2 3 again.
    assert ink[0] == ink[5]
    assert ink[1] == ink[4]
    assert ink[2] == ink[3]
    assert ink[0] != ink[1]


def test_prompt_asks_between_pages(program: Program) -> None:
    done = program.run("scan", "paper:flat", "-o", "x.pdf", "--prompt", stdin="\n\nq\n")
    assert done.returncode == 0, done.stderr
    assert program.pages("x.pdf") == 3
    assert "Enter for page 2, q to end:" in done.stderr
    done = program.run("scan", "paper:flat", "-o", "y.pdf", "--prompt", "-n", "2", stdin="\n\n")
    assert program.pages("y.pdf") == 2


def test_a_command_gets_the_file(program: Program) -> None:
    told = program.folder / "told"
    command = f'echo "$PYSANE_PAGES $PYSANE_FILE" > {told}; echo to stdout; cp -t {program.folder}'
    done = program.run("scan", "paper:pages2", "-o", "x.pdf", "--exec", command)
    assert done.returncode == 0, done.stderr
    assert told.read_text() == "2 x.pdf\n"
    assert (program.folder / "x.pdf").exists()
    assert "to stdout" not in done.stdout


def test_a_command_that_fails(program: Program) -> None:
    done = program.run("scan", "paper:flat", "-o", "x.pdf", "--exec", "false")
    assert done.returncode == 0
    assert "warning: false x.pdf: ended with status 1" in done.stderr
    done = program.run(
        "scan", "paper:flat", "-o", "y.pdf", "--exec", "false", "--exec-must-succeed"
    )
    assert done.returncode == 65
    assert "false y.pdf: ended with status 1" in done.stderr


def test_what_the_scanner_sent_is_kept(program: Program) -> None:
    done = program.run("scan", "paper:pages2", "-o", "x.pdf", "--keep-raw", "raw")
    assert done.returncode == 0, done.stderr
    assert len(list((program.out / "raw").iterdir())) == 2


@pytest.mark.parametrize("words", [["-o", "x.png"], ["-o", "x.pnm", "-m", "color"]])
def test_a_picture_takes_no_library(program: Program, words: list[str]) -> None:
    """As where make install or the Debian package is all that there is."""
    for name in ("numpy", "PIL", "pikepdf", "cv2"):
        (program.folder / f"{name}.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join((str(program.folder), program.environment()["PYTHONPATH"]))
    done = program.run("scan", "paper:flat", *words, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    done = program.run("scan", "paper:pages1:slow1", "-o", "x.pdf", PYTHONPATH=path)
    assert done.returncode == 69
    assert "PDF output needs pikepdf" in done.stderr
    assert "sane-stack[cli]" in done.stderr


# Refused before the scan


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["-o", "missing/x.pdf"], 73, "missing"),
        (["-o", "there.pdf"], 73, "there.pdf exists already"),
        (["-o", "x.gif"], 64, ".gif is none of"),
        (["-o", "{nn}.pdf"], 64, "{nn} is no placeholder"),
        (["-o", "x.png", "--title", "T"], 64, "--title makes sense for PDF only"),
        (["-o", "x.pdf", "--append", "y.pdf"], 64, "exclude each other"),
        (["-o", "x.pdf", "--pdfa", "--encrypt"], 64, "exclude each other"),
        (["-o", "x.pdf", "--ocr=xyz"], 69, "xyz"),
        (["-o", "x.pdf", "qualty=5"], 64, "no option 'qualty'; did you mean quality"),
        (["-o", "x.pdf", "quality=many"], 64, "quality: 'many' is not a number"),
        (["-o", "x.pdf", "quality=5dpi"], 64, "'dpi' is not its unit"),
        (["-o", "x.pdf", "swap=perhaps"], 64, "swap: 'perhaps' is neither yes nor no"),
        (["-o", "x.pdf", "mode=Grey"], 64, "did you mean Gray"),
        (["-o", "x.pdf", "-r", "40000"], 1, "40000"),
        (["-o", "x.pdf", "--source", "film"], 1, "film"),
        (["-o", "x.pdf", "--page-size", "a4", "--area", "max"], 64, "exclude each other"),
        (["-o", "x.pdf", "--ocr-sidecar"], 64, "--ocr-sidecar needs --ocr"),
        (["-o", ""], 64, "the name of the output is empty"),
        (["y.pdf"], 64, "to scan into that file: -o y.pdf"),
        (["--append", "there.pdf"], 73, "there.pdf is no PDF that pages can be added to"),
    ],
)
def test_what_cannot_be_is_refused_before_the_scan(
    program: Program, words: list[str], status: int, text: str
) -> None:
    (program.out / "there.pdf").write_text("before")
    done = program.run("scan", "-d", "paper:pages1:slow1", *words)
    assert done.returncode == status, done.stderr
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert program.files() == ["there.pdf"]
    assert (program.out / "there.pdf").read_text() == "before"


def test_force_replaces(program: Program) -> None:
    (program.out / "x.pdf").write_text("before")
    assert program.run("scan", "paper:flat", "-o", "x.pdf", "-f").returncode == 0
    assert program.pages("x.pdf") == 1


@pytest.mark.parametrize(
    ("device", "status", "text"),
    [
        ("acme", 66, "'acme' means 2 scanners: Acme Stack 300, paper:pages3; Acme Flat 100"),
        ("stock", 66, "no scanner 'stock'"),
        ("paper:page3", 66, "did you mean paper:pages3"),
        ("paper:busy", 3, "paper:busy"),
    ],
)
def test_a_device_that_cannot_be_used(
    program: Program, device: str, status: int, text: str
) -> None:
    done = program.run("scan", "-d", device, "-o", "x.pdf")
    assert done.returncode == status, done.stderr
    assert text in done.stderr
    assert program.files() == []


def test_no_device_at_all(program: Program) -> None:
    for words in (["scan", "-o", "x.pdf"], ["list"], ["info"]):
        done = program.run(*words, PAPER_NONE="1")
        assert done.returncode == 66
        assert "no scanner was found" in done.stderr
        assert "pysane doctor" in done.stderr


def test_the_default_device(program: Program) -> None:
    found = program.json("scan", "-o", "x.pdf", SANE_DEFAULT_DEVICE="flat 100")
    assert found["device"]["name"] == "paper:flat"


def test_a_dry_run_scans_nothing(program: Program) -> None:
    words = ("scan", "paper:pages1:slow1", "-o", "x.pdf", "--dry-run", "resolution=60")
    done = program.run(*words, "--deskew" if has_opencv() else "--skip-blank")
    assert done.returncode == 0, done.stderr
    assert "resolution: 50" in done.stdout
    assert "output: x.pdf (pdf)" in done.stdout
    assert "resolution 60 became 50" in done.stderr
    found = program.json(*words)
    assert (found["dry_run"], found["output"], found["files"]) == (True, "x.pdf", [])
    assert found["settings"]["inexact"] == ["resolution"]
    assert program.files() == []


def has_opencv() -> bool:
    from importlib.util import find_spec

    return find_spec("cv2") is not None
