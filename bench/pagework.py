"""Page work: CPU seconds of each step on a page, and memory of documents of 5 and 500 pages.

Run on its own, with "steps" and a number of rounds, or "document" and a number of pages, it prints
the figures.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from .measure import MISSED
from .report import Section
from .setting import STAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .setting import Bench

WIDTH, LINES, DPI = 2480, 3508, 300.0  # A4
ANGLE = 2.0
LIMIT_SECONDS = 0.150  # a step on one core
PAGE_SECONDS = 2.0  # of two cores a page: a feeder of 60 pages a minute never waits
FEW, MANY = 5, 500
SLACK = 1.2  # of memory: facts of pages, one page more or less under way
STEPS = ("deskew", "crop", "blank")


def printed(angle: float) -> Any:
    """Return a gray page of bars as long and as high as words, turned by *angle* degrees."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(1)
    page = np.full((LINES, WIDTH), 245, np.uint8)
    for y in range(300, LINES - 300, 60):
        x = 250
        while x < WIDTH - 400:
            size = int(rng.integers(5, 30))  # a letter of 11 points, and what is between them
            page[y - int(rng.integers(18, 34)) : y, x : x + size : 2] = 30
            x += size + int(rng.choice((4, 4, 4, 14)))
    turned = Image.fromarray(page).rotate(-angle, Image.Resampling.BICUBIC, fillcolor=245)
    noise = rng.normal(0, 2, page.shape)
    return np.clip(np.asarray(turned) + noise, 0, 255).astype(np.uint8)


def measure_pagework(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure in Pythons of their own, on the compiled package."""
    section = Section(
        "Page work",
        f"sane.pagework: an A4 page at 300 dpi in gray. CPU milliseconds of a step on one core, of "
        "all of them with JPEG for a PDF. Then peak memory of a Python that puts pages through a "
        f"pipeline and writes a PDF, {FEW} and {MANY} pages. {rounds} rounds.",
        ("what", "measured", "limit", "of the limit", "verdict"),
    )
    sample = bench.program(sys.executable, "-m", "bench.pagework", "steps", str(rounds))
    for name, limit in [*((name, LIMIT_SECONDS) for name in STEPS), ("all and JPEG", PAGE_SECONDS)]:
        seconds = sample[name.split()[0]]
        share = seconds / limit
        cells = f"{seconds * 1e3:.0f} ms", f"{limit * 1e3:.0f} ms", f"{share:.2f}"
        section.add(name, *cells, "met" if share <= 1 else MISSED)
    few, many = (
        bench.program(sys.executable, "-m", "bench.pagework", "document", str(pages))["peak"]
        for pages in (FEW, 50 if quick else MANY)
    )
    cells = f"{many:.0f} MiB", f"{few:.0f} MiB of {FEW} pages", f"{many / few:.2f}"
    section.add("many pages", *cells, "met" if many <= SLACK * few else MISSED)
    return section


def cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median of this thread's CPU time."""
    found = []
    for _ in range(rounds):
        begin = time.thread_time()
        work()
        found.append(time.thread_time() - begin)
    return median(found)


def measure_steps(rounds: int) -> None:
    """Print CPU seconds of each step, and of all with the page's compression."""
    from sane.pagework.encode import picture_of
    from sane.pagework.sheet import Sheet
    from sane.pagework.steps import steps_for

    sheet = Sheet(printed(ANGLE), mode="gray", dpi=(DPI, DPI))
    steps = steps_for(deskew=True, crop="auto", blank=0.3)

    def everything() -> None:
        page = sheet
        for step in steps:
            page = step.work(page)
        assert abs(page.facts["skew"] - ANGLE) < 0.1, page.facts
        picture_of(page, "pdf")

    everything()  # the libraries are there now
    for step in steps:
        print(f"{step.name} {cpu_seconds(lambda work=step.work: work(sheet), rounds)}")  # type: ignore[misc]
    print(f"all {cpu_seconds(everything, rounds)}")


def measure_document(pages: int) -> None:
    """Print the peak memory in MiB."""
    import numpy as np

    from sane.pagework.pipeline import Pipeline
    from sane.pagework.sheet import Sheet
    from sane.pagework.spool import Spool
    from sane.pagework.steps import steps_for
    from sane.pagework.writers import write

    block = np.random.default_rng(1).integers(0, 255, (100, 100), dtype=np.uint8)
    page = np.tile(block, (11, 16))
    with tempfile.TemporaryDirectory() as folder, Spool() as spool:
        with Pipeline(spool, steps_for(blank=0.3), format="pdf", workers=2) as line:
            for number in range(1, pages + 1):
                line.put(Sheet(page.copy(), mode="gray", dpi=(DPI, DPI), number=number))
            done = line.end()
        write(done, os.path.join(folder, "a.pdf"), "pdf")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}")


if __name__ == "__main__":
    sys.path.insert(0, str(STAGE / "lib" / "pysane"))
    if sys.argv[1] == "steps":
        measure_steps(int(sys.argv[2]))
    else:
        measure_document(int(sys.argv[2]))
