"""Ours and the original plustek scan from the same emulated units: equal pictures, equal chips.

What both tell the chip is compared at each move and scan: registers, memory, place of the carriage.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.testing.plustek import USED
from tests.peers.frontends import OURS
from tests.peers.plustek import Case, Made, scan_all
from tests.peers.plustek_pairs import check_all, difference, scan_both
from tests.peers.plustek_vectors import AREA, FINALS, PICTURES, Final, Shown
from tests.peers.walks import walk_count

pytest.importorskip("sane.backends.plustek")

QUICK: list[Shown | Final] = [PICTURES[1], PICTURES[3], FINALS[5]]
BLACK_COLUMN = 1000  # dpi of the picture whose last column has no shading with the original
OTHERS: list[Shown | Final] = [
    vector for vector in PICTURES + FINALS if vector not in QUICK and vector.dpi != BLACK_COLUMN
]


@pytest.mark.parametrize(
    "vectors",
    [pytest.param(QUICK, id="quick"), pytest.param(OTHERS, id="long", marks=pytest.mark.long)],
)
def test_ours_is_that_of_the_specification(vectors: list[Shown | Final], tmp_path: Path) -> None:
    cases = [Case(Made(vector.unit), vector.options, OURS) for vector in vectors]
    found = []
    for vector, done in zip(vectors, scan_all(cases, tmp_path), strict=True):
        assert (done.status, done.problems, done.is_home) == (0, [], True), done.stderr
        if isinstance(vector, Shown):
            found.append(vector.wrong(done.picture))
        else:
            found.append(vector.wrong(done.deeds))
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.long
def test_a_used_sensor_is_calibrated_alike(tmp_path: Path) -> None:
    made = Made("LiDE 25", wear=USED, dust=60)
    case = Case(made, [*AREA, "--resolution", "150", "--mode", "Color"])
    assert not difference(*scan_both(case, tmp_path))


def test_random_options(tmp_path: Path) -> None:
    report = check_all(range(walk_count(3)), tmp_path)
    assert not report, report


@pytest.mark.long
def test_more_random_options(tmp_path: Path) -> None:
    report = check_all(range(1000, 1000 + walk_count(60)), tmp_path)
    assert not report, report
