"""udev rules, hwdb entries and AppStream data: their text, and what the real udev makes of them."""

from __future__ import annotations

import grp
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sane.cli import udev
from sane.testing.usb import Endpoint, Interface, UsbDevice
from sane.usb.rules import Driver, hwdb, metainfo, read_hwdb, rules
from tests.conftest import ABSENT

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Umockdev

ACME = Driver("acme", [(0x1234, 0x00AB, "Acme", "S1\nx"), (0x1234, 1, "Acme", "S0")], [(6, 1, 1)])
OTHER = Driver("other", [(0x1234, 0x00AB, "Other", "T")])
BULK_PAIR = (Endpoint(0x81), Endpoint(0x02))


def test_every_product_gets_one_rule() -> None:
    text = rules([ACME, OTHER])
    lines = text.splitlines()
    line = 'ATTR{idVendor}=="1234", ATTR{idProduct}=="00ab", ENV{pysane_backend}="acme"'
    assert lines.count(line) == 1
    assert lines[lines.index(line) - 1] == "# Acme S1 x"
    assert text.count("idVendor") == 2
    assert 'ENV{ID_USB_INTERFACES}=="*:060101:*"' in text


def test_hwdb_entries_are_read_as_they_were_written() -> None:
    text = hwdb([ACME, OTHER])
    assert "usb:v1234p00AB*\n libsane_matched=yes\n pysane_backend=acme\n" in text
    assert read_hwdb(text) == {(0x1234, 0x00AB): "Acme S1 x", (0x1234, 1): "Acme S0"}


def test_software_centres_are_told_of_every_product_once() -> None:
    """AppStream: a component of the type driver provides what the kernel calls the devices."""
    component = ElementTree.fromstring(metainfo([ACME, OTHER]).encode())
    assert component.get("type") == "driver"
    assert [each.text for each in component.findall("provides/modalias")] == [
        "usb:v1234p0001d*",
        "usb:v1234p00ABd*",
        "usb:v*ic06isc01ip01*",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\nusb:v03F0p0101*\n libsane_matched=yes\n", {(0x3F0, 0x101): "A"}),
        (
            "# A\nusb:v03F0p0101*\nusb:v03F0p0102*\n libsane_matched=yes\n",
            {(0x3F0, 0x101): "A", (0x3F0, 0x102): "A"},
        ),
        ("usb:v03F0p0101*\n ID_MODEL=x\n", {}),
        ("usb:v03F0p0101*\n\n libsane_matched=yes\n", {}),
        ("usb:v03F0*\n libsane_matched=yes\n", {}),
        ("usb:vXp1*\n libsane_matched=yes\n", {}),
        ("garbage\n\n\0", {}),
    ],
)
def test_hwdb_files_of_others_are_read(text: str, expected: dict[tuple[int, int], str]) -> None:
    assert read_hwdb(text) == expected


def test_the_program_writes_each(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "20-other.hwdb"
    other.write_text("# Acme S1\nusb:v1234p00AB*\n libsane_matched=yes\n")
    assert udev.main(["rules", "--foreign", str(other)]) == 0
    text = capfd.readouterr().out
    assert 'ENV{pysane_backend}="epson2"' in text
    assert 'ATTR{idVendor}=="1234", ATTR{idProduct}=="00ab", ENV{pysane_backend}="other"' in text
    assert udev.main(["hwdb"]) == 0
    assert " pysane_backend=epson2\n" in capfd.readouterr().out
    assert udev.main(["metainfo"]) == 0
    assert "<modalias>usb:v04B8p0101d*</modalias>" in capfd.readouterr().out
    assert udev.main(["hwdb", "--foreign", str(tmp_path / "absent")]) == 1
    assert "absent: No such file" in capfd.readouterr().err


# The real udev, in a name space of its own: it makes links in /dev and notes in /run

SCRIPT = """
mount -t tmpfs none /run && mkdir -p /run/udev/rules.d /run/dev && cp "$1" /run/udev/rules.d/ &&
cp -a /dev/null /dev/urandom /run/dev/ && mount --bind /run/dev /dev &&
export LD_PRELOAD="$3" && exec udevadm test --action=add "/sys$2"
"""


def gid(group: str) -> int:
    """Return the number of a group that udev has to know."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        pytest.skip(f"{ABSENT}the group {group}")


def properties(said: str) -> set[str]:
    """Return the properties that the device has in the end."""
    return {line.strip() for line in said.splitlines() if "=" in line}


# As udev 252 and 257 say it, and 262:
#   60-pysane.rules:23 GROUP 101
#   60-pysane.rules:23 GROUP="scanner": Set group ID: 101
ASSIGNED = re.compile(
    r"""/([^/\s]+\.rules):(\d+) (\w+)(?:\{\w+\})?(?:\+?="[^"]*": Set [a-zA-Z ]+:)? '?([^'\n]+)"""
)


def assigned(said: str) -> set[str]:
    """Return what the rules set: file:line, key and value."""
    return {"{}:{} {} {}".format(*found) for found in ASSIGNED.findall(said)}


def udev_says(bus: Umockdev, text: str, folder: Path, name: str) -> str:
    """Return what udev would do with the device *name* under the rules *text*."""
    if os.geteuid() or not all(map(shutil.which, ("udevadm", "unshare"))):
        pytest.skip(f"{ABSENT}root with udevadm and unshare")
    path = folder / "60-pysane.rules"
    path.write_text(text)
    bus_number, number = map(int, name.split(":")[1:])
    device = f"/devices/pci0000:00/0000:00:14.0/usb{bus_number}/{bus_number}-{number - 1}"
    environment = {**os.environ, "UMOCKDEV_DIR": bus.environment["UMOCKDEV_DIR"]}
    preload = bus.environment["LD_PRELOAD"]
    command = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", str(path), device, preload]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "mount" in done.stderr and done.returncode:
        pytest.skip(f"{ABSENT}a mount namespace ({done.stderr.strip()})")
    return done.stdout + done.stderr


def test_udev_gives_a_scanner_to_the_group_and_to_the_seat(
    usb_bus: Umockdev, tmp_path: Path
) -> None:
    scanner = usb_bus.plug(UsbDevice, vendor=0x1234, product=0x00AB)
    said = udev_says(usb_bus, rules([ACME]), tmp_path, scanner.name)
    assert properties(said) >= {"pysane_backend=acme", "libsane_matched=yes"}
    found = assigned(said)
    assert "60-pysane.rules:22 MODE 0664" in found
    assert f"60-pysane.rules:23 GROUP {gid('scanner')}" in found
    # systemd's own rule, for the tag
    assert [text for text in found if text.endswith(" RUN uaccess")]


def test_udev_leaves_a_multifunction_device_to_the_printers(
    usb_bus: Umockdev, tmp_path: Path
) -> None:
    printer = (Interface(BULK_PAIR, 7, 1, 2), Interface(BULK_PAIR, number=1))
    scanner = usb_bus.plug(UsbDevice, vendor=0x1234, product=1, interfaces=printer)
    said = udev_says(usb_bus, rules([ACME]), tmp_path, scanner.name)
    assert "libsane_matched=yes" in properties(said)
    found = assigned(said)
    assert [text for text in found if text.endswith(f" GROUP {gid('lp')}")]
    assert not [text for text in found if text.startswith("60-pysane.rules:23 GROUP")]
    run = "60-pysane.rules:24 RUN /usr/bin/setfacl -m g:scanner:rw "
    assert [text for text in found if text.startswith(run)]


def test_udev_knows_a_device_by_its_class(usb_bus: Umockdev, tmp_path: Path) -> None:
    camera = (Interface(BULK_PAIR, 6, 1, 1),)
    scanner = usb_bus.plug(UsbDevice, product=2, interfaces=camera)
    said = udev_says(usb_bus, rules([ACME]), tmp_path, scanner.name)
    assert "pysane_backend=acme" in properties(said)


def test_udev_leaves_other_devices_alone(usb_bus: Umockdev, tmp_path: Path) -> None:
    other = usb_bus.plug(UsbDevice, product=3)
    said = udev_says(usb_bus, rules([ACME]), tmp_path, other.name)
    assert "DEVTYPE=usb_device" in properties(said)
    assert not [text for text in assigned(said) if text.startswith("60-pysane.rules")]
    assert not [text for text in properties(said) if "sane" in text]
