"""An ordinary user at a USB device: what is missing is named, and a udev rule supplies it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sane.testing.esci import Model
from sane.testing.esci.usb import UsbScanner
from tests.conftest import ABSENT
from tests.fakes.page_scanner import PageScanner, page
from tests.vm.conftest import Guest

if TYPE_CHECKING:
    from collections.abc import Iterator

UDEVD = "/lib/systemd/systemd-udevd"
RULES = "/etc/udev/rules.d/60-scanners-of-the-tests.rules"
THEIRS = "60-libsane1.rules 99-libsane1.rules 99-saned.rules"
RULE = (
    'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1209", '
    'ATTR{idProduct}=="0003", MODE="0664", GROUP="scanner"'
)
USER = 4242  # nobody's in particular


@pytest.fixture
def udevd(guest: Guest) -> Iterator[None]:
    """Run the udev daemon in the machine, with a rule for page scanners.

    The distribution's rules for scanners are masked: they would give some to others.
    """
    if guest.machine.run(f"[ -x {UDEVD} ]").status:
        pytest.skip(f"{ABSENT}systemd-udevd (udev)")
    guest.machine.check(
        f"""set -e
        getent group scanner >/dev/null || echo scanner:x:4343: >>/etc/group
        mkdir -p /etc/udev/rules.d; for name in {THEIRS}; do
          ln -sf /dev/null /etc/udev/rules.d/$name
        done; cat >{RULES} <<'END'\n{RULE}\nEND
        {UDEVD} --daemon; udevadm control --ping"""
    )
    yield
    guest.machine.check(f"udevadm control --exit; rm {RULES}")


def scan(guest: Guest, name: str, groups: str) -> tuple[bool, str]:
    """Scan as an ordinary user; return whether it is the page, and what was said."""
    user = f"setpriv --reuid={USER} --regid={USER} {groups}"
    outcome = guest.run(f"SANE_DEBUG_DLL=1 {user} scanimage -d page:{name}")
    is_page = outcome.status == 0 and outcome.stdout.endswith(page(64, 64, 0))
    return is_page, outcome.stderr


def test_an_ordinary_user_is_told_that_a_rule_is_missing(guest: Guest) -> None:
    device = guest.plug(PageScanner, 64, 64)
    node = "/dev/bus/usb/" + "/".join(device.name.split(":")[1:])
    is_page, text = scan(guest, device.name, "--clear-groups")
    assert not is_page
    assert f"no permission to write to {node} (mode 0600, owner root, group root)" in text
    assert "a udev rule for this device is missing" in text
    assert "failed: Access to resource has been denied" in text
    listing = guest.run("scanimage -f '%d'", user=USER).stdout.decode()
    assert listing == f"page:{device.name}"  # it is there, and the user learns why it is not open


@pytest.mark.usefixtures("udevd")
def test_the_rule_lets_the_group_scan(guest: Guest) -> None:
    device = guest.plug(PageScanner, 64, 64)
    guest.machine.check("udevadm settle --timeout=20")
    is_page, text = scan(guest, device.name, "--clear-groups")
    assert not is_page
    assert "group scanner): this user is not in group scanner" in text
    is_page, text = scan(guest, device.name, "--groups=$(getent group scanner | cut -d: -f3)")
    assert is_page, text


@pytest.mark.usefixtures("udevd")
def test_the_installed_rules_are_enough_for_a_known_scanner(guest: Guest) -> None:
    """What make install put into the machine; the test adds nothing."""
    guest.configure("epson2", epson2_conf="usb\n")
    device = guest.plug(UsbScanner, Model("B8"))
    guest.machine.check("udevadm settle --timeout=20")
    user = f"setpriv --reuid={USER} --regid={USER} --groups=$(getent group scanner | cut -d: -f3)"
    line = f"scanimage -d epson2:{device.name} --resolution 50 -x 20 -y 20"
    outcome = guest.run(f"SANE_DEBUG_DLL=1 {user} {line}")
    assert (outcome.status, outcome.stdout[:2]) == (0, b"P4"), outcome.stderr
    node = "/dev/bus/usb/" + "/".join(device.name.split(":")[1:])
    assert guest.machine.check(f"stat -c %G {node}") == "scanner\n"


@pytest.mark.usefixtures("udevd")
def test_the_rule_leaves_other_devices_alone(guest: Guest) -> None:
    device = guest.plug(PageScanner, 64, 64, product=0x0004)
    guest.machine.check("udevadm settle --timeout=20")
    is_page, text = scan(guest, device.name, "--groups=$(getent group scanner | cut -d: -f3)")
    assert not is_page
    assert "a udev rule for this device is missing" in text
