"""Scans from an emulated eSCL scanner with our backend, sane-airscan and the original escl.

Each side is scanimage with one backend and nothing else; what it leaves is compared with the
picture that the emulator shows, and what it asks with what the others ask.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sane.testing.escl import Emulator, Profile, Scanner, Source, feeder_model
from sane.testing.escl.model import JPEG, PNG
from tests.conftest import ABSENT
from tests.peers.frontends import OURS, environment, peer

TIMEOUT = 25.0  # of one scanimage
EXIT_SECONDS = 3.0  # that it needs to end, at most
HEAD = re.compile(rb"P([456])\n(?:#[^\n]*\n)*(\d+) (\d+)\n(?:(\d+)\n)?")
LIBRARIES = ("/usr/lib/*/sane", "/usr/lib/sane", "/usr/lib64/sane")


class Side(NamedTuple):
    """One implementation: its backend, where its library is, and how it calls a flatbed."""

    name: str
    backend: str
    library: Path | None  # LD_LIBRARY_PATH; None: the distribution's

    def device(self, emulator: Emulator) -> str:
        """Return the device's name."""
        if self.backend == "airscan":
            return "airscan:e0:emulated"
        return f"escl:{emulator.origin}"

    def configure(self, emulator: Emulator, folder: Path) -> None:
        """Write the configuration that knows this emulator only."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dll.conf").write_text(f"{self.backend}\n")
        (folder / "airscan.conf").write_text(
            f"[devices]\nemulated = {emulator.url}\n[options]\ndiscovery = disable\n"
        )
        (folder / "escl.conf").write_text(f"device {emulator.origin}\n")


AIRSCAN = Side("airscan", "airscan", None)
ORIGINAL = Side("original", "escl", None)
OWN = Side("ours", "escl", OURS)


class Image(NamedTuple):
    """A PNM file: its kind (4 bits, 5 gray, 6 RGB), its size, the samples."""

    kind: int
    width: int
    lines: int
    data: bytes

    def rgb(self) -> bytes:
        """Return it in colour."""
        if self.kind == 6:
            return self.data
        return b"".join(bytes((value, value, value)) for value in self.data)

    def part(self, width: int, lines: int) -> bytes:
        """Return the samples of the top left corner."""
        step = 3 if self.kind == 6 else 1
        row = self.width * step
        return b"".join(self.data[y * row : y * row + width * step] for y in range(lines))


class Outcome(NamedTuple):
    """What one scanimage left."""

    status: int
    stderr: str
    pages: list[Image]
    asked: list[str]


def require(side: Side) -> None:
    """Skip the test where the side's backend is not installed."""
    if side.library is None:
        found = [p for place in LIBRARIES for p in Path("/").glob(place[1:])]
        if not any((folder / f"libsane-{side.backend}.so.1").exists() for folder in found):
            package = "sane-airscan" if side.backend == "airscan" else "libsane1"
            pytest.skip(f"{ABSENT}{side.backend} ({package})")


def read_pnm(data: bytes) -> Image:
    """Return the image in a PNM file."""
    match = HEAD.match(data)
    assert match, data[:60]
    return Image(int(match[1]), int(match[2]), int(match[3]), data[match.end() :])


def scan(side: Side, emulator: Emulator, folder: Path, *arguments: str) -> Outcome:
    """Run scanimage once, in batches, so that every page is a file."""
    require(side)
    place = folder / side.name
    side.configure(emulator, place / "conf")
    emulator.log.clear()
    command = [peer("scanimage"), "-d", side.device(emulator), "--format=pnm", "--batch=page%d.pnm"]
    status, stderr = _run(side, [*command, *arguments], place)
    files = sorted(place.glob("page*.pnm"), key=lambda path: int(path.stem[4:]))
    pages = [read_pnm(path.read_bytes()) for path in files]
    for path in files:
        path.unlink()
    return Outcome(status, stderr, pages, emulator.log.names())


def _run(side: Side, command: list[str], place: Path) -> tuple[int, str]:
    """Return how a command ends, and what it says.

    sane-airscan 0.99.27 hangs in sane_exit once in a hundred times; its pages are there by then.
    """
    kept = environment(place / "conf", side.library)
    ends_by = time.monotonic() + TIMEOUT
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=place, env=kept) as program:
        while True:
            try:
                said = program.communicate(timeout=EXIT_SECONDS)[1]
                return program.returncode, said.decode("latin-1")
            except subprocess.TimeoutExpired as expired:
                said = expired.stderr or b""
            if side is AIRSCAN and b"\nBatch terminated" in said:
                program.kill()
                return 0, said.decode("latin-1")
            if time.monotonic() > ends_by:
                program.kill()
                raise subprocess.TimeoutExpired(command, TIMEOUT, stderr=said)


def scanner(
    *,
    sheets: int = 0,
    formats: Sequence[str] = (PNG, JPEG),
    modes: Sequence[str] = ("RGB24", "Grayscale8"),
) -> Scanner:
    """Return a scanner with a glass and a duplex feeder that sends PNG if asked."""
    profile = Profile(modes, formats, (75, 150, 300))
    source = Source(profiles=(profile,))
    model = feeder_model(platen=source, adf=source, duplex=source)
    return Scanner(model, sheets)
