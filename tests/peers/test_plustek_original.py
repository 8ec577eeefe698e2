"""The original plustek scans from the emulated units: the model is what it takes a scanner for."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sane.testing.plustek import USED
from sane.testing.plustek.usb import UsbScanner
from sane.testing.usb.hosted import Device, Umockdev
from tests.peers.frontends import environment, peer
from tests.peers.plustek import Case, Made, Scanned, scan_all
from tests.peers.plustek_vectors import AREA, FINALS, PICTURES, Final, Shown

OFF_HOME = 2400.0  # full steps
NEAR = 6  # samples of a used sensor are, after shading, to those of a perfect one
Vector = Shown | Final
QUICK: list[Vector] = [PICTURES[0], FINALS[3]]
OTHERS: list[Vector] = [vector for vector in PICTURES + FINALS if vector not in QUICK]


def is_good(done: Scanned) -> None:
    """Check that a scan ended well, with the carriage at home."""
    assert (done.status, done.problems, done.is_home) == (0, [], True), done.stderr


def check_vectors(vectors: Sequence[Vector], folder: Path) -> None:
    """Scan with the options of vectors; what is seen must be theirs."""
    outcomes = scan_all([Case(Made(vector.unit), vector.options) for vector in vectors], folder)
    found = []
    for vector, done in zip(vectors, outcomes, strict=True):
        is_good(done)
        if isinstance(vector, Shown):
            found.append(vector.wrong(done.picture))
        else:
            found.append(vector.wrong(done.deeds))
    assert not any(found), "\n".join(filter(None, found))


def test_pictures_and_registers_are_those_of_the_specification(tmp_path: Path) -> None:
    check_vectors(QUICK, tmp_path)


@pytest.mark.long
def test_the_other_vectors(tmp_path: Path) -> None:
    check_vectors(OTHERS, tmp_path)


def put_far(device: Device) -> None:
    """Leave the carriage where a scan was broken off."""
    device.call("call_scanner", "put", OFF_HOME)


@pytest.mark.long
def test_what_does_not_matter_to_the_picture(tmp_path: Path) -> None:
    """Short answers, a carriage that is not at home, lines that come in their own time."""
    options = [*AREA, "--resolution", "150"]
    made = [
        Made(),
        Made(attributes={"piece": 512}),
        Made(prepare=put_far),
        Made(attributes={"pace": 20.0}),
        Made(wear=USED, dust=40),
    ]
    usual, *others, used = scan_all([Case(one, options) for one in made], tmp_path)
    for done in (usual, *others, used):
        is_good(done)
        assert done.picture is not None
    assert all(done.picture == usual.picture for done in others)
    assert used.picture is not None
    assert usual.picture is not None
    pairs = zip(used.picture.data, usual.picture.data, strict=True)
    assert max(abs(value - right) for value, right in pairs) <= NEAR


@pytest.mark.parametrize("pressed", [0, 2])
def test_buttons(pressed: int, usb_bus: Umockdev, tmp_path: Path) -> None:
    device = usb_bus.plug(UsbScanner, "LiDE 20")
    if pressed:
        device.call("call_scanner", "press", pressed)
    (tmp_path / "dll.conf").write_text("plustek\n")
    done = subprocess.run(
        [peer("scanimage"), "-d", f"plustek:{device.name}", "-A"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(tmp_path, None) | usb_bus.environment,
    )
    lines = [line for line in done.stdout.splitlines() if "--button" in line]
    active = [line for line in lines if "inactive" not in line]
    assert len(active) == 3
    assert ["[yes]" in line for line in active] == [number == pressed for number in (1, 2, 3)]
