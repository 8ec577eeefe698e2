"""Our backend escl beside sane-airscan, on the same emulated scanner: the same pages, and faults.

Statuses are those of specification escl, 2.8 and 2.9; where sane-airscan 0.99.27 does otherwise,
docs/deviations.md says so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.testing.escl import Delivery, Emulator
from sane.testing.escl.certificates import server_context
from sane.testing.escl.model import JPEG, PNG
from sane.testing.escl.pixels import reference
from sane.testing.escl.presets import PRESETS
from sane.testing.net import Fault as Cut
from tests import ROOT
from tests.conftest import ABSENT
from tests.peers.escl import AIRSCAN, OWN, Outcome, Side, scan, scanner
from tests.peers.escl_faults import FAULTS, Fault, status
from tests.peers.frontends import OURS, environment, peer

AREA = ("-l", "0", "-t", "0", "-x", "101.6", "-y", "50.8")  # mm: 1200 x 600 units
SMALL = ("--resolution=75", *AREA)
GRAY, COLOR, LINEART = "Grayscale8", "RGB24", "BlackAndWhite1"
MODES = pytest.mark.parametrize(("mode", "name"), [(GRAY, "Gray"), (COLOR, "Color")])
RESOLUTIONS = pytest.mark.parametrize("dpi", [75, 150, 300])
STRICT = ("order", "root", "elements", "ext", "type", "whole")
START = ["GET capabilities 200", "GET status 200", "POST jobs 201"]
FAULT_SECONDS = 20.0  # that any fault but the slow ones may take
CANCELLED = 2  # the status, with which scanimage ends
CANCEL_SECONDS = 0.5  # from the signal to the DELETE: 100 ms, and a busy machine


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(scanner(formats=(JPEG,))) as emulator:
        emulator.scanner.jobs.rules = STRICT
        yield emulator


@pytest.fixture
def png_device() -> Iterator[Emulator]:
    with Emulator(scanner(formats=(PNG,), modes=(COLOR, GRAY, LINEART))) as emulator:
        emulator.scanner.jobs.rules = STRICT
        yield emulator


def same(device: Emulator, folder: Path, *words: str, sheets: int = 0) -> list[Outcome]:
    """Scan with ours and with sane-airscan; check that the pages agree byte by byte."""

    def outcome(side: Side) -> Outcome:
        device.scanner.load(sheets)
        return scan(side, device, folder, *words)

    ours, theirs = outcome(OWN), outcome(AIRSCAN)
    for _ in range(2):  # on a busy machine it at times loses sheets
        if len(theirs.pages) < len(ours.pages):
            theirs = outcome(AIRSCAN)
    assert [page[:3] for page in ours.pages] == [page[:3] for page in theirs.pages], ours.stderr
    assert ours.pages == theirs.pages
    return [ours, theirs]


@MODES
@RESOLUTIONS
def test_the_glass(device: Emulator, mode: str, name: str, dpi: int, tmp_path: Path) -> None:
    words = (f"--resolution={dpi}", f"--mode={name}", "--batch-count=1", *AREA)
    ours, _ = same(device, tmp_path, *words)
    assert len(ours.pages) == 1
    start = [name.partition(" 404")[0] for name in ours.asked]
    drained = [*START, "GET document 200", "GET document", "DELETE delete"]
    assert start in (drained, [*START, "GET document 200", "DELETE delete"])


@pytest.mark.parametrize(("source", "sides"), [("ADF", 3), ("ADF Duplex", 6)])
def test_the_feeder(device: Emulator, source: str, sides: int, tmp_path: Path) -> None:
    ours, _ = same(device, tmp_path, f"--source={source}", *SMALL, sheets=3)
    assert len(ours.pages) == sides and len({page.data for page in ours.pages}) == sides
    assert "out of documents" in ours.stderr
    assert ours.asked[: 3 + sides] == [*START, *["GET document 200"] * sides]
    assert [name.partition(" 404")[0] for name in ours.asked[3 + sides :]] == [
        "GET document",
        "GET status 200",
        "DELETE delete",
    ]


def test_a_short_sheet_is_padded(device: Emulator, tmp_path: Path) -> None:
    outcomes = []
    for side in (OWN, AIRSCAN):
        device.scanner.load(1, 300)
        outcomes.append(scan(side, device, tmp_path, "--source=ADF", *SMALL))
    assert outcomes[0].pages == outcomes[1].pages
    assert outcomes[0].pages[0].data.endswith(b"\xff" * 300 * 3)


@pytest.mark.parametrize(
    "words",
    [
        ("-l", "25.4", "-t", "50.8", "-x", "50.8", "-y", "25.4"),
        ("-l", "205", "-t", "287", "-x", "10", "-y", "9"),  # at the edge
        ("-l", "10", "-t", "10", "-x", "2", "-y", "2"),  # smaller than the least region
    ],
    ids=["part", "edge", "small"],
)
def test_a_part_of_the_glass(png_device: Emulator, words: tuple[str, ...], tmp_path: Path) -> None:
    same(png_device, tmp_path, "--batch-count=1", "--resolution=150", *words)


@pytest.mark.parametrize("mode", [GRAY, COLOR, LINEART])
def test_png_pixel_by_pixel(png_device: Emulator, mode: str, tmp_path: Path) -> None:
    name = {GRAY: "Gray", COLOR: "Color", LINEART: "Lineart"}[mode]
    words = (f"--mode={name}", "--batch-count=1", *SMALL)
    page = scan(OWN, png_device, tmp_path, *words).pages[0]
    expected = reference(mode, 75, (0, 0, page.width, page.lines))
    if mode != LINEART:
        assert page.data == expected
        return
    assert page.kind == 4  # in PBM as in SANE 1 is black
    row = (page.width + 7) // 8
    mask = 0xFF << (8 * row - page.width) & 0xFF
    for y in range(page.lines):
        ours = page.data[y * row : (y + 1) * row]
        picture = bytes(value ^ 0xFF for value in expected[y * row : (y + 1) * row])
        assert ours[:-1] == picture[:-1] and ours[-1] & mask == picture[-1] & mask


def test_requests_are_as_devices_want_them(device: Emulator, tmp_path: Path) -> None:
    scan(OWN, device, tmp_path, "--batch-count=1", *SMALL)
    host = f"localhost:{device.address[1]}"
    for exchange in device.log.exchanges:
        headers = dict(exchange.request.headers)
        headers.pop("user-agent", None)
        assert headers.pop("host") == host
        assert headers.pop("connection") == "close"
        if exchange.request.method == "POST":
            assert headers.pop("content-type") == "text/xml"
            assert headers.pop("content-length") == str(len(exchange.request.body))
            assert b"\n" not in exchange.request.body.strip()
        headers.pop("accept-encoding", None)  # only with a limit for what is unpacked
        assert headers == {}
    assert [exchange.connection for exchange in device.log.exchanges] == list(
        range(len(device.log.exchanges))
    )


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str, tmp_path: Path) -> None:
    dpi = 200 if name.startswith("kyocera") else 75
    with Emulator(PRESETS[name]()) as device:
        words = (f"--resolution={dpi}", "--batch-count=1", *AREA)
        outcome = scan(OWN, device, tmp_path, *words)
        assert len(outcome.pages) == 1, (outcome.stderr, device.scanner.refusals)


@pytest.mark.parametrize("name", [n for n in PRESETS if PRESETS[n]().model.has_feeder])
def test_presets_with_a_feeder(name: str, tmp_path: Path) -> None:
    dpi = 200 if name.startswith("kyocera") else 75
    chosen = PRESETS[name]()
    sheets = 0 if name == "canon-mf410" else 2
    chosen.load(sheets)
    with Emulator(chosen) as device:
        words = ("--source=ADF", f"--resolution={dpi}", *AREA)
        outcome = scan(OWN, device, tmp_path, *words)
        assert "out of documents" in outcome.stderr, (outcome.asked, chosen.refusals)
        assert len(outcome.pages) == sheets
        assert not chosen.is_jammed


@pytest.mark.parametrize("kind", ["self-signed", "expired", "wrong-name"])
def test_https(kind: str, tmp_path: Path) -> None:
    with Emulator(scanner(), tls=server_context(kind, tmp_path)) as device:
        outcome = scan(OWN, device, tmp_path, "--batch-count=1", *SMALL)
        assert len(outcome.pages) == 1, outcome.stderr


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults(fault: Fault, tmp_path: Path) -> None:
    with Emulator(scanner(sheets=fault.sheets or 0)) as device:
        fault.setup(device.scanner)
        words = ["--source=ADF"] if fault.sheets is not None else ["--batch-count=1"]
        began = time.monotonic()
        outcome = scan(OWN, device, tmp_path, *words, *SMALL)
        seconds = time.monotonic() - began
    assert (status(outcome), len(outcome.pages)) == (fault.status, fault.pages), (
        outcome.stderr,
        outcome.asked,
    )
    assert fault.is_slow or seconds < FAULT_SECONDS
    assert not any(name.startswith("DELETE") for name in outcome.asked[:-1])  # it is the last word


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [(), ("--source=ADF",)], ids=["glass", "feeder"])
def test_a_signal_in_mid_page_deletes_the_job(
    device: Emulator, number: int, words: tuple[str, ...], tmp_path: Path
) -> None:
    device.scanner.timing.page = 30.0
    device.scanner.load(2)
    OWN.configure(device, tmp_path)
    command = [peer("scanimage"), "-d", OWN.device(device), "--format=pnm", "--resolution=300"]
    with subprocess.Popen(
        [*command, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(tmp_path, OWN.library),
    ) as process:
        assert process.stdout is not None
        try:
            assert os.read(process.stdout.fileno(), 1) == b"P"
            assert len(os.read(process.stdout.fileno(), 100)) > 0
            sent = time.monotonic()
            process.send_signal(number)
            exchange = device.log.wait_for("delete")
            assert exchange.at - sent < CANCEL_SECONDS
            process.communicate(timeout=10)
            assert process.returncode == CANCELLED
        finally:
            process.kill()
    assert device.scanner.job is None


def test_a_page_that_breaks_off_is_shown_as_far_as_it_came(
    device: Emulator, tmp_path: Path
) -> None:
    whole = scan(OWN, device, tmp_path, "--batch-count=1", *SMALL).pages[0]
    size = device.log.of("document")[0].sent
    device.faults.add(Cut("cut", after=3, size=size // 2))
    OWN.configure(device, tmp_path)
    command = [peer("scanimage"), "-d", OWN.device(device), "--format=pnm", *SMALL]
    done = subprocess.run(
        command,
        capture_output=True,
        env=environment(tmp_path, OWN.library),
        timeout=FAULT_SECONDS,
        check=False,
    )
    assert b"sane_read: Error during device I/O" in done.stderr
    pixels = done.stdout[done.stdout.index(b"\n255\n") + 5 :]
    shown = 900 * (whole.lines // 4)
    assert pixels[:shown] == whole.data[:shown]


IO_ERROR, EOF = 9, 5
LIVES: dict[str, tuple[dict[str, object], int]] = {
    "well": ({}, EOF),
    "reset": ({"delivery": Delivery(reset_at=500)}, IO_ERROR),
    "cut": ({"delivery": Delivery("sized", declared=99)}, IO_ERROR),
    "without an end": ({"delivery": Delivery(has_end=False)}, IO_ERROR),
    "empty": ({"delivery": Delivery(is_empty=True)}, IO_ERROR),
    "truncated": ({"form": "truncated"}, EOF),
}


@pytest.mark.parametrize("name", LIVES)
def test_scans_that_fail_leave_no_descriptors_and_threads(
    device: Emulator, name: str, tmp_path: Path
) -> None:
    knobs, end = LIVES[name]
    device.scanner.jobs.rules = ()
    assert device.scanner.model.platen is not None
    device.scanner.model.platen.max_width = device.scanner.model.platen.max_height = 300
    for knob, value in knobs.items():
        setattr(device.scanner.pages, knob, value)
    OWN.configure(device, tmp_path)
    library = str(OURS / "libsane.so.1")
    program = [sys.executable, "-m", "tests.peers.escl_lives", library, OWN.device(device)]
    done = subprocess.run(
        program,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment(tmp_path, None),
        timeout=120,
        check=False,
    )
    assert done.stdout == f"[{end}] 0 0\n", done.stderr[-2000:]


# Everything announced here comes back to whoever listens on this network.
NETWORK = """
ip link set lo up multicast on && ip addr add 10.99.0.1/24 dev lo &&
ip route add 224.0.0.0/4 dev lo || exit 77
exec "$@"
"""


def test_announced_scanners_are_listed_once_and_found_by_uuid(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux) or ip (iproute2)")
    program = [sys.executable, "-m", "tests.peers.escl_namespace", str(tmp_path)]
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh", *program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"{ABSENT}a network namespace ({done.stderr.strip()})")
    kind = "flatbed or ADF scanner"
    assert done.stdout.splitlines() == [
        f"device `escl:11111111-2222-3333-4444-555555555555' is a Acme Home 2 {kind}",
        f"device `escl:6f1d3c52-0f3e-5b7a-9c40-2f6f0d3a9e11' is a Acme Office 1 {kind}",
        "0 pages by http",
        "1 pages by https",
        "1 pages by http",
    ], done.stderr
