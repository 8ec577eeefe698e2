"""A C backend under our dll and under the original's: the same library file, the same calls."""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING

from .measure import Pair, alternate, at_least
from .reads import BUFFERS, MAIN_BUFFER, PAGE, cpu_rate, wall_rate
from .report import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from .setting import Bench, Library, Sample

HEADS = ("", "ours", "original", "ours / original", "goal", "verdict")
CHOICE = "native test\n"  # pysane.conf: the distribution's libsane-test.so.1, not ours
SHARE = 0.97
SECONDS_A_CALL = "0.05"
CALLS = {
    "descriptor": "sane_get_option_descriptor",
    "get_int": "GET int",
    "get_string": "GET string",
    "set_int_changed": "SET int",
}


def measure_c_backends(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure the original's test device through both dispatchers."""
    section = Section(
        "A C backend",
        "The distribution's own test device, in C, under our libsane.so.1 and under the original: "
        "million calls per second; GB per CPU second and per second, Color pattern of the page "
        "above, on one processor: the backend's two threads and the pipe between them cost as "
        "much again on two, as the kernel happens to place them. "
        f"{rounds} rounds; the ratio is the median of theirs.",
        HEADS,
    )
    choice = bench.folder / "pysane.conf"
    choice.write_text(CHOICE)
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        pair = alternate(bench, rounds, caller(bench))
        for key, label in CALLS.items():
            add(section, pair, label, million(key), "{:.3g}")
        for buffer in [MAIN_BUFFER] if quick else list(BUFFERS):
            pair = alternate(bench, rounds, reader(bench, buffer))
            add(section, pair, f"sane_read of {buffer}, by CPU", cpu_rate, "{:.2f}")
            add(section, pair, f"sane_read of {buffer}, by time", wall_rate, "{:.2f}")
    finally:
        os.sched_setaffinity(0, processors)
        choice.unlink()
    return section


def caller(bench: Bench) -> Callable[[Library], Sample]:
    """Return what calls the option functions for a while."""
    return lambda library: bench.client(library, "control", "test:0", SECONDS_A_CALL)


def million(key: str) -> Callable[[Sample], float]:
    """Return what gives the million calls per second of a sample."""
    return lambda sample: sample[key] / 1e6


def reader(bench: Bench, buffer: str) -> Callable[[Library], Sample]:
    """Return what reads frames with buffers of that size."""
    options = (*PAGE, "test-picture=Color pattern")
    return lambda library: bench.client(
        library, "read", "test:0", str(BUFFERS[buffer]), "1", *options
    )


def add(
    section: Section, pair: Pair, label: str, value: Callable[[Sample], float], text: str
) -> None:
    """Add a row: whether ours reaches the original's speed, by pairs of neighbouring runs."""
    ratio = None
    if pair.original and not (pair.ours.failure or pair.original.failure):
        samples = zip(pair.ours.samples, pair.original.samples, strict=True)
        ratio = median(value(ours) / value(theirs) for ours, theirs in samples)
    met = pair.judge(at_least(ratio, SHARE))
    shown = "-" if ratio is None else f"{ratio:.1%}"
    section.add(label, *pair.cells(value, text.format), shown, f">= {SHARE:.0%}", met, pair=pair)
