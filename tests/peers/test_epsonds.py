"""Ours and the original epsonds, over TCP and over USB: the same calls, images and parameters.

The scanner is emulated (sane.testing.esci2). Over USB the real libusb is in between, on a bus of
umockdev.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sane.testing.esci2 import Bed, Model, Scanner, reply, turbojpeg
from sane.testing.esci2.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev
from tests import ROOT
from tests.conftest import PREFIX
from tests.peers.epsonds import (
    CROP,
    DEPTH,
    DUPLEX,
    FRONT,
    MODE,
    RESOLUTION,
    SCAN,
    SKEW,
    SOURCE,
    Made,
    Network,
    Transport,
    Usb,
    area,
    check,
    feeder_model,
    serve,
    set_text,
    set_word,
)
from tests.peers.walks import build_walker

SMALL = area(10, 20, 41.5, 40)
MODES = ("Lineart", "Gray", "Color")
RAW, JPEG = ("RAW", "JPG"), ("JPG",)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


@pytest.fixture(autouse=True, scope="module")
def turbojpeg_is_there() -> None:
    if not turbojpeg.is_there():
        pytest.skip("peer absent: libturbojpeg0")


class Pair:
    """What a test needs to compare both sides."""

    def __init__(self, walker: Path, transport: Transport, folder: Path) -> None:
        self.walker, self.transport, self.folder = walker, transport, folder

    def check(
        self,
        model: Model,
        commands: list[str],
        *sheets: int,
        closes: bool = True,
        **attributes: Any,
    ) -> None:
        scanner = Made(model, sheets or (0,), attributes)
        ends = ["close 0", "exit"] if closes else []  # the original crashes where open failed
        report = check(self.walker, self.transport, scanner, commands + ends, self.folder)
        assert not report, f"\n{report}"


@pytest.fixture(scope="module", params=["net", "usb"])
def transport(request: pytest.FixtureRequest) -> Transport:
    if request.param == "net":
        return Network()
    return Usb(request.getfixturevalue("umockdev_host"))


@pytest.fixture
def pair(walker: Path, transport: Transport, tmp_path: Path) -> Pair:
    return Pair(walker, transport, tmp_path)


@pytest.fixture
def usb_pair(walker: Path, umockdev_host: Umockdev, tmp_path: Path) -> Pair:
    """The network is slow: the original waits 40 ms for the answer to each command there."""
    return Pair(walker, Usb(umockdev_host), tmp_path)


def scans_of_all_modes() -> list[str]:
    commands = []
    for mode in MODES:
        commands += [set_text(MODE, mode), *SCAN]
    return commands


@pytest.mark.parametrize("formats", [RAW, JPEG, ("JPG", "RAW")], ids=["raw", "jpeg", "both"])
def test_all_modes_on_the_flatbed(pair: Pair, formats: tuple[str, ...]) -> None:
    commands = ["descs 0 17", *(f"desc 0 {i}" for i in (2, 3, 5, 7, 8, 9, 10, 14, 15)), "params 0"]
    commands += [set_word(RESOLUTION, 100), *SMALL, *scans_of_all_modes()]
    pair.check(feeder_model(formats=formats), commands)


@pytest.mark.parametrize("padding", [1, 3, 200])
def test_bytes_behind_each_line_are_no_pixels(usb_pair: Pair, padding: int) -> None:
    commands = [set_word(RESOLUTION, 75), *SMALL, *scans_of_all_modes()]
    usb_pair.check(feeder_model(), commands, padding=padding, piece_bytes=777)


@pytest.mark.parametrize("short", [False, True], ids=["i", "d"])
def test_numbers_in_both_forms(usb_pair: Pair, short: bool) -> None:
    model = feeder_model(short_area=short)
    commands = [set_word(RESOLUTION, 75), *SMALL, *scans_of_all_modes()]
    usb_pair.check(model, commands, short_numbers=short)


def test_areas_of_every_size(usb_pair: Pair) -> None:
    commands = [set_text(MODE, "Gray"), set_word(RESOLUTION, 150)]
    corners = [(0, 0, 1.4, 0.2), (0, 0, 215.9, 3), (200, 290, 215.9, 297.18), (3.3, 0, 9.9, 99.4)]
    for place in corners:
        commands += [*area(*place), "params 0", *SCAN]
    commands += [set_word(RESOLUTION, 1200), *area(0.1, 0.1, 9, 1.05), *SCAN]
    usb_pair.check(feeder_model(), commands)


def test_gray_of_one_bit_is_line_art(usb_pair: Pair) -> None:
    commands = [set_text(MODE, "Gray"), set_word(DEPTH, 1), set_word(RESOLUTION, 75)]
    usb_pair.check(feeder_model(), [*commands, *SMALL, *SCAN])


def test_line_art_without_bits(usb_pair: Pair) -> None:
    """The scanner offers gray only: the host makes bits of a JPEG."""
    model = feeder_model(colors=("M008", "C024"))
    usb_pair.check(model, [set_word(RESOLUTION, 100), *SMALL, set_text(MODE, "Lineart"), *SCAN])


@pytest.mark.parametrize("sampling", ["444", "422", "420"])
def test_colours_of_every_sampling(usb_pair: Pair, sampling: str) -> None:
    model = feeder_model(formats=JPEG)
    usb_pair.check(model, [set_word(RESOLUTION, 100), *SMALL, *SCAN], sampling=sampling)


@pytest.mark.parametrize("formats", [RAW, JPEG], ids=["raw", "jpeg"])
@pytest.mark.parametrize("source", [FRONT, DUPLEX])
@pytest.mark.parametrize("tells", [True, False], ids=["lft", "err"])
def test_the_feeder_until_it_is_empty(
    usb_pair: Pair, source: str, formats: tuple[str, ...], tells: bool
) -> None:
    commands = [set_text(SOURCE, source), set_word(RESOLUTION, 60), set_text(MODE, "Gray")]
    commands += SCAN * (2 if source == FRONT else 4)
    commands += ["start 0", "start 0"] if tells else []
    usb_pair.check(feeder_model(formats=formats), commands, 2, 300, tells_last=tells)


def test_the_feeder_on_the_network(pair: Pair) -> None:
    commands = [set_text(SOURCE, DUPLEX), set_word(RESOLUTION, 50), set_text(MODE, "Gray")]
    pair.check(feeder_model(), [*commands, *SCAN * 4, "start 0", "start 0"], 2, 300)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formats", [RAW, JPEG], ids=["raw", "jpeg"])
@pytest.mark.parametrize("name", ["DS-1630", "DS-EMU"])
def test_backs_of_sheets(usb_pair: Pair, mode: str, formats: tuple[str, ...], name: str) -> None:
    """Some models turn the sheet, and the host turns it back."""
    commands = [set_text(SOURCE, DUPLEX), set_word(RESOLUTION, 75), set_text(MODE, mode)]
    commands += [*area(5, 5, 60, 100), *SCAN * 4, "start 0"]
    padding = 0 if name == "DS-1630" else 2  # the original turns the padding along
    usb_pair.check(feeder_model(name=name, formats=formats), commands, 2, 200, padding=padding)


def test_a_centred_feeder(usb_pair: Pair) -> None:
    model = Model(flatbed=None, feeder=Bed(850, 1400, "CNTR", ("SKEW",)))
    commands = [set_word(RESOLUTION, 100), set_word(SKEW, 1), *area(2, 3, 52, 30)]
    usb_pair.check(model, ["desc 0 2", *commands, *SCAN], 1)


@pytest.mark.parametrize("name", ["DS-530", "DS-1630", "DS-310", "DS-70", "PID 1143"])
def test_gamma_of_the_models(pair: Pair, name: str) -> None:
    commands = [set_word(RESOLUTION, 75), *SMALL, *scans_of_all_modes(), "close 0"]
    if isinstance(pair.transport, Network):  # on the bus ours does not ask: deviations.md
        commands += ["devices 0", "devices 1"]
    pair.check(feeder_model(name=name), commands, closes=False)


def test_a_list_of_resolutions(usb_pair: Pair) -> None:
    model = Model(resolutions=(100, 75, 300, 1200, 600))
    commands = ["desc 0 5", "get 0 5 4 w", set_word(RESOLUTION, 500), *area(0, 0, 10, 5), *SCAN]
    usb_pair.check(model, [*commands, set_word(RESOLUTION, 1200), *SCAN])


@pytest.mark.parametrize(
    ("flatbed", "feeder"), [(Bed(), None), (None, Bed(850, 1400)), (Bed(), Bed(features=("CRP",)))]
)
def test_options_of_poorer_scanners(
    usb_pair: Pair, flatbed: Bed | None, feeder: Bed | None
) -> None:
    commands = ["descs 0 17", "desc 0 2", "set 0 12 0 b", set_word(SKEW, 1), set_word(CROP, 1)]
    usb_pair.check(Model(flatbed=flatbed, feeder=feeder), commands)


def test_what_a_change_of_source_changes(usb_pair: Pair) -> None:
    gets = [f"get 0 {option} 4 w" for option in (7, 8, 9, 10)]
    commands = [set_text(SOURCE, FRONT), *gets, set_text(SOURCE, "Flatbed"), *gets]
    commands += [set_word(7, 655360), set_text(SOURCE, DUPLEX), *gets]
    commands += [set_word(10, 23000000), set_text(SOURCE, "fl"), *gets]
    usb_pair.check(feeder_model(), commands)


def test_buttons_move_sheets(usb_pair: Pair) -> None:
    commands = [set_text(SOURCE, FRONT), "set 0 13 0 b", "set 0 12 0 b", set_word(RESOLUTION, 50)]
    usb_pair.check(feeder_model(), [*commands, *SCAN, "start 0"], 2)


@pytest.mark.parametrize("answer", ["#parFAIL", "#par    "])
def test_parameters_are_refused_or_not(pair: Pair, answer: str) -> None:
    para = {"PARA": [reply(b"PARA", answer)]}
    pair.check(feeder_model(), [set_word(RESOLUTION, 75), *SMALL, *SCAN], scripted=para)


@pytest.mark.parametrize("command", ["INFO", "CAPA", "RESA", "TRDT"])
@pytest.mark.parametrize("answer", [b"UNKN", b"INVD"])
def test_refusals(usb_pair: Pair, command: str, answer: bytes) -> None:
    commands = [*SCAN] if command == "TRDT" else []
    closes = command == "TRDT"
    usb_pair.check(feeder_model(), commands, scripted={command: [reply(answer)]}, closes=closes)


@pytest.mark.parametrize("fault", ["is_cover_open", "nothing"])
def test_the_feeder_does_not_start(usb_pair: Pair, fault: str) -> None:
    commands = [set_text(SOURCE, FRONT), "start 0"]
    if fault == "nothing":
        usb_pair.check(feeder_model(), commands)
    else:
        usb_pair.check(feeder_model(), commands, 1, **{fault: True})


def test_a_busy_scanner_is_asked_again(pair: Pair) -> None:
    pair.check(feeder_model(), [set_word(RESOLUTION, 75), *SMALL, *SCAN], busy={"INFO": 1})


def test_the_distributions_scanimage_scans_from_us(
    usb_bus: Umockdev, staged_environment: dict[str, str], config_dir: Path
) -> None:
    device = usb_bus.plug(UsbScanner, Model(), product=0x015C)
    (config_dir / "dll.conf").write_text("epsonds\n")
    (config_dir / "epsonds.conf").write_text((ROOT / "etc" / "epsonds.conf").read_text())
    environment = {**staged_environment, **usb_bus.environment}

    def scanimage(*arguments: str) -> bytes:
        command = ["scanimage", *arguments]
        done = subprocess.run(
            command, capture_output=True, timeout=60, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    expected = f"device `epsonds:{device.name}' is a Epson DS-1630 ESC/I-2\n"
    assert scanimage("-L").decode() == expected
    image = scanimage("--mode", "Color", "--resolution", "75", "-x", "30", "-y", "20")
    assert image.startswith(b"P6\n# SANE data follows\n88 59\n255\n")
    assert len(image) == 33 + 3 * 88 * 59


def test_it_keeps_the_rules_of_the_standard(
    staged_environment: dict[str, str], config_dir: Path
) -> None:
    with serve(Scanner(feeder_model(), sheets=2)) as server:
        name = f"net:{server.address[0]}"
        (config_dir / "dll.conf").write_text("epsonds\n")
        (config_dir / "epsonds.conf").write_text(f"net {server.address[0]}\n")
        done = subprocess.run(
            [sys.executable, "-m", "sane.testing", "--buttons", f"epsonds:{name}"],
            env={**staged_environment, "PYTHONPATH": str(PREFIX / "lib" / "pysane")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken, " in done.stdout
