"""The drivers of docs/examples under scanimage, with the emulated scanners beside them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import ROOT
from tests.conftest import ABSENT, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.testing.usb.hosted import Device, Umockdev

EXAMPLES = ROOT / "docs" / "examples"
TIMEOUT = 60
LINES = 150
WIDTH, HEIGHT = 196, 196  # 50 mm at 100 dpi
AREA = ("-x", "50", "-y", "50")


def emulator(name: str) -> Any:
    """Return the module of an emulator; the caller removes it from sys.modules."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # the bus names its class
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model() -> Iterator[Any]:
    yield emulator("emulated_d2")
    del sys.modules["emulated_d2"]


@pytest.fixture
def scanner(model: Any, usb_bus: Umockdev) -> Device:
    return usb_bus.plug(model.EmulatedD2)


def drivers(folder: Path, name: str) -> dict[str, str]:
    """Return the variable that offers the driver *name* of the guide alone."""
    target = folder / "drivers"
    target.mkdir(mode=0o755)
    shutil.copy(EXAMPLES / f"{name}.py", target)
    (target / f"{name}.py").chmod(0o644)
    return {"PYSANE_BACKEND_PATH": str(target)}


@pytest.fixture
def environment(
    tmp_path: Path, usb_bus: Umockdev, staged_environment: dict[str, str], config_dir: Path
) -> dict[str, str]:
    """Return the environment in which programs have the driver and see the bus."""
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    (config_dir / "dll.conf").write_text("acme\n")
    return {**staged_environment, **usb_bus.environment, **drivers(tmp_path, "acme")}


def scan(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["scanimage", "-d", "acme", "--format=pnm", *AREA, *words]
    return subprocess.run(
        command, env=environment, capture_output=True, timeout=TIMEOUT, check=False
    )


def notes(scanner: Device) -> list[str]:
    """Return what happened to lamp and paper, without questions, tables and windows."""
    return [text.decode() for text in scanner.outputs() if text in (b"L1", b"L0", b"F", b"E", b"A")]


def rows(data: bytes, magic: bytes, row_bytes: int, count: int = HEIGHT) -> list[bytes]:
    header, _, pixels = data.partition(b"\n255\n" if magic != b"P4" else b"196 196\n")
    assert header.startswith(magic), header
    assert len(pixels) == row_bytes * count
    return [pixels[at : at + row_bytes] for at in range(0, len(pixels), row_bytes)]


def ramp() -> list[int]:
    return [x * 255 // WIDTH for x in range(WIDTH)]


def is_near(samples: bytes, expected: list[int]) -> bool:
    return max(abs(a - b) for a, b in zip(samples, expected, strict=True)) <= 1


@pytest.mark.parametrize("name", ["acme"])
def test_an_example_is_short_and_uses_the_contract_alone(name: str) -> None:
    lines = (EXAMPLES / f"{name}.py").read_text().splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= 100
    assert {line.split()[1] for line in lines if line.startswith(("from", "import"))} <= {
        *("..backend", "functools", "struct")
    }


def test_a_colour_page_is_even_and_its_colours_meet(
    scanner: Device, environment: dict[str, str]
) -> None:
    done = scan(environment, "--mode", "Color")
    assert done.stderr == b""
    first, *others = rows(done.stdout, b"P6", 3 * WIDTH)
    assert first == b"\xff" * len(first)  # red comes two lines later than blue
    for channel in range(3):
        assert is_near(others[0][channel::3], ramp())
    assert set(others) == {others[0]}
    assert notes(scanner) == ["L1", "L0"]


def test_a_gray_page_goes_through_the_frontends_gamma(
    scanner: Device, environment: dict[str, str]
) -> None:
    words = ("--mode", "Gray", "--custom-gamma=yes", "--gamma-table=[0]255-[255]0")
    done = scan(environment, *words)
    assert is_near(rows(done.stdout, b"P5", WIDTH)[9], [255 - x for x in ramp()])


def test_line_art_is_black_where_the_picture_is(
    scanner: Device, environment: dict[str, str]
) -> None:
    done = scan(environment, "--mode", "Lineart")
    row = rows(done.stdout, b"P4", 25)[5]
    bits = f"{int.from_bytes(row, 'big'):0200b}"
    assert bits == "1" * 98 + "0" * 98 + "0000"  # and nothing in the last byte's rest


@pytest.mark.parametrize(
    ("source", "pages", "paper"),
    [
        ("ADF", 2, ["F", "E", "F", "E"]),
        ("ADF Duplex", 4, ["F", "E", "F", "E"]),
    ],
)
def test_all_sides_of_all_sheets_are_scanned(
    scanner: Device,
    environment: dict[str, str],
    tmp_path: Path,
    source: str,
    pages: int,
    paper: list[str],
) -> None:
    words = ("--mode", "Gray", "--source", source, f"--batch={tmp_path}/%d.pnm")
    done = scan(environment, *words)
    assert b"Document feeder out of documents" in done.stderr
    found = [(tmp_path / f"{n + 1}.pnm").read_bytes() for n in range(pages)]
    assert not (tmp_path / f"{pages + 1}.pnm").exists()
    for n, page in enumerate(found):
        is_back = source == "ADF Duplex" and n % 2
        expected = [255 - x for x in ramp()] if is_back else ramp()
        assert is_near(rows(page, b"P5", WIDTH)[9], expected) or is_back
        assert (rows(page, b"P5", WIDTH)[9][0] > 200) == bool(is_back)
    assert notes(scanner) == ["L1", *paper, "L0"]


def test_an_empty_feeder_leaves_no_light_on(
    model: Any, usb_bus: Umockdev, environment: Any
) -> None:
    scanner = usb_bus.plug(model.EmulatedD2, sheets=0)
    done = scan(environment, "--source", "ADF")
    assert b"out of documents" in done.stderr
    assert notes(scanner) == ["L1", "A", "L0"]


@pytest.mark.parametrize(
    ("status", "text"),
    [(b"\x07", b"jammed"), (b"\x0c", b"cover is open"), (b"\x99", b"Error during device I/O")],
)
def test_a_start_that_fails_lets_the_sheet_out_and_the_lamp_off(
    model: Any, usb_bus: Umockdev, environment: dict[str, str], status: bytes, text: bytes
) -> None:
    scanner = usb_bus.plug(model.EmulatedD2, status=status)
    done = scan(environment, "--mode", "Gray", "--source", "ADF")
    assert text in done.stderr
    assert notes(scanner) == ["L1", "F", "A", "E", "L0"]
    assert done.returncode


def test_an_interrupted_page_lets_the_sheet_out(
    model: Any, usb_bus: Umockdev, environment: dict[str, str]
) -> None:
    scanner = usb_bus.plug(model.EmulatedD2, stuck_after=99)
    command = ["scanimage", "-d", "acme", "--format=pnm", "--source", "ADF", "-p"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        while b"Progress" not in os.read(process.stderr.fileno(), 4096):
            pass
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert notes(scanner) == ["L1", "F", "A", "E", "L0"]


def test_buttons_are_kept_until_they_are_read(
    model: Any, usb_bus: Umockdev, environment: dict[str, str]
) -> None:
    usb_bus.plug(model.EmulatedD2, buttons=4 | 8)
    done = subprocess.run(
        ["scanimage", "-d", "acme", "-A"], env=environment, capture_output=True, check=True
    )
    shown = [line.split()[-2:] for line in done.stdout.decode().splitlines() if "--scan" in line]
    assert shown, done.stdout.decode()
    assert b"--scan[=(yes|no)] [yes]" in done.stdout
    assert b"--copy[=(yes|no)] [yes]" in done.stdout


def conformance(environment: dict[str, str], device: str) -> tuple[int, str]:
    """Return the exit status and what the conformance kit says of *device*."""
    done = subprocess.run(
        [sys.executable, "-m", "sane.testing", device, "-s", "br-x=50", "-s", "br-y=50"],
        env={**environment, "PYTHONPATH": str(PREFIX / "lib" / "pysane")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_example_keeps_the_rules_of_the_standard(
    scanner: Device, environment: dict[str, str]
) -> None:
    status, text = conformance(environment, "acme")
    assert status == 0, text


# On the network; tests/test_guide_network.py has the rest


@pytest.fixture
def on_the_network(
    tmp_path: Path, staged_environment: dict[str, str], config_dir: Path
) -> Iterator[tuple[Any, dict[str, str], str]]:
    """Yield the emulated scanner, the environment of programs that find it, and its name."""
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    module = emulator("emulated_n1")
    with module.EmulatedN1() as scanner:
        name = f"acme://127.0.0.1:{scanner.address[1]}"
        (config_dir / "dll.conf").write_text("acmenet\n")
        (config_dir / "acmenet.conf").write_text(f"{name}\n")
        variables = {**staged_environment, **drivers(tmp_path, "acmenet")}
        yield scanner, variables, f"acmenet:{name}"
    del sys.modules["emulated_n1"]


def test_scanimage_lists_the_network_scanner_and_scans(
    on_the_network: tuple[Any, dict[str, str], str],
) -> None:
    _scanner, environment, name = on_the_network
    listed = subprocess.run(
        ["scanimage", "-L"], env=environment, capture_output=True, timeout=TIMEOUT, check=True
    )
    assert listed.stdout == f"device `{name}' is a Acme N1 flatbed scanner\n".encode()
    command = ["scanimage", "-d", name, "--format=pnm", *AREA, "--mode", "Gray"]
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=TIMEOUT, check=True
    )
    row = bytes(x * 255 // 147 for x in range(147))
    assert done.stdout.endswith(b"\n147 147\n255\n" + row * 147)


@pytest.mark.parametrize("after", [2, 5])
def test_a_network_scanner_that_hangs_up_does_not_end_scanimage(
    on_the_network: tuple[Any, dict[str, str], str], after: int
) -> None:
    from sane.testing.net import Fault

    scanner, environment, name = on_the_network
    scanner.faults.add(Fault("close", after=after))
    done = subprocess.run(
        ["scanimage", "-d", name, "--format=pnm"],
        env=environment,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert b"Error during device I/O" in done.stderr
    assert b"received signal" not in done.stderr


def test_the_network_example_keeps_the_rules_of_the_standard(
    on_the_network: tuple[Any, dict[str, str], str],
) -> None:
    _scanner, environment, name = on_the_network
    status, text = conformance(environment, name)
    assert status == 0, text
