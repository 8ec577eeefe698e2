"""Operates xsane 0.999 on a display of its own, as somebody with a mouse would."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers.frontends import OURS, environment, peer

PATIENCE = 20.0  # seconds for anything that happens on the screen; mostly it takes half of one
PAUSE = 0.05  # between two looks at the screen
SETTINGS = {  # xsane.rc: nothing that changes the picture or asks questions
    "overwrite-warning": 0,
    "auto-enhance-gamma": 0,
    "auto-correct-colors": 0,
    "save-devprefs-at-exit": 0,
}


class Picture(NamedTuple):
    """A screenshot: 8-bit RGB."""

    width: int
    height: int
    pixels: bytes

    def colours(self) -> set[bytes]:
        """Return the colours that occur."""
        return {self.pixels[i : i + 3] for i in range(0, len(self.pixels), 3)}


class Desktop:
    """An Xvfb with a number of its own, and no window manager."""

    def __init__(self, folder: Path) -> None:
        self.xdotool, self.importer = peer("xdotool"), peer("import")
        read, write = os.pipe()
        with (folder / "xvfb.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(peer("Xvfb"), "-displayfd", str(write), "-screen", "0", "1280x1024x24"),
                    *("-noreset", "-nolisten", "tcp"),  # it would start anew without clients
                ],
                pass_fds=(write,),
                stdout=log,
                stderr=log,
            )
        os.close(write)
        number = read_line(read)
        os.close(read)
        if not number:
            self.close()
            pytest.fail(f"Xvfb: {(folder / 'xvfb.log').read_text()}")
        self.name = f":{number}"

    def close(self) -> None:
        """End the display."""
        end(self.process)

    def do(self, *command: str) -> str:
        """Run an xdotool command and return what it prints."""
        return subprocess.run(
            [self.xdotool, *command],
            env=os.environ | {"DISPLAY": self.name},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            text=True,
        ).stdout

    def wait_for_window(self, title: str) -> str:
        """Return the id of the first visible window whose title matches, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.windows(title)
            if found:
                return found[0]
            time.sleep(PAUSE)
        pytest.fail(f"no window {title} appeared")

    def windows(self, title: str) -> list[str]:
        """Return the ids of the visible windows whose titles match.

        There may be none because a window vanished during the search, which ends it.
        """
        return self.do("search", "--onlyvisible", "--name", title).split()

    def click(self, window: str, left: int, bottom: int) -> None:
        """Click *left* pixels from the left (negative: right) edge, *bottom* from the lower one."""
        lines = self.do("getwindowgeometry", "--shell", window).split()
        size = dict(line.split("=") for line in lines)
        x, y = left % int(size["WIDTH"]), int(size["HEIGHT"]) - bottom
        self.do("mousemove", "--window", window, str(x), str(y), "click", "1")

    def press(self, window: str, key: str) -> None:
        """Press a key in *window*."""
        self.do("windowfocus", window, "key", key)

    def dismiss(self, title: str) -> None:
        """Click on the button at the lower left of a dialogue that appears, until it is gone."""
        window = self.wait_for_window(title)
        deadline = time.monotonic() + PATIENCE
        while window in self.windows(title):  # it may be visible before it listens
            self.click(window, 150, 36)
            assert time.monotonic() < deadline, f"{title} stays"

    def look(self, window: str = "root") -> Picture:
        """Return what is visible of *window*."""
        done = subprocess.run(
            [self.importer, "-window", window, "-depth", "8", "ppm:-"],
            env=os.environ | {"DISPLAY": self.name},
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        _, size, _, pixels = done.stdout.split(b"\n", 3)
        width, height = map(int, size.split())
        return Picture(width, height, pixels)

    def wait_until_still(self) -> None:
        """Return when the screen has not changed for a few looks."""
        deadline = time.monotonic() + PATIENCE
        same, before = 0, None
        while same < 3 and time.monotonic() < deadline:
            now = self.look()
            same = same + 1 if now == before else 0
            before = now
            time.sleep(PAUSE)


class XSane:
    """An xsane with the first test device; its positions are those of version 0.999."""

    def __init__(
        self, desktop: Desktop, folder: Path, config: Path, *arguments: str, pages: int = 1
    ) -> None:
        """Start it; *pages*: how many it scans at most when the button is pressed."""
        self.desktop = desktop
        home = folder / "home"
        (home / ".sane" / "xsane").mkdir(parents=True)
        settings = SETTINGS | {"adf-pages-max": pages}
        text = "".join(f'"{name}"\n{value}\n' for name, value in settings.items())
        (home / ".sane" / "xsane" / "xsane.rc").write_text(text)
        self.log = folder / "xsane.log"
        self.image = folder / "page.pnm"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [peer("xsane"), "--print-filenames", *arguments, "test:0"],
                env=environment(config, OURS) | {"HOME": str(home), "DISPLAY": desktop.name},
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise

    def wait_until_ready(self) -> None:
        """Return when all its windows are there and drawn."""
        desktop = self.desktop
        if os.geteuid() == 0:  # it warns of that
            desktop.dismiss("^Warning")
        self.main = desktop.wait_for_window("^xsane 0.999 frontend-tester")
        self.preview_window = desktop.wait_for_window("^Preview frontend-tester")
        desktop.wait_for_window("^Standard options")
        desktop.wait_until_still()

    def scan(self) -> None:
        """Press the button Scan."""
        self.desktop.click(self.main, -62, 58)

    def cancel(self) -> None:
        """Press the button Cancel."""
        self.desktop.click(self.main, -62, 24)

    def preview(self) -> None:
        """Press the button Acquire preview."""
        self.desktop.click(self.preview_window, 80, 24)

    def wait_for_filename(self) -> str:
        """Return the name of the next file that it has written, "" if there is none in time."""
        assert self.process.stdout is not None
        return read_line(self.process.stdout.fileno()).removeprefix("XSANE_IMAGE_FILENAME: ")

    def quit(self) -> int:
        """Quit by keyboard; return the exit status."""
        self.desktop.press(self.main, "ctrl+q")
        return self.process.wait(PATIENCE)

    def kill(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, whatever it does."""
        end(self.process)


def read_line(fd: int) -> str:
    """Return the next line without its end; "" when there is none in time."""
    line = b""
    deadline = time.monotonic() + PATIENCE
    while not line.endswith(b"\n"):
        left = max(0.0, deadline - time.monotonic())
        if not select.select([fd], [], [], left)[0]:
            return ""
        byte = os.read(fd, 1)
        if not byte:
            return ""
        line += byte
    return line.decode().strip()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours: asked first, then killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
