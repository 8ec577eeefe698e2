"""Streams, several transfers on their way, on a real kernel: the driver of docs/driver-guide.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.guide import Guide
from tests.vm.conftest import Guest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.testing.usb.hosted import Device

GOOD, IO_ERROR = 0, 9
SCAN = "scanimage -d acme --format=pnm --resolution 150 --mode Color"
WIDTH, LINES = 1275, 1753  # 6.7 MB: some fifty transfers
ROW = bytes(x * 255 // WIDTH for x in range(WIDTH) for _ in range(3))
PAGE = b"P6\n# SANE data follows\n%d %d\n255\n" % (WIDTH, LINES) + ROW * LINES
HANGING = """
export SANE_DEBUG_USB=4
SCAN > /dev/null 2> /run/share/log & scan=$!
for (( n = 0; n < 300; n++ )); do
  grep -q '< 81: 1 bytes' /run/share/log && break; sleep 0.1
done
begin=$(date +%s%N); kill -INT $scan; wait $scan
echo $(( ($(date +%s%N) - begin) / 1000000 ))
"""


@pytest.fixture
def scanner(guest: Guest, tmp_path: Path) -> Iterator[Device]:
    guide = Guide(tmp_path)
    sys.modules["emulated_s1"] = guide.module
    guide.module.__spec__.loader.exec_module(guide.module)
    guest.add_driver(guide.folder / "drivers" / "acme.py")
    guest.configure("acme")
    yield guest.plug(guide.module.EmulatedS1)
    del sys.modules["emulated_s1"]


def test_a_stream_delivers_a_page(guest: Guest, scanner: Device) -> None:
    outcome = guest.run(SCAN)
    assert (outcome.status, outcome.stdout[:40]) == (GOOD, PAGE[:40]), outcome.stderr
    assert outcome.stdout == PAGE
    assert scanner.outputs()[-1] == b"E"


@pytest.mark.parametrize("kind", ["stall", "babble"])
def test_a_stream_that_fails_leaves_a_device_that_works(
    guest: Guest, scanner: Device, kind: str
) -> None:
    scanner.fault(kind, 0x81, after=1)
    assert guest.run(SCAN).status == IO_ERROR
    outcome = guest.run(SCAN)
    assert (outcome.status, outcome.stdout[:40]) == (GOOD, PAGE[:40]), outcome.stderr
    assert outcome.stdout == PAGE


def test_a_plug_pulled_in_mid_stream_is_an_io_error(guest: Guest, scanner: Device) -> None:
    scanner.fault("unplug", 0x81, after=1, size=2_000_000)
    outcome = guest.run(f"SANE_DEBUG_USB=1 {SCAN}")
    assert outcome.status == IO_ERROR
    assert "unplugged" in outcome.stderr
    assert "No scanners were identified" in guest.run("scanimage -L").stdout.decode()


def test_an_interrupt_ends_a_stream_that_waits(guest: Guest, scanner: Device) -> None:
    scanner.fault("hang", 0x81, after=1)
    milliseconds = int(guest.machine.run(HANGING.replace("SCAN", guest.command(SCAN))).stdout)
    assert milliseconds < 3000  # a whole process under emulation, with Python
    assert scanner.outputs()[-1] == b"A"
