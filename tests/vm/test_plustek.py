"""An emulated LiDE 20 on a real kernel, shared by saned with a client in a network of its own.

As the project's founding page has it: the scanner hangs on the machine's USB, saned runs there, and
an unmodified client scans over the network. Only the network is a namespace of the same machine.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from sane.testing.plustek.setup import read_setup
from sane.testing.plustek.usb import BULK_IN, UsbScanner
from tests import ROOT
from tests.conftest import ABSENT
from tests.vm.conftest import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.testing.usb.hosted import Device
    from tests.vm.conftest import Guest

EXPORT = f"{sys.executable} -m sane.testing.plustek"
IO_ERROR = 9
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
OPTIONS = "--mode {mode} --resolution 150 -l 20 -t 30 -x 30 -y 10 --format=pnm"
CONF = "[usb]\ndevice auto\n"
PARK = 20.0  # seconds until the carriage goes home: the original takes less, the machine is slow
SCAN = 3  # a value of register 07

CABLE = f"""set -e
ip link set lo up
ip netns add client
ip link add host type veth peer name cable netns client
ip address add {SERVER}/24 dev host
ip link set host up
ip -n client link set lo up
ip -n client address add {CLIENT}/24 dev cable
ip -n client link set cable up
mkdir -p /run/client
echo net >/run/client/dll.conf
echo {SERVER} >/run/client/net.conf
"""


@pytest.fixture
def desk(guest: Guest) -> Guest:
    """Return the machine, configured for the backend."""
    guest.configure("plustek", plustek_conf=CONF, saned_conf=f"{CLIENT}\n")
    return guest


@pytest.fixture
def shared(desk: Guest) -> Iterator[Guest]:
    """Return the machine with saned on it, and a client's namespace at the other end of a cable."""
    desk.machine.load("veth")
    desk.machine.check(CABLE)
    line = desk.command(f"saned -l -e -d3 -b {SERVER}")
    desk.machine.check(
        f"""{line} >/run/saned.log 2>&1 & echo $! >/run/saned.pid
        for (( n = 0; n < 600; n++ )); do
          (: >/dev/tcp/{SERVER}/6566) 2>/dev/null && exit; sleep 0.05
        done; cat /run/saned.log >&2; exit 1"""
    )
    yield desk
    desk.machine.check("kill $(cat /run/saned.pid); ip netns delete client")


def is_in_page(device: Device) -> bool:
    """Tell whether the page is being read: a scan of 8 bits that moves, whose lines have come."""
    for deed in device.call("get_scanner", "deeds"):
        setup = read_setup(deed.registers)
        if deed.command == SCAN and setup.bits == 8 and setup.has_motor and deed.fetched:
            return True
    return False


def at_client(line: str) -> str:
    """Return a shell line that runs the distribution's program at the client."""
    settings = f"SANE_CONFIG_DIR=/run/client {DISTRIBUTION}"
    return f"ip netns exec client env {settings} {line}"


@pytest.mark.parametrize("mode", ["Color", "Gray"])
def test_a_client_scans_over_the_network(shared: Guest, mode: str) -> None:
    """The picture is that of the original driver on the same machine, byte by byte."""
    device = shared.plug(UsbScanner, "LiDE 20")
    options = OPTIONS.format(mode=mode)
    there = f"net:{SERVER}:plustek:{device.name}"
    remote = shared.machine.run(at_client(f"scanimage -d {there} {options}"))
    assert remote.status == 0, remote.stderr + shared.machine.check("cat /run/saned.log")
    local = shared.run(f"scanimage -d plustek:{device.name} {options}", theirs=True)
    assert (local.status, local.stdout[:1]) == (0, b"P"), local.stderr
    assert remote.stdout == local.stdout
    assert device.call("get_scanner", "problems") == []
    assert device.call("get_scanner", "is_home")


def test_it_is_listed_at_the_client(shared: Guest) -> None:
    device = shared.plug(UsbScanner, "LiDE 20")
    listing = shared.machine.run(at_client("scanimage -L")).stdout.decode()
    name = f"net:{SERVER}:plustek:{device.name}"
    assert f"device `{name}' is a Canon CanoScan N670U/N676U/LiDE20 flatbed scanner" in listing


@pytest.mark.parametrize("ending", ["INT", "KILL"])
def test_the_carriage_goes_home_when_a_scan_is_broken_off(desk: Guest, ending: str) -> None:
    """After Ctrl-C at once; after a kill, of which no driver hears, at the next open."""
    device = desk.plug(UsbScanner, "LiDE 20")
    go = desk.share / "go"
    whole = OPTIONS.format(mode="Color").replace("-x 30 -y 10", "-x 210 -y 250")
    line = desk.command(f"scanimage -d plustek:{device.name} {whole}")
    wait = "while [ ! -e /run/share/go ]; do sleep 0.05; done"
    desk.machine.start(f"set -m; {line} >/dev/null & {wait}; kill -{ending} $!; wait $!")
    try:
        while not is_in_page(device):
            time.sleep(0.2)
        go.touch()
        begin = time.monotonic()
        desk.machine.finish()
        seconds = time.monotonic() - begin
    finally:
        go.unlink(missing_ok=True)
    if ending == "KILL":
        assert not device.call("get_scanner", "is_home")
        begin = time.monotonic()
        assert desk.run(f"scanimage -d plustek:{device.name} -n").status == 0
        seconds = time.monotonic() - begin
    assert device.call("get_scanner", "is_home")
    assert seconds < PARK
    assert device.call("get_scanner", "problems") == []


def test_unplugged_in_the_calibration(desk: Guest) -> None:
    device = desk.plug(UsbScanner, "LiDE 20")
    device.fault("unplug", BULK_IN, after=150)
    line = f"scanimage -d plustek:{device.name} {OPTIONS.format(mode='Color')}"
    bad = desk.run(line)
    assert bad.status == IO_ERROR, bad.stderr
    desk.machine.wait_for_usb(0)
    device = desk.plug(UsbScanner, "LiDE 20")
    line = f"scanimage -d plustek:{device.name} {OPTIONS.format(mode='Color')}"
    assert desk.run(line).stdout[:2] == b"P6"


def test_attached_by_usbip(desk: Guest) -> None:
    """The program of the guide exports one, and the stock tool attaches it: the original scans."""
    if desk.machine.run("command -v usbip").status:
        pytest.skip(f"{ABSENT}usbip")
    desk.machine.load("vhci-hcd")
    desk.machine.check(
        f"""cd {ROOT}; {EXPORT} --model "LiDE 20" >/run/export 2>&1 &
        echo $! >/run/export.pid
        for (( n = 0; n < 600; n++ )); do
          grep -q detach /run/export && exit; sleep 0.05
        done; cat /run/export >&2; exit 1"""
    )
    try:
        desk.machine.check("usbip attach -r 127.0.0.1 -b 1-1")
        name = desk.machine.wait_for_usb(1)[0]
        options = OPTIONS.format(mode="Gray")
        done = desk.run(f"scanimage -d plustek:{name} {options}", theirs=True)
        assert (done.status, done.stdout[:2]) == (0, b"P5"), done.stderr
        desk.machine.check("usbip detach -p 0")
        desk.machine.wait_for_usb(0)
    finally:
        desk.machine.check("kill -INT $(cat /run/export.pid)")
