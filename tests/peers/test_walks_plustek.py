"""Random walks on ours and the original plustek, each with an emulated unit of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sane.testing.plustek import Deed, Model
from sane.testing.plustek.models import CONTACT, model_named
from sane.testing.plustek.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev, missing_for_umockdev
from tests.peers.epson import normal
from tests.peers.plustek_pairs import wire_difference
from tests.peers.plustek_units import UNITS
from tests.peers.walk_described import Described
from tests.peers.walk_plustek import COUNT, generate_plustek_walk
from tests.peers.walks import (
    Side,
    Walk,
    build_walker,
    compare,
    our_library,
    run_walk,
    their_library,
    walk_count,
)

CONF = "[usb]\ndevice auto\n"
AT_ONCE = 3
HOME = 2  # a value of register 07
DEVICE = "plustek:libusb:001:002"  # the first device of a bus of its own
OTHER = "0400:1001-1 BearPaw 1200"  # has the ids of another one
SEEDS = 1000  # of a unit: each walks otherwise

pytest.importorskip("sane.backends.plustek")


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


def model(unit: str) -> Model:
    """Return an emulated unit by its name."""
    return UNITS[unit] if unit in UNITS else model_named(unit)


def conf_for(unit: str) -> str:
    """Return a configuration that finds it."""
    return CONF if unit != OTHER else CONF.replace("device", "option mov 1\ndevice")


def run_side(
    walker: Path, side: Side, unit: str, commands: Sequence[str], folder: Path
) -> tuple[list[str], list[Deed], list[str]]:
    """Run commands on one library; return its trace, the deeds of its unit, and its problems."""
    missing = missing_for_umockdev()
    if missing:
        pytest.skip(f"peer absent: {missing}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plustek.conf").write_text(conf_for(unit))
    with Umockdev() as bus:
        device = bus.plug(UsbScanner, model(unit))
        extra = bus.environment | {"HOME": str(folder)}
        trace = run_walk(walker, side, Walk(0, list(commands)), folder, extra, dll="plustek\n")
        deeds = device.call("get_scanner", "deeds")
        return trace, deeds, device.call("get_scanner", "problems")


def comparable(trace: Sequence[str]) -> list[str]:
    """Return a trace without what does not matter: see epson.normal."""
    return [re.sub(r"^INVAL.*", "INVAL", normal(line)) for line in trace]


def till_home(deeds: list[Deed]) -> list[Deed]:
    """Return deeds without the way home at the end.

    The original may leave it out after a cancel, and ours say it once more.
    """
    kept = list(deeds)
    while kept and kept[-1].command == HOME:
        kept.pop()
    return kept


def check(walker: Path, unit: str, walk: Walk, folder: Path) -> str:
    """Run a walk on both; return the first difference of what they did, "" if there is none."""
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = (
            pool.submit(run_side, walker, side, unit, walk.commands, folder / name)
            for name, side in (("ours", our_library()), ("theirs", their_library()))
        )
        (our_trace, our_deeds, problems), (their_trace, their_deeds, _) = (
            ours.result(),
            theirs.result(),
        )
    report = compare(walk.commands, comparable(our_trace), comparable(their_trace))
    if not report and problems:
        report = f"refused: {problems}"
    report = report or wire_difference(till_home(our_deeds), till_home(their_deeds))
    return f"{unit}, seed {walk.seed}: {report}" if report else ""


def check_units(walker: Path, units: Sequence[str], first: int, folder: Path, count: int) -> str:
    """Walk on several units at once; return the reports."""

    def one(number: int) -> str:
        unit = units[number % len(units)]
        place = folder / str(number)
        asking = ["init m", f"open 0 {DEVICE}", *(f"desc 0 {i}" for i in range(COUNT)), "exit"]
        trace, _, _ = run_side(walker, their_library(), unit, asking, place / "options")
        options = Described(trace[2 : 2 + COUNT])
        walk = generate_plustek_walk(first + number, options, DEVICE, model(unit))
        return check(walker, unit, walk, place)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return "\n\n".join(filter(None, pool.map(one, range(count))))


def test_walks(walker: Path, tmp_path: Path) -> None:
    report = check_units(walker, ("LiDE 20", "CanoScan N650U"), 0, tmp_path, walk_count(2))
    assert not report, report


@pytest.mark.long
def test_more_walks(walker: Path, tmp_path: Path) -> None:
    report = check_units(walker, CONTACT, SEEDS, tmp_path, walk_count(25))
    assert not report, report


@pytest.mark.long
def test_walks_of_every_unit(walker: Path, tmp_path: Path) -> None:
    report = check_units(walker, tuple(UNITS), 2 * SEEDS, tmp_path, walk_count(len(UNITS)))
    assert not report, report
