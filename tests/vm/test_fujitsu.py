"""The original fujitsu and ours scan emulated sheets on a real kernel: equal images."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sane.testing.fujitsu import Sheet
from sane.testing.fujitsu.sense import JAM
from sane.testing.fujitsu.usb import BULK_IN, UsbScanner

if TYPE_CHECKING:
    from tests.vm.conftest import Guest

JAMMED, IO_ERROR = 6, 9
PAPER = "--page-width 60 --page-height 60 -x 60 -y 60"
DUPLEX = f"--source 'ADF Duplex' --resolution 100 {PAPER}"


class Jamming(UsbScanner):
    """A scanner whose second sheet gets stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.scanner.load(0, Sheet(), Sheet(error=JAM))


@pytest.fixture
def desk(guest: Guest) -> Guest:
    """Return the machine, configured for document scanners."""
    guest.configure("fujitsu", fujitsu_conf=f"usb {UsbScanner.vendor:#x} {UsbScanner.product:#x}\n")
    return guest


def batches(
    desk: Guest, kind: type[UsbScanner], options: str, *arguments: object
) -> list[tuple[int, list[bytes]]]:
    """Scan all sheets with ours and the original: the exit status and the pages of each."""
    found = []
    for theirs in (False, True):
        device = desk.plug(kind, *arguments)
        folder = desk.share / f"sheets-{theirs}"
        folder.mkdir()
        line = f"scanimage -d fujitsu:{device.name} {options} --batch=/run/share/{folder.name}/%d"
        outcome = desk.run(line, theirs)
        pages = sorted(folder.iterdir(), key=lambda page: int(page.name))
        found.append((outcome.status, [page.read_bytes() for page in pages]))
        for page in pages:
            page.unlink()
        folder.rmdir()
        device.unplug()
        desk.machine.wait_for_usb(0)
    return found


def test_it_is_listed_as_by_the_original(desk: Guest) -> None:
    desk.plug(UsbScanner)
    ours, theirs = (desk.run("scanimage -L", theirs).stdout for theirs in (False, True))
    assert ours == theirs
    assert b"device `fujitsu:fi-7260:962721' is a FUJITSU fi-7260 scanner" in ours


@pytest.mark.parametrize(
    "options",
    ["--mode Color", "--mode Lineart", "--mode Gray --swdeskew=yes --swcrop=yes --swdespeck 2"],
)
def test_both_sides_of_all_sheets_are_equal(desk: Guest, options: str) -> None:
    ours, theirs = batches(desk, UsbScanner, f"{DUPLEX} {options}", "fi-7260", 2)
    assert ours == theirs
    assert len(theirs[1]) == 4
    assert all(front != back for front, back in pairwise(theirs[1]))


def test_sheets_before_a_jam_are_kept(desk: Guest) -> None:
    ours, theirs = batches(desk, Jamming, f"{DUPLEX} --mode Color")
    assert ours == theirs
    assert (theirs[0], len(theirs[1])) == (JAMMED, 2)


def test_a_scanner_unplugged_between_sides_is_an_io_error(desk: Guest) -> None:
    device = desk.plug(UsbScanner, "fi-7260", 1)
    options = f"{DUPLEX} --mode Color --batch=/tmp/%d"
    assert desk.run(f"scanimage -d fujitsu:{device.name} {options}").status == 0
    pieces = [n for n, event in enumerate(device.trace()) if event.endpoint == BULK_IN]
    device.unplug()
    desk.machine.wait_for_usb(0)
    device = desk.plug(UsbScanner, "fi-7260", 1)
    device.fault("unplug", BULK_IN, after=len(pieces) * 3 // 4)
    bad = desk.run(f"scanimage -d fujitsu:{device.name} {options}")
    assert bad.status == IO_ERROR, bad.stderr
    desk.machine.wait_for_usb(0)
    assert b"No scanners were identified" in desk.run("scanimage -L").stdout
