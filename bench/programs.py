"""Rows that are whole processes: scanimage, and a host that does next to nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from .calls import HEADS, milliseconds, wall, wall_cells
from .measure import ABSENT, UNMEASURED, Pair, alternate, at_most, both, quotient, times
from .report import Section
from .setting import PROGRAMS, TIMEOUT_SECONDS, BenchError

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

PAGE = ("-d", "test:0", "--format=pnm", "--mode", "Color", "-x", "200")
A4 = (*PAGE, "-y", "200", "--resolution", "300", "--test-picture", "Color pattern")
HUGE = (*PAGE, "--resolution", "1200", "--depth", "16", "--test-picture", "Color pattern")
SIZES = {"51 MB": "19", "501 MB": "187"}  # mm at 1200 dpi
SLOW = ("--read-delay=yes", "--read-delay-duration", "200000")
LIST_GOAL = 30 / 4  # 30 ms where the original takes 4
FLAT_MIB = 1.0


def cpu_cells(pair: Pair) -> tuple[str, str, str]:
    """Return wall and CPU time of both, and the gain by wall."""
    ours, original = pair.cells(wall, milliseconds)
    used = pair.cells(lambda sample: sample["cpu"], lambda value: f"{value * 1e3:.1f} CPU")
    cells = [a if a == b else f"{a} ({b})" for a, b in zip((ours, original), used, strict=True)]
    return cells[0], cells[1], wall_cells(pair)[2]


def measure_programs(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure short programs from start to end."""
    section = Section(
        "Whole programs",
        f"From spawn to exit, output to /dev/null: wall time and CPU time. {rounds} rounds.",
        HEADS,
    )
    client = str(PROGRAMS / "client")
    idle = alternate(bench, rounds, lambda library: bench.launch(library, (client, "idle")))
    init = alternate(bench, rounds, lambda library: bench.launch(library, (client, "init")))
    section.add("linked with libsane, no call", *cpu_cells(idle), "", "", pair=idle)
    met = init.judge(at_most(init.values(wall)[0], 0.002))
    section.add("sane_init and sane_exit only", *cpu_cells(init), "< 2 ms", met, pair=init)
    if bench.scanimage is None:
        section.add("scanimage -L", ABSENT, ABSENT, "-", "", UNMEASURED)
        return section
    scanimage = bench.scanimage
    listing = alternate(bench, rounds, lambda library: bench.launch(library, (scanimage, "-L")))
    ours, original = listing.values(wall)
    met = listing.judge(at_most(quotient(ours, original), LIST_GOAL))
    goal = "<= 30 ms where the original takes 4"
    if original is None:
        goal, met = "<= 30 ms", listing.judge(at_most(ours, 0.03))
    section.add("scanimage -L", *cpu_cells(listing), goal, met, pair=listing)
    add_instructions(bench, section, scanimage)
    scan = alternate(bench, rounds, lambda library: bench.launch(library, (scanimage, *A4)))
    section.add("scanimage, 200 x 200 mm, 300 dpi", *cpu_cells(scan), "", "", pair=scan)
    return section


def add_instructions(bench: Bench, section: Section, scanimage: str) -> None:
    """Add the same listing in instructions: a count that nothing else on the machine changes."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        section.add("scanimage -L, instructions", ABSENT, ABSENT, "-", "", "")
        return
    command = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", scanimage, "-L")

    def count(library: Library) -> Sample:
        return {"instructions": bench.instructions(library, command)}

    pair = alternate(bench, 1, count)
    cells = pair.cells(lambda s: s["instructions"] / 1e6, lambda value: f"{value:.1f} million")
    ours, original = pair.values(lambda sample: sample["instructions"])
    section.add(
        "the same, instructions", *cells, times(quotient(original, ours)), "", "", pair=pair
    )


def measure_memory(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure the peak of a small and of a large scan."""
    section = Section(
        "Memory",
        "Peak resident memory (ru_maxrss) of scanimage: Color pattern, 16 bit, 1200 dpi. "
        f"{rounds} rounds.",
        HEADS,
    )
    scanimage = bench.scanimage
    if scanimage is None:
        section.add("scanimage", ABSENT, ABSENT, "-", "<= 30 MB, flat", UNMEASURED)
        return section

    def peak(sample: Sample) -> float:
        return sample["maxrss_kb"] / 1024

    peaks = []
    for label, height in SIZES.items():

        def run(library: Library, height: str = height) -> Sample:
            return bench.launch(library, (scanimage, *HUGE, "-y", height))

        pair = alternate(bench, rounds, run)
        ours, original = pair.values(peak)
        peaks.append((ours, original))
        cells = pair.cells(peak, lambda value: f"{value:.1f} MiB")
        met = pair.judge(at_most(ours, 30e6 / 2**20))
        gain = times(quotient(original, ours))
        section.add(f"scan of {label}", *cells, gain, "<= 30 MB", met, pair=pair)
    growth = [
        None if small is None or large is None else large - small
        for small, large in zip(*peaks, strict=True)
    ]
    shown = ("-" if value is None else f"{value:+.1f} MiB" for value in growth)
    goal = f"flat: within {FLAT_MIB:.0f} MiB"
    section.add(
        "the larger needs more", *shown, "-", goal, pair.judge(at_most(growth[0], FLAT_MIB))
    )
    return section


def measure_interrupt(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure SIGINT in the middle of a slow scan."""
    section = Section(
        "SIGINT",
        "From SIGINT to the end of scanimage, whose device delivers a block each 200 ms; and the "
        f"exit status. {rounds} rounds.",
        HEADS,
    )
    scanimage = bench.scanimage
    if scanimage is None:
        section.add("scanimage", ABSENT, ABSENT, "-", "< 250 ms", UNMEASURED)
        return section
    command = [scanimage, *PAGE, "-y", "200", "-p", *SLOW]
    pair = alternate(bench, rounds, lambda library: interrupt(bench, library, command))
    ours, original, gain = wall_cells(pair)
    found = [
        sorted({int(sample["status"]) for sample in measured.samples}) if measured else []
        for measured in (pair.ours, pair.original)
    ]
    ends = [" or ".join(map(str, statuses)) or "-" for statuses in found]
    same = None if pair.original is None else found[0] == found[1]
    section.add(
        "scanimage",
        f"{ours}, status {ends[0]}",
        f"{original}, status {ends[1]}",
        gain,
        "< 250 ms, the same status",
        pair.judge(both(at_most(pair.values(wall)[0], 0.25), same)),
        pair=pair,
    )
    return section


def interrupt(bench: Bench, library: Library, command: list[str]) -> Sample:
    """Start a slow scan, send SIGINT once it makes progress, and time the end."""
    process = subprocess.Popen(
        command,
        env=bench.environment(library),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    watchdog = threading.Timer(TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    try:
        heard = b""
        assert process.stderr is not None
        while b"Progress" not in heard:
            data = os.read(process.stderr.fileno(), 4096)
            if not data:
                raise BenchError(f"scanimage ended: {heard.decode(errors='replace').strip()}")
            heard += data
        time.sleep(0.05)  # into the wait for the next block
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        status = process.wait()  # without a timeout: with one it would poll
        return {"wall": time.monotonic() - begin, "status": float(status)}
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
