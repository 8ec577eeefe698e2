"""A display of its own for programs with windows: mouse, keyboard and screenshots."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers.frontends import peer

PATIENCE = 45.0  # seconds for anything that happens on the screen; mostly it takes half of one
PAUSE = 0.05  # between two looks at the screen


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
        self.click_at(window, left, -bottom)

    def click_at(self, window: str, left: int, top: int) -> None:
        """Click *left* and *top* pixels from the upper left corner; negative: from the others."""
        lines = self.do("getwindowgeometry", "--shell", window).split()
        size = dict(line.split("=") for line in lines)
        if not size:
            return  # the window has gone
        x, y = left % int(size["WIDTH"]), top % int(size["HEIGHT"])
        self.do("mousemove", "--window", window, str(x), str(y), "click", "1")

    def press(self, window: str, key: str) -> None:
        """Press keys in *window*, one after the other."""
        self.do("windowfocus", window, "key", *key.split())

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
