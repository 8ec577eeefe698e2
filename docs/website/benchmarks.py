"""Pictures of the benchmarks, made of what `make bench` has measured (docs/benchmarks.json).

One form for all: a bar to the right where ours costs less than the original, to the left where it
costs more, on a scale that doubles with each step.
"""

from __future__ import annotations

import html
import json
import math
import re
import statistics
from dataclasses import dataclass
from typing import Any

from .pages import Pages
from .places import DOCS

DATA = DOCS / "benchmarks.json"
GAINS = ("gain wall", "gain", "ours / original")  # the columns that say it, the first that is there
FIRST = ("ours", "one thread", "ours / ours")  # the column before which stands what was measured
NUMBER = re.compile(r"(-?[\d.]+)(x|%)$")
WIDTH, LABEL, ROW, HEAD = 760, 290, 22, 26
NEAR = 1.05  # less than this is the same


@dataclass(frozen=True)
class Bar:
    """What was measured, and how many times less it costs with ours."""

    label: str
    gain: float

    @property
    def told(self) -> str:
        """The gain in words: 0.2x is read as 5x in the original's favour."""
        if 1 / NEAR < self.gain < NEAR:
            return "the same"
        return f"{figure(self.gain)}x" if self.gain > 1 else f"{figure(1 / self.gain)}x the cost"


def figure(value: float) -> str:
    """Return a number with the digits that mean something."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def bars(table: dict[str, Any]) -> list[Bar]:
    """Return the bars of a section; none if it has no gains."""
    heads = table["heads"]
    column = next((heads.index(head) for head in GAINS if head in heads), None)
    first = next((heads.index(head) for head in FIRST if head in heads), None)
    if column is None or first is None:
        return []
    found = []
    for row in table["rows"]:
        number = NUMBER.match(row[column])
        if number and float(number[1]) > 0:
            gain = float(number[1]) / (100 if number[2] == "%" else 1)
            parts = zip(heads[:first], row[:first], strict=True)
            label = ", ".join(named(head, cell) for head, cell in parts)
            found.append(Bar(label, gain))
    return found


def named(head: str, cell: str) -> str:
    """Return a cell with what it is a number of."""
    return f"{cell} {head}" if head == "bits" else f"{head} {cell}" if head == "thread" else cell


def plot(found: list[Bar], title: str) -> str:
    """Return the bars as SVG, which takes its colours from the page."""
    reach = max(1.0, *(abs(math.log2(bar.gain)) for bar in found))
    low = min(0.0, *(math.log2(bar.gain) for bar in found))
    left, right = (-reach if low < -NEAR + 1 else 0.0), reach
    room = WIDTH - LABEL - 70
    middle = LABEL + room * -left / (right - left)
    unit = room / (right - left)
    height = HEAD + ROW * len(found) + 6
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}" '
        'font-size="12.5">',
        f'<text x="{middle + 6:.0f}" y="14">ours costs less</text>',
    ]
    if left:
        parts.append(f'<text x="{middle - 6:.0f}" y="14" text-anchor="end">ours costs more</text>')
    for number, bar in enumerate(found):
        y = HEAD + ROW * number
        wide = abs(math.log2(bar.gain)) * unit
        start = middle if bar.gain >= 1 else middle - wide
        kind = "better" if bar.gain >= 1 else "worse"
        end = middle + wide + 6 if bar.gain >= 1 else middle + 6
        label = html.escape(bar.label)
        parts.append(
            f'<text x="{LABEL - 12}" y="{y + 13}" text-anchor="end">{label}</text>'
            f'<rect class="{kind}" x="{start:.1f}" y="{y + 2}" width="{max(wide, 1.5):.1f}" '
            f'height="{ROW - 7}" rx="2"/><text x="{end:.1f}" y="{y + 13}">{bar.told}</text>'
        )
    parts.append(
        f'<line class="rule" x1="{middle:.1f}" x2="{middle:.1f}" y1="{HEAD - 6}" '
        f'y2="{height}"/></svg>'
    )
    return "".join(parts)


def block(found: list[Bar], title: str, caption: str) -> str:
    """Return a picture as it stands in a page."""
    inside = plot(found, title)
    return (
        f'```{{raw}} html\n<figure class="plot">{inside}'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>\n```\n"
    )


def overview(tables: list[dict[str, Any]]) -> list[Bar]:
    """Return a bar for each section: the middle of its gains."""
    found = []
    for table in tables:
        gains = [bar.gain for bar in bars(table)]
        if gains:
            found.append(Bar(table["title"], statistics.median(gains)))
    return found


def add_plots(pages: Pages) -> None:
    """Put the overview at the top of the page, and a picture above each table with gains."""
    tables = json.loads(DATA.read_text(encoding="utf-8"))["sections"]
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    head, mark, rest = text.partition("\n## ")
    all_of_it = overview(tables)
    if all_of_it:
        caption = "The middle of the gains of each section below. The scale doubles at each step."
        head += "\n" + block(all_of_it, "Gains of all sections", caption)
    text = head + mark + rest
    for table in tables:
        found = bars(table)
        if not found:
            continue
        start = f"## {table['title']}\n\n{table['note']}\n\n"
        if start not in text:
            raise ValueError(f"benchmarks.md has no section {table['title']!r} as in {DATA.name}")
        title = f"{table['title']}: how much less ours costs than the original"
        text = text.replace(start, start + block(found, title, title) + "\n")
    pages.write("benchmarks", text)
