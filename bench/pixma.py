"""Canon rows: pages over TCP and USB into scanimage, and a list among silent hosts.

The units are emulated, in Python, in a process of their own; their page is one row repeated, so
that they cost little beside the programs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from .fujitsu import gains, shown
from .measure import ABSENT, UNMEASURED, alternate, at_least, both, times
from .report import Section
from .setting import ROOT, BenchError
from .usb import SERIAL, FakeUsb, has_preload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .measure import Pair
    from .setting import Bench, Library, Sample

HOST = "127.0.0.81"
SILENT = [f"127.0.0.{number}" for number in range(82, 87)]
PAGE = ("--mode", "Color", "--format=pnm")
LOW, HIGH = 75, 300  # dpi
MEGABYTES = 2552 * 3508 * 3 / 1e6


class Unit(NamedTuple):
    """A unit that is measured: its model, product id on USB, and what is particular."""

    model: str
    product: int
    title: str


UNITS = (
    Unit("MP560", 0x173E, "inkjet, CIS"),
    Unit("MF4410", 0x2737, "laser"),
)


@contextlib.contextmanager
def unit_at(model: str) -> Iterator[None]:
    """Let an emulated unit listen at HOST."""
    command = [sys.executable, "-m", "bench.pixma_unit", model, HOST]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if not process.stdout.readline():
                raise BenchError("the emulated unit does not start")
            yield
        finally:
            process.terminate()


def measure_pixma(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure pages of a CIS and of a laser unit, and a list."""
    section = Section(
        "Canon units",
        f"scanimage, a page in colour at 300 dpi ({MEGABYTES:.0f} MB) from an emulated unit in a "
        "process of its own, over TCP and behind a libusb without a bus; and scanimage -L with one "
        f"unit and {len(SILENT)} hosts that do not answer. CPU seconds of scanimage / wall seconds "
        f"/ resident memory. Of a page, CPU seconds are those beyond a page at {LOW} dpi, so that "
        f"starting Python is not in them. {rounds} rounds.",
        ("program", "ours", "original", "CPU saved", "gain wall", "goal", "verdict"),
    )
    if bench.scanimage is None:
        section.add("page", ABSENT, ABSENT, "-", "-", "", UNMEASURED)
        return section
    (bench.folder / "dll.conf").write_text("pixma\n")
    try:
        for unit in UNITS:
            add_page(bench, section, rounds, unit)
            if has_preload():
                add_usb_page(bench, section, rounds, unit)
        add_list(bench, section, min(rounds, 3))
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        os.unlink(bench.folder / "pixma.conf")
    return section


def add_row(section: Section, title: str, pair: Pair, goal: str) -> None:
    """Add a row; goal: "both", or "wall" where CPU time does not count."""
    saved, gain = gains(pair)
    met = at_least(gain, 1.0)
    met = both(at_least(saved, 1.0), met) if goal == "both" else met
    text = ">= 1x both" if goal == "both" else ">= 1x wall"
    section.add(title, *shown(pair), times(saved), times(gain), text, pair.judge(met), pair=pair)


def add_page(bench: Bench, section: Section, rounds: int, unit: Unit) -> None:
    """Add the row of a page over TCP."""
    (bench.folder / "pixma.conf").write_text(f"auto_detection=no\nbjnp://{HOST}\n")
    name = f"pixma:{unit.model}_{HOST}"
    with unit_at(unit.model):
        pair = alternate(bench, rounds, lambda library: page(bench, library, name))
    add_row(section, f"page, {unit.title}, TCP", pair, "both")


def page(bench: Bench, library: Library, name: str, **variables: str) -> Sample:
    """Scan a page; its CPU seconds are those beyond a small one."""
    samples = {}
    sink = bench.folder / "sink"
    for dpi in (LOW, HIGH):
        # scanimage removes the file of a scan that fails: a link to /dev/null, not that itself.
        sink.unlink(missing_ok=True)
        sink.symlink_to(os.devnull)
        command = [str(bench.scanimage), "-d", name, "--resolution", str(dpi), *PAGE]
        command += ["-o", str(sink)]
        samples[dpi] = bench.launch(library, command, **variables)
    found = dict(samples[HIGH])
    found["cpu"] = max(0.001, found["cpu"] - samples[LOW]["cpu"])
    return found


def add_usb_page(bench: Bench, section: Section, rounds: int, unit: Unit) -> None:
    """Add the row of a page over USB."""
    (bench.folder / "pixma.conf").write_text("networking=no\n")
    fake = FakeUsb(bench.folder, 0x04A9, unit.product)
    name = f"pixma:04A9{unit.product:04X}_{SERIAL}"
    with fake.peer(f"bench.pixma_unit:{unit.model}") as variables:

        def run(library: Library) -> Sample:
            return page(bench, library, name, **variables)

        pair = alternate(bench, rounds, run)
    add_row(section, f"page, {unit.title}, USB", pair, "both")


def add_list(bench: Bench, section: Section, rounds: int) -> None:
    """Add the row of a list in which most hosts are silent."""
    with contextlib.ExitStack() as stack:
        lines = ["auto_detection=no", "bjnp-timeout=1000"]
        for host in SILENT:
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((host, 8612))
            lines.append(f"bjnp://{host}")
        lines.append(f"bjnp://{HOST}")
        (bench.folder / "pixma.conf").write_text("".join(f"{line}\n" for line in lines))
        stack.enter_context(unit_at("MP560"))
        command = [str(bench.scanimage), "-L"]
        pair = alternate(bench, rounds, lambda library: bench.launch(library, command))
    add_row(section, f"list, {len(SILENT)} silent hosts", pair, "wall")
