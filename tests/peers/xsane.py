"""Operates xsane 0.999 on a display of its own, as somebody with a mouse would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.peers.desktop import PATIENCE, Desktop, end, read_line
from tests.peers.frontends import OURS, environment, peer

SETTINGS = {  # xsane.rc: nothing that changes the picture or asks questions
    "overwrite-warning": 0,
    "auto-enhance-gamma": 0,
    "auto-correct-colors": 0,
    "save-devprefs-at-exit": 0,
}


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
