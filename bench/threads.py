"""Eight devices read from eight threads of one process, against one device from one thread."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .measure import FAILED, MISSED
from .reads import PAGE, wall_rate
from .report import Section
from .setting import BenchError

if TYPE_CHECKING:
    from .setting import Bench

BUFFER, SECONDS, THREADS = "32768", "0.2", 8
# What reads -> its first device, options, and the share of one thread's bytes to be reached.
DRIVERS: dict[str, tuple[str, tuple[str, ...], float]] = {
    "a compiled reader (test)": ("test:0", PAGE, 1.3),
    "read_into in plain Python": ("plain:0", (), 0.95),
}


def measure_threads(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure both kinds of driver with ours; the original's readers are processes of their own."""
    section = Section(
        "Eight devices at once",
        f"Eight devices of one backend, each read by a thread of its own for {SECONDS} s with a "
        f"buffer of 32 KiB, and one by one thread: GB per second, all together. {rounds} rounds.",
        ("driver", "one thread", "eight threads", "share", "goal", ""),
    )
    with (bench.folder / "test.conf").open("a") as conf:
        conf.write(f"\nnumber_of_devices {THREADS}\n")
    for label, (device, options, share) in DRIVERS.items():
        rates: dict[int, list[float]] = {1: [], THREADS: []}
        goal = f">= {share}"
        try:
            for _ in range(rounds):
                for count, found in rates.items():
                    words = ("threads", device, str(count), BUFFER, SECONDS, *options)
                    found.append(wall_rate(bench.client(bench.ours, *words)))
        except BenchError as exc:
            section.failures.append(f"{label} {exc}")
            section.add(label, FAILED, FAILED, "-", goal, MISSED)
            continue
        one, eight = (median(found) for found in rates.values())
        met = "met" if eight >= share * one else MISSED
        section.add(label, f"{one:.2f}", f"{eight:.2f}", f"{eight / one:.2f}", goal, met)
    return section
