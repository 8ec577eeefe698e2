"""Ours and the original epson2 over USB: the same calls, images, and bytes on the bus.

The scanner is emulated (sane.testing.esci) on a bus of umockdev, under the real libusb.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sane.testing.esci import Model
from sane.testing.esci.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev
from tests import ROOT
from tests.peers.epson import SCAN, area, difference, run_both_usb, set_text, set_word
from tests.peers.walks import Walk, build_walker, our_library, run_walk

SMALL = area(10, 20, 41.5, 40)
FEEDER, FILM = "Automatic Document Feeder", "Transparency Unit"


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


class Pair:
    """What a test needs to compare both sides."""

    def __init__(self, walker: Path, bus: Umockdev, folder: Path) -> None:
        self.walker, self.bus, self.folder = walker, bus, folder

    def check(self, model: Model, commands: list[str], **words: Any) -> None:
        ours, theirs = run_both_usb(self.walker, self.bus, model, commands, self.folder, **words)
        report = difference(commands, ours, theirs)
        assert not report, f"\n{report}"
        assert len(theirs.received) > 10, "nothing was compared"


@pytest.fixture
def pair(walker: Path, usb_bus: Umockdev, tmp_path: Path) -> Pair:
    return Pair(walker, usb_bus, tmp_path)


def scans_of_all_modes(*depths: int) -> list[str]:
    commands = [*SMALL, set_word("resolution", 100)]
    for mode in ("Lineart", "Gray", "Color"):
        commands += [set_text("mode", mode), *SCAN]
        if mode != "Lineart":
            for depth in depths:
                commands += [set_word("depth", depth), *SCAN]
    return commands


@pytest.mark.parametrize("level", ["B7", "B8"])
def test_extended_scans(pair: Pair, level: str) -> None:
    pair.check(Model(level), ["descs 0 39", "desc 0 10", *scans_of_all_modes(12, 14, 16, 8)])


@pytest.mark.parametrize("level", ["B5", "B6", "B7", "B8", "D1", "D2", "D7", "D8"])
def test_standard_scans(pair: Pair, level: str) -> None:
    commands = ["descs 0 39", "desc 0 4", "desc 0 10", "desc 0 27", *scans_of_all_modes()]
    pair.check(Model(level, is_extended=False), commands)


def test_standard_scans_of_a_b4(pair: Pair) -> None:
    """In colour the original cannot: it miscounts the lines of one colour."""
    commands = [*SMALL, set_word("resolution", 100), *SCAN, set_text("mode", "Gray"), *SCAN]
    pair.check(Model("B4", is_extended=False), commands)


@pytest.mark.parametrize("is_extended", [True, False])
def test_settings(pair: Pair, is_extended: bool) -> None:
    commands = [*SMALL, set_word("resolution", 150)]
    for name in ("None", "Halftone B (Soft Tone)", "Dither D", "Text Enhanced"):
        commands += [set_text("halftoning", name), *SCAN]
    commands += [set_text("halftoning", "None"), set_word("threshold", 77), *SCAN]
    commands += [set_text("dropout", "Blue"), set_word("mirror", 1), *SCAN]
    commands += [set_text("mode", "Color"), *SCAN, set_word("brightness", 2), *SCAN]
    commands += [set_word("sharpness", -1), set_word("focus", 70), *SCAN]
    commands += [set_text("gamma-correction", "User"), "set 0 16 1024 r 5:0:255", *SCAN]
    commands += [set_text("color-correction", "None"), *SCAN, set_word("preview", 1), *SCAN]
    pair.check(Model("B8", is_extended=is_extended), commands)


@pytest.mark.parametrize(("distance", "dpi"), [(8, 1200), (8, 300), (4, 300), (4, 50)])
def test_colors_of_distant_lines_come_together(pair: Pair, distance: int, dpi: int) -> None:
    commands = [set_text("mode", "Color"), set_word("resolution", dpi)]
    for corners in ((5, 30, 20, 60), (0, 0, 20, 10), (2, 0.5, 9, 1.4)):
        commands += [*area(*corners), *SCAN]
    pair.check(Model("D8", is_extended=False, distance=distance), commands)


@pytest.mark.parametrize("is_extended", [True, False])
def test_the_feeder_until_it_is_empty(pair: Pair, is_extended: bool) -> None:
    model = Model("B8", adf=(9000, 12000), is_duplex=True, is_extended=is_extended)
    commands = [set_text("source", FEEDER), set_word("auto-eject", 1), "descs 0 39", *SMALL]
    commands += [*SCAN * 2, "start 0", "cancel 0", "set 0 37 0 b"]
    pair.check(model, commands, sheets=2)


def test_both_sides_of_each_sheet(pair: Pair) -> None:
    model = Model("B8", adf=(9000, 12000), is_duplex=True)
    commands = [set_text("source", FEEDER), set_text("adf-mode", "Duplex"), *SMALL]
    pair.check(model, [*commands, *SCAN * 4, "start 0"], sheets=2)


@pytest.mark.parametrize("is_extended", [True, False])
def test_film(pair: Pair, is_extended: bool) -> None:
    commands = [set_text("source", FILM), "desc 0 27", *SMALL, set_text("mode", "Color"), *SCAN]
    commands += [set_text("source", "Flatbed"), *SCAN]
    pair.check(Model("B8", tpu=(6000, 8000), is_extended=is_extended), commands)


def test_blocks_of_every_size(pair: Pair) -> None:
    """Blocks that end with a whole packet, and the largest that there are."""
    commands = [set_text("mode", "Gray"), set_word("resolution", 100)]
    for width, height in ((104, 26), (26.1, 52.1), (130.1, 180), (16.5, 250)):
        commands += [*area(0, 0, width, height), *SCAN]
    commands += [set_text("mode", "Color"), set_word("resolution", 600), *area(0, 0, 210, 9), *SCAN]
    pair.check(Model("B7"), commands)


def test_an_unknown_product_is_opened_by_its_name(pair: Pair) -> None:
    pair.check(Model("B7", "PID 9999"), [*SMALL, *SCAN], product=0x9999)


def test_status_of_old_scanners(pair: Pair) -> None:
    """33 bytes: the model stays generic."""
    pair.check(Model("B6", is_extended=False, status_bytes=33), ["descs 0 39", *SMALL, *SCAN])


def test_the_distributions_scanimage_scans_from_us(
    usb_bus: Umockdev, staged_environment: dict[str, str], config_dir: Path
) -> None:
    device = usb_bus.plug(UsbScanner, Model("B8"), product=0x012C)
    (config_dir / "dll.conf").write_text("epson2\n")
    (config_dir / "epson2.conf").write_text((ROOT / "etc" / "epson2.conf").read_text())
    environment = {**staged_environment, **usb_bus.environment}

    def scanimage(*arguments: str) -> bytes:
        command = ["scanimage", *arguments]
        done = subprocess.run(
            command, capture_output=True, timeout=60, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    expected = f"device `epson2:{device.name}' is a Epson GT-X900 flatbed scanner\n"
    assert scanimage("-L").decode() == expected
    image = scanimage("--mode", "Color", "--resolution", "75", "-x", "30", "-y", "20")
    assert image.startswith(b"P6\n# SANE data follows\n88 59\n255\n")
    assert len(image) == 33 + 3 * 88 * 59


class Alone:
    """Runs commands on ours only, with a scanner that fails."""

    def __init__(self, walker: Path, bus: Umockdev, folder: Path) -> None:
        self.walker, self.bus, self.folder = walker, bus, folder
        self.device = bus.plug(UsbScanner, Model("B8"))

    def run(self, *commands: str) -> list[str]:
        head = ["conf dll.conf epson2", "conf epson2.conf usb", "init m"]
        walk = Walk(0, [*head, f"open 0 epson2:{self.device.name}", *commands, "close 0"])
        trace = run_walk(
            self.walker, our_library(), walk, self.folder / "ours", self.bus.environment
        )
        return trace[len(head) + 1 : -1]

    def statuses(self, *commands: str) -> list[str]:
        return [line.split()[0] for line in self.run(*commands)]


@pytest.fixture
def alone(walker: Path, usb_bus: Umockdev, tmp_path: Path) -> Alone:
    return Alone(walker, usb_bus, tmp_path)


LARGE = [set_text("mode", "Color"), set_word("resolution", 150), *area(0, 0, 200, 120)]


@pytest.mark.parametrize(
    ("kind", "words", "status"),
    [
        ("short", {"size": 5000}, "IO_ERROR"),
        ("short", {"size": 0}, "IO_ERROR"),
        ("stall", {}, "IO_ERROR"),
        ("babble", {}, "IO_ERROR"),
        ("surplus", {"data": b"more"}, "IO_ERROR"),
    ],
)
def test_a_block_that_goes_wrong(
    alone: Alone, kind: str, words: dict[str, Any], status: str
) -> None:
    """The scan fails, and the same handle scans the whole page afterwards."""
    expected = alone.run(*LARGE, *SCAN)[-1]
    before = alone.device.trace(clear=True)
    blocks = [event for event in before if event.kind == "in" and event.length > 50_000]
    assert len(blocks) > 5
    skipped = sum(event.kind == "in" for event in before[: before.index(blocks[2])])
    alone.device.fault(kind, 0x81, after=skipped, **words)
    failed, again = alone.run(*LARGE, *SCAN, *SCAN)[-5::4]
    assert failed.split()[0] == status
    assert again == expected


def test_a_stalled_acknowledgement_does_not_meet_who_opens_next(alone: Alone) -> None:
    expected = alone.run(*LARGE, *SCAN)[-1]
    before = alone.device.trace(clear=True)
    written = [event for event in before if event.kind == "out"]
    last = max(n for n, event in enumerate(written) if event.data == b"\x06")
    alone.device.fault("stall", 0x02, after=last)
    assert alone.statuses(*LARGE, *SCAN)[-1] == "IO_ERROR"
    alone.device.clear_faults()
    assert alone.run(*LARGE, *SCAN)[-1] == expected


def test_a_scanner_that_is_unplugged_in_the_middle(alone: Alone) -> None:
    alone.run(*LARGE, *SCAN)
    skipped = sum(event.kind == "in" for event in alone.device.trace(clear=True)) - 3
    alone.device.fault("unplug", 0x81, after=skipped, size=8192)
    assert alone.statuses(*LARGE, *SCAN, "start 0")[-2:] == ["IO_ERROR", "IO_ERROR"]
    assert alone.device.is_gone


@pytest.mark.parametrize("count", [1, 40_000, 200_000])
def test_cancel_in_the_middle_leaves_the_scanner_idle(alone: Alone, count: int) -> None:
    whole = alone.run(*LARGE, *SCAN)[-1]
    lines = alone.run(*LARGE, "start 0", f"readall 0 32768 {count}", "cancel 0", *SCAN)
    assert lines[-1] == whole
    messages = alone.device.call("get_scanner", "received")
    assert messages.count(b"\x18") == 1
