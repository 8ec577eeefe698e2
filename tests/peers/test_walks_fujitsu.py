"""Random walks on ours and the original fujitsu, on emulated scanners of several models."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.testing.fujitsu import Sheet, alike
from sane.testing.usb.hosted import Umockdev
from tests.peers.fujitsu import DEVICE, Made, check, run_side
from tests.peers.walk_described import Described
from tests.peers.walk_fujitsu import COUNT, generate_fujitsu_walk
from tests.peers.walks import build_walker, their_library, walk_count

# Without the M3091, of whose colours ours reads more lines than the original does.
WALKED = ("fi-7260", "iX500")
OTHERS = ("fi-5950", "fi-6240", "fi-800R", "fi-4990", "iX1500", "fi-5110EOX")
HOPPER = 2000  # more sheets than a walk feeds


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


@pytest.mark.parametrize(
    "model", [*WALKED, *(pytest.param(model, marks=pytest.mark.long) for model in OTHERS)]
)
def test_walks(model: str, walker: Path, usb_bus: Umockdev, tmp_path: Path) -> None:
    """Each walk meets the same scanner with the same sheets, at another address on the bus."""
    made = Made(model, HOPPER, (Sheet(alike, alike),) * HOPPER)
    asking = ["init m", f"open 0 {DEVICE}", *(f"desc 0 {i}" for i in range(COUNT)), "exit"]
    told = run_side(walker, their_library(), usb_bus, made, asking, tmp_path / "options")
    options = Described(told.trace[2 : 2 + COUNT])
    reports = []
    for seed in range(walk_count(2)):
        walk = generate_fujitsu_walk(seed, options, DEVICE)
        report = check(walker, usb_bus, made, walk.commands, tmp_path, has_cut=True)
        if report:
            reports.append(f"seed {seed}: {report}")
    assert not reports, "\n\n".join(reports)
