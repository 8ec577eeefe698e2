"""Rows about our own scanimage beside the original, each on its own drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .calls import HEADS
from .measure import ABSENT, UNMEASURED, alternate
from .programs import A4, cpu_cells
from .report import Section
from .setting import STAGE

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

OWN = str(STAGE / "bin" / "pysane-scanimage")
ROWS = {
    "-V": ("-V",),
    "-L": ("-L",),
    "-A": ("-d", "test:0", "--format=pnm", "-A"),
    "a page of 200 x 200 mm, 300 dpi, colour, as PNM": A4,
    "the same as PNG": (*A4, "--format=png"),
    "the same as JPEG": (*A4, "--format=jpeg"),
}


def measure_scanimage(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure short runs of pysane-scanimage and of scanimage from start to end."""
    section = Section(
        "Our own scanimage",
        "pysane-scanimage beside the distribution's scanimage on its own libsane, from spawn to "
        "exit, output to /dev/null: wall time and CPU time. Ours starts a Python with the packages "
        f"of its site. {rounds} rounds.",
        HEADS,
    )
    original = bench.scanimage
    if original is None:
        section.add("pysane-scanimage", ABSENT, ABSENT, "-", "", UNMEASURED)
        return section
    for label, arguments in ROWS.items():

        def run(library: Library, arguments: tuple[str, ...] = arguments) -> Sample:
            program = OWN if library is bench.ours else original
            return bench.launch(library, (program, *arguments))

        pair = alternate(bench, rounds, run)
        section.add(label, *cpu_cells(pair), "", "", pair=pair)
    return section
