"""pysane as a process, and a driver with a feeder whose paper is in its device's name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import TREE

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 60

# A device's name is words with colons: pages3 has three sheets; jam2 jams before sheet 2, once;
# cover2 finds the cover open there; io2 fails there, exit2 and interrupt2 raise what ends programs,
# slow2 waits there until it is cancelled, blank2 has no ink on it. Pages are 200 x 100 pixels at
# 100 dpi; sheet n has a black square of n pixels in the middle, wide enough not to be blank.
DRIVER = """
import os, time
from ..backend import Backend as _Backend, Device, DeviceInfo, Parameters, errors, option

WIDTH, HEIGHT = 200, 100

def numbers(words, kind):
    return [int(word[len(kind):]) for word in words if word.startswith(kind)]

class Paper(Device):
    source = option.source("Flatbed", "ADF")
    mode = option.mode("Gray", "Color", "Lineart")
    resolution = option.resolution(100, 50, 75, 200)
    area = option.scan_area(width=216, height=297)
    quality = option.Int("Quality", "Of the picture.", option.Range(0, 100), default=75)
    swap = option.Bool("Swap", "Swap sides.")
    load = option.latched("Load button", cap=4 | 2)

    def __init__(self, name):
        words = name.split(":")
        self.words = words
        self.sheets = (numbers(words, "pages") or [1])[0]
        self.jams = numbers(words, "jam")
        self.sheet = 0
        self.left = 0
        self.source = "ADF" if numbers(words, "pages") else "Flatbed"
        if "busy" in words:
            raise errors.DeviceBusy("somebody else scans")

    def parameters(self):
        color = self.mode == "Color"
        depth = 1 if self.mode == "Lineart" else 8
        return Parameters(1 if color else 0, WIDTH, HEIGHT, depth=depth)

    def start(self):
        next = self.sheet + 1
        if self.source == "ADF" and self.sheet >= self.sheets:
            self.sheet = 0
            raise errors.NoDocs()
        if next in self.jams:
            self.jams.remove(next)
            raise errors.Jammed("tray 1")
        if next in numbers(self.words, "cover"):
            raise errors.CoverOpen()
        if next in numbers(self.words, "io"):
            raise errors.DeviceIOError("the cable is out")
        if next in numbers(self.words, "exit"):
            raise SystemExit(0)
        if next in numbers(self.words, "interrupt"):
            raise KeyboardInterrupt
        self.sheet = next
        self.rows = self.page()
        self.at = 0

    def page(self):
        p = self.parameters()
        paper = 0 if p.depth == 1 else 255
        ink = 255 - paper
        row = bytes([paper]) * p.bytes_per_line
        if self.sheet in numbers(self.words, "blank"):
            return row * p.lines
        size = 20 + self.sheet
        part = p.bytes_per_line // 4
        inked = row[:part] + bytes([ink]) * (size * p.bytes_per_line // WIDTH)
        inked += row[len(inked):]
        return row * 30 + inked * size + row * (p.lines - 30 - size)

    def read_into(self, view):
        if self.sheet in numbers(self.words, "slow") and self.at > 2000:
            os.write(2, b"reached\\\\n")
            self.wait(60)
        n = min(len(view), len(self.rows) - self.at, 1500)
        view[:n] = self.rows[self.at:self.at + n]
        self.at += n
        if "pace" in self.words:
            self.wait(0.02)
        return n

    def finish(self, aborted):
        pass

    def pressed_buttons(self):
        try:
            os.unlink(os.environ.get("PAPER_PRESSED", ""))
        except OSError:
            return ()
        return ("load",)

class Backend(_Backend):
    def list_devices(self, local_only):
        if os.environ.get("PAPER_NONE"):
            return []
        return [
            DeviceInfo("pages3", "Acme", "Stack 300", "sheetfed scanner"),
            DeviceInfo("flat", "Acme", "Flat 100", "flatbed scanner"),
        ]

    def open(self, name):
        if not name:
            name = "pages3"
        kinds = ("pages", "jam", "cover", "io", "slow", "blank", "busy", "pace", "flat")
        kinds += ("exit", "interrupt")
        if not all(word.startswith(kinds) for word in name.split(":")):
            raise errors.Invalid("no such device")
        return Paper(name)
"""


class Program:
    """Runs pysane in *folder*, which has a configuration with the driver `paper` and `test`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        conf = folder / "sane.d"
        conf.mkdir()
        (conf / "dll.conf").write_text("paper\n")
        drivers = folder / "drivers"
        drivers.mkdir(mode=0o755)
        (drivers / "paper.py").write_text(DRIVER.replace("\\\\n", "\\n"))
        (folder / "out").mkdir()
        (folder / "tmp").mkdir()
        self.out = folder / "out"

    def environment(self, **more: str) -> dict[str, str]:
        foreign = ("SANE_", "PYSANE_", "XDG_", "NO_COLOR", "CI", "TERM", "LC_", "LANG")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "PYTHONPATH": str(TREE),
            "SANE_CONFIG_DIR": str(self.folder / "sane.d"),
            "PYSANE_BACKEND_PATH": str(self.folder / "drivers"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "LC_ALL": "C.UTF-8",
            **more,
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sane.cli.pysane", *words]

    def run(
        self, *words: str, before: Sequence[str] = (), stdin: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, *self.command(*words)],
            cwd=self.out,
            env=self.environment(**more),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=SECONDS,
            check=False,
        )

    def json(self, *words: str, status: int = 0, **more: Any) -> dict[str, Any]:
        """Return what pysane prints with --json."""
        done = self.run(*words, "--json", **more)
        assert done.returncode == status, done.stderr
        (line,) = done.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        assert_valid(found)
        return found

    def files(self) -> list[str]:
        """Return the names in the folder where it runs."""
        return sorted(path.name for path in self.out.iterdir())

    def pages(self, name: str) -> int:
        """Return how many pages a PDF has."""
        import pikepdf

        with pikepdf.open(self.out / name) as pdf:
            return len(pdf.pages)


def assert_valid(found: object) -> None:
    """Check an object that pysane has printed against the schema."""
    import jsonschema  # type: ignore[import-untyped]

    path = Path(TREE, "sane", "cli", "pysane", "schema-1.json")
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
