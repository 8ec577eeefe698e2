"""pysane on a terminal: progress, questions, colours. A pseudo-terminal stands for it."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sane.cli.pysane.asking import goes_on
from sane.cli.pysane.progress import Silent
from tests.support.pysane import SECONDS, Program

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pikepdf")


CSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


class Terminal:
    """pysane with stdin, stdout and stderr on a terminal."""

    def __init__(self, program: Program, *words: str, **more: str) -> None:
        self.shown = ""
        self._own, other = pty.openpty()
        variables = {"TERM": "xterm", "COLUMNS": "100", **more}
        self._process = subprocess.Popen(
            program.command(*words),
            cwd=program.out,
            env=program.environment(**variables),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def read_until(self, text: str) -> None:
        """Wait until *text* is shown."""
        until = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < until, self.shown
            assert self._read(), f"{text!r} is not in {self.shown!r}"

    def answer(self, text: str) -> None:
        os.write(self._own, text.encode())

    def _read(self) -> bool:
        ready, _, _ = select.select([self._own], [], [], SECONDS)
        if not ready:
            return False
        try:
            data = os.read(self._own, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def end(self) -> int:
        """Return the exit status; all that was shown is in shown."""
        while self._read():
            pass
        os.close(self._own)
        return self._process.wait(SECONDS)


def test_bars_of_rich_leave_the_screen(program: Program) -> None:
    pytest.importorskip("rich")
    terminal = Terminal(program, "scan", "paper:pages2:pace", "-o", "x.pdf")
    assert terminal.end() == 0
    assert "\x1b[2K" in terminal.shown, "no bar was drawn and erased"
    text = CSI.sub("", terminal.shown)
    assert "page 1" in text
    assert "page 2" in text
    assert re.search(r"row \d+ of 100", text)
    assert text.rstrip().splitlines()[-1].startswith("x.pdf: 2 pages")


@pytest.mark.parametrize("variable", ["NO_COLOR", "CI", "TERM"])
def test_a_plain_line_where_bars_are_not_wanted(program: Program, variable: str) -> None:
    value = "dumb" if variable == "TERM" else "1"
    terminal = Terminal(program, "scan", "paper:pages1:pace", "-o", "x.pdf", **{variable: value})
    assert terminal.end() == 0
    assert "\x1b" not in terminal.shown
    assert "\rpage 1: " in terminal.shown
    last = terminal.shown.rstrip("\r\n").rpartition("\r")[2]
    assert last.startswith("x.pdf: 1 page")


def test_a_plain_line_without_rich(program: Program) -> None:
    (program.folder / "rich.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join((str(program.folder), program.environment()["PYTHONPATH"]))
    terminal = Terminal(program, "scan", "paper:pages1:pace", "-o", "x.pdf", PYTHONPATH=path)
    assert terminal.end() == 0
    assert "\x1b" not in terminal.shown
    assert "\rpage 1: " in terminal.shown


@pytest.mark.parametrize("words", [["-q"], ["--progress", "never"]])
def test_no_progress_where_it_is_not_wanted(program: Program, words: list[str]) -> None:
    terminal = Terminal(program, "scan", "paper:pages1:pace", "-o", "x.pdf", *words)
    assert terminal.end() == 0
    assert "page 1:" not in terminal.shown
    assert "\x1b" not in terminal.shown


def test_a_message_is_not_mixed_with_the_progress(program: Program) -> None:
    words = ("scan", "paper:pages3:pace:io2", "-o", "x.pdf")
    terminal = Terminal(program, *words, NO_COLOR="1")
    assert terminal.end() == 9
    lines = [line.rpartition("\r")[2] for line in terminal.shown.replace("\r\n", "\n").split("\n")]
    assert any(line.startswith("pysane: error: paper:pages3:pace:io2:") for line in lines), lines


def test_after_a_jam_the_rest_follows(program: Program) -> None:
    terminal = Terminal(program, "scan", "paper:pages9:jam7", "-o", "x.pdf")
    terminal.read_until("save what there is:")
    shown = CSI.sub("", terminal.shown)
    assert "Jammed after page 6. Clear it, reload the rest, Enter to go on, q to save" in shown
    terminal.answer("\n")
    assert terminal.end() == 0
    assert program.pages("x.pdf") == 9


def test_after_a_jam_q_saves_what_there_is(program: Program) -> None:
    terminal = Terminal(program, "scan", "paper:pages9:jam7", "-o", "x.pdf")
    terminal.read_until("save what there is:")
    terminal.answer("q\n")
    assert terminal.end() == 6
    assert program.pages("x.pdf") == 6


def test_an_open_cover_is_asked_about_as_often_as_needed(program: Program) -> None:
    terminal = Terminal(program, "scan", "paper:pages3:cover2", "-o", "x.pdf")
    for _ in range(2):
        terminal.read_until("The cover was opened after page 1.")
        terminal.shown = ""
        terminal.answer("\n")
    terminal.read_until("q to save what there is:")
    terminal.answer("\x04")  # the end of the input
    assert terminal.end() == 8
    assert program.pages("x.pdf") == 1


def test_ctrl_c_at_a_question(program: Program) -> None:
    terminal = Terminal(program, "scan", "paper:flat", "-o", "x.pdf", "--prompt")
    terminal.read_until("Enter for page 2")
    os.kill(terminal._process.pid, 2)
    assert terminal.end() == 130
    assert program.files() == ["x.partial.pdf"]


def test_a_signal_just_before_the_wait_for_an_answer_ends_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = []
    idle, typing = os.pipe()
    late = threading.Timer(SECONDS, os.write, (typing, b"\n"))

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            """Return what select will wait for, which is the last moment before it does."""
            signal.raise_signal(signal.SIGUSR1)
            return idle

    before = signal.signal(signal.SIGUSR1, lambda *_: heard.append("it"))
    monkeypatch.setattr("sys.stdin", Terminal("q\n"))
    late.start()
    try:
        assert not goes_on("Next?", Silent())
    finally:
        late.cancel()
        late.join()
        signal.signal(signal.SIGUSR1, before)
    assert heard
    assert not select.select([idle], [], [], 0)[0], "it waited for the answer"
    os.close(idle)
    os.close(typing)
    assert "Next?" in capfd.readouterr().err


def test_a_terminal_gets_no_image(program: Program) -> None:
    terminal = Terminal(program, "scan", "paper:pages1:slow1", "-o", "-")
    assert terminal.end() == 73
    assert "standard output is a terminal" in terminal.shown


@pytest.mark.parametrize(
    ("words", "variables", "colored"),
    [
        ([], {}, True),
        (["--color", "never"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colours(
    program: Program, words: list[str], variables: dict[str, str], colored: bool
) -> None:
    terminal = Terminal(program, "info", "nobody", *words, **variables)
    assert terminal.end() == 66
    assert ("\x1b[1;31merror:" in terminal.shown) is colored


def test_a_locale_without_utf_8(program: Program) -> None:
    driver = program.folder / "drivers" / "paper.py"
    driver.write_text(driver.read_text().replace('"Flat 100"', '"Fl\\u00e4t \\u5348"'))
    for words in (["list"], ["info", "paper:flat"], ["scan", "-d", "acme", "-o", "x.pdf"]):
        done = subprocess.run(
            program.command(*words),
            cwd=program.out,
            env=program.environment(LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        assert b"Fl\\xe4t \\u5348" in done.stdout + done.stderr or words[0] == "info"
