"""The recorded benchmarks are those of the page, and the plots show what they say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from website import benchmarks
from website.benchmarks import Bar, bars, plot
from website.pages import Pages

from bench.report import Section, markdown, record, recorded
from tests import ROOT

DATA = ROOT / "docs" / "benchmarks.json"


def test_the_page_is_what_was_recorded() -> None:
    facts, sections = recorded(DATA.read_text())
    assert markdown(facts, sections) == (ROOT / "docs" / "benchmarks.md").read_text()
    assert record(facts, sections) == DATA.read_text()


def test_what_is_no_table_is_refused() -> None:
    section = Section("A", "b", ("c", "d"))
    section.add("1", "2")
    text = record([("CPU", "x")], [section]).replace('"2"', '"2", "3"')
    with pytest.raises(ValueError, match="3 cells under 2 heads"):
        recorded(text)


@pytest.mark.parametrize(
    ("gain", "told"), [(1.02, "the same"), (4.4, "4.4x"), (59, "59x"), (0.2, "5.0x the cost")]
)
def test_a_gain_is_told_in_words(gain: float, told: str) -> None:
    assert Bar("x", gain).told == told


def test_bars_are_made_of_the_gains() -> None:
    heads = ["picture", "bits", "ours", "original", "gain CPU", "gain wall", "goal", ""]
    rows = [
        ["Grid", "8", "1", "2", "3.0x", "2.0x", "", ""],
        ["Solid", "8", "1", "2", "", "-", "", ""],
    ]
    assert bars({"heads": heads, "rows": rows}) == [Bar("Grid, 8 bits", 2.0)]
    percent = {
        "heads": ["", "ours", "original", "ours / original"],
        "rows": [["a", "1", "2", "97%"]],
    }
    assert bars(percent) == [Bar("a", 0.97)]
    assert bars({"heads": ["a"], "rows": [["b"]]}) == []


def test_a_plot_points_to_the_side_of_who_is_ahead() -> None:
    root = ET.fromstring(plot([Bar("a <b>", 4), Bar("c", 0.5)], "A & b"))
    better, worse = root.findall("rect")
    assert (better.get("class"), worse.get("class")) == ("better", "worse")
    middle = float(root.findall("line")[0].get("x1", ""))
    assert float(better.get("x", "")) == pytest.approx(middle, abs=0.1)
    left, wide = float(worse.get("x", "")), float(worse.get("width", ""))
    assert left + wide == pytest.approx(middle, abs=0.2)
    assert float(better.get("width", "")) == pytest.approx(2 * wide, abs=0.2)


def test_every_section_with_gains_has_a_plot(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    benchmarks.add_plots(pages)
    text = (tmp_path / "benchmarks.md").read_text()
    tables = json.loads(DATA.read_text())["sections"]
    assert text.count("<figure") == 1 + sum(bool(bars(table)) for table in tables) > 5
