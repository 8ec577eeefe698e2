"""Random walks on ours and the original epsonds, on a scanner that is emulated on a USB bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.testing.esci2.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev
from tests.peers.epsonds import comparable, feeder_model
from tests.peers.walk_epsonds import generate_epsonds_walk
from tests.peers.walks import (
    build_walker,
    compare,
    our_library,
    run_walk,
    their_library,
    walk_count,
)

HEAD = ["conf dll.conf epsonds", "conf epsonds.conf usb"]
HEIGHTS = [150, 1400, 300] * 100  # 1/100 inch: of the sheets in the feeder


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


def test_walks(walker: Path, usb_bus: Umockdev, tmp_path: Path) -> None:
    """Each walk meets the same scanner with the same sheets, at another address on the bus."""
    reports = []
    for seed in range(walk_count(8)):
        traces = []
        for name, side in (("ours", our_library()), ("theirs", their_library())):
            device = usb_bus.plug(UsbScanner, feeder_model())
            device.call("call_scanner", "load", len(HEIGHTS), *HEIGHTS)
            walk = generate_epsonds_walk(seed, f"epsonds:{device.name}")
            commands = [*HEAD, *walk.commands]
            walk = walk._replace(commands=commands)
            trace = run_walk(walker, side, walk, tmp_path / name, usb_bus.environment)
            traces.append(comparable(commands, trace))
            device.unplug()
        report = compare(commands, *traces)
        if report:
            reports.append(f"seed {seed}: {report}")
    assert not reports, "\n\n".join(reports)
