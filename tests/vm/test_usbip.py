"""An emulated scanner attached by the stock usbip tool, as a developer would to a desktop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests import ROOT
from tests.conftest import ABSENT
from tests.fakes.page_scanner import page
from tests.vm.conftest import Guest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORT = f"{sys.executable} -m sane.testing.usb.usbip tests.fakes.page_scanner:PageScanner"


@pytest.fixture
def exported(guest: Guest) -> Iterator[None]:
    """Export a page scanner inside the machine, by the program of the guide."""
    if guest.machine.run("command -v usbip").status:
        pytest.skip(f"{ABSENT}usbip")
    guest.machine.load("vhci-hcd")
    guest.machine.check(
        f"""cd {ROOT}; {EXPORT} width=64 lines=64 >/run/export 2>&1 & echo $! >/run/export.pid
        for (( n = 0; n < 600; n++ )); do
          grep -q detach /run/export && exit; sleep 0.05
        done; cat /run/export >&2; exit 1"""
    )
    yield
    guest.machine.check("kill -INT $(cat /run/export.pid)")


@pytest.mark.usefixtures("exported")
def test_a_scanner_is_attached_scanned_from_and_detached(guest: Guest) -> None:
    listing = guest.machine.check("usbip list -r 127.0.0.1")
    assert "1-1: " in listing
    guest.machine.check("usbip attach -r 127.0.0.1 -b 1-1")
    name = guest.machine.wait_for_usb(1)[0]
    outcome = guest.run(f"scanimage -d page:{name}")
    assert outcome.stdout.endswith(page(64, 64, 0)), outcome.stderr
    assert b"page scanner" in guest.run("scanimage -L").stdout
    guest.machine.check("usbip detach -p 0")
    guest.machine.wait_for_usb(0)
