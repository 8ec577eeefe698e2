"""sane-airscan and the original escl scan from the emulated scanner: it is a good enough device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.testing.escl import Emulator
from sane.testing.escl.certificates import server_context
from sane.testing.escl.model import JPEG
from sane.testing.escl.pixels import reference
from sane.testing.escl.presets import PRESETS
from tests.peers.escl import AIRSCAN, ORIGINAL, Outcome, Side, scan, scanner
from tests.peers.escl_faults import FAULTS, Fault, status
from tests.support.distribution import package_version, sane_version

AREA = ("-l", "0", "-t", "0", "-x", "100", "-y", "50")  # mm
SMALL = ("--resolution=75", *AREA)
GRAY, COLOR = "Grayscale8", "RGB24"
MODES = pytest.mark.parametrize(("mode", "name"), [(GRAY, "Gray"), (COLOR, "Color")])
RESOLUTIONS = pytest.mark.parametrize("dpi", [75, 150, 300])
# What they do not scan from: sane-airscan follows a Location to hosts that are none; the original
# escl takes 404 for the end, and does not call this machine localhost.
UNUSABLE = {AIRSCAN: ("hp-2540", "xerox-b205"), ORIGINAL: ("xerox-b205", "ipp-usb")}
START = ["GET capabilities 200", "GET status 200", "POST jobs 201"]


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(scanner()) as emulator:
        yield emulator


@pytest.fixture
def jpeg_device() -> Iterator[Emulator]:
    with Emulator(scanner(formats=(JPEG,))) as emulator:
        yield emulator


def shows(outcome: Outcome, number: int, mode: str, dpi: int, side: int = 0) -> bool:
    """Tell whether a page of sane-airscan has the pixels of the emulator's picture."""
    image = outcome.pages[number]
    expected = reference(mode, dpi, (0, 0, image.width, image.lines), side)
    return image.data == expected and abs(image.width - 100 * dpi / 25.4) < 1


def agree(ours: Outcome, theirs: Outcome) -> bool:
    """Tell whether both have the same pages; of the original's the last row may be missing."""
    if len(ours.pages) != len(theirs.pages) or not ours.pages:
        return False
    for mine, yours in zip(ours.pages, theirs.pages, strict=True):
        width, lines = min(mine.width, yours.width), min(mine.lines, yours.lines)
        if max(mine.lines, yours.lines) - lines > 1 or max(mine.width, yours.width) - width > 1:
            return False
        pair = [
            image._replace(kind=6, data=image.rgb()).part(width, lines) for image in (mine, yours)
        ]
        if pair[0] != pair[1]:
            return False
    return True


@MODES
@RESOLUTIONS
def test_airscan_the_glass(
    device: Emulator, mode: str, name: str, dpi: int, tmp_path: Path
) -> None:
    words = (f"--resolution={dpi}", f"--mode={name}", "--batch-count=1", *AREA)
    outcome = scan(AIRSCAN, device, tmp_path, *words)
    assert outcome.status == 0, outcome.stderr
    assert len(outcome.pages) == 1 and shows(outcome, 0, mode, dpi)
    assert outcome.asked == [*START, "GET document 200", "GET document 404", "DELETE delete 404"]


@pytest.mark.parametrize(("source", "sides"), [("ADF", 3), ("ADF Duplex", 6)])
def test_airscan_the_feeder(device: Emulator, source: str, sides: int, tmp_path: Path) -> None:
    device.scanner.load(3)
    outcome = scan(AIRSCAN, device, tmp_path, f"--source={source}", *SMALL)
    assert "out of documents" in outcome.stderr
    assert len(outcome.pages) == sides
    assert all(shows(outcome, number, COLOR, 75, number) for number in range(sides))
    end = ["GET document 404", "GET status 200", "DELETE delete 404"]
    assert outcome.asked == [*START, *["GET document 200"] * sides, *end]


@MODES
@RESOLUTIONS
def test_both_see_the_same_glass(
    jpeg_device: Emulator, mode: str, name: str, dpi: int, tmp_path: Path
) -> None:
    words = (f"--resolution={dpi}", f"--mode={name}", "--batch-count=1", *AREA)
    theirs, others = (scan(side, jpeg_device, tmp_path, *words) for side in (AIRSCAN, ORIGINAL))
    assert agree(theirs, others), (theirs.stderr, others.stderr)


@MODES
def test_both_see_the_same_sheets(
    jpeg_device: Emulator, mode: str, name: str, tmp_path: Path
) -> None:
    outcomes = []
    for side in (AIRSCAN, ORIGINAL):
        jpeg_device.scanner.load(3)
        words = ("--source=ADF", f"--mode={name}", *SMALL)
        outcomes.append(scan(side, jpeg_device, tmp_path, *words))
        assert len(outcomes[-1].pages) == 3, outcomes[-1].stderr
    assert agree(*outcomes)


def test_the_original_turns_png_upside_down(device: Emulator, tmp_path: Path) -> None:
    """Why the tests above are about JPEG."""
    if sane_version() >= (1, 3):
        pytest.skip("that was in SANE 1.2")
    page = scan(ORIGINAL, device, tmp_path, "--mode=Color", "--batch-count=1", *SMALL).pages[0]
    picture = reference(COLOR, 75, (0, 0, page.width, page.lines))
    row = 3 * page.width
    rows = [picture[y * row : (y + 1) * row] for y in range(page.lines)]
    assert page.data == b"".join(reversed(rows))


def test_airscan_a_part_of_the_glass(device: Emulator, tmp_path: Path) -> None:
    words = ("--resolution=75", "-l", "25.4", "-t", "50.8", "-x", "50.8", "-y", "25.4")
    outcome = scan(AIRSCAN, device, tmp_path, "--batch-count=1", *words)
    assert outcome.pages[0].data == reference(COLOR, 75, (75, 150, 150, 75))


@pytest.mark.parametrize("kind", ["self-signed", "expired", "wrong-name"])
def test_airscan_by_https(kind: str, tmp_path: Path) -> None:
    with Emulator(scanner(), tls=server_context(kind, tmp_path)) as device:
        outcome = scan(AIRSCAN, device, tmp_path, "--batch-count=1", *SMALL)
        assert len(outcome.pages) == 1 and shows(outcome, 0, COLOR, 75)


@pytest.mark.parametrize(
    ("side", "name"),
    [
        (side, name)
        for side in (AIRSCAN, ORIGINAL)
        for name in PRESETS
        if name not in UNUSABLE[side]
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_presets(side: Side, name: str, tmp_path: Path) -> None:
    device_scanner = PRESETS[name]()
    dpi = 75
    if name.startswith("kyocera"):
        dpi = 200 if side is AIRSCAN else 300
    with Emulator(device_scanner) as device:
        words = (f"--resolution={dpi}", "--batch-count=1", *AREA)
        outcome = scan(side, device, tmp_path, *words)
        assert len(outcome.pages) == 1, (outcome.stderr, outcome.asked, device_scanner.refusals)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_airscan_faults(fault: Fault, tmp_path: Path) -> None:
    if package_version("sane-airscan") > (0, 99, 27):
        pytest.skip("the table tells of sane-airscan 0.99.27")
    with Emulator(scanner(sheets=fault.sheets or 0)) as device:
        fault.setup(device.scanner)
        device.scanner.timing.page = 0.2 if fault.sheets else 0.0  # see Fault
        words = ["--source=ADF"] if fault.sheets is not None else ["--batch-count=1"]
        outcome = scan(AIRSCAN, device, tmp_path, *words, *SMALL)
        pages = fault.pages if fault.airscan_pages < 0 else fault.airscan_pages
        told = status(outcome), len(outcome.pages)
        assert told == (fault.airscan or fault.status, pages), (outcome.stderr, outcome.asked)
