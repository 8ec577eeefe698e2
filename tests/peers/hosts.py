"""Operates the desktop's scanning programs as somebody with a mouse would.

Positions and titles are those of Debian 12 and 13, and of sid where a version is asked for:
simple-scan 42.5, 46 and 50, Skanlite 22.12, 25.04 and 26.04, gImageReader 3.4, gscan2pdf 2.13 and
scantpaper 4. Each has a home of its own and the first device of the backend test.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.desktop import PATIENCE, PAUSE, Desktop
from tests.peers.frontends import OURS, environment, peer
from tests.support.distribution import package_version
from tests.support.timing import wait_until

# Under the original, too, every other time: gImageReader at its end, Skanlite 26.04 in mid-scan.
CRASHED = 128 + signal.SIGSEGV
QUIET = {"NO_AT_BRIDGE": "1", "GTK_A11Y": "none", "QT_QPA_PLATFORM": "xcb", "LC_ALL": "C.UTF-8"}


class Host:
    """A program with windows, in a D-Bus session of its own."""

    program = ""
    arguments: tuple[str, ...] = ("test:0",)
    device = "test:0"  # that it opens, or how its name begins
    main: str  # the window
    lists = True  # it asks for the devices before it opens one
    loss = 0  # how far the samples of its page are off, on the average at most

    def __init__(self, desktop: Desktop, folder: Path, config: Path) -> None:
        self.desktop = desktop
        self.folder = folder
        self.home = folder / "home"
        self.log = folder / "host.log"
        for name in ("home/.config", "run", "tmp"):
            (folder / name).mkdir(parents=True, mode=0o700)
        self.prepare()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [peer("dbus-run-session"), "--", peer(self.program), *self.arguments],
                env=environment(config, OURS)
                | {"SANE_DEBUG_DLL": "3", "DISPLAY": desktop.name, "HOME": str(self.home)}
                | {"XDG_RUNTIME_DIR": str(folder / "run"), "TMPDIR": str(folder / "tmp")}
                | QUIET,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise

    def prepare(self) -> None:
        """Write what it is to find in its home."""

    def wait_until_ready(self) -> None:
        """Return when it can scan."""
        raise NotImplementedError

    def press_scan(self) -> None:
        """Press the button that scans."""
        raise NotImplementedError

    def scan(self) -> None:
        """Scan a page and keep it."""
        self.press_scan()

    def page(self) -> Path | None:
        """Return the file with the page that it has scanned, None if there is none yet."""
        raise NotImplementedError

    def quit(self) -> int:
        """Leave it by its menu or window; return the exit status."""
        raise NotImplementedError

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until *condition* holds; fail the test with *what* and the log."""
        if not wait_until(condition, PATIENCE, PAUSE):
            pytest.fail(f"{self.program}: {what}: {self.log.read_text()[-2000:]}")

    def said(self, text: str) -> bool:
        """Tell whether the log holds *text*."""
        return text in self.log.read_text(errors="replace")

    def count(self, text: str) -> int:
        """Return how often the log holds *text*."""
        return self.log.read_text(errors="replace").count(text)

    def window(self, title: str) -> str:
        """Return the window with *title*, drawn."""
        found = self.desktop.wait_for_window(title)
        self.desktop.wait_until_still()
        return found

    def wait_for_end(self) -> int:
        """Return the exit status."""
        return self.process.wait(PATIENCE)

    def insist(self, left: int, top: int, key: str = "") -> int:
        """Click there, where a dialogue may ask something, until it ends; return the status.

        key: pressed before each click, for a program that hears nothing while it is busy.
        """
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if key:
                self.desktop.press(self.main, key)
                time.sleep(4 * PAUSE)
            self.desktop.click_at(self.main, left, top)
            time.sleep(4 * PAUSE)
        return self.wait_for_end()

    def await_scanning(self) -> None:
        """Press the button that scans, and return when the screen shows that it does."""
        before = self.desktop.look()
        self.press_scan()
        self.wait_for(lambda: self.desktop.look() != before, "nothing happens")
        time.sleep(10 * PAUSE)  # into a read

    def close(self) -> None:
        """End it with all that it started, whatever it does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)


def newest(folder: Path, pattern: str) -> Path | None:
    """Return the newest file, None without one."""
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)


class SimpleScan(Host):
    """simple-scan: everything in a worker thread, sane_exit in the main one."""

    program = "simple-scan"
    arguments = ("--debug", "test:0")

    def prepare(self) -> None:
        self.saves = self.home / ".cache" / "simple-scan" / "autosaves"
        self.saves.mkdir(parents=True)

    def wait_until_ready(self) -> None:
        self.main = self.window("^Document Scanner")
        self.wait_for(lambda: self.said("sane_get_devices () -> SANE_STATUS_GOOD"), "no list")
        self.desktop.wait_until_still()

    def press_scan(self) -> None:
        self.desktop.click_at(self.main, 60, 27)

    press_stop = press_scan  # the same place

    def press_scan_all(self) -> None:
        """Scan all pages from the feeder."""
        self.desktop.press(self.main, "ctrl+f")

    def pages(self) -> list[Path]:
        """Return the files of all its pages."""
        return list(self.saves.glob("*.pixels"))

    def page(self) -> Path | None:
        """Raw RGB of a square of 200 mm at 100 dpi."""
        return newest(self.saves, "*.pixels")

    def quit(self) -> int:
        self.desktop.press(self.main, "ctrl+q")
        # Quit without Saving
        return self.insist(*((299, 341) if package_version("simple-scan") >= (50,) else (143, 279)))


class Skanlite(Host):
    """Skanlite, and with it KSaneCore: a thread for each list and each page."""

    program = "skanlite"
    arguments = ("-d", "test:0")

    def prepare(self) -> None:
        self.lists = package_version("skanlite") < (24,)  # KSaneCore 6 opens what -d names
        text = "[Image Saving]\nNamePrefix=page\nImgFormat=image/png\n"
        (self.home / ".config" / "skanliterc").write_text(text)

    def wait_until_ready(self) -> None:
        self.main = self.window("Skanlite")
        self.wait_for(lambda: self.said(f"open: {self.device}"), "no device is opened")
        self.desktop.wait_until_still()

    def press_scan(self) -> None:
        self.desktop.click(self.main, -52, 54)

    def scan(self) -> None:
        self.press_scan()
        self.wait_for(self._is_saved, "no page")

    def press_preview(self) -> None:
        """Press the button Preview."""
        self.desktop.click(self.main, -137, 54)

    def _is_saved(self) -> bool:
        """Press Save, and OK at the name; tell whether all that has been asked."""
        windows = self.dialogues() - {self.main}
        if windows:  # the newest lies over the others
            self.desktop.press(max(windows, key=int), "Return")
            time.sleep(4 * PAUSE)
        return not windows and self.page() is not None

    def dialogues(self) -> set[str]:
        """Return its windows; those that ask something have no title."""
        return set(self.desktop.do("search", "--onlyvisible", "--class", "skanlite").split())

    def page(self) -> Path | None:
        return newest(self.home, "page*.png")

    def quit(self) -> int:
        self.desktop.press(self.main, "ctrl+q")
        status = self.wait_for_end()
        may_crash = self.page() is None and package_version("skanlite") >= (26,)
        return 0 if status == CRASHED and may_crash else status


class GImageReader(Host):
    """gImageReader: never cancels, never calls sane_exit."""

    program = "gimagereader-gtk"
    arguments = ()

    def wait_until_ready(self) -> None:
        window = self.window("^(No languages|gImageReader)")
        if window in self.desktop.windows("^No languages"):  # for the recognition of texts
            self.desktop.click(window, -50, 26)
        self.main = self.window("^gImageReader")
        self.wait_for(lambda: self.said("get_devices: "), "no list")
        self.desktop.click_at(self.main, 107, 75)  # Acquire
        self.desktop.wait_until_still()

    def press_scan(self) -> None:
        self.desktop.click_at(self.main, 153, 478)

    def page(self) -> Path | None:
        return newest(self.home, "scan*.png")

    def quit(self) -> int:
        self.desktop.click_at(self.main, -33, 27)  # its own close button
        status = self.wait_for_end()
        return 0 if status == CRASHED else status


class Gscan2pdf(Host):
    """gscan2pdf, and with it Image::Sane: a worker process, options set one by one."""

    program = "gscan2pdf"
    arguments = ()

    def wait_until_ready(self) -> None:
        message = self.window("^Messages")  # that programs are missing
        self.desktop.click(message, -45, 20)
        self.main = self.window("^gscan2pdf")
        self.desktop.click_at(self.main, 110, 50)
        self.dialogue = self.window("^Scan Document")
        self.wait_for(lambda: self.said(f"open: {self.device}"), "no device is opened")
        self.desktop.wait_until_still()

    def press_scan(self) -> None:
        self.desktop.click(self.dialogue, -132, 20)

    def page(self) -> Path | None:
        return newest(self.folder / "tmp", "gscan2pdf-*/*.png")

    def quit(self) -> int:
        return self.insist(475, 347, "ctrl+q Return")  # the page may be lost


class Scantpaper(Host):
    """What gscan2pdf is called from version 3 on: a program in Python, with python3-sane."""

    program = "gscan2pdf"
    arguments = ()
    loss = 24  # it keeps pages as JPEG

    def wait_until_ready(self) -> None:
        message = self.window("^Messages")  # that programs are missing
        self.desktop.click_at(message, 563, 62)
        self.main = self.window("^scantpaper")
        self.wait_for(lambda: self.said(f"open: {self.device}"), "no device is opened")
        self.desktop.click_at(self.main, 89, 41)
        self.dialogue = self.window("^Scan Document")
        self.desktop.wait_until_still()

    def press_scan(self) -> None:
        self.desktop.click(self.dialogue, -104, 19)

    def page(self) -> Path | None:
        """Take it from its database."""
        for path in (self.folder / "tmp").glob("*.sdb"):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                for (data,) in database.execute("SELECT image FROM image"):
                    page = self.folder / "page.jpg"
                    page.write_bytes(data)
                    return page
        return None

    def quit(self) -> int:
        return self.insist(198, 52, "ctrl+q")  # OK: the page may be lost
