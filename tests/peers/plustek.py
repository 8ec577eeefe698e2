"""Runs the original plustek and ours against an emulated register scanner behind umockdev.

Each scan has a bus and a scanner of its own, so that several run at once: the original sleeps more
than it works. Compared are the pictures, and at each move and scan what the chip was told.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sane.testing.plustek import MODELS, NEW, Deed, Model, Wear
from sane.testing.plustek.setup import read_setup
from sane.testing.plustek.usb import UsbScanner
from sane.testing.usb.hosted import Device, Umockdev, missing_for_umockdev
from tests.peers.frontends import environment, peer
from tests.peers.fujitsu import Picture, read_pnm

TIMEOUT = 120.0
AT_ONCE = 8
COMMAND, SCAN, STILL = 7, 3, (0, 0x20)  # a register, and values of it
BLOCK = slice(0x08, 0x5F)  # the registers that a scan is compared by
LIGHT, LAMPS = 0x29, slice(0x2C, 0x38)
OF_MOVES = (0x08, 0x09, 0x0A, 0x19, 0x26, 0x45, 0x48, 0x49, 0x4A, 0x4B, 0x56, 0x57, 0x58)
AREA = ("-l", "20", "-t", "30", "-x", "60", "-y", "30")


class Made(NamedTuple):
    """A scanner to be made: its unit, sensor, dust, attributes, and plustek.conf."""

    unit: str = "LiDE 20"
    wear: Wear = NEW
    dust: int = 0
    attributes: dict[str, Any] = {}
    conf: str = "[usb]\ndevice auto\n"
    prepare: Callable[[Device], None] | None = None

    @property
    def model(self) -> Model:
        """What is known of the unit."""
        return MODELS[self.unit]


class Scanned(NamedTuple):
    """What came of a scan: exit status, messages, picture, what the scanner was told."""

    status: int
    stderr: str
    picture: Picture | None
    deeds: list[Deed]
    problems: list[str]
    is_home: bool  # the carriage
    is_still: bool
    seconds: float


class Case(NamedTuple):
    """A scan by scanimage: options; libraries: None for the original; variables for it."""

    made: Made
    options: Sequence[str]
    libraries: Path | None = None
    variables: dict[str, str] = {}


def scan(case: Case, folder: Path) -> Scanned:
    """Scan with the distribution's scanimage on a bus of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = missing_for_umockdev()
    if missing:
        pytest.skip(f"peer absent: {missing}")
    made = case.made
    with Umockdev() as bus:
        device = bus.plug(UsbScanner, made.unit, made.wear)
        if made.dust:
            device.call("call_scanner", "wear_out", made.wear, made.dust)
        for name, value in made.attributes.items():
            device.call("set_scanner", name, value)
        if made.prepare is not None:
            made.prepare(device)
        return _scan(case, device, folder, bus.environment)


def _scan(case: Case, device: Device, folder: Path, preload: dict[str, str]) -> Scanned:
    (folder / "dll.conf").write_text("plustek\n")
    (folder / "plustek.conf").write_text(case.made.conf)
    page = folder / "page.pnm"
    start = time.monotonic()
    done = subprocess.run(
        [peer("scanimage"), "-d", f"plustek:{device.name}", "--format=pnm", "-o", page,
         *case.options],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
        env=environment(folder, case.libraries) | preload | {"HOME": str(folder)} | case.variables,
    )  # fmt: skip
    return Scanned(
        done.returncode,
        done.stderr,
        read_pnm(page) if page.exists() and page.stat().st_size else None,
        device.call("get_scanner", "deeds"),
        device.call("get_scanner", "problems"),
        device.call("get_scanner", "is_home"),
        device.call("get_scanner", "registers")[COMMAND] in STILL,
        time.monotonic() - start,
    )


def scan_all(cases: Iterable[Case], folder: Path) -> list[Scanned]:
    """Scan from several scanners at once."""

    def one(numbered: tuple[int, Case]) -> Scanned:
        number, case = numbered
        return scan(case, folder / str(number))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, enumerate(cases)))


def wire(deeds: Sequence[Deed]) -> list[str]:
    """Return moves and scans as lines that must be the same, whoever drives the scanner.

    Left out: the original's speed test, which it never uses the result of; lamp times while the
    lamps are off; the lines that a page allows beyond its own (4c/4d is compared as it is).
    """
    lines = []
    for deed in deeds:
        if is_speed_test(deed):
            continue
        registers = bytearray(deed.registers)
        if not registers[LIGHT] & 3:
            registers[LAMPS] = bytes(12)
        if deed.command == SCAN:
            shown = registers[BLOCK].hex(" ")
        else:
            shown = bytes(registers[number] for number in OF_MOVES).hex(" ")
        lines.append(f"07={deed.command:02x} at {deed.place:.0f}: {shown} {deed.tables}")
    return lines


def is_speed_test(deed: Deed) -> bool:
    """Tell whether it is a line of 8 bits that is scanned without moving."""
    setup = read_setup(deed.registers)
    return deed.command == SCAN and setup.bits == 8 and not setup.has_motor
