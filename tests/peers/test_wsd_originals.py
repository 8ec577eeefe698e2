"""sane-airscan and our backend scan from the emulated WS-Scan device: the same pages."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.testing.escl.pixels import reference
from sane.testing.wsd import Emulator, Scanner
from tests.peers.escl import AIRSCAN, Image, read_pnm, require
from tests.peers.frontends import OURS, environment, peer

TIMEOUT = 25.0  # of one scanimage
AREA = ("--resolution=75", "-l", "0", "-t", "0", "-x", "100", "-y", "50")
pytestmark = pytest.mark.process


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(Scanner(formats=("png",), sheets=2)) as emulator:
        yield emulator


def scan(name: str, device: Emulator, folder: Path, *arguments: str) -> tuple[int, list[Image]]:
    """Run scanimage with one backend; return its status and the pages."""
    place = folder / name
    place.mkdir()
    (place / "dll.conf").write_text(f"{name}\n")
    (place / "wsd.conf").write_text("discovery off\n")
    (place / "airscan.conf").write_text(
        f"[devices]\nemulated = {device.url}, WSD\n"
        "[options]\ndiscovery = disable\nws-discovery = off\n"
    )
    libraries = OURS if name == "wsd" else None
    wanted = f"wsd:{device.url}" if name == "wsd" else "airscan:w0:emulated"
    done = subprocess.run(
        [peer("scanimage"), "-d", wanted, "--format=pnm", "--batch=page%d.pnm", *arguments],
        capture_output=True,
        cwd=place,
        env=environment(place, libraries),
        timeout=TIMEOUT,
        check=False,
    )
    files = sorted(place.glob("page*.pnm"))
    return done.returncode, [read_pnm(path.read_bytes()) for path in files]


@pytest.mark.parametrize("name", ["airscan", "wsd"])
@pytest.mark.parametrize(("mode", "color"), [("Color", "RGB24"), ("Gray", "Grayscale8")])
def test_wsd_a_page_has_the_pixels_of_the_device(
    name: str, mode: str, color: str, device: Emulator, tmp_path: Path
) -> None:
    require(AIRSCAN)
    more = ("--mode", mode, "--batch-count=1")
    status, pages = scan(name, device, tmp_path, *AREA, *more)
    assert (status, len(pages)) == (0, 1)
    image = pages[0]
    assert image.data == reference(color, 75, (0, 0, image.width, image.lines))
    region = device.scanner.tickets[0].findtext(".//ScanRegionWidth")
    assert region == "8500"  # all of the glass, whatever is wanted


@pytest.mark.parametrize("name", ["airscan", "wsd"])
def test_wsd_the_feeder_gives_both_sides_of_all_sheets(
    name: str, device: Emulator, tmp_path: Path
) -> None:
    require(AIRSCAN)
    _, pages = scan(name, device, tmp_path, *AREA, "--mode=Gray", "--source=ADF Duplex")
    assert len(pages) == 4
    for side, image in enumerate(pages):
        assert image.data == reference("Grayscale8", 75, (0, 0, image.width, image.lines), side), (
            side
        )
