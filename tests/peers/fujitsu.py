"""Runs the original fujitsu and ours against an emulated document scanner on a USB bus.

The scanner is made anew for each side, so that both find the same. Compared are what the calls
return, the pixels, and the commands with their data.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sane.testing.fujitsu import MODELS, Command
from sane.testing.fujitsu.usb import VENDOR, UsbScanner
from tests.conftest import ROOT

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Umockdev

VECTORS = ROOT / "tests" / "data" / "fujitsu" / "vectors.txt"
BUFFER_BYTES = 262144
SET_WINDOW = 0x24
UNKNOWN_REST = ".."
TIMEOUT = 60.0


class Vector(NamedTuple):
    """A scan whose commands are known. size: of each picture, None if there is none."""

    name: str
    model: str
    options: list[str]
    size: tuple[int, int] | None
    lines: list[str]


def read_vectors() -> list[Vector]:
    """Return the known scans."""
    text = VECTORS.read_text().partition("\n\n")[2]
    found = []
    for block in text.strip().split("\n\n"):
        name, *lines = block.splitlines()
        heads = dict(lines.pop(0).split(" ", 1) for _ in range(3 if "\nsize" in block else 2))
        size = heads.get("size", "").split()
        pair = (int(size[0]), int(size[1])) if size else None
        found.append(Vector(name, heads["model"], shlex.split(heads["options"]), pair, lines))
    return found


def configure(folder: Path, product: int, buffer_bytes: int = BUFFER_BYTES) -> None:
    """Write a configuration that finds the scanner *product*, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text("fujitsu\n")
    (folder / "fujitsu.conf").write_text(
        f"option buffer-size {buffer_bytes}\nusb {VENDOR:#06x} {product:#06x}\n"
    )


def lines_of(commands: Iterable[Command]) -> list[str]:
    """Return commands in the form of the file of vectors."""
    lines = []
    for command in commands:
        text = command.cdb.hex().upper()
        lines.append(f"{text} + {command.data.hex().upper()}" if command.data else text)
        if command.cdb[:3:2] == b"\x28\x00" and command.got < command.asked:
            lines.append(f"[{command.got}/{command.asked} bytes]")
        if command.cdb[0] == 0x03:
            lines.append(f"[{command.answer.hex().upper()}]")
    return lines


def after_attach(lines: Sequence[str]) -> list[str]:
    """Return the lines from the second TEST UNIT READY on: the first one begins the listing."""
    return list(lines[lines.index("000000000000", 1) :])


def matches(line: str, expected: str) -> bool:
    """Tell whether a line is as expected, as far as that is known."""
    if expected.endswith(UNKNOWN_REST):
        return line.startswith(expected[: -len(UNKNOWN_REST)])
    return line == expected


def difference(lines: Sequence[str], expected: Sequence[str]) -> str:
    """Return the first difference, "" if there is none."""
    for number in range(max(len(lines), len(expected))):
        ours = lines[number] if number < len(lines) else "(nothing)"
        theirs = expected[number] if number < len(expected) else "(nothing)"
        if not matches(ours, theirs):
            before = "\n".join(lines[max(0, number - 5) : number])
            return f"{before}\ncommand {number}: {ours[:400]}\ninstead of: {theirs[:400]}"
    return ""


class Picture(NamedTuple):
    """A PNM file: P4, P5 or P6, its size in pixels, and its data."""

    kind: bytes
    size: tuple[int, int]
    data: bytes


class Scanned(NamedTuple):
    """What came of a scan: the scanner's log, and the pictures."""

    model: str
    log: list[Command]
    pictures: list[Picture]
    sides: int
    is_back_only: bool

    @property
    def window(self) -> bytes:
        """The first descriptor of the last window that was set."""
        return next(c.data for c in reversed(self.log) if c.cdb[0] == SET_WINDOW)[8:72]


def read_pnm(path: Path) -> Picture:
    """Return the picture that scanimage wrote, with one line of comment."""
    kind, _comment, size, rest = path.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    data = rest if kind == b"P4" else rest.partition(b"\n")[2]
    return Picture(kind, (width, height), data)


def scan_original(
    bus: Umockdev, model: str, options: Sequence[str], folder: Path, sheets: int = 1
) -> Scanned:
    """Scan with the distribution's scanimage and backend until the hopper is empty.

    Without a source among *options* nothing is scanned.
    """
    device = bus.plug(UsbScanner, model, sheets)
    configure(folder, MODELS[model].product)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
    environment |= {**bus.environment, "SANE_CONFIG_DIR": str(folder), "LC_ALL": "C"}
    command = ["scanimage", *options]
    if "--source" in options:
        command += ["-d", f"fujitsu:{device.name}", "--batch=page%02d.pnm"]
    if "Flatbed" in options:
        command.append("--batch-count=1")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=TIMEOUT, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    pictures = [read_pnm(path) for path in sorted(folder.glob("page*.pnm"))]
    log = device.call("get_scanner", "log")
    device.unplug()
    sides = 2 if any("Duplex" in option for option in options) else 1
    return Scanned(model, log, pictures, sides, any("Back" in option for option in options))
