"""Whole programs that end with a scanner open, in silence, whatever they leave."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import sane

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import atexit, gc, os, sys, threading
import sane
from sane.backends.test.device import TestDevice
finish, close = TestDevice.finish, TestDevice.close
def noting(name, call):
    def noted(self, *arguments):
        os.write(1, f"{name} {os.getpid() == parent}\\n".encode())
        return call(self, *arguments)
    return noted
parent = os.getpid()
TestDevice.finish = noting("finish", finish)
TestDevice.close = noting("close", close)
sane.init({"SANE_CONFIG_DIR": sys.argv[1]})
scanner = sane.Scanner("test:0")
scanner.options.source = "Automatic Document Feeder"
"""

PAGES = "pages = scanner.pages()\nnext(pages)\n"

ENDINGS = {
    "an unfinished iterator": (PAGES, "finish True\nclose True\n"),
    "an iterator in a cycle": (
        PAGES + "cycle = [pages]\ncycle.append(cycle)\ndel pages, cycle, scanner\ngc.disable()",
        "finish True\nclose True\n",
    ),
    "an iterator that a function holds": (
        PAGES + "def hold(pages=pages): pass\nsys.hold = hold\ndel pages",
        "finish True\nclose True\n",
    ),
    "an iterator of a thread": (
        "waiting = threading.Event()\n"
        "def run():\n"
        "    for page in scanner.pages():\n"
        "        waiting.set()\n"
        "        threading.Event().wait()\n"
        "threading.Thread(target=run, daemon=True).start()\n"
        "waiting.wait()",
        "finish True\nclose True\n",
    ),
    "a scan under way in a thread": (
        "options = scanner.options\n"
        "options.resolution, options.read_delay, options.read_delay_duration = 1200, True, 200000\n"
        "del options\n"
        "begun = threading.Event()\n"
        "def run():\n"
        "    try: scanner.scan(progress=lambda progress: begun.set())\n"
        "    except Exception: pass\n"  # what a daemon thread prints may meet the end of Python
        "threading.Thread(target=run, daemon=True).start()\n"
        "begun.wait()",
        "finish True\nclose True\n",
    ),
    "only an open scanner": ("", "close True\n"),
    "a forked child": (  # Python from 3.12 on warns of forks beside threads
        PAGES + "import warnings\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "else: del pages, scanner; gc.collect()",
        "finish True\nclose True\n",
    ),
    "sys.exit in a loop": (
        "for page in scanner.pages(): sys.exit(0)",
        "finish True\nclose True\n",
    ),
    "exit called before": (PAGES + "sane.exit()", "finish True\nclose True\n"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_in_silence(tmp_path: Path, ending: str) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    code, expected = ENDINGS[ending]
    package = os.path.dirname(os.path.dirname(os.path.abspath(sane.__file__)))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + code, str(tmp_path)],
        env={"PYTHONPATH": package},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == expected
