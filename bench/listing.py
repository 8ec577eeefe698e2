"""Rows about sane_get_devices with the distribution's dll.conf: many C backends at once."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .calls import HEADS, wall, wall_cells
from .measure import UNMEASURED, alternate, at_most
from .report import Section
from .setting import PROGRAMS, TIMEOUT_SECONDS

if TYPE_CHECKING:
    from .measure import Pair
    from .setting import Bench, Library, Sample

STOCK = Path("/etc/sane.d/dll.conf")
MORE_SECONDS = 0.2  # than the slowest backend alone
KEPT_SECONDS = 0.05
ANSWERED = re.compile(r"backend (\S+): answered after (\d+) ms")


def measure_listing(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure lists of all backends, of the slowest alone, and a list that was kept."""
    section = Section(
        "Listing devices",
        f"sane_get_devices with {STOCK} as the distribution ships it. {rounds} rounds.",
        HEADS,
    )
    if not STOCK.exists():
        section.add("all backends", *["not installed"] * 2, "-", "", UNMEASURED)
        return section
    folder = bench.folder / "listing"
    folder.mkdir(exist_ok=True)
    # Behind ours the system's directories: the backends' own files are the system's.
    variables = {"SANE_CONFIG_DIR": f"{folder}:", "XDG_CACHE_HOME": str(folder)}

    def run(library: Library) -> Sample:
        return bench.client(library, "list", **variables)

    def configure(dll: str, own: str = "") -> None:
        (folder / "dll.conf").write_text(dll)
        (folder / "pysane.conf").write_text(own)

    configure(STOCK.read_text())
    slowest, count = _slowest(bench, variables)
    everything = alternate(bench, rounds, run)
    configure(f"{slowest}\n")
    alone = alternate(bench, rounds, run)
    configure(STOCK.read_text(), "list-cache 300\n")
    run(bench.ours)
    kept = alternate(bench, rounds, run)
    section.add(f"its slowest backend alone, {slowest}", *_cells(alone), "", "", pair=alone)
    slow = alone.values(wall)[0]
    limit = None if slow is None else at_most(everything.values(wall)[0], slow + MORE_SECONDS)
    section.add(
        f"all {count} C backends",
        *_cells(everything),
        "the slowest + 200 ms",
        everything.judge(limit),
        pair=everything,
    )
    met = kept.judge(at_most(kept.values(wall)[0], KEPT_SECONDS))
    section.add("the same, kept (list-cache)", *_cells(kept), "< 50 ms", met, pair=kept)
    return section


def _cells(pair: Pair) -> tuple[str, str, str]:
    texts = pair.cells(wall, lambda seconds: f"{seconds:.3f} s")
    return *texts, wall_cells(pair)[2]


def _slowest(bench: Bench, variables: dict[str, str]) -> tuple[str, int]:
    """Return the C backend that took the longest, and how many were asked."""
    environment = {**bench.environment(bench.ours), **variables, "SANE_DEBUG_DLL": "5"}
    done = subprocess.run(
        [str(PROGRAMS / "client"), "list"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    times = {name: int(ms) for name, ms in ANSWERED.findall(done.stderr)}
    return max(times, key=lambda name: times[name]), len(times)
