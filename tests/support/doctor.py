"""A machine of folders for pysane doctor, and what single checks find on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sane.cli.doctor.checks import run
from sane.cli.doctor.finding import Finding
from sane.cli.doctor.machine import Account, Machine
from sane.cli.doctor.private import Private
from sane.cli.doctor.program import CHECKS
from tests.fakes.usb import add_device

USER_GROUP, SCANNER_GROUP = 1000, 120
DEVICES = "sys/bus/usb/devices"


class Place:
    """The folders of one machine below *folder*: its root, its configuration, its programs."""

    def __init__(self, folder: Path, dll: str = "epson2\n", **files: str) -> None:
        self.root = folder / "root"
        self.config = folder / "sane.d"
        self.programs = folder / "bin"
        self.home = folder / "home" / "anna"
        self.package = folder / "python" / "sane"
        for path in (self.root, self.config, self.programs, self.home):
            path.mkdir(parents=True)
        self.configure("dll.conf", dll)
        for name, text in files.items():
            self.configure(f"{name}.conf", text)
        self.variables = {
            "SANE_CONFIG_DIR": str(self.config),
            "PATH": str(self.programs),
            "HOME": str(self.home),
        }
        groups = (USER_GROUP,)
        self.account = Account("anna", 1000, groups, groups, str(self.home))

    def configure(self, name: str, text: str) -> Path:
        """Write a configuration file."""
        path = self.config / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def write(self, path: str, text: str = "") -> Path:
        """Write a file of the machine."""
        found = self.root / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found

    def program(self, name: str, script: str) -> Path:
        """Write a program that is found on PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def plug(self, address: int = 4, **words: Any) -> Path:
        """Plug in a USB device, an Epson scanner without other words; return its node."""
        folder = add_device(self.root / DEVICES, address, dev=f"189:{address}", **words)
        (folder / "power").mkdir()
        (folder / "power" / "control").write_text("on\n")
        return self.write(f"dev/bus/usb/001/{address:03}")

    def claim(self, driver: str, address: int = 4, interface: int = 0) -> None:
        """Let a driver of the kernel hold an interface."""
        folder = self.root / DEVICES / f"1-{address}" / f"1-{address}:1.{interface}"
        folder.mkdir()
        (folder / "driver").symlink_to(f"/sys/bus/usb/drivers/{driver}")

    def machine(self, **words: Any) -> Machine:
        """Return the machine as the checks see it, which hides nothing."""
        more = {"private": Private(hides=False), "package": str(self.package), "modules": []}
        return Machine(str(self.root), self.variables, self.account, **{**more, **words})

    def found(self, *ids: str, **words: Any) -> list[Finding]:
        """Return what the checks of these ids find."""
        wanted = [check for check in CHECKS if check.id in ids]
        assert len(wanted) == len(ids), ids
        return run(wanted, self.machine(**words))

    def one(self, id: str, **words: Any) -> tuple[str, str, str]:
        """Return level, text and command of the only thing that a check finds."""
        (finding,) = self.found(id, **words)
        assert is_sentence(finding.text), finding.text
        return finding.level, finding.text, finding.command


def is_sentence(text: str) -> bool:
    """Tell whether *text* ends as a sentence does, and is one line."""
    return text.endswith((".", "?")) and "\n" not in text and not text.endswith("..")
