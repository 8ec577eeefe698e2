"""Listing the bus from a folder that looks like sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.usb import sysfs
from tests.fakes.usb import add_device, descriptor_bytes


def test_devices_are_listed_by_bus_and_address(tmp_path: Path) -> None:
    add_device(tmp_path, 12, 2)
    add_device(tmp_path, 3, 1)
    add_device(tmp_path, 1, 3, bus=2)
    found = [(item.name, item.vendor, item.product) for item in sysfs.devices(str(tmp_path))]
    assert found == [
        ("libusb:001:003", 0x04B8, 1),
        ("libusb:001:012", 0x04B8, 2),
        ("libusb:002:001", 0x04B8, 3),
    ]


def test_hubs_and_interfaces_are_left_out(tmp_path: Path) -> None:
    add_device(tmp_path, 2)
    add_device(tmp_path, 4, raw=descriptor_bytes(class_=9))
    (tmp_path / "1-2:1.0").mkdir()
    add_device(tmp_path / "x", 1).rename(tmp_path / "usb1")
    assert [item.address for item in sysfs.devices(str(tmp_path))] == [2]


def test_without_usb_there_is_nothing(tmp_path: Path) -> None:
    assert sysfs.devices(str(tmp_path / "absent")) == []


@pytest.mark.parametrize("name", ["descriptors", "busnum", "devnum"])
def test_a_device_that_vanishes_while_it_is_read_is_left_out(tmp_path: Path, name: str) -> None:
    (add_device(tmp_path, 2) / name).unlink()
    add_device(tmp_path, 3)
    assert [item.address for item in sysfs.devices(str(tmp_path))] == [3]


def test_texts_are_printable_whatever_the_device_says(tmp_path: Path) -> None:
    folder = add_device(tmp_path, 2, manufacturer=" EPSON\t1 ")
    (folder / "product").write_bytes(b"GT\x01\xff\x80-X\n")
    (bus_device,) = sysfs.devices(str(tmp_path))
    assert bus_device.text("manufacturer") == "EPSON 1"
    assert bus_device.text("product") == "GT ��-X"
    assert bus_device.text("serial") == ""


def test_configuration_and_driver_of_an_interface(tmp_path: Path) -> None:
    folder = add_device(tmp_path, 2)
    (folder / "1-2:1.0").mkdir()
    (tmp_path / "usblp").mkdir()
    (folder / "1-2:1.0" / "driver").symlink_to(tmp_path / "usblp")
    (bus_device,) = sysfs.devices(str(tmp_path))
    assert (bus_device.configuration, bus_device.driver(0), bus_device.driver(1)) == (
        1,
        "usblp",
        "",
    )
    (folder / "bConfigurationValue").write_text("\n")
    assert bus_device.configuration == 0


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("libusb:001:002", (1, 2)),
        ("libusb:1:2", (1, 2)),
        ("libusb:001:002:3", None),
        ("libusb:001", None),
        ("libusb:0x1:002", None),
        ("libusb:-01:002", None),
        ("libusb:٣:002", None),
        ("libusb:0001:002", None),
        ("usb:001:002", None),
        ("", None),
    ],
)
def test_names_mean_a_place_on_the_bus(name: str, place: tuple[int, int] | None) -> None:
    assert sysfs.parse_name(name) == place
