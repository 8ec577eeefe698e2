"""Rows about programs in Python: pages by python-sane and by ours, start-up, and the new API."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .measure import ABSENT, MISSED, UNMEASURED, times
from .report import Section
from .setting import STAGE, BenchError

if TYPE_CHECKING:
    from .setting import Bench, Sample

PYTHON = "/usr/bin/python3"  # for which the distribution has python-sane
PROGRAM = str(Path(__file__).with_name("python_page.py"))
API = str(Path(__file__).with_name("python_api.py"))
PACKAGE = str(STAGE / "lib" / "pysane")
FASTER = 1.5
PEAK = 1.1  # of a page, with what NumPy and the interpreter take meanwhile
IMPORT_SECONDS = 0.03
STREAM_MIB = 40  # of any page, over what NumPy takes
CANCEL_MS = 100
PAGES = (("300", "arr_scan"), ("1200", "arr_scan"), ("300", "scan"))
KINDS = {"arr_scan": "array", "scan": "PIL image"}
HEADS = ("page of 200 x 200 mm", "ours", "python-sane", "ours / python-sane", "goal", "verdict")


def has_python_sane() -> bool:
    """Tell whether the distribution's Python has python-sane, NumPy and PIL."""
    command = [PYTHON, "-c", "import _sane, numpy, PIL"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def measure_python(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure pages as arrays and images, both on our libsane, and the import."""
    section = Section(
        "Programs in Python",
        "arr_scan and scan of the test device in colour, 8 bits: MB per CPU second, and the peak "
        f"of memory above the start in pages; python-sane on our libsane. {rounds} rounds.",
        HEADS,
    )
    has_peer = has_python_sane()
    for dpi, call in PAGES:
        ours = page(bench, sys.executable, dpi, call, rounds, PYTHONPATH=PACKAGE)
        theirs = page(bench, PYTHON, dpi, call, rounds) if has_peer else None
        add_page(section, f"{KINDS[call]}, {dpi} dpi", call, ours, theirs)
    add_api(bench, section, rounds, has_peer=has_peer)
    seconds = import_seconds(rounds)
    met = "met" if seconds <= IMPORT_SECONDS else MISSED
    goal = f"<= {IMPORT_SECONDS * 1e3:.0f} ms"
    section.add("import sane", f"{seconds * 1e3:.1f} ms CPU", "", "", goal, met)
    return section


def add_api(bench: Bench, section: Section, rounds: int, *, has_peer: bool) -> None:
    """Add the rows of the new API: a Page, a Stream, and the cancel of a task."""

    def api(dpi: str, what: str) -> Sample | str:
        arguments = (dpi, what, str(rounds))
        try:
            return bench.program(sys.executable, API, *arguments, PYTHONPATH=PACKAGE)
        except BenchError as exc:
            return str(exc)

    for dpi in ("300", "1200"):
        theirs = page(bench, PYTHON, dpi, "arr_scan", rounds) if has_peer else None
        add_page(section, f"Page, {dpi} dpi", "arr_scan", api(dpi, "page"), theirs)
    for name, dpi, what, key, limit in (
        ("Stream of 268 MB: peak", "1200", "stream", "mib", STREAM_MIB),
        ("cancel of an asyncio task, the slowest", "300", "cancel", "ms", CANCEL_MS),
    ):
        found = api(dpi, what)
        unit = "MiB" if key == "mib" else "ms"
        if isinstance(found, str):
            section.failures.append(f"{name}: {found}")
            section.add(name, "FAILED", "", "-", "", UNMEASURED)
            continue
        met = "met" if found[key] <= limit else MISSED
        section.add(name, f"{found[key]:.1f} {unit}", "", "", f"<= {limit} {unit}", met)


def page(
    bench: Bench, python: str, dpi: str, call: str, rounds: int, **variables: str
) -> Sample | str:
    """Return what the program prints in *python*, or why it failed."""
    try:
        return bench.program(python, PROGRAM, dpi, call, str(rounds), **variables)
    except BenchError as exc:
        return str(exc)


def add_page(
    section: Section, name: str, call: str, ours: Sample | str, theirs: Sample | str | None
) -> None:
    """Add a page's two rows: its speed, and its memory."""
    if isinstance(ours, str):
        section.failures.append(f"{name}: {ours}")
        section.add(name, "FAILED", "", "-", "", UNMEASURED)
        return
    peer = theirs if isinstance(theirs, dict) else None
    gain = None if peer is None else ours["cpu"] / peer["cpu"]
    cells = [ABSENT] * 2 if peer is None else [f"{peer['cpu'] / 1e6:.0f}", f"{peer['peak']:.2f}"]
    met = UNMEASURED if gain is None else "met" if gain >= FASTER else MISSED
    goal = f">= {FASTER}x"
    section.add(f"{name}: MB/s", f"{ours['cpu'] / 1e6:.0f}", cells[0], times(gain), goal, met)
    share = "-" if peer is None else f"{ours['peak'] / peer['peak']:.2f}"
    goal, met = "", ""
    if call == "arr_scan":
        goal, met = f"<= {PEAK} pages", "met" if ours["peak"] <= PEAK else MISSED
    section.add(f"{name}: peak", f"{ours['peak']:.2f} pages", cells[1], share, goal, met)


def import_seconds(rounds: int) -> float:
    """Return the CPU seconds that ``import sane`` takes more than an interpreter without it."""
    environ = {"PYTHONPATH": PACKAGE, "PATH": os.defpath}
    spent: dict[str, list[float]] = {"pass": [], "import sane": []}
    for _ in range(rounds):
        for code, found in spent.items():
            before = children_seconds()
            subprocess.run([sys.executable, "-c", code], env=environ, check=True)
            found.append(children_seconds() - before)
    return median(spent["import sane"]) - median(spent["pass"])


def children_seconds() -> float:
    """Return the CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
