"""python -m website.screenshots: take the pictures of terminals anew (`make screenshots`).

What is shown runs: the programs of build/prefix, on an emulated scanner with a page on its glass.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import drawing
from .letter import write_letter
from .places import PICTURES, ROOT
from .terminal import PLAIN, Cell, Screen, Shown, Style, play

STAGE = ROOT / "build" / "prefix"
COLUMNS, ROWS = 76, 11
TYPING, READING = 0.045, 1.1  # seconds for a letter; between the end of a command and the next
LAST = 5.0  # what is shown at the end stays so long
PAPER = 186  # width of the page beside the terminal
SCANNER = "http://127.0.0.1:{port}"
PROMPT: tuple[Cell, ...] = (("$", Style(color=2, bold=True)), (" ", PLAIN))


class Scene:
    """A folder with an emulated scanner in front of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.desk = folder / "desk"
        self.desk.mkdir()
        programs, config = folder / "bin", folder / "sane.d"
        programs.mkdir()
        config.mkdir()
        (programs / "pysane").write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -P -m sane.cli.pysane "$@"\n'
        )
        (programs / "pysane").chmod(0o755)
        (config / "dll.conf").write_text("escl\n")
        (config / "escl.conf").write_text(f"discovery off\n{SCANNER.format(port=port)}\n")
        self.environment = {
            "PATH": f"{programs}:{STAGE / 'bin'}:{os.defpath}",
            "PYTHONPATH": str(STAGE / "lib" / "pysane"),
            "SANE_CONFIG_DIR": str(config),
            "HOME": str(folder),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "COLUMNS": str(COLUMNS),
        }

    def frames(self, commands: list[str], rows: int = ROWS) -> list[tuple[float, Shown]]:
        """Type and run *commands*; return what the terminal shows, and when."""
        screen = Screen(COLUMNS, rows)
        found: list[tuple[float, Shown]] = []
        now = 0.6
        for command in commands:
            now = self.type(screen, command, now, found)
            start = now

            def told(moment: float, text: str, start: float = start) -> None:
                screen.feed(text)
                found.append((start + moment, screen.shown()))

            words = ["sh", "-c", command]
            status = play(words, self.environment, str(self.desk), (COLUMNS, rows), told)
            if status:
                raise RuntimeError(f"{command}: exit status {status}\n{plain(screen.shown())}")
            now = max(start, found[-1][0]) + READING
        self.prompt(screen)
        found.append((now - READING, screen.shown()))
        return found

    def prompt(self, screen: Screen) -> None:
        for sign, style in PROMPT:
            screen.style = style
            screen.put(sign)
        screen.style = PLAIN

    def type(
        self, screen: Screen, command: str, now: float, found: list[tuple[float, Shown]]
    ) -> float:
        """Show *command* being typed from *now* on; return when it has been."""
        self.prompt(screen)
        found.append((now - 0.6, screen.shown()))
        for sign in command:
            screen.put(sign)
            now += TYPING
            found.append((now, screen.shown()))
        screen.put("\r\n")
        return now + 0.25


def plain(shown: Shown) -> str:
    """Return what a terminal shows as text."""
    return "\n".join("".join(sign for sign, _ in line) for line in shown)


@contextmanager
def emulated(page: Path, port: int, pace: float) -> Iterator[None]:
    """Let an emulated scanner run that has *page* on its glass."""
    command = [sys.executable, "-P", "-m", "sane.testing.escl", "--preset", "feeder"]
    command += ["--port", str(port), "--page", str(page), "--pace", str(pace)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(STAGE / "lib" / "pysane"),
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it tells its address when it is ready
        try:
            yield
        finally:
            process.terminate()


def jpeg_of(picture: Any, width: int) -> str:
    """Return *picture*, made smaller, as it stands in an SVG."""
    made = io.BytesIO()
    height = round(picture.height * width / picture.width)
    picture.resize((width, height)).save(made, "JPEG", quality=82, optimize=True, progressive=True)
    return "data:image/jpeg;base64," + base64.b64encode(made.getvalue()).decode("ascii")


def scan_film(scene: Scene, page: Any) -> str:
    """Return the film of a scan: the terminal, and beside it the page as it comes."""
    command = "pysane scan -o letter.pdf --mode color --dpi 300"
    frames = scene.frames(["pysane list", command])
    begin = next(at for at, shown in frames if command in plain(shown))
    end_of_page = frames[-1][0]
    end = frames[-1][0] + LAST
    lines, css = drawing.film(frames, end)
    wide, high = drawing.size_of(COLUMNS, ROWS)
    tall = round(PAPER * page.height / page.width)
    left, top = wide + 28, max(0, (high - tall) // 2)
    width, height = left + PAPER + 8, max(high, tall + 12)
    first, last = 100 * begin / end, 100 * (end_of_page - 0.5) / end
    css += (
        f"@keyframes paper{{0%,{first:.2f}%{{clip-path:inset(0 0 100% 0)}}"
        f"{last:.2f}%,100%{{clip-path:inset(0)}}}}"
        f".paper{{animation:paper {end:.2f}s linear infinite}}"
        f"@keyframes lamp{{0%,{first:.2f}%{{opacity:0;transform:none}}"
        f"{first + 0.01:.2f}%{{opacity:1;transform:none}}"
        f"{last:.2f}%{{opacity:1;transform:translateY({tall}px)}}"
        f"{last + 0.01:.2f}%,100%{{opacity:0;transform:translateY({tall}px)}}}}"
        f".lamp{{opacity:0;animation:lamp {end:.2f}s linear infinite}}"
        "@media(prefers-reduced-motion:reduce){.paper,.lamp{animation:none}}"
    )
    sheet = (
        f'<g transform="translate({left} {top + 4})">'
        f'<rect width="{PAPER}" height="{tall}" rx="3" fill="#7c95a3" fill-opacity=".14" '
        f'stroke="#7c95a3" stroke-opacity=".5"/>'
        f'<image class="paper" width="{PAPER}" height="{tall}" href="{jpeg_of(page, 2 * PAPER)}"/>'
        f'<rect class="lamp" x="-6" y="-2" width="{PAPER + 12}" height="4" rx="2" fill="#5fe0b8"/>'
        "</g>"
    )
    alt = (
        "A terminal: pysane list finds a scanner, pysane scan writes letter.pdf; beside it the page"
    )
    inside = drawing.window(wide, high, "pysane") + lines + sheet
    return drawing.svg(width, height, inside, alt, css)


STILLS: tuple[tuple[str, str, str], ...] = (  # file, command, what is seen
    ("info", "pysane info | head -16", "pysane info shows what the scanner can do"),
    ("dry-run", "pysane scan -o stack.pdf --source duplex --dry-run", "a rehearsal of a scan"),
    (
        "feeder",
        "pysane scan -o stack.pdf --source duplex --dpi 75",
        "a stack, both sides, into a PDF",
    ),
    ("help", "pysane --help", "the commands of pysane"),
)


def take(port: int) -> None:
    """Write all pictures of terminals."""
    from PIL import Image

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_letter(folder / "letter.ppm")
        with emulated(folder / "letter.ppm", port, pace=2.5):
            scene = Scene(folder, port)
            subprocess.run(
                ["pysane", "scan", "-q", "-o", "page.png", "--mode", "color", "--dpi", "100"],
                env=scene.environment,
                cwd=scene.desk,
                check=True,
            )
            with Image.open(scene.desk / "page.png") as page:
                page.load()
            page.convert("RGB").save(PICTURES / "page.jpg", quality=85, optimize=True)
            (PICTURES / "scan.svg").write_text(scan_film(scene, page), encoding="utf-8")
            shutil.rmtree(scene.desk)
            scene.desk.mkdir()
            for file, command, alt in STILLS:
                shown = scene.frames([command], 40)[-1][1][:-1]  # without the next prompt
                drawn = drawing.still(shown, COLUMNS, "pysane", alt)
                (PICTURES / f"{file}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    take(8095)
