"""make slow: measure the unit tests, and note in slow.txt what make check leaves out.

That are the functions whose cases together take longer than LIMIT. It needs a quiet machine. The
arguments are pytest's: which tests, and how many at once.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

LIMIT = 0.2  # seconds
NAMES = Path(__file__).with_name("slow.txt")


class Times:
    """A plugin of pytest that adds up the seconds of each function, fixtures included."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[function_of(report.nodeid)] += report.duration  # type: ignore[assignment]

    def slow(self) -> list[str]:
        """Return the names of functions that are slow, sorted."""
        return sorted(name for name, seconds in self.seconds.items() if seconds > LIMIT)


def function_of(nodeid: str) -> str:
    """Return a test's name without its parameters."""
    return nodeid.partition("[")[0]


def names() -> frozenset[str]:
    """Return the functions that were slow when they were last measured."""
    return frozenset(NAMES.read_text(encoding="ascii").split())


def main() -> int:
    """Run the program; return pytest's exit status, and change nothing if a test failed."""
    times = Times()
    status = pytest.main(["-q", *sys.argv[1:]], plugins=[times])
    if status == 0:
        found = times.slow()
        NAMES.write_text("".join(f"{name}\n" for name in found), encoding="ascii")
        left = sum(seconds for name, seconds in times.seconds.items() if name not in found)
        print(f"{len(found)} of {len(times.seconds)} functions are slow; the others: {left:.0f} s")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
