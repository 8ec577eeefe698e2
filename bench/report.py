"""The tables of the bench: as text for a terminal, as Markdown, and as JSON for plots."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .setting import STAGE

if TYPE_CHECKING:
    from .measure import Pair
    from .setting import Bench

HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. Ours is the `libsane.so.1` of this tree, with its Python test
device; the original is the distribution's `libsane.so.1`, with its own test device in C. Both read
the same configuration, and the same program is run with either in turn (ours, original, ours,
original...). Figures are medians. **Gain** is the original's cost divided by ours: above 1x ours is
cheaper. Goals are judged on these figures, with whatever else the machine was doing.
"""


class Section:
    """One table: title, a sentence about what was measured, column heads, rows of cells."""

    def __init__(self, title: str, note: str, heads: tuple[str, ...]) -> None:
        self.title = title
        self.note = note
        self.heads = heads
        self.rows: list[tuple[str, ...]] = []
        self.failures: list[str] = []

    def add(self, *cells: str, pair: Pair | None = None) -> None:
        """Add a row; the last cell is the verdict, "" where there is no goal.

        pair: what it shows; its failures are listed below the table.
        """
        for failure in pair.failures() if pair else ():
            if failure not in self.failures:
                self.failures.append(failure)
        if len(cells) != len(self.heads):
            raise ValueError(f"{len(cells)} cells under {len(self.heads)} heads")
        self.rows.append(cells)

    def lines(self, edge: str) -> list[str]:
        """Return head, rule and rows with padded cells; *edge* is "|" for Markdown."""
        table = [self.heads, *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.heads))]
        rule = tuple("-" * width for width in widths)
        found = []
        for row in (self.heads, rule, *self.rows):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            text = f" {edge} ".join(cells) if edge else "  ".join(cells)
            found.append(f"{edge} {text} {edge}" if edge else text.rstrip())
        return found

    def remarks(self) -> list[str]:
        """Return the reasons behind FAILED, one paragraph each."""
        return [line for failure in self.failures for line in ("", f"FAILED: {failure}")]

    def text(self) -> str:
        """Return the table for a terminal."""
        return "\n".join([f"{self.title}: {self.note}", "", *self.lines(""), *self.remarks(), ""])

    def markdown(self) -> str:
        """Return the table as a section of docs/benchmarks.md."""
        return "\n".join(
            [f"## {self.title}", "", self.note, "", *self.lines("|"), *self.remarks(), ""]
        )


def machine(bench: Bench) -> list[tuple[str, str]]:
    """Return what the figures depend on, by name."""
    load = os.getloadavg()[0]
    return [
        ("CPU", f"{cpu_name()}, {os.cpu_count()} cores"),
        ("system", f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}"),
        ("load before the run", f"{load:.1f}"),
        ("Python behind ours", f"{platform.python_version()} ({soabi()})"),
        ("original", original_version(bench)),
    ]


def cpu_name() -> str:
    """Return the processor's name as the kernel gives it, else the architecture."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return f"{value.strip()} ({platform.machine()})"
    return platform.machine()


def soabi() -> str:
    """Return which Python the staged library starts."""
    for line in (STAGE / "lib" / "pysane" / "pysane.runtime").read_text().splitlines():
        if line.startswith("soabi="):
            return line.partition("=")[2]
    return "unknown"


def original_version(bench: Bench) -> str:
    """Return the version of the distribution's library, as its scanimage tells it."""
    if bench.original is None:
        return "not installed: ours alone"
    if bench.scanimage is None:
        return bench.original.path.name
    environment = bench.environment(bench.original)
    done = subprocess.run(
        [bench.scanimage, "-V"], env=environment, capture_output=True, text=True, check=False
    )
    return f"{bench.original.path.name}, {done.stdout.strip()}"


def markdown(facts: list[tuple[str, str]], sections: list[Section]) -> str:
    """Return the whole of docs/benchmarks.md."""
    width = max(len(name) for name, _ in facts), max(len(value) for _, value in facts)
    rows = [("", ""), ("-" * width[0], "-" * width[1]), *facts]
    table = [f"| {name.ljust(width[0])} | {value.ljust(width[1])} |" for name, value in rows]
    return "\n".join([HEAD, *table, "", *(section.markdown() for section in sections)])


def record(facts: list[tuple[str, str]], sections: list[Section]) -> str:
    """Return the whole of docs/benchmarks.json: what stands in the tables, cell by cell."""
    tables = [
        {
            "title": section.title,
            "note": section.note,
            "heads": section.heads,
            "rows": section.rows,
            "failures": section.failures,
        }
        for section in sections
    ]
    return json.dumps({"machine": facts, "sections": tables}, indent=1) + "\n"


def recorded(text: str) -> tuple[list[tuple[str, str]], list[Section]]:
    """Return what *record* has written; raises ValueError for what it cannot have."""
    found = json.loads(text)
    sections = []
    for table in found["sections"]:
        section = Section(table["title"], table["note"], tuple(table["heads"]))
        for row in table["rows"]:
            section.add(*row)
        section.failures = list(table["failures"])
        sections.append(section)
    return [(name, value) for name, value in found["machine"]], sections
