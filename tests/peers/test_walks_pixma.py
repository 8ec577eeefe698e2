"""Random walks on ours and the original pixma, on emulated scanners of all families."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.testing.pixma import MODELS
from sane.testing.pixma.models import MP750
from sane.testing.usb.hosted import Umockdev
from tests.peers.pixma import USB, Made
from tests.peers.pixma_pairs import COUNT, DEVICE, Case, check, check_all, run_side
from tests.peers.walk_described import Described
from tests.peers.walk_pixma import generate_pixma_walk
from tests.peers.walks import Walk, build_walker, their_library, walk_count

WALKED = ("MP150", "MP600", "MX860", "MP560", "MG6200", "9000F", "MP730", "MF4270", "MF4800")
SCANS = 1  # of a walk: the original waits two seconds and more for each
SEEDS = 1000  # of a model: each walks otherwise
SHEETS = 1000  # more than a walk feeds


pytest.importorskip("sane.backends.pixma")


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


def walks(
    walker: Path,
    made: Made,
    first: int,
    folder: Path,
    scans: int,
    default: int = 1,
    bus: Umockdev | None = None,
) -> list[Walk]:
    """Return walks for what the original offers of a model, from the seed *first* on."""
    asking = ["init m", f"open 0 {DEVICE}", *(f"desc 0 {i}" for i in range(COUNT)), "exit"]
    told = run_side(walker, their_library(), made, asking, folder, bus)
    options = Described(told.trace[2 : 2 + COUNT])
    seeds = range(first, first + walk_count(default))
    model = MODELS[str(made.model)]
    takes_sheets = not model.is_framed_a
    finest = 150 if model.family == MP750 else 600  # the original rests at each block of these
    return [
        generate_pixma_walk(seed, options, DEVICE, scans, takes_sheets=takes_sheets, finest=finest)
        for seed in seeds
    ]


def test_walks(walker: Path, tmp_path: Path) -> None:
    """Each walk meets the same scanner with the same sheets."""
    cases = [
        Case(Made(model, sheets=SHEETS), walk.commands)
        for number, model in enumerate(WALKED)
        for walk in walks(walker, Made(model), number * SEEDS, tmp_path / model, SCANS)
    ]
    report = check_all(walker, cases, tmp_path)
    assert not report, report


@pytest.mark.long
@pytest.mark.parametrize("model", ["MP560", "MF4270", "MP750", "LIDE300"])
def test_walks_on_usb(model: str, walker: Path, usb_bus: Umockdev, tmp_path: Path) -> None:
    made = Made(model, USB, SHEETS)
    reports = []
    for walk in walks(walker, made, -SEEDS, tmp_path / "options", 8, 3, usb_bus):
        folder = tmp_path / str(walk.seed)
        reports.append(check(walker, made, walk.commands, folder, usb_bus))
    assert not any(reports), "\n\n".join(filter(None, reports))
