"""pysane scan as a process: failures in the middle, signals, full disks, and what it tells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pysane import SECONDS, Program, assert_valid

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pikepdf")


TESSERACT = f"""#!{sys.executable}
import sys
if "--list-langs" in sys.argv:
    print("List of available languages (1):")
    print("eng")
    sys.exit()
import pikepdf
with pikepdf.new() as pdf:
    pdf.add_blank_page()
    pdf.save(sys.argv[2] + ".pdf")
with open(sys.argv[2] + ".txt", "w") as file:
    file.write("word\\n")
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


# Failures in the middle


@pytest.mark.parametrize(
    ("word", "status", "name"), [("jam", 6, "JAMMED"), ("cover", 8, "COVER_OPEN")]
)
def test_a_jam_saves_what_there_is(program: Program, word: str, status: int, name: str) -> None:
    found = program.json("scan", f"paper:pages9:{word}7", "-o", "x.pdf", status=status)
    assert found["error"]["name"] == name
    assert found["error"]["pages_done"] == 6
    assert found["files"][0]["pages"] == 6
    assert program.pages("x.pdf") == 6


def test_an_error_of_the_device_leaves_a_partial_file(program: Program) -> None:
    done = program.run("scan", "paper:pages5:io3", "-o", "x.pdf")
    assert done.returncode == 9
    assert "the cable is out" in done.stderr
    assert "2 pages saved in x.partial.pdf" in done.stderr
    assert program.files() == ["x.partial.pdf"]
    assert program.pages("x.partial.pdf") == 2


@pytest.mark.parametrize(("word", "kind"), [("exit", "SystemExit"), ("interrupt", "Keyboard")])
def test_a_driver_that_raises_what_ends_programs_is_told(
    program: Program, word: str, kind: str
) -> None:
    """Nothing was said, nothing written, and the status was 0."""
    done = program.run("scan", f"paper:{word}1", "-o", "x.png")
    assert done.returncode == 9
    assert f"start: {kind}" in done.stderr
    found = program.json("scan", f"paper:pages3:{word}3", "-o", "x.pdf", status=9)
    assert f"start: {kind}" in found["error"]["message"]
    assert found["error"]["pages_done"] == 2
    assert program.files() == ["x.partial.pdf"]
    assert program.pages("x.partial.pdf") == 2


def test_a_page_that_fails_in_deskew_is_kept(program: Program) -> None:
    """An OpenCV that can do nothing stands for a mistake in it."""
    (program.folder / "cv2.py").write_text("def getNumThreads():\n    return 1\n")
    path = os.pathsep.join((str(program.folder), program.environment()["PYTHONPATH"]))
    words = ("scan", "paper:pages2", "-o", "x.pdf", "--deskew")
    found = program.json(*words, status=65, PYTHONPATH=path)
    assert program.pages("x.pdf") == 2
    assert "page work failed on page 1, 2" in found["error"]["message"]
    assert "page 1 is kept as it was scanned: deskew failed" in found["warnings"][0]


def test_text_is_made_searchable(program: Program) -> None:
    """A tesseract that finds no text stands for the real one, which takes seconds."""
    tool = program.folder / "tools"
    tool.mkdir()
    script = tool / "tesseract"
    script.write_text(TESSERACT)
    script.chmod(0o755)
    found = program.json(
        *("scan", "paper:pages2", "-o", "x.pdf", "--ocr=eng", "--ocr-sidecar"),
        PATH=str(tool),  # no ocrmypdf, which would be asked first
    )
    assert found["warnings"] == []
    assert (program.out / "x.txt").read_text() == "word\n\fword\n"
    assert program.pages("x.pdf") == 2


def test_an_empty_feeder(program: Program) -> None:
    done = program.run("scan", "paper:pages0", "-o", "x.pdf")
    assert done.returncode == 7, done.stderr
    assert "--source flatbed" in done.stderr
    assert program.files() == []


def interrupted(program: Program, number: int, *words: str) -> tuple[int, str, str]:
    """Send a signal when the driver says that it waits in the middle of a page."""
    with subprocess.Popen(
        program.command(*words),
        cwd=program.out,
        env=program.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = b""
        while b"reached" not in said:
            piece = process.stderr.readline()
            assert piece, said
            said += piece
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out.decode(), (said + err).decode()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_saves_the_pages_that_are_whole(
    program: Program, number: int, status: int
) -> None:
    words = ("scan", "paper:pages5:slow3", "-o", "x.pdf")
    code, _, err = interrupted(program, number, *words)
    assert code == status, err
    assert "2 pages saved in x.partial.pdf" in err
    assert program.files() == ["x.partial.pdf"]
    assert program.pages("x.partial.pdf") == 2
    assert not list((program.folder / "tmp").iterdir())
    interrupted(program, number, *words)
    assert program.files() == ["x.partial-2.pdf", "x.partial.pdf"]


def test_an_interrupted_scan_as_json(program: Program) -> None:
    words = ("scan", "paper:pages5:slow3", "-o", "x.pdf", "--json")
    code, out, _ = interrupted(program, signal.SIGINT, *words)
    assert code == 130
    found = json.loads(out)
    assert_valid(found)
    assert found["error"]["name"] == "INTERRUPTED"
    assert found["files"][0]["path"] == "x.partial.pdf"


def test_nothing_is_saved_without_partial(program: Program) -> None:
    words = ("scan", "paper:pages5:slow3", "-o", "x.pdf", "--no-partial")
    code, _, _ = interrupted(program, signal.SIGINT, *words)
    assert code == 130
    assert program.files() == []


def test_a_full_disk_keeps_the_pages(program: Program) -> None:
    done = program.run("scan", "paper:pages2", "-o", "/dev/full", "--format", "pdf")
    assert done.returncode == 73
    assert "No space left on device" in done.stderr
    (kept,) = (program.folder / "tmp").iterdir()
    assert str(kept) in done.stderr
    assert len(list(kept.glob("page-*"))) == 2


def test_a_disk_that_fills_up_during_the_scan(program: Program) -> None:
    """A limit on the size of files stands for a full disk."""
    code = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
    code += "from sane.cli.pysane.main import main; sys.exit(main(sys.argv[1:]))"
    command = program.command("scan", "paper:pages3", "-o", "x.pdf")
    done = subprocess.run(
        [command[0], "-c", code, *command[3:]],
        cwd=program.out,
        env=program.environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 73, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    (kept,) = (program.folder / "tmp").iterdir()
    assert len(list(kept.glob("page-*"))) == 3


def test_a_full_stdout_is_told(program: Program) -> None:
    with open("/dev/full", "wb") as full:
        for words in (["list"], ["list", "--json"], ["scan", "paper:flat", "-o", "x.pdf"]):
            done = subprocess.run(
                program.command(*words),
                cwd=program.out,
                env=program.environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            assert done.returncode == 73
            assert "stdout: No space left on device" in done.stderr
            assert "Traceback" not in done.stderr
    assert program.files() == ["x.pdf"]


def test_a_closed_stdout(program: Program) -> None:
    for words, status in ((["list"], 0), (["scan", "paper:flat", "-o", "x.pdf"], 0)):
        done = program.run(*words, before=["sh", "-c", 'exec "$@" >&-', "sh"])
        assert (done.returncode, done.stderr) == (status, "")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        program.command("list"),
        env=program.environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


# Events


def events(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        assert_valid(event)
    return found


def test_progress_as_json(program: Program) -> None:
    words = ("scan", "paper:pages2:pace", "-o", "x.pdf", "--progress", "json", "resolution=60")
    done = program.run(*words)
    assert done.returncode == 0, done.stderr
    found = events(done.stderr)
    kinds = [event["event"] for event in found]
    assert kinds[0] == "warning"
    assert kinds.count("page-start") == kinds.count("page-end") == 2
    assert kinds[-1] == "file"
    progress = [event for event in found if event["event"] == "progress"]
    for page in (1, 2):
        shares = [event["fraction"] for event in progress if event["page"] == page]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
    assert found[-1]["file"]["path"] == "x.pdf"


def test_an_error_as_an_event(program: Program) -> None:
    done = program.run("scan", "paper:pages5:jam2", "-o", "x.pdf", "--progress=json")
    assert done.returncode == 6
    assert events(done.stderr)[-1]["error"]["name"] == "JAMMED"


def test_no_progress_without_a_terminal(program: Program) -> None:
    done = program.run("scan", "paper:pages2:pace", "-o", "x.pdf")
    assert done.stderr == ""
    done = program.run("scan", "paper:pages2:pace", "-o", "y.pdf", "--progress", "always")
    assert "\npage 1: " in done.stderr  # a carriage return, which text mode turns into that
