"""Ours and the original epson2 over TCP: the same calls, images, and bytes on the wire.

Each case is one open scanner with many scans; a scanner that sends different pixels for every
setting lies behind both (sane.testing.esci).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sane.testing.esci import Model, Scanner
from tests.peers.epson import (
    SCAN,
    area,
    difference,
    run_both,
    set_text,
    set_word,
)
from tests.peers.walk_epson import SHEETS, generate_walk
from tests.peers.walks import build_walker, walk_count

SMALL = area(10, 20, 41.5, 40)
DUPLEX: dict[str, Any] = {"adf": (9000, 12000), "tpu": (6000, 8000), "is_duplex": True}
FEEDER, FILM = "Automatic Document Feeder", "Transparency Unit"
EVERYTHING = ("descs 0 39",)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


def check(walker: Path, folder: Path, make: Callable[[], Scanner], commands: list[str]) -> None:
    ours, theirs = run_both(walker, make, commands, folder)
    report = difference(commands, ours, theirs)
    assert not report, f"\n{report}"
    assert len(theirs.received) > 10, "nothing was compared"


def scans_of_all_modes(*depths: int) -> list[str]:
    commands = [*SMALL, set_word("resolution", 100)]
    for mode in ("Lineart", "Gray", "Color"):
        commands += [set_text("mode", mode), *SCAN]
        if mode != "Lineart":
            for depth in depths:
                commands += [set_word("depth", depth), *SCAN]
    return commands


@pytest.mark.parametrize("level", ["B7", "B8", "D1", "D2", "D8"])
def test_all_modes_and_depths(walker: Path, tmp_path: Path, level: str) -> None:
    check(walker, tmp_path, lambda: Scanner(Model(level)), scans_of_all_modes(12, 14, 16, 8))


def test_a_scanner_of_eight_bits(walker: Path, tmp_path: Path) -> None:
    check(walker, tmp_path, lambda: Scanner(Model("B8", depth=8)), scans_of_all_modes())


NAMES = ["GT-X900", "LP-A500", "Perfection1640", "ES-9000H", "DS-G20000", "PID 0853", "GT-X800"]


@pytest.mark.parametrize("name", NAMES)
def test_models_with_quirks(walker: Path, tmp_path: Path, name: str) -> None:
    commands = [*EVERYTHING, "desc 0 6", "desc 0 10", set_text("mode", "Color"), *SMALL]
    commands += [set_word("resolution", 300), *SCAN]
    commands += [set_word("resolution", 1200), *area(0, 0, 100, 0.7), *SCAN]  # 2 lines a block
    commands += [set_word("resolution", 75), set_text("source", FEEDER), *SMALL, *SCAN]
    make = lambda: Scanner(Model("B8", name, adf=(9000, 12000)), sheets=3)  # noqa: E731
    check(walker, tmp_path, make, commands)


@pytest.mark.parametrize("dpi", [50, 150, 600])
def test_areas_and_resolutions(walker: Path, tmp_path: Path, dpi: int) -> None:
    """Odd corners, the bottom of the glass, one block and many, lines wider than a block."""
    commands = [set_text("mode", "Color"), set_word("resolution", dpi)]
    for corners in (
        (0, 0, 8, 8),
        (3.3, 7.7, 91.234, 9.99),
        (100.01, 290.4, 140.97, 297.18),
        (0, 109.4, 20, 110.9),
        (0.1, 0.1, 215.9, 3),
    ):
        commands += [*area(*corners), *SCAN]
    check(walker, tmp_path, lambda: Scanner(Model("B7")), commands)


def test_settings_of_line_art(walker: Path, tmp_path: Path) -> None:
    commands = [*SMALL, set_word("resolution", 100), *SCAN]
    for name in (
        "None",
        "Halftone B (Soft Tone)",
        "Dither D",
        "Text Enhanced",
        "Download pattern B",
    ):
        commands += [set_text("halftoning", name), *EVERYTHING, *SCAN]
    commands += [set_text("halftoning", "None"), set_word("threshold", 77), *SCAN]
    commands += [set_word("auto-area-segmentation", 0), *SCAN]
    commands += [set_text("dropout", "Green"), set_word("mirror", 1), *SCAN]
    check(walker, tmp_path, lambda: Scanner(Model("B8")), commands)


@pytest.mark.parametrize("level", ["B8", "D8"])
def test_settings_of_tones_and_colors(walker: Path, tmp_path: Path, level: str) -> None:
    commands = [set_text("mode", "Color"), *SMALL, set_word("resolution", 100)]
    if level == "B8":
        for value in (-4, -1, 3):
            commands += [set_word("brightness", value), *SCAN]
        commands += [set_word("sharpness", -2), *SCAN, set_word("sharpness", 2), *SCAN]
        for name in ("High density", "Low density", "High contrast", "User defined"):
            commands += [set_text("gamma-correction", name), *EVERYTHING, *SCAN]
        for name in ("None", "User", "Built"):
            matrix = (1.1, -0.05, -0.05, 0.02, 0.9, 0.08, 0, -0.3, 1.3)
            commands += [set_word("cct-profile", *(int(65536 * x) for x in matrix))]
            commands += [set_text("color-correction", name), *SCAN]
    else:
        commands += [set_text("gamma-correction", "User defined (Gamma=1.0)"), *SCAN]
        commands += [set_text("gamma-correction", "User defined (Gamma=1.8)"), *SCAN]
    for number in (15, 16, 17):
        commands += [f"set 0 {number} 1024 r {number}:0:255", f"get 0 {number} 1024 w"]
    commands += [*SCAN, set_text("mode", "Gray"), *SCAN, set_word("preview", 1), *SCAN]
    check(walker, tmp_path, lambda: Scanner(Model(level)), commands)


def test_focus(walker: Path, tmp_path: Path) -> None:
    commands = [*SMALL, set_word("focus", 33), *SCAN, set_word("autofocus", 1), *EVERYTHING]
    commands += [*SCAN, set_word("autofocus", 0), "get 0 31 4 w", *SCAN]
    check(walker, tmp_path, lambda: Scanner(Model("B8")), commands)


@pytest.mark.parametrize("both_sides", [False, True])
def test_the_feeder_until_it_is_empty(walker: Path, tmp_path: Path, both_sides: bool) -> None:
    commands = [set_text("source", FEEDER), *EVERYTHING]
    commands += [set_text("adf-mode", "Duplex" if both_sides else "Simplex")]
    commands += [set_word("resolution", 75), set_text("mode", "Gray"), *SMALL]
    commands += [*SCAN * (2 + 2 * both_sides), "start 0", "cancel 0", "start 0", "cancel 0"]
    check(walker, tmp_path, lambda: Scanner(Model("B8", **DUPLEX), sheets=2), commands)


def test_the_last_sheet_is_ejected_if_that_is_wanted(walker: Path, tmp_path: Path) -> None:
    commands = [set_text("source", FEEDER), set_word("auto-eject", 1), *SMALL, *SCAN * 2]
    commands += ["start 0", "set 0 37 0 b"]
    check(walker, tmp_path, lambda: Scanner(Model("B7", adf=(9000, 12000)), sheets=2), commands)


def test_film(walker: Path, tmp_path: Path) -> None:
    commands = [set_text("source", FILM), *EVERYTHING, "desc 0 27", "get 0 31 4 w", *SMALL]
    commands += [set_text("mode", "Color"), set_word("resolution", 300), *SCAN]
    commands += [set_text("source", "Flatbed"), "get 0 31 4 w", *EVERYTHING, *SCAN]
    check(walker, tmp_path, lambda: Scanner(Model("B8", **DUPLEX)), commands)


def test_areas_follow_the_source(walker: Path, tmp_path: Path) -> None:
    corners = [f"get 0 {number} 4 w" for number in range(25, 29)]
    commands = []
    for source in (FEEDER, "Flatbed", FILM, FEEDER):
        commands += [set_text("source", source), *corners, "desc 0 25", "desc 0 27", "desc 0 28"]
    commands += [*area(1, 2, 200, 250), *corners, set_text("source", "Flatbed"), *corners]
    commands += [set_text("source", FILM), *corners, set_text("source", "Flatbed"), *corners]
    check(walker, tmp_path, lambda: Scanner(Model("B8", **DUPLEX)), commands)


@pytest.mark.parametrize(
    "model",
    [
        {"level": "B8"},
        {"level": "B7", "adf": (9000, 12000)},
        {"level": "B7", "adf": (9000, 12000), "option": False},
        {"level": "B8", **DUPLEX},
        {"level": "B7", "tpu": (6000, 8000)},
        {"level": "D8", **DUPLEX},
        {"level": "D2"},
        {"level": "B8", "minimum": 25, "maximum": 12800, "basic": 4800},
        {"level": "B8", "basic": 2400, "maximum": 9600},
        {"level": "B7", "maximum": 2400, "basic": 1200},
    ],
)
def test_descriptors_and_values(walker: Path, tmp_path: Path, model: dict[str, Any]) -> None:
    commands = [*EVERYTHING, "params 0"]
    commands += [f"desc 0 {number} t" for number in range(40) if number != 33]
    words = (3, 6, 7, 10, 11, 13, 14, 18, 23, 25, 26, 27, 28, 30, 31, 34)
    commands += [f"get 0 {number} 4 w" for number in words]
    commands += [f"get 0 {number} 64 s" for number in (2, 4, 5, 8, 9, 33, 35, 38)]
    commands += [f"get 0 {number} 1024 w" for number in (15, 16, 17)]
    make = lambda: Scanner(Model(**model))  # noqa: E731
    ours, theirs = run_both(walker, make, commands, tmp_path)
    inactive = inactive_options(theirs.trace[1])
    for number, command in reversed(list(enumerate(commands, 1))):
        if command.startswith("get") and int(command.split()[2]) in inactive:
            assert ours.trace.pop(number).startswith("INVAL")  # the original answers all the same
            del theirs.trace[number], commands[number - 1]
    report = difference(commands, ours, theirs)
    assert not report, f"\n{report}"


def inactive_options(descriptions: str) -> set[int]:
    """Return the numbers of the inactive options in what descs printed."""
    entries = (entry.split(":", 1) for entry in descriptions.split())
    return {int(number) for number, entry in entries if int(entry.rsplit("/", 1)[1], 16) & 0x20}


@pytest.mark.parametrize("block", range(3))
def test_random_walks(walker: Path, tmp_path: Path, block: int) -> None:
    count = walk_count(15) // 3
    for seed in range(block * count, block * count + count):
        model, commands = generate_walk(seed)
        make = lambda model=model: Scanner(model, sheets=SHEETS)  # noqa: E731
        ours, theirs = run_both(walker, make, commands, tmp_path)
        report = difference(commands, ours, theirs)
        assert not report, f"\nseed {seed}: {report}"
