"""The original pixma scans from the emulated Canon scanners, over the network and over USB.

Every pixel of the pages follows a formula that is written down here a second time. Scans over the
network are mostly waits (a second and more for each page), so many run at once.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from sane.testing.esci2 import turbojpeg
from sane.testing.pixma import MODELS, Answer
from sane.testing.pixma.network import BJNP, MFNP
from sane.testing.usb.hosted import Umockdev
from tests.peers.pixma import USB, WEIGHTS, Answers, Made, Scanned, expected, pixels_of, scan

AT_ONCE = 16
LEFT, TOP, WIDTH, HEIGHT = 33.3, 41.7, 20.3, 9.0  # mm
AREA = ("-l", str(LEFT), "-t", str(TOP), "-x", str(WIDTH), "-y", str(HEIGHT))
FEEDER, DUPLEX = "Automatic Document Feeder", "ADF Duplex"
# One model of each family and generation, and those with their own order of pixels.
FLATBEDS = (
    ("MP150", "Color", 300), ("MP150", "Gray", 1200), ("MP510", "Gray", 150),
    ("MP600", "Color", 2400), ("MP610", "Color", 1200), ("MP220", "Gray", 1200),
    ("MP560", "Color", 300), ("MP560", "Gray", 75), ("MP560", "Color", 2400),
    ("MG5300", "Color", 600), ("MG6200", "Gray", 4800), ("XK90", "Color", 1200),
    ("LIDE300", "Color", 300), ("MP830", "Color", 600), ("MP810", "Gray", 300),
    ("MP970", "Color", 1200), ("MP980", "Color", 2400), ("MP990", "Gray", 150),
    ("MG8100", "Color", 1200), ("9000F", "Color", 2400), ("8800F", "Color", 300),
    ("MP730", "Color", 600), ("MP360", "Gray", 300), ("iR1020", "Gray", 75),
    ("MF4270", "Color", 300), ("MF4690", "Gray", 600), ("D480", "Color", 75),
    ("MF4410", "Color", 300), ("MF6100", "Gray", 150),
)  # fmt: skip
BATCHES = (
    ("MX870", DUPLEX, 1), ("MP730", FEEDER, 2), ("iR1020", DUPLEX, 2), ("MF4690", FEEDER, 2),
    ("MF6100", FEEDER, 2), ("MP530", FEEDER, 1), ("MP830", DUPLEX, 1), ("D480", DUPLEX, 2),
    ("MF5900", DUPLEX, 2), ("MF5770", FEEDER, 2), ("MP750", FEEDER, 2), ("MP780/790", FEEDER, 2),
)  # fmt: skip


class Case(NamedTuple):
    """A scan: the scanner, options, and what is to be seen."""

    made: Made
    mode: str
    dpi: int
    source: str = ""

    @property
    def options(self) -> list[str]:
        """The arguments for scanimage; the source resets the resolution."""
        source = ["--source", self.source] if self.source else []
        return [*source, "--mode", self.mode, "--resolution", str(self.dpi), *AREA]

    def wrong(self, scanned: Scanned, pages: int = 1) -> str:
        """Return what is wrong with the pages that were scanned, "" if nothing is."""
        told = f"{self}: status {scanned.status}, {scanned.stderr}, {scanned.problems}"
        if len(scanned.pictures) != pages or scanned.problems:
            return told
        name = self.made.model
        family = MODELS[name].family if isinstance(name, str) else ""
        for number, picture in enumerate(scanned.pictures):
            side = number if self.source == DUPLEX else 2 * number
            corner = pixels_of(LEFT, self.dpi), pixels_of(TOP, self.dpi)
            family = family if family in WEIGHTS else ""
            if picture.data != expected(picture, *corner, side, family):
                return f"page {number} of {told}"
        return ""


def scan_all(cases: Iterable[Case], folder: Path) -> list[Scanned]:
    """Scan from several scanners on the network at once."""

    def one(numbered: tuple[int, Case]) -> Scanned:
        number, case = numbered
        return scan(case.made, case.options, folder / str(number))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, enumerate(cases)))


def test_flatbeds_on_the_network(tmp_path: Path) -> None:
    cases = [Case(Made(model), mode, dpi) for model, mode, dpi in FLATBEDS]
    cases += [Case(Made("MF4800", MFNP), mode, 300) for mode in ("Color", "Gray")]
    found = [case.wrong(done) for case, done in zip(cases, scan_all(cases, tmp_path), strict=True)]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.long
def test_feeders_on_the_network(tmp_path: Path) -> None:
    """All sheets, and both sides; a second page begins otherwise than the first."""
    cases = [
        Case(Made(model, BJNP, sheets), "Color", 150, source) for model, source, sheets in BATCHES
    ]
    outcomes = scan_all(cases, tmp_path)
    pages = [(1 + (case.source == DUPLEX)) * case.made.sheets for case in cases]
    found = [
        case.wrong(done, count) for case, done, count in zip(cases, outcomes, pages, strict=True)
    ]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize(
    ("model", "mode", "dpi"),
    [
        ("MP560", "Color", 300),
        pytest.param(*("MP600", "Gray", 150), marks=pytest.mark.long),
        pytest.param(*("MP730", "Color", 150), marks=pytest.mark.long),
        pytest.param(*("MP750", "Color", 150), marks=pytest.mark.long),
        pytest.param(*("MF4270", "Gray", 300), marks=pytest.mark.long),
        pytest.param(*("MF4410", "Color", 300), marks=pytest.mark.long),
        pytest.param(*("9000F", "Color", 300), marks=pytest.mark.long),
        ("LIDE400", "Color", 600),
    ],
)
def test_flatbeds_on_usb(
    model: str, mode: str, dpi: int, usb_bus: Umockdev, tmp_path: Path
) -> None:
    case = Case(Made(model, USB), mode, dpi)
    assert not case.wrong(scan(case.made, case.options, tmp_path, usb_bus))


@pytest.mark.long
@pytest.mark.parametrize("model", ["MB5100", "MF260"])
def test_pages_in_jpeg(model: str, tmp_path: Path) -> None:
    """What the host makes of the files is what the usual decoder makes of them."""
    image = pytest.importorskip("PIL.Image")
    if not turbojpeg.is_there():
        pytest.skip("peer absent: libturbojpeg0")
    case = Case(Made(model, BJNP, 1), "Color", 150, DUPLEX)
    # The original drops the end of MF260's image that is not a multiple of 32 wide.
    options = [*case.options, "-x", "54.19"]
    done = scan(case.made, options, tmp_path)
    assert len(done.pictures) == 2, done.stderr
    for side, picture in enumerate(done.pictures):
        left, top = pixels_of(LEFT, 150), pixels_of(TOP, 150)
        shift = left % 32 if model == "MB5100" else 0
        width = -(-(picture.size[0] + shift) // 32) * 32
        whole = picture._replace(size=(width, picture.size[1]))
        pixels = expected(whole, left - shift, top, side)
        data = turbojpeg.compress(pixels, width, picture.size[1], 92, "444")
        decoded = image.open(io.BytesIO(data)).tobytes()
        rows = [decoded[3 * width * y :][: 3 * picture.size[0]] for y in range(picture.size[1])]
        assert picture.data == b"".join(rows), f"side {side}"


def test_one_page_sends_what_is_known(tmp_path: Path) -> None:
    """The commands of a page of an MP560 (specification pixma 6.6)."""
    case = Case(Made("MP560"), "Gray", 150)
    done = scan(case.made, case.options, tmp_path)
    assert [command.name for command in done.log] == [
        *("StartJob", "ModeShift", "DB20", "EE20", "EE20", "EE20", "D820", "D920", "DA20"),
        *("D420", "EF20", "EndJob"),
    ]
    assert [len(command.data) for command in done.log[:2]] == [288, 390]
    assert len(done.log[-1].data) == 262
    link = "".join(f"{packet.code:02x} " for packet in done.packets if packet.link == "udp")
    assert re.fullmatch(r"(?:01 30 )?01 (?:30 )?(?:01 )*10 32 32 32 32 11 ", link), link
    details = next(packet for packet in done.packets if packet.code == 0x10)
    assert len(details.payload) == 392
    sessions = {packet.session for packet in done.packets if packet.link == "tcp"}
    assert sessions == {1}


@pytest.mark.long
def test_faults_have_the_known_ends(tmp_path: Path) -> None:
    """Exit statuses are SANE's: cancelled 2, busy 3, I/O error 9 (specification pixma 7)."""
    faults: tuple[tuple[Answers, int], ...] = (
        ({"DB20": (Answer(0x1414),) * 2}, 0),
        ({"D820": (Answer(0x1515),)}, 2),
        ({"DA20": (Answer(0x1234),)}, 9),
        ({"EE20": (Answer(0x1414),)}, 3),
        ({"DA20": (Answer(spoils=True),)}, 9),
        ({"D420": (None, Answer(0x1515))}, 2),
        ({"D420": (Answer(flags=0x40, more=7),)}, 0),
        ({"D420": (Answer(data=b"", carries_out=False),) * 3}, 0),
        ({"StartJob": (Answer(data=b"<cmd>NG</cmd>"),)}, 9),
        ({"EF20": (Answer(0x1515),)}, 0),
        ({"DB20": (Answer(whole=b""),) * 2}, 9),
    )
    blocks = {"block_bytes": 3000}
    cases = [
        Case(Made("MP560", BJNP, 0, blocks, answers), "Gray", 150) for answers, _status in faults
    ]
    outcomes = scan_all(cases, tmp_path)
    assert [done.status for done in outcomes] == [status for _answers, status in faults], outcomes
    asked = [command.name for command in outcomes[5].log]
    assert asked[-4:] == ["D420", "FF20", "EF20", "EndJob"]
