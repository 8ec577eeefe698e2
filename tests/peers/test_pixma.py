"""Ours and the original pixma: the same calls give the same pixels, statuses and commands.

The scanners are emulated (sane.testing.pixma), on the loopback network and on a bus of umockdev.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sane.testing.pixma import MODELS
from sane.testing.pixma.models import IMAGECLASS, MP150, MP730, MP750, MP800
from sane.testing.pixma.network import BJNP, MFNP, Emulator
from sane.testing.usb.hosted import Umockdev
from tests.peers.pixma import USB, Made
from tests.peers.pixma_pairs import (
    ADF_WAIT,
    CALIBRATE,
    COUNT,
    CURVE,
    CUSTOM_GAMMA,
    GAMMA,
    GAMMA_TABLE,
    MM,
    MODE,
    RESOLUTION,
    SCAN,
    SOURCE,
    THRESHOLD,
    Case,
    area,
    check,
    check_all,
    opened,
    run_both,
    text,
    word,
)
from tests.peers.walks import build_walker
from tests.support.distribution import sane_version

TEXTS = (MODE, SOURCE, CALIBRATE)
SENSORS = range(17, 25)
GROUPS = (1, 6, 10, 15, 25)
BUTTON_UPDATE = 16
FEEDER, DUPLEX, FILM = "Automatic Document Feeder", "ADF Duplex", "Transparency Unit"
LARGEST = {MP150: 4800, MP800: 4800, MP730: 1200, MP750: 1200, IMAGECLASS: 600}
# One of each family and generation, and those that put pixels or colours otherwise.
SCANNED = {
    "MP150": 1200, "MP600": 2400, "MP610": 4800, "MP220": 1200, "MP560": 2400, "MG5300": 2400,
    "MG6200": 4800, "XK90": 1200, "LIDE300": 2400, "MP800": 2400, "MP810": 4800, "MP970": 4800,
    "MP980": 4800, "MP990": 4800, "MG8100": 4800, "MG8200": 4800, "8800F": 4800, "9000F": 4800,
    "MP730": 1200, "MP360": 1200, "iR1020": 600, "MF4270": 600, "MF4690": 600, "MF4410": 600,
    "MF6100": 600,
}  # fmt: skip


pytest.importorskip("sane.backends.pixma")


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that makes the calls."""
    return build_walker(tmp_path_factory.mktemp("walker"))


def page(mode: str, dpi: int, source: str = "", *, size: float = 0, at: float = 30.1) -> list[str]:
    """Return the commands that choose what is scanned; *size* of it in mm, 0: what is quick."""
    found = [text(SOURCE, source)] if source else []
    side = size or min(25.0, 25.4 * 700 / dpi)
    return [
        *found,
        text(MODE, mode),
        word(RESOLUTION, dpi),
        *area(at, at + 7.7, at + side, at + 7.7 + side / 2),
    ]


def test_options_of_every_model(walker: Path, tmp_path: Path) -> None:
    values = [f"get 0 {i} 31 s" for i in TEXTS]
    values += [
        f"get 0 {i} 4 w" for i in range(COUNT) if i not in (*TEXTS, *SENSORS, *GROUPS, 8, 16)
    ]
    commands = opened([f"descs 0 {COUNT}", *(f"desc 0 {i} t" for i in range(COUNT)), *values])
    # LIDE400's row is never found over the network: another one has a part of its name.
    cases = [Case(Made(name), commands) for name in MODELS if name != "LIDE400"]
    report = check_all(walker, cases, tmp_path)
    assert not report, report


def scans(names: Sequence[str], is_whole: bool) -> Iterator[Case]:
    """Return scans of each model: in every mode and resolution, or in some of each."""
    for number, name in enumerate(names):
        resolutions = [75 << i for i in range(7) if 75 << i <= SCANNED[name]]
        modes = ["Color", "Gray"] + ["Lineart"] * (MODELS[name].family != MP750)
        modes += ["48 bits color", "16 bits gray"] * (name in ("8800F", "9000F"))
        pairs = list(itertools.product(modes, resolutions))
        chosen = pairs if is_whole else pairs[number % 5 :: 1 + len(pairs) // 2]
        for mode, dpi in chosen:
            is_deep = "16" in mode or "48" in mode
            is_torn = is_deep and (name, dpi) == ("8800F", 4800)  # by the original
            if not is_torn and (not is_deep or dpi >= 150):
                yield Case(Made(name), opened([*page(mode, dpi), *SCAN, "cancel 0"]))


def test_modes_and_resolutions(walker: Path, tmp_path: Path) -> None:
    report = check_all(walker, list(scans(list(SCANNED), is_whole=False)), tmp_path)
    assert not report, report


@pytest.mark.long
@pytest.mark.parametrize("name", SCANNED)
def test_every_mode_and_resolution(name: str, walker: Path, tmp_path: Path) -> None:
    report = check_all(walker, list(scans([name], is_whole=True)), tmp_path)
    assert not report, report


@pytest.mark.parametrize(
    ("name", "mode", "dpi"),
    [
        ("MP560", "Color", 300),
        pytest.param("MP750", "Gray", 300, marks=pytest.mark.long),
        ("MF4270", "Color", 150),
        ("LIDE400", "16 bits gray", 300),
        pytest.param("MP600", "Lineart", 300, marks=pytest.mark.long),
        pytest.param("MP730", "Color", 150, marks=pytest.mark.long),
        pytest.param("9000F", "48 bits color", 300, marks=pytest.mark.long),
        pytest.param("MF4410", "Color", 300, marks=pytest.mark.long),
        pytest.param("MF4690", "Lineart", 300, marks=pytest.mark.long),
        pytest.param("LIDE400", "48 bits color", 600, marks=pytest.mark.long),
        pytest.param("LIDE400", "Gray", 75, marks=pytest.mark.long),
    ],
)
def test_scans_on_usb(
    name: str, mode: str, dpi: int, walker: Path, usb_bus: Umockdev, tmp_path: Path
) -> None:
    commands = opened([f"descs 0 {COUNT}", *page(mode, dpi), *SCAN, "cancel 0"])
    report = check(walker, Made(name, USB), commands, tmp_path, usb_bus)
    assert not report, report


def test_sources(walker: Path, tmp_path: Path) -> None:
    """Feeders with one side and two, and film, of which one page is scanned, then more."""
    feeds = [
        ("MX870", DUPLEX, 1, 2), ("MP560", "", 0, 2), ("MF4690", FEEDER, 2, 3),
        ("MF6100", FEEDER, 2, 3), ("MP730", FEEDER, 2, 3), ("iR1020", DUPLEX, 1, 3),
        ("MF4800", FEEDER, 1, 2),
    ]  # fmt: skip
    cases = [
        Case(
            Made(name, MFNP if name == "MF4800" else BJNP, sheets),
            opened([*page("Gray", 150, source), *SCAN * pages, "cancel 0"]),
        )
        for name, source, sheets, pages in feeds
    ]
    for name in ("9000F", "8800F", "MP810", "MP990"):
        cases.append(Case(Made(name), opened([*page("Color", 300, FILM), *SCAN, "cancel 0"])))
    infrared = [*page("Infrared", 600, FILM), *SCAN, "cancel 0"]
    cases.append(Case(Made("9000F"), opened(infrared)))
    report = check_all(walker, cases, tmp_path)
    assert not report, report


def test_what_setting_an_option_tells(walker: Path, tmp_path: Path) -> None:
    table = f"get 0 {GAMMA_TABLE} SIZE w"
    gamma = [
        *(word(GAMMA, 3 * MM), word(CUSTOM_GAMMA, 1), word(CUSTOM_GAMMA, 1), word(GAMMA, 2 * MM)),
        *(table, f"set 0 {GAMMA_TABLE} SIZE r 7:0:70000", table, f"auto 0 {GAMMA_TABLE}", table),
        *(f"auto 0 {GAMMA}", table, word(CUSTOM_GAMMA, 0), word(CUSTOM_GAMMA, 0)),
        *(f"auto 0 {CUSTOM_GAMMA}", word(GAMMA, 0)),
    ]
    texts = [text(MODE, spelled) for spelled in ("GRAY", "gray", "Gra", "", "Gray ", "Color")]
    sources = [text(SOURCE, "flatbed"), text(SOURCE, FEEDER), text(SOURCE, FILM), text(SOURCE, "F")]
    waits = [f"desc 0 {ADF_WAIT}", word(ADF_WAIT, 5), f"auto 0 {ADF_WAIT}"]
    commands = opened([*waits, *gamma, *texts, *sources, *texts, *waits, "open 1 DEVICE"])
    cases = []
    for name in ("MP560", "MP150", "MX870", "9000F", "MP750", "MP730", "MF4270", "MF3240"):
        size = str(4 * (4096 if MODELS[name].gamma_4096 else 1024))
        cases.append(Case(Made(name), [line.replace("SIZE", size) for line in commands]))
    report = check_all(walker, cases, tmp_path)
    assert not report, report


def test_sizes_of_small_areas(walker: Path, tmp_path: Path) -> None:
    """Scans at less than what was asked for have sixteen pixels and whole bytes, too."""
    cases = []
    for name, source, dpi in (
        ("MX870", FEEDER, 1200), ("MP360", "", 1200), ("MP730", "", 1200), ("MP150", "", 300),
        ("9000F", FILM, 300), ("LIDE300", "", 75), ("MP750", "", 300), ("MF4270", "", 600),
    ):  # fmt: skip
        sizes: list[str] = []
        for mode in ["Color", "Gray"] + ["Lineart"] * (name not in ("9000F", "MP750")):
            sizes += page(mode, dpi, source)
            for pixels in (*range(1, 50, 3), 33, 95, 97):
                end = 30 + (pixels + 0.3) / dpi * 25.4
                sizes += [*area(30, 30, end, end), "params 0"]
        cases.append(Case(Made(name), opened(sizes)))
    report = check_all(walker, cases, tmp_path)
    assert not report, report


def test_options_that_are_set_while_sheets_are_fed(walker: Path, tmp_path: Path) -> None:
    """They are those of the next sheet, which may begin before all of this one was read."""
    other = [word(RESOLUTION, 150), text(MODE, "Color"), "params 0"]
    left = ["start 0", "read 0 100", *other]
    whole = [*SCAN, word(RESOLUTION, 75), "params 0", *SCAN]
    commands = opened([*page("Gray", 75, FEEDER), *left, *whole, "cancel 0", "params 0"])
    names = ("MF4270", "MP730", "MX870")
    cases = [Case(Made(name, BJNP, 9), commands, has_wire=False) for name in names]
    report = check_all(walker, cases, tmp_path)
    assert not report, report


@pytest.mark.parametrize(
    ("name", "source", "chosen", "kept", "lowest"),
    [
        ("MF4690", FEEDER, ("Gray", 600), ("Gray", 600), 75),
        ("MX920", DUPLEX, ("Lineart", 1200), ("Lineart", 75), 75),
        ("9000F", FILM, ("Gray", 150), ("Gray", 300), 300),
        ("9000F", FILM, ("Lineart", 600), ("Color", 600), 300),
    ],
)
def test_a_new_source_keeps_mode_and_resolution(
    name: str,
    source: str,
    chosen: tuple[str, int],
    kept: tuple[str, int],
    lowest: int,
    walker: Path,
    tmp_path: Path,
) -> None:
    """Where it has them; originals before 1.3 go back to colour in the lowest resolution."""
    mode, dpi = chosen
    asked = [f"get 0 {MODE} 31 s", f"get 0 {RESOLUTION} 4 w"]
    commands = [text(MODE, mode), word(RESOLUTION, dpi), text(SOURCE, source), *asked]
    sides = run_both(walker, Made(name), opened(commands), tmp_path)
    theirs = kept if sane_version() >= (1, 3) else ("Color", lowest)
    for side, (mode, dpi) in zip(sides, (kept, theirs), strict=True):
        assert side.trace[5:7] == [f'GOOD info=0 value="{mode}"', f"GOOD info=0 value={dpi}"]


def test_settings(walker: Path, tmp_path: Path) -> None:
    """Gamma, thresholds with and without curve, and calibration reach scanner and pixels."""
    plain = [*SCAN, "cancel 0"]
    table = f"set 0 {GAMMA_TABLE} 4096 r 7:0:65535"
    settings = [
        [*page("Gray", 150), word(GAMMA, 3 * MM), *plain],
        [*page("Gray", 75), word(CUSTOM_GAMMA, 1), word(GAMMA, MM // 2), *plain],
        [*page("Color", 75), word(CUSTOM_GAMMA, 1), table, *plain],
        [*page("Lineart", 150), word(THRESHOLD, 20), *plain],
        [*page("Lineart", 300), word(CURVE, 60), *plain],
        [*page("Lineart", 150, size=40), word(THRESHOLD, 70), word(CURVE, 126), *plain],
        [*page("Gray", 75), text(CALIBRATE, "Always"), *plain, *plain],
        [*page("Gray", 75), text(CALIBRATE, "Never"), *plain],
        [*page("Gray", 75), *plain, *plain],
        [*page("Gray", 75, at=0), *area(0, 0, 400, 3), *plain],
        [*page("Gray", 75), *area(216, 296, 217, 300), *plain],
        [*page("Color", 300), *area(60, 50, 55, 40), *plain],
    ]
    cases = [Case(Made("MP560"), opened(commands)) for commands in settings]
    cases += [Case(Made("MP150"), opened(commands)) for commands in settings[:2]]
    report = check_all(walker, cases, tmp_path)
    assert not report, report


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "source", "sheets"),
    [
        ("MP750", FEEDER, 2),
        ("MP780/790", "", 0),
        ("MF5770", FEEDER, 2),
        ("MF5900", DUPLEX, 2),
        ("D480", DUPLEX, 2),
        ("MX7600", DUPLEX, 2),
        ("MX920", FEEDER, 2),
    ],
)
def test_slow_ones(name: str, source: str, sheets: int, walker: Path, tmp_path: Path) -> None:
    """Those with which the original waits long, until the feeder is empty."""
    pages = 1 + sheets * (1 + (source == DUPLEX))
    commands = opened([*page("Color", 150, source), *SCAN * pages, "cancel 0"])
    report = check(walker, Made(name, BJNP, sheets), commands, tmp_path)
    assert not report, report


def test_pages_in_jpeg(walker: Path, tmp_path: Path) -> None:
    cases = [
        Case(Made(name, BJNP, 1), opened([*page(mode, 150, source), *SCAN, "cancel 0"]))
        for name, source in (("MB5100", DUPLEX), ("TR4500", FEEDER))
        for mode in ("Color", "Gray", "Lineart")
    ]
    report = check_all(walker, cases, tmp_path)
    assert not report, report


def test_buttons(walker: Path, tmp_path: Path) -> None:
    """What was pressed before, with the choices that the scanner's panel has."""
    fields = {"target": 2, "original": 1}
    more = {"resolution": 3, "document": 2, "feeder": 2, "orientation": 1}
    pressed: list[tuple[str, int, dict[str, int]]] = [
        ("MP600", 1, fields),
        ("MP560", 2, fields),
        ("MG5300", 1, fields | {"resolution": 4}),
        ("TR4500", 1, fields | more),
        ("MF4690", 1, {}),
        ("MP750", 2, {}),
        ("9000F", 1, {"target": 3}),
    ]

    def press(button: int, fields: dict[str, int]) -> Callable[[Emulator], None]:
        return lambda emulator: emulator.scanner.press(button, **fields)

    commands = opened([f"set 0 {BUTTON_UPDATE} 0 b", *(f"get 0 {i} 4 w" for i in SENSORS)])
    cases = [
        Case(Made(name, prepare=press(button, fields)), commands)
        for name, button, fields in pressed
    ]
    report = check_all(walker, cases, tmp_path)
    assert not report, report
