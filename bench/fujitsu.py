"""Document scanner rows: both sides of sheets in colour over USB into scanimage.

The scanner is emulated, in Python, in a process of its own, behind a libusb without a bus.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sane.testing.fujitsu import Sheet, Slanted, formula
from sane.testing.fujitsu.usb import VENDOR, UsbScanner

from .calls import wall
from .measure import ABSENT, UNMEASURED, alternate, at_least, both, quotient, times
from .report import Section
from .usb import NAME, FakeUsb, has_preload

if TYPE_CHECKING:
    from pathlib import Path

    from .measure import Pair
    from .setting import Bench, Library, Sample

SIDES = 6
HOPPER = 100_000
PAPER = ("--page-width", "210", "--page-height", "297", "-x", "210", "-y", "297")
PAGE = ("--source", "ADF Duplex", "--mode", "Color", "--resolution", "300", *PAPER)
CLEAN_UP = ("--swdeskew=yes", "--swcrop=yes", "--swdespeck", "2")
MEGABYTES = SIDES * 2480 * 3508 * 3 / 1e6


class Stack(UsbScanner):
    """A scanner whose hopper does not get empty."""

    def __init__(self) -> None:
        super().__init__("fi-7260")
        self.scanner.load(0, *[Sheet(formula, formula)] * HOPPER)


class Askew(UsbScanner):
    """One whose sheets lie askew, with specks."""

    def __init__(self) -> None:
        super().__init__("fi-7260")
        page = Slanted(width=7.0, length=10.0, specks=300)
        self.scanner.load(0, *[Sheet(page, page)] * HOPPER)


def cpu(sample: Sample) -> float:
    """Return seconds of CPU time."""
    return sample["cpu"]


def shown(pair: Pair) -> tuple[str, str]:
    """Return the figures of ours and of the original."""
    cells = [
        pair.cells(cpu, lambda value: f"{value:.2f}"),
        pair.cells(wall, lambda value: f"{value:.2f}"),
        pair.cells(lambda sample: sample["maxrss_kb"] / 1024, lambda value: f"{value:.0f} MiB"),
    ]
    return " / ".join(row[0] for row in cells), " / ".join(row[1] for row in cells)


def measure_fujitsu(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure scanimage on a document scanner, plain and with the clean-up of pages."""
    section = Section(
        "Document scanner",
        f"scanimage, {SIDES} sides of A4 in colour at 300 dpi ({MEGABYTES:.0f} MB), both sides of "
        "a sheet in one pass, from an emulated fi-7260 in a process of its own, behind a libusb "
        "without a bus. CPU seconds of scanimage / wall seconds / resident memory. "
        f"{rounds} rounds.",
        ("pages", "ours", "original", "CPU saved", "gain wall", "goal", "verdict"),
    )
    if bench.scanimage is None or not has_preload():
        section.add("duplex", ABSENT, ABSENT, "-", "-", "", UNMEASURED)
        return section
    fake = FakeUsb(bench.folder, VENDOR, UsbScanner.product)
    (bench.folder / "dll.conf").write_text("fujitsu\n")
    (bench.folder / "fujitsu.conf").write_text(
        f"option buffer-size 262144\nusb {VENDOR:#06x} {UsbScanner.product:#06x}\n"
    )
    try:
        add_row(bench, section, rounds, fake, ("as they come", "Stack", ()))
        add_row(bench, section, rounds, fake, ("deskewed, cropped, despeckled", "Askew", CLEAN_UP))
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        os.unlink(bench.folder / "fujitsu.conf")
    return section


def add_row(
    bench: Bench,
    section: Section,
    rounds: int,
    fake: FakeUsb,
    kind: tuple[str, str, tuple[str, ...]],
) -> None:
    """Add the row of one kind of sheets."""
    title, scanner, options = kind
    out: Path = bench.folder / "page%d.pnm"
    command = [str(bench.scanimage), "-d", f"fujitsu:{NAME}", *PAGE, *options]
    command += [f"--batch={out}", f"--batch-count={SIDES}"]
    with fake.peer(f"bench.fujitsu:{scanner}") as variables:

        def run(library: Library) -> Sample:
            return bench.launch(library, command, **variables)

        pair = alternate(bench, rounds, run)
    for path in bench.folder.glob("page*.pnm"):
        path.unlink()
    saved, gain = (quotient(*reversed(pair.values(value))) for value in (cpu, wall))
    met = pair.judge(both(at_least(saved, 1.0), at_least(gain, 1.0)))
    section.add(title, *shown(pair), times(saved), times(gain), ">= 1x both", met, pair=pair)
