"""pysane doctor, scanners: drivers that open, refuse, hang or break, and an empty feeder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.cli.doctor import device
from sane.cli.doctor.finding import FAULT, OK, UNKNOWN, WARNING, Finding
from sane.cli.doctor.program import examine
from sane.testing import escl, wsd
from sane.wire import messages as m
from tests.fakes.saned import FakeSaned
from tests.support.doctor import Place, is_sentence
from tests.support.escl import png_model

DRIVER = '''
"""A scanner that does what the tests want."""

from sane.backend import Backend as Base
from sane.backend import CAP_SOFT_DETECT, FRAME_GRAY, Device, DeviceInfo
from sane.backend import Parameters, errors, option


class Scanner(Device):
    sensors_group = option.Group("Sensors")
    page_loaded = option.Bool("Page loaded", "Paper.", default={loaded}, cap=CAP_SOFT_DETECT)
    cover_open = option.Bool("Cover open", "Open.", default={open}, cap=CAP_SOFT_DETECT)

    def parameters(self):
        return Parameters(FRAME_GRAY, 8, 4)

    def start(self):
        {start}

    def read_into(self, view):
        {read}


class Backend(Base):
    def list_devices(self, local_only):
        return [DeviceInfo("one", "Acme", "9", "flatbed scanner", serial="S123456")]

    def open(self, name):
        {opening}
        return Scanner()
'''


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let each test have a driver of its own."""
    yield
    sys.modules.pop("sane.backends.acme_driver", None)


def look(tmp_path: Path, scans: bool = False, **words: object) -> dict[str, Finding]:
    """Return what is found of a scanner whose driver has these pieces, by id."""
    pieces = {"loaded": True, "open": False, "start": "pass", "opening": "pass"}
    pieces |= {"read": "view[:] = bytes(len(view)); return len(view)", **words}
    place = Place(tmp_path, dll="acme_driver\n")
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "acme_driver.py").write_text(DRIVER.format(**pieces))
    place.variables["PYSANE_BACKEND_PATH"] = str(folder)
    findings = examine(place.machine(scans=scans), ())
    assert all(is_sentence(one.text) for one in findings), findings
    assert all(one.device == "acme_driver:one" for one in findings)
    return {one.id: one for one in findings}


def test_a_scanner_that_works(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert {id: one.level for id, one in found.items()} == {
        "device.list": OK,
        "device.open": OK,
        "device.options": OK,
        "device.feeder": OK,
        "device.cover": OK,
    }
    assert found["device.list"].text == "Acme 9 is found as acme_driver:one."
    assert found["device.open"].text == (
        "acme_driver:one can be opened (--scan would also read a line)."
    )
    assert found["device.options"].text == "acme_driver:one: 2 options are read."
    assert found["device.feeder"].text == "acme_driver:one: the feeder has paper."
    assert found["device.cover"].text == "acme_driver:one: its cover is closed."


def test_a_line_is_read(tmp_path: Path) -> None:
    found = look(tmp_path, scans=True)["device.read"]
    assert (found.level, found.text) == (OK, "acme_driver:one: a line of 8 pixels was read.")


def test_an_open_cover_and_an_empty_feeder(tmp_path: Path) -> None:
    found = look(tmp_path, loaded=False, open=True)
    assert found["device.feeder"].text == "acme_driver:one: the feeder is empty."
    assert found["device.cover"].level == WARNING
    assert found["device.cover"].text == "acme_driver:one: its cover is open: close it."


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (
            "errors.DeviceBusy('by job 7')",
            "is busy: another program or computer uses it (by job 7).",
        ),
        ("errors.AccessDenied('no rights')", "access is denied (no rights)."),
        ("errors.DeviceIOError('no lamp')", "is listed, but cannot be opened: no lamp."),
        ("ValueError('a mistake')", "cannot be opened: "),
    ],
)
def test_a_scanner_that_cannot_be_opened(tmp_path: Path, raised: str, text: str) -> None:
    found = look(tmp_path, opening=f"raise {raised}")["device.open"]
    assert found.level == FAULT
    assert text in found.text


def test_a_scanner_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "DEVICE_SECONDS", 0.3)
    opening = "import time; time.sleep(1.0)"
    found = look(tmp_path, opening=opening)["device.open"]
    assert found.level == UNKNOWN
    assert found.text == "This check did not end within 0.3 s (opening acme_driver:one)."


@pytest.mark.parametrize(
    ("words", "level", "text"),
    [
        ({"start": "raise errors.NoDocs"}, WARNING, "nothing was read: "),
        ({"start": "raise errors.CoverOpen"}, WARNING, "nothing was read: "),
        (
            {"start": "raise errors.DeviceIOError('no lamp')"},
            FAULT,
            "reading a line failed: no lamp.",
        ),
        ({"read": "return 0"}, FAULT, "the page ended before its first line."),
        ({"read": "raise OSError(5, 'gone')"}, FAULT, "reading a line failed: "),
        ({"start": "1 / 0"}, FAULT, "reading a line failed: division by zero."),
    ],
)
def test_a_test_read_that_fails(
    tmp_path: Path, words: dict[str, str], level: str, text: str
) -> None:
    found = look(tmp_path, scans=True, **words)["device.read"]
    assert found.level == level
    assert text in found.text


FEEDER_EMPTY = [("device.feeder", OK, "the feeder is empty.")]
COVER_OPEN = [("device.cover", WARNING, "the cover is open: close it.")]
JAM = [("device.feeder", FAULT, "paper is jammed in the feeder.")]
NOTHING = [("device.sensors", OK, "says that nothing stands in the way of a scan.")]


def told(place: Place) -> list[tuple[str, str, str]]:
    """Return what the only scanner of *place* tells of itself: id, level, end of the text."""
    rows = []
    for one in examine(place.machine(), ()):
        if one.id in ("device.feeder", "device.cover", "device.sensors"):
            text = one.text.removeprefix(one.device)
            rows.append((one.id, one.level, text.removeprefix(": ").strip()))
    return rows


@pytest.mark.parametrize(
    ("state", "feeder", "reasons", "expected"),
    [
        ("Idle", "ScannerAdfLoaded", (), NOTHING),
        ("Idle", "ScannerAdfEmpty", (), FEEDER_EMPTY),
        ("Idle", "ScannerAdfJam", (), JAM),
        ("Stopped", "ScannerAdfLoaded", ("CoverOpen",), COVER_OPEN),
        ("Down", "", (), [("device.sensors", FAULT, "the scanner is down.")]),
    ],
)
def test_what_an_escl_scanner_tells_of_itself(
    tmp_path: Path,
    state: str,
    feeder: str,
    reasons: tuple[str, ...],
    expected: list[tuple[str, str, str]],
) -> None:
    scanner = escl.Scanner(png_model())
    scanner.status.state, scanner.status.adf_state, scanner.status.reasons = state, feeder, reasons
    place = Place(tmp_path, dll="escl\n")
    with escl.Emulator(scanner) as emulator:
        place.configure("escl.conf", f"discovery off\n{emulator.url}\n")
        assert told(place) == expected


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["MediaJam"], [("device.feeder", FAULT, "a sheet is jammed.")]),
        (["CoverOpen"], COVER_OPEN),
        (["None"], NOTHING),
    ],
)
def test_what_a_wsd_scanner_tells_of_itself(
    tmp_path: Path, reasons: list[str], expected: list[tuple[str, str, str]]
) -> None:
    scanner = wsd.Scanner()
    scanner.knobs.reasons = reasons
    place = Place(tmp_path, dll="wsd\n")
    with wsd.Emulator(scanner) as emulator:
        place.configure("wsd.conf", f"discovery off\n{emulator.url}\n")
        assert told(place) == expected


def test_a_data_port_that_is_closed(tmp_path: Path) -> None:
    """The server lets us in and names a port for the image, behind its firewall."""

    def start(server: FakeSaned, wire: object, request: object) -> bytes:
        data: bytes = wire.reply(m.StartReply(0, 1, m.LITTLE_ENDIAN, None))  # type: ignore[attr-defined]
        return data

    with FakeSaned(answers={m.Start: start}) as server:
        place = Place(tmp_path, dll="net\n", net=f"127.0.0.1 port = {server.port}\n")
        findings = examine(place.machine(scans=True), ())
    (found,) = [one for one in findings if one.id == "network.data-port"]
    assert found.level == FAULT
    assert "it opens, but no image data come" in found.text
    assert "data_portrange" in found.command


def test_a_driver_that_fails_to_list(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="acme_driver\n")
    folder = tmp_path / "drivers"
    folder.mkdir()
    text = DRIVER.format(loaded=True, open=False, start="pass", opening="pass", read="return 0")
    text = text.replace("return [DeviceInfo", "return [1 / 0, DeviceInfo")
    (folder / "acme_driver.py").write_text(text)
    place.variables["PYSANE_BACKEND_PATH"] = str(folder)
    warning, fault = examine(place.machine(), ())
    assert (warning.id, warning.level) == ("device.list", WARNING)
    assert warning.text.startswith("Backend acme_driver: list_devices: ZeroDivisionError: ")
    assert (fault.id, fault.level) == ("device.list", FAULT)


def test_no_scanner_at_all(tmp_path: Path) -> None:
    (found,) = examine(Place(tmp_path).machine(), ())
    assert (found.id, found.level) == ("device.list", FAULT)
    assert found.text.startswith("No scanner is found")
