"""The original epsonds and ours scan one emulated page on a real kernel: equal images."""

from __future__ import annotations

from typing import Any

import pytest

from sane.testing.esci2 import Bed, Model, turbojpeg
from sane.testing.esci2.usb import BULK_IN, BULK_OUT, UsbScanner
from sane.testing.usb.hosted import Device
from tests.conftest import ABSENT
from tests.vm.conftest import Guest

IO_ERROR = 9
SMALL = "--resolution 100 -l 10 -t 20 -x 60 -y 40"
LARGE = "--mode Color --resolution 100 -x 100 -y 200"
IMAGE = b"IMG "


@pytest.fixture
def epson(guest: Guest) -> Guest:
    """Return the machine, configured for Epson scanners on USB."""
    if not turbojpeg.is_there():
        pytest.skip(f"{ABSENT}libturbojpeg0")
    guest.configure("epsonds", epsonds_conf="usb\n")
    return guest


def test_it_is_listed_as_by_the_original(epson: Guest) -> None:
    device = epson.plug(UsbScanner)
    for theirs in (False, True):
        listing = epson.run("scanimage -L", theirs).stdout
        assert f"device `epsonds:{device.name}' is a Epson ".encode() in listing


@pytest.mark.parametrize("mode", ["Lineart", "Gray", "Color"])
@pytest.mark.parametrize("format", ["RAW", "JPG"])
def test_images_of_all_modes_are_equal(epson: Guest, mode: str, format: str) -> None:
    device = epson.plug(UsbScanner, Model(formats=(format,)))  # where both are offered, raw is used
    image = epson.same(f"scanimage -d epsonds:{device.name} --mode {mode} {SMALL}")
    assert len(set(image)) > 2  # it is a picture, not a blank


def test_a_whole_page_is_equal(epson: Guest) -> None:
    device = epson.plug(UsbScanner)
    image = epson.same(f"scanimage -d epsonds:{device.name} --mode Color --resolution 100")
    assert len(image) > 2_500_000


def test_both_sides_of_all_sheets_are_equal(epson: Guest) -> None:
    model = Model(flatbed=None, feeder=Bed(features=("DPLX", "LOAD", "EJCT")))
    batches = []
    for theirs in (False, True):
        device = epson.plug(UsbScanner, model, 2)
        folder = epson.share / f"batch{theirs}"
        folder.mkdir()
        options = f"--source 'ADF Duplex' --mode Gray {SMALL}"
        line = f"scanimage -d epsonds:{device.name} {options} --batch=/run/share/{folder.name}/%d"
        outcome = epson.run(line, theirs)
        assert "Batch terminated, 4 pages" in outcome.stderr, outcome.stderr
        batches.append([(folder / f"{page}").read_bytes() for page in range(1, 5)])
        device.unplug()
        epson.machine.wait_for_usb(0)
    assert batches[0] == batches[1]
    assert len(set(batches[0])) == 4  # no side looks like another


def last_piece(device: Device, endpoint: int) -> int:
    """Return how many transfers of *endpoint* came before the last image data, or a request.

    The last request brings the end of the page, when all of the image is there.
    """
    events = [event for event in device.trace() if event.endpoint == endpoint and event.length]
    if endpoint == BULK_IN:
        return max(n for n, event in enumerate(events) if event.length > 1000)
    return [n for n, event in enumerate(events) if event.data.startswith(IMAGE)][-2]


@pytest.mark.parametrize(
    ("fault", "endpoint", "words"),
    [
        ("stall", BULK_IN, {}),
        ("short", BULK_IN, {"size": 100}),
        ("short", BULK_IN, {"size": 0}),
        ("babble", BULK_IN, {}),
        ("replace", BULK_IN, {"data": b"garbage"}),
        ("stall", BULK_OUT, {}),
        ("drop", BULK_OUT, {}),
    ],
)
def test_a_scanner_that_fails_in_mid_scan_works_again(
    epson: Guest, fault: str, endpoint: int, words: dict[str, Any]
) -> None:
    device = epson.plug(UsbScanner, Model(formats=("RAW",)))
    line = f"scanimage -d epsonds:{device.name} {LARGE}"
    good = epson.run(line)
    assert good.status == 0, good.stderr
    device.fault(fault, endpoint, after=last_piece(device, endpoint), **words)
    bad = epson.run(line)
    assert bad.status == IO_ERROR, bad.stderr
    device.clear_faults()
    again = epson.run(line)
    assert (again.status, again.stdout) == (0, good.stdout), again.stderr


def test_a_scanner_unplugged_in_mid_scan_is_an_io_error(epson: Guest) -> None:
    device = epson.plug(UsbScanner, Model(formats=("RAW",)))
    line = f"scanimage -d epsonds:{device.name} {LARGE}"
    assert epson.run(line).status == 0
    device.fault("unplug", BULK_IN, after=last_piece(device, BULK_IN), size=4096)
    bad = epson.run(line)
    assert bad.status == IO_ERROR, bad.stderr
    epson.machine.wait_for_usb(0)
    assert b"No scanners were identified" in epson.run("scanimage -L").stdout
