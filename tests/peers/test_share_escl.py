"""sane-airscan, the original escl and our own backend scan from `pysane share`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.escl import AIRSCAN, ORIGINAL, OWN, Image, Side
from tests.peers.shared_escl import SIDES, SharedScanner, local, shared
from tests.support.escl_client import settings
from tests.support.share import Faults, eventually

AREA = ("-l", "0", "-t", "0", "-x", "80", "-y", "60")  # mm
SMALL = ("--resolution=75", *AREA)
SHEETS = 10  # of the test device's feeder
SHADES = [50, 100]  # of the pages of the driver tstweb
EXACT, JPEG = 0.0, 12.0  # by how much samples may differ in the mean
GLASS = [(AIRSCAN, EXACT), (ORIGINAL, JPEG), (OWN, JPEG)]  # PNG, PDF, JPEG
FEEDER = [(AIRSCAN, EXACT), (ORIGINAL, JPEG), (OWN, JPEG)]  # PNG, JPEG, JPEG


def named(value: object) -> str | None:
    """Return what a test's parameter is called."""
    return value.name if isinstance(value, Side) else None


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedScanner]:
    with shared(tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SharedScanner, Faults]]:
    folder = tmp_path_factory.mktemp("acme")
    faults = Faults(folder)
    faults.set("pixels")
    settings = "[https]\nenabled = false\n"
    with shared(folder, settings, "tstweb\n", **faults.variables) as made:
        yield made, faults


def differ(one: Image, other: Image) -> float:
    """Return by how much two pictures differ, where both are; their sizes must agree."""
    assert abs(one.width - other.width) <= 1 and abs(one.lines - other.lines) <= 1
    width, lines = min(one.width, other.width), min(one.lines, other.lines)
    parts = [i._replace(kind=6, data=i.rgb()).part(width, lines) for i in (one, other)]
    total: int = sum(abs(a - b) for a, b in zip(*parts, strict=True))
    return total / len(parts[0])


def load(scanner: SharedScanner) -> None:
    """Let the scanner forget that its feeder was empty, which it remembers for 30 s."""
    body = settings(Width=0, Height=0)
    status, headers, _ = scanner.share.ask("POST", "/eSCL/ScanJobs", body, Content_Type="text/xml")
    assert status == 201
    assert scanner.share.ask("DELETE", headers["location"])[0] == 200


def state(scanner: SharedScanner) -> str:
    """Return eSCL's State."""
    _, _, body = scanner.share.ask("GET", "/eSCL/ScannerStatus")
    return body.partition(b"<pwg:State>")[2].partition(b"<")[0].decode()


def is_fetching(scanner: SharedScanner) -> bool:
    """Tell whether somebody fetches a page that is being scanned."""
    return b"JobScanningAndTransferring" in scanner.share.ask("GET", "/eSCL/ScannerStatus")[2]


@pytest.mark.parametrize("mode", ["Color", "Gray"])
@pytest.mark.parametrize(("side", "tolerance"), GLASS, ids=named)
def test_the_glass(
    scanner: SharedScanner, side: Side, tolerance: float, mode: str, tmp_path: Path
) -> None:
    # The original calls gray what it shows in colour.
    found = scanner.scan(side, f"--mode={mode}", "--batch-count=1", *SMALL)
    assert len(found.pages) == 1, found.stderr
    expected = local(tmp_path, f"--mode={mode}", *SMALL)
    assert differ(found.pages[0], expected) <= tolerance
    assert state(scanner) == "Idle"


@pytest.mark.parametrize(("side", "tolerance"), FEEDER, ids=named)
def test_the_feeder(scanner: SharedScanner, side: Side, tolerance: float, tmp_path: Path) -> None:
    load(scanner)
    found = scanner.scan(side, "--source=ADF", "--mode=Color", *SMALL)
    assert len(found.pages) == SHEETS, found.stderr
    expected = local(tmp_path, "--mode=Color", *SMALL)
    assert max(differ(page, expected) for page in found.pages) <= tolerance
    assert state(scanner) == "Idle"


@pytest.mark.parametrize("side", [AIRSCAN, OWN], ids=named)
def test_line_art_by_our_own_client(scanner: SharedScanner, side: Side, tmp_path: Path) -> None:
    words = ("--mode=Lineart",) if side is OWN else ("--mode=Gray",)
    found = scanner.scan(side, *words, "--batch-count=1", *SMALL)
    assert len(found.pages) == 1, found.stderr
    if side is OWN:
        assert found.pages[0].kind == 4


@pytest.mark.parametrize("side", SIDES, ids=named)
def test_both_sides_of_sheets(acme: tuple[SharedScanner, Faults], side: Side) -> None:
    scanner, faults = acme
    faults.set("pixels")
    load(scanner)
    found = scanner.scan(side, "--source=ADF Duplex", "--mode=Gray", "--resolution=75")
    assert len(found.pages) == len(SHADES), found.stderr
    for page, shade in zip(found.pages, SHADES, strict=True):
        middle = page.data[len(page.data) // 2]
        assert abs(middle - shade) <= 1


@pytest.mark.parametrize(("side", "asked"), [(ORIGINAL, "3"), (OWN, "100")], ids=named)
def test_brightness_is_an_option_of_the_device(
    acme: tuple[SharedScanner, Faults], side: Side, asked: str
) -> None:
    """The original escl has the driver's limits, -4 to 3; our own backend percent of them."""
    found = acme[0].scan(side, *SMALL, f"--brightness={asked}", "--mode=Gray", "--batch-count=1")
    (page,) = found.pages
    assert abs(page.data[len(page.data) // 2] - (SHADES[0] + 3)) <= 1, found.stderr


@pytest.mark.parametrize("side", SIDES, ids=named)
def test_a_program_that_is_interrupted_frees_the_scanner(
    acme: tuple[SharedScanner, Faults], side: Side
) -> None:
    scanner, faults = acme
    faults.set("pixels endless")
    with scanner.scanning(side, "--mode=Gray", "--resolution=75") as program:
        eventually(lambda: is_fetching(scanner))
        program.send_signal(signal.SIGINT)
        if side is ORIGINAL:  # which reads on: it has no way to stop
            program.kill()
        eventually(lambda: state(scanner) == "Idle")
    faults.set("pixels")


@pytest.mark.parametrize("side", SIDES, ids=named)
def test_a_program_that_is_killed_frees_the_scanner(
    acme: tuple[SharedScanner, Faults], side: Side
) -> None:
    scanner, faults = acme
    faults.set("pixels endless")
    with scanner.scanning(side, "--mode=Gray", "--resolution=75") as program:
        eventually(lambda: is_fetching(scanner))
        program.kill()
        eventually(lambda: state(scanner) == "Idle")
    faults.set("pixels")
