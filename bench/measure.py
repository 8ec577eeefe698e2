"""Alternating rounds, medians, and rows that put both libraries beside a goal."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .setting import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .setting import Bench, Library, Sample

ABSENT = "not installed"
MISSED = "NOT met"
UNMEASURED = "not measured"
FAILED = "FAILED"  # a cell; the reason stands below its table


class Measured:
    """The samples of one library; failure says what ended them early."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.failure = ""

    def median(self, value: Callable[[Sample], float]) -> float | None:
        """Return the median of *value* over the samples, None if a round failed."""
        if self.failure or not self.samples:
            return None
        return median(value(sample) for sample in self.samples)


class Pair:
    """What both libraries gave; without an original only ours did."""

    def __init__(self, ours: Measured, original: Measured | None) -> None:
        self.ours = ours
        self.original = original

    def values(self, value: Callable[[Sample], float]) -> tuple[float | None, float | None]:
        """Return the medians of ours and of the original."""
        original = None if self.original is None else self.original.median(value)
        return self.ours.median(value), original

    def cells(
        self, value: Callable[[Sample], float], text: Callable[[float], str]
    ) -> tuple[str, str]:
        """Return both medians as cells of a table, or why there is none."""
        cells = []
        for measured in (self.ours, self.original):
            if measured is None:
                cells.append(ABSENT)
            elif (found := measured.median(value)) is None:
                cells.append(FAILED)
            else:
                cells.append(text(found))
        return cells[0], cells[1]

    def judge(self, met: bool | None) -> str:
        """Return what stands beside a goal; None: it takes an original that is not there."""
        if self.ours.failure:
            return MISSED
        return UNMEASURED if met is None else "met" if met else MISSED

    def failures(self) -> list[str]:
        """Return why cells say FAILED."""
        measured = {"ours": self.ours, "original": self.original}
        return [f"{name} {m.failure}" for name, m in measured.items() if m and m.failure]


def alternate(bench: Bench, rounds: int, run: Callable[[Library], Sample]) -> Pair:
    """Call *run* with ours, the original, ours, the original..., *rounds* times each."""
    return alternate_all(bench, rounds, [run])[0]


def alternate_all(
    bench: Bench, rounds: int, runs: Sequence[Callable[[Library], Sample]]
) -> list[Pair]:
    """Do the same with several that are to be compared with each other too, each in turn."""
    pairs = [Pair(Measured(), Measured() if bench.original else None) for _ in runs]
    for _ in range(rounds):
        for run, pair in zip(runs, pairs, strict=True):
            for library in bench.libraries:
                measured = pair.ours if library is bench.ours else pair.original
                if measured is None or measured.failure:
                    continue
                try:
                    measured.samples.append(run(library))
                except BenchError as exc:
                    measured.failure = str(exc)
    return pairs


def quotient(numerator: float | None, denominator: float | None) -> float | None:
    """Return numerator / denominator, None where one is missing."""
    return None if numerator is None or not denominator else numerator / denominator


def times(value: float | None) -> str:
    """Return a gain as text."""
    if value is None:
        return "-"
    return f"{value:.1f}x" if value >= 0.1 else f"{value:.3f}x"


def at_least(value: float | None, limit: float) -> bool | None:
    """Tell whether *value* reaches *limit*; None if there is no value."""
    return None if value is None else value >= limit


def at_most(value: float | None, limit: float) -> bool | None:
    """Tell whether *value* stays within *limit*; None if there is no value."""
    return None if value is None else value <= limit


def both(first: bool | None, second: bool | None) -> bool | None:
    """Join two conditions; one that could not be measured leaves the whole open."""
    return None if first is None or second is None else first and second
