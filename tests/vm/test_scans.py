"""scanimage, unmodified, on our installed library and a dropped-in USB driver, on a real kernel.

The device misbehaves as the faults say. Whatever it does, scanimage gets a legal status, the
driver says what happened, and the device can be used again.
"""

from __future__ import annotations

import pytest

from sane.testing.usb import Endpoint, Interface
from tests.fakes.page_scanner import BULK_IN, BULK_OUT, PageScanner
from tests.support.vm_pages import scan
from tests.vm.conftest import Guest

GOOD, IO_ERROR = 0, 9  # statuses, with which scanimage ends


def test_a_device_is_listed_and_scanned_from(guest: Guest) -> None:
    device = guest.plug(PageScanner)
    name = f"page:{device.name}"
    assert guest.run("scanimage -f '%d|%v|%m|%n'").stdout.decode() == (
        f"{name}|PySANE|page scanner|\n"
    )
    outcome = guest.run(f"scanimage -d {name}")
    assert (outcome.status, outcome.stdout) == (GOOD, scan()), outcome.stderr
    assert device.get("jobs") == 0  # finish was called
    assert device.outputs()[-1] == b"E"


def test_each_of_several_devices_gives_its_own_page(guest: Guest) -> None:
    devices = [guest.plug(PageScanner, seed=seed) for seed in range(3)]
    listing = guest.run("scanimage -f '%d '").stdout.decode().split()
    assert listing == [f"page:{device.name}" for device in devices]
    lines = "".join(
        f"{guest.command(f'scanimage -d page:{d.name} -o /run/share/{n}.pnm')} & "
        for n, d in enumerate(devices)
    )
    guest.machine.check(f"{lines} wait")
    for seed in range(3):
        assert (guest.share / f"{seed}.pnm").read_bytes() == scan(seed=seed)


def test_a_batch_ends_when_the_feeder_is_empty(guest: Guest) -> None:
    device = guest.plug(PageScanner, width=64, lines=64)
    device.set("pages", 3)
    outcome = guest.run(f"scanimage -d page:{device.name} --batch=/run/share/page%d.pnm")
    assert (outcome.status, "Batch terminated, 3 pages" in outcome.stderr) == (GOOD, True)
    assert [(guest.share / f"page{n}.pnm").read_bytes() for n in (1, 2, 3)] == [scan(64, 64)] * 3


@pytest.mark.parametrize(
    ("fault", "endpoint", "words", "text"),
    [
        ("short", BULK_IN, {"size": 1000}, "1000 bytes of 65536"),
        ("short", BULK_IN, {"size": 0}, "0 bytes of 65536"),
        ("empty", BULK_IN, {}, "0 bytes of 65536"),
        ("stall", BULK_IN, {}, "stall"),
        ("babble", BULK_IN, {}, "more"),
        ("hang", BULK_IN, {}, "2 s"),
        ("drop", BULK_OUT, {}, "2 s"),
        ("hang", BULK_OUT, {}, "2 s"),
        ("stall", BULK_OUT, {}, "stall"),
        ("repeat", BULK_IN, {}, "1 bytes of 65536"),
    ],
)
def test_a_device_that_fails_in_mid_scan_works_again(
    guest: Guest, fault: str, endpoint: int, words: dict[str, int], text: str
) -> None:
    device = guest.plug(PageScanner)
    name = f"page:{device.name}"
    after = {BULK_IN: 2, BULK_OUT: 2}[endpoint]  # I, S, then the first R
    device.fault(fault, endpoint, after=after, **words)
    outcome = guest.run(f"SANE_DEBUG_PAGE=1 scanimage -d {name}")
    assert outcome.status == IO_ERROR, outcome.stderr
    assert text in outcome.stderr
    assert "Error during device I/O" in outcome.stderr
    device.clear_faults()
    again = guest.run(f"scanimage -d {name}")
    assert (again.status, again.stdout) == (GOOD, scan()), again.stderr


def test_a_slow_device_is_waited_for(guest: Guest) -> None:
    device = guest.plug(PageScanner)
    device.fault("slow", BULK_IN, after=2, times=3, seconds=0.7)
    device.fault("slow", BULK_OUT, after=1, seconds=0.7)
    outcome = guest.run(f"scanimage -d page:{device.name}")
    assert (outcome.status, outcome.stdout) == (GOOD, scan()), outcome.stderr


@pytest.mark.parametrize("size", [0, 20480])
def test_a_device_unplugged_in_mid_scan_is_an_io_error(guest: Guest, size: int) -> None:
    device = guest.plug(PageScanner)
    device.fault("unplug", BULK_IN, after=4, size=size)
    line = f"SANE_DEBUG_PAGE=1 scanimage -d page:{device.name}"
    outcome = guest.run(line)
    assert outcome.status == IO_ERROR, outcome.stderr
    assert "unplugged" in outcome.stderr
    guest.machine.wait_for_usb(0)
    listing = guest.run("scanimage -L")
    assert b"No scanners were identified" in listing.stdout
    assert "Invalid argument" in guest.run(line).stderr
    again = guest.plug(PageScanner)
    assert guest.run(f"scanimage -d page:{again.name}").stdout == scan()


def test_a_device_in_use_is_busy(guest: Guest) -> None:
    device = guest.plug(PageScanner)
    device.fault("slow", BULK_IN, after=2, times=13, seconds=0.5)
    line = f"scanimage -d page:{device.name}"
    first = guest.command(f"{line} -o /run/share/first.pnm")
    second = guest.command(f"SANE_DEBUG_PAGE=1 {line} -o /run/share/second.pnm")
    script = f"""
        {first} & while [ ! -e /run/share/go ]; do sleep 0.05; done
        {second}; status=$?; wait; exit $status"""
    guest.machine.start(script)
    device.wait_for("out", 1, b"R")
    (guest.share / "go").touch()
    outcome = guest.machine.finish()
    assert (outcome.status, "failed: Device busy" in outcome.stderr) == (1, True), outcome.stderr
    assert (guest.share / "first.pnm").read_bytes() == scan()
    (guest.share / "go").unlink()


def test_a_cancelled_scan_ends_the_job_on_the_device(guest: Guest) -> None:
    device = guest.plug(PageScanner)
    device.fault("slow", BULK_IN, after=4, seconds=1.5)
    line = guest.command(f"scanimage -d page:{device.name} -o /run/share/cut.pnm")
    script = f"{line} & while [ ! -e /run/share/go ]; do sleep 0.05; done; kill -INT $!; wait $!"
    guest.machine.start(f"set -m; {script}")
    device.wait_for("out", 3, b"R")
    (guest.share / "go").touch()
    outcome = guest.machine.finish()
    (guest.share / "go").unlink()
    assert outcome.status != GOOD
    assert device.get("jobs") == 0
    assert guest.run(f"scanimage -d page:{device.name}").stdout == scan()


def test_the_printer_in_the_same_device_keeps_its_driver(guest: Guest) -> None:
    guest.machine.load("usblp")
    printer = Interface((Endpoint(0x83), Endpoint(0x04)), 7, 1, 2, number=0)
    scanner = Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT)), number=1)
    device = guest.plug(PageScanner, interfaces=(printer, scanner))
    links = "readlink /sys/bus/usb/devices/*-[1-9]*:1.[01]/driver"
    assert guest.machine.check(f"{links} | head -1").strip().endswith("/usblp")
    outcome = guest.run(f"scanimage -d page:{device.name}")
    assert (outcome.status, outcome.stdout) == (GOOD, scan()), outcome.stderr
    after = guest.machine.run(links).stdout.decode().split()
    assert [link.rpartition("/")[2] for link in after] == ["usblp"]  # and ours has let go


def test_a_reset_from_outside_is_survived_by_the_next_scan(guest: Guest) -> None:
    device = guest.plug(PageScanner)
    bus, address = device.name.split(":")[1:]
    name = f"/dev/bus/usb/{bus}/{address}"
    script = f"import fcntl, os; fcntl.ioctl(os.open('{name}', os.O_WRONLY), 0x5514)"
    guest.machine.check(f'/usr/bin/python3 -c "{script}"')
    assert any(event.kind == "reset" for event in device.trace())
    assert guest.run(f"scanimage -d page:{device.name}").stdout == scan()
