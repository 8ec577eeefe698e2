"""The USB driver, the emulated scanner and the test of docs/driver-guide.md, as written there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ABSENT, PREFIX
from tests.support.guide import Guide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.testing.usb.hosted import Device, Umockdev

AREA = ("-x", "50", "-y", "50")  # 147 x 147 pixels at 75 dpi
WIDTH = 147
ROW = bytes(x * 255 // WIDTH for x in range(WIDTH))
PAGE = b"P5\n# SANE data follows\n147 147\n255\n" + ROW * WIDTH
TIMEOUT = 30


@pytest.fixture
def guide(tmp_path: Path) -> Iterator[Guide]:
    found = Guide(tmp_path)
    sys.modules["emulated_s1"] = found.module  # so that the bus can name its class
    found.module.__spec__.loader.exec_module(found.module)
    yield found
    del sys.modules["emulated_s1"]


@pytest.fixture
def scanner(guide: Guide, usb_bus: Umockdev) -> Device:
    return usb_bus.plug(guide.module.EmulatedS1)


@pytest.fixture
def environment(
    guide: Guide, usb_bus: Umockdev, staged_environment: dict[str, str], config_dir: Path
) -> dict[str, str]:
    """Return the environment in which programs have the driver and see the bus."""
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    (config_dir / "dll.conf").write_text("acme\n")
    drivers = {"PYSANE_BACKEND_PATH": str(guide.folder / "drivers")}
    return {**staged_environment, **usb_bus.environment, **drivers}


@pytest.fixture(params=["python", "reader"])
def either(request: pytest.FixtureRequest, guide: Guide) -> None:
    """Let the driver read with Python, or hand its stream to the C side."""
    if request.param == "reader":
        driver = guide.folder / "drivers" / "acme.py"
        text = driver.read_text().replace(
            "\n    def read_into(",
            "        self.reader = self.stream.reader()\n\n    def read_into(",
        )
        assert "self.reader" in text
        driver.write_text(text)


def scanimage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["scanimage", *words]
    return subprocess.run(
        command, env=environment, capture_output=True, timeout=TIMEOUT, check=False
    )


def scan(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    return scanimage(environment, "-d", "acme", "--format=pnm", *AREA, *words)


def test_the_scanner_is_listed(scanner: Device, environment: dict[str, str]) -> None:
    done = scanimage(environment, "-L")
    assert done.stdout == f"device `acme:{scanner.name}' is a Acme S1 flatbed scanner\n".encode()


def test_a_page_is_scanned(scanner: Device, environment: dict[str, str], either: None) -> None:
    done = scan(environment)
    assert (done.stdout, done.stderr) == (PAGE, b"")
    assert scanner.outputs() == [bytes.fromhex("53 01 4b00 9300 9300"), b"E"]


def test_the_guides_test_passes(guide: Guide, environment: dict[str, str]) -> None:
    variables = {**environment, "PYTHONPATH": f"{guide.folder}:{PREFIX / 'lib' / 'pysane'}"}
    for name in ("UMOCKDEV_DIR", "LD_PRELOAD"):
        variables.pop(name, None)
    done = subprocess.run(
        [sys.executable, str(guide.folder / "test_s1.py")],
        env=variables,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_recorded_scan_is_replayed_without_the_scanner(
    scanner: Device, environment: dict[str, str], tmp_path: Path
) -> None:
    path = str(tmp_path / "s1.usb")
    assert scan({**environment, "PYSANE_USB_RECORD": path}).stdout == PAGE
    scanner.unplug()
    replay = {**environment, "PYSANE_USB_REPLAY": path}
    assert scan(replay).stdout == PAGE
    assert f"`acme:{scanner.name}'".encode() in scanimage(replay, "-L").stdout
    done = scan(replay, "--resolution", "150")
    assert b"differs: the driver sends 53 01 96 00" in done.stderr
    assert b"Error during device I/O" in done.stderr


def test_a_recording_replays_with_another_buffer(
    scanner: Device, environment: dict[str, str], either: None, tmp_path: Path
) -> None:
    """What is read without Python is recorded too: it is then read with it."""
    path = str(tmp_path / "s1.usb")
    scan({**environment, "PYSANE_USB_RECORD": path}, "--buffer-size=1")
    done = scan({**environment, "PYSANE_USB_REPLAY": path}, "--buffer-size=64")
    assert done.stdout == PAGE


@pytest.mark.parametrize(
    ("kind", "words", "text"),
    [
        ("unplug", {"size": 5000}, b"Error during device I/O"),
        ("stall", {}, b"Error during device I/O"),
        ("babble", {}, b"Error during device I/O"),
    ],
)
def test_faults_in_mid_scan_end_it(
    scanner: Device,
    environment: dict[str, str],
    either: None,
    kind: str,
    words: dict[str, Any],
    text: bytes,
) -> None:
    scanner.fault(kind, 0x81, after=1, **words)
    done = scan(environment)
    assert text in done.stderr
    if kind == "unplug":
        assert b"No scanners were identified" in scanimage(environment, "-L").stdout
    else:
        assert scan(environment).stdout == PAGE


def test_a_short_image_is_waited_for_and_reported(
    scanner: Device, environment: dict[str, str], guide: Guide
) -> None:
    driver = guide.folder / "drivers" / "acme.py"
    text = driver.read_text()
    driver.write_text(
        text.replace("self.stream = None\n", "self.stream = None\n        usb.timeout = 0.2\n", 1)
    )
    scanner.fault("short", 0x81, after=1, size=1000)
    done = scan({**environment, "SANE_DEBUG_USB": "1"})
    assert b"no answer within 0.2 s" in done.stderr
    assert b"Error during device I/O" in done.stderr


def test_an_interrupted_scan_ends_at_once(
    scanner: Device, environment: dict[str, str], either: None
) -> None:
    """SIGINT while the driver waits for image data that never comes."""
    scanner.fault("hang", 0x81, after=1)
    command = ["scanimage", "-d", "acme", "--format=pnm", *AREA]
    variables = {**environment, "SANE_DEBUG_USB": "4"}
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        seen = b""
        while b" < 81: 1 bytes" not in seen:  # the answer to S: the image is waited for now
            seen += os.read(process.stderr.fileno(), 4096)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
    assert scanner.outputs()[-1] == b"A"


def test_a_warming_scanner_is_busy(scanner: Device, environment: dict[str, str]) -> None:
    scanner.fault("replace", 0x81, data=b"\x15")
    assert b"Device busy" in scan(environment).stderr
    scanner.fault("replace", 0x81, data=b"garbage")
    assert b"Error during device I/O" in scan(environment).stderr


def test_the_driver_keeps_the_rules_of_the_standard(
    scanner: Device, environment: dict[str, str]
) -> None:
    variables = {**environment, "PYTHONPATH": str(PREFIX / "lib" / "pysane")}
    done = subprocess.run(
        [sys.executable, "-m", "sane.testing", "acme", "-s", "br-x=50", "-s", "br-y=50"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
