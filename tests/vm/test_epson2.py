"""The original epson2 and ours scan one emulated page on a real kernel: equal images."""

from __future__ import annotations

from typing import Any

import pytest

from sane.testing.esci import Model
from sane.testing.esci.usb import BULK_IN, BULK_OUT, UsbScanner
from sane.testing.usb.hosted import Device
from tests.vm.conftest import Guest

IO_ERROR = 9
ACK = b"\x06"
SMALL = "--resolution 100 -l 10 -t 20 -x 60 -y 40"


@pytest.fixture
def epson(guest: Guest) -> Guest:
    """Return the machine, configured for Epson scanners on USB."""
    guest.configure("epson2", epson2_conf="usb\n")
    return guest


def last_block(device: Device, endpoint: int) -> int:
    """Return how many transfers of *endpoint* came before the last image block, or its demand."""
    events = [event for event in device.trace() if event.endpoint == endpoint and event.length]
    if endpoint == BULK_IN:
        return max(n for n, event in enumerate(events) if event.length > 1000)
    return max(n for n, event in enumerate(events) if event.data == ACK)


def test_it_is_listed_as_by_the_original(epson: Guest) -> None:
    device = epson.plug(UsbScanner, Model("B8"))
    ours, theirs = epson.run("scanimage -L"), epson.run("scanimage -L", theirs=True)
    for outcome in (ours, theirs):
        assert f"device `epson2:{device.name}' is a Epson ".encode() in outcome.stdout


@pytest.mark.parametrize("mode", ["--mode Lineart", "--mode Gray", "--mode Color"])
def test_images_of_all_modes_are_equal(epson: Guest, mode: str) -> None:
    device = epson.plug(UsbScanner, Model("B8"))
    image = epson.same(f"scanimage -d epson2:{device.name} {mode} {SMALL}")
    assert len(set(image)) > 2  # it is a picture, not a blank


def test_images_of_sixteen_bits_are_equal(epson: Guest) -> None:
    device = epson.plug(UsbScanner, Model("B8"))
    epson.same(f"scanimage -d epson2:{device.name} --mode Color --depth 16 {SMALL}")


def test_a_whole_page_is_equal(epson: Guest) -> None:
    device = epson.plug(UsbScanner, Model("B7"))
    line = f"scanimage -d epson2:{device.name} --mode Color --resolution 100"
    image = epson.same(f"{line} --brightness 1 --mirror")
    assert len(image) > 2_500_000


@pytest.mark.parametrize(
    ("fault", "endpoint", "words"),
    [
        ("stall", BULK_IN, {}),
        ("short", BULK_IN, {"size": 100}),
        ("short", BULK_IN, {"size": 0}),
        ("babble", BULK_IN, {}),
        ("replace", BULK_IN, {"data": b"garbage"}),
        ("stall", BULK_OUT, {}),
    ],
)
def test_a_scanner_that_fails_in_mid_scan_works_again(
    epson: Guest, fault: str, endpoint: int, words: dict[str, Any]
) -> None:
    device = epson.plug(UsbScanner, Model("B8"))
    line = f"scanimage -d epson2:{device.name} --mode Color {SMALL} -y 200"
    good = epson.run(line)
    assert good.status == 0, good.stderr
    device.fault(fault, endpoint, after=last_block(device, endpoint), **words)
    bad = epson.run(line)
    assert bad.status == IO_ERROR, bad.stderr
    device.clear_faults()
    again = epson.run(line)
    assert (again.status, again.stdout) == (0, good.stdout), again.stderr


def test_a_scanner_unplugged_in_mid_scan_is_an_io_error(epson: Guest) -> None:
    device = epson.plug(UsbScanner, Model("B8"))
    line = f"scanimage -d epson2:{device.name} --mode Color {SMALL} -y 200"
    assert epson.run(line).status == 0
    device.fault("unplug", BULK_IN, after=last_block(device, BULK_IN), size=4096)
    bad = epson.run(line)
    assert bad.status == IO_ERROR, bad.stderr
    epson.machine.wait_for_usb(0)
    assert b"No scanners were identified" in epson.run("scanimage -L").stdout
