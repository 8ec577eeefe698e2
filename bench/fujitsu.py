"""Document scanner rows: both sides of sheets in colour over USB into scanimage.

The scanner is emulated, in Python, in a process of its own, behind a libusb without a bus.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sane.testing.fujitsu import Sheet, Slanted, formula
from sane.testing.fujitsu.usb import VENDOR, UsbScanner

from .calls import wall
from .measure import ABSENT, UNMEASURED, alternate, at_least, at_most, both, quotient, times
from .report import Section
from .usb import NAME, FakeUsb, has_preload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sane.testing.esci.page import Page
    from sane.testing.esci.page import Window as PageWindow

    from .measure import Pair
    from .setting import Bench, Library, Sample

SIDES = 6
SHEETS, SHEET_SECONDS, MOST_LATE = 10, 1.0, 1.05
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
        page = Drawn(Slanted(width=7.0, length=10.0, specks=300))
        self.scanner.load(0, *[Sheet(page, page)] * HOPPER)


class Paced(Askew):
    """One that a sheet leaves every second, if the host asks for the next in time."""

    def __init__(self) -> None:
        super().__init__()
        self.scanner.sheet_seconds = SHEET_SECONDS


class Drawn:
    """A page whose rows are kept: drawing them takes longer than a scanner does."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._rows: dict[object, list[bytes]] = {}

    def __call__(self, piece: PageWindow) -> Iterator[bytes]:
        key = piece.left, piece.top, piece.width, piece.lines, piece.channels, piece.side % 2
        if key not in self._rows:
            self._rows[key] = list(self._page(piece))
        return iter(self._rows[key])


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


def gains(pair: Pair) -> tuple[float | None, float | None]:
    """Return how many times ours the original's CPU time is, and its wall time."""
    saved, gain = (quotient(*reversed(pair.values(value))) for value in (cpu, wall))
    return saved, gain


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
        add_pace(bench, section, 1 if quick else min(rounds, 3), fake)
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        os.unlink(bench.folder / "fujitsu.conf")
    return section


def scan_batch(
    bench: Bench, rounds: int, fake: FakeUsb, scanner: str, command: tuple[str, ...], sides: int
) -> Pair:
    """Scan so many *sides* with *command*; scanner: the class that answers."""
    out: Path = bench.folder / "page%d.pnm"
    words = [*command, "-d", f"fujitsu:{NAME}", *PAGE, f"--batch={out}", f"--batch-count={sides}"]
    with fake.peer(f"bench.fujitsu:{scanner}") as variables:

        def run(library: Library) -> Sample:
            return bench.launch(library, words, **variables)

        pair = alternate(bench, rounds, run)
    for path in bench.folder.glob("page*.pnm"):
        path.unlink()
    return pair


def add_row(
    bench: Bench,
    section: Section,
    rounds: int,
    fake: FakeUsb,
    kind: tuple[str, str, tuple[str, ...]],
) -> None:
    """Add the row of one kind of sheets."""
    title, scanner, options = kind
    pair = scan_batch(bench, rounds, fake, scanner, (str(bench.scanimage), *options), SIDES)
    saved, gain = gains(pair)
    met = pair.judge(both(at_least(saved, 1.0), at_least(gain, 1.0)))
    section.add(title, *shown(pair), times(saved), times(gain), ">= 1x both", met, pair=pair)


def add_pace(bench: Bench, section: Section, rounds: int, fake: FakeUsb) -> None:
    """Add the row of a feeder that is not to wait: scanimage has one processor."""
    command = ("taskset", "--cpu-list", "0", str(bench.scanimage), *CLEAN_UP)
    pair = scan_batch(bench, rounds, fake, "Paced", command, 2 * SHEETS)
    saved, gain = gains(pair)
    longest = SHEETS * SHEET_SECONDS * MOST_LATE
    met = pair.judge(at_most(pair.values(wall)[0], longest))
    title = f"cleaned, on one processor, {SHEETS} sheets at {60 / SHEET_SECONDS:.0f} a minute"
    goal = f"wall <= {longest:.1f} s"
    section.add(title, *shown(pair), times(saved), times(gain), goal, met, pair=pair)
