"""Devices that several backends list are merged by where they are; nothing else is."""

from __future__ import annotations

import pytest

from sane.backend import DeviceInfo
from sane.dll.merge import is_same, merge, place_of

USB = [
    "epson2:libusb:001:005",
    "epsonds:libusb:001:005",
    "utsushi:esci:usb:libusb:1:5",
]
HOST = [
    "epson2:net:10.0.0.2",
    "epsonds:net:10.0.0.2",
    "escl:https://10.0.0.2:443",
    "escl:http://10.0.0.2:80/eSCL/",
    "hpaio:/net/Officejet?ip=10.0.0.2",
    "xerox_mfp:tcp 10.0.0.2",
    "dell1600n_net:10.0.0.2",
    "pixma:MG5300_10.0.0.2",
]


@pytest.mark.parametrize("name", USB)
def test_usb_names_give_bus_and_address(name: str) -> None:
    assert place_of(name) == ("usb", "1", "5")


@pytest.mark.parametrize("name", HOST)
def test_network_names_give_the_host(name: str) -> None:
    assert place_of(name) == ("host", "10.0.0.2")


@pytest.mark.parametrize(
    "name",
    [
        "test:0",
        "v4l:/dev/video0",
        "pixma:04A91912_0123AB",
        "hpaio:/usb/Officejet?serial=AB12",
        "x:libusb:",
        "x:libusb:1",
        "x:libusb:a:b",
        "xerox_mfp:/dev/usb/lp0",
        "escl:http://",
        "epson2:net:",
        "airscan:e0:An MFP on 10.0.0.2",
        "",
        ":",
    ],
)
def test_other_names_give_no_place(name: str) -> None:
    assert place_of(name) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("epson2:libusb:001:005", "epsonds:libusb:001:005", True),
        ("epson2:libusb:001:005", "epsonds:libusb:001:006", False),
        ("epson2:libusb:001:005", "epsonds:libusb:002:005", False),
        ("epson2:libusb:001:005", "epson2:libusb:001:005", False),  # its own business
        ("epson2:net:10.0.0.2", "escl:https://10.0.0.2:443", True),
        ("epson2:net:printer", "escl:https://PRINTER.:443", True),
        ("epson2:net:10.0.0.2", "escl:https://10.0.0.20:443", False),
        ("escl:http://[fe80::1]:80", "epson2:net:[FE80::1]", True),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1", "escl:http://10.0.0.2?serial=1", True),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1", "escl:http://10.0.0.2?serial=2", False),
        ("hpaio:/net/A?ip=10.0.0.2&serial=1", "escl:http://10.0.0.2", True),
        ("net:box:epson2:libusb:001:005", "net:box:epsonds:libusb:001:005", True),
        ("net:box:epson2:libusb:001:005", "net:bax:epsonds:libusb:001:005", False),
        ("net:box:epson2:libusb:001:005", "net:box:test:0", False),
        ("net:box:epson2:libusb:001:005", "epsonds:libusb:001:005", False),
        ("net:box:epson2:net:10.0.0.2", "escl:http://10.0.0.2", False),
        ("test:0", "test:0", False),
    ],
)
def test_two_names_are_the_same_scanner_or_not(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same
    assert is_same(other, one) is same


def merged(*names: str, preferred: tuple[str, ...] = (), **aliases: str) -> list[str]:
    listed = [(name, DeviceInfo(aliases.get(name, name), "V", "M", "T")) for name in names]
    return [device.name for device in merge(listed, preferred)]


LIST = ("test:0", "epsonds:libusb:001:005", "pnm:0", "epson2:libusb:001:005", "net:box:test:0")


def test_the_first_of_several_stays_where_it_was() -> None:
    assert merged(*LIST) == [*LIST[:3], LIST[4]]


def test_a_preferred_backend_takes_the_place_of_the_first() -> None:
    expected = ["test:0", "epson2:libusb:001:005", "pnm:0", "net:box:test:0"]
    assert merged(*LIST, preferred=("test", "epson2", "epsonds")) == expected


def test_a_name_that_the_user_gave_stays() -> None:
    listed = [(name, DeviceInfo(name, "V", "M", "T")) for name in LIST]
    listed[3][1].name = "Desk"
    names = [device.name for device in merge(listed, ("epsonds",))]
    assert names == ["test:0", "Desk", "pnm:0", "net:box:test:0"]


def test_three_names_of_one_scanner_become_one() -> None:
    assert merged(*HOST) == [HOST[0], HOST[3]]  # escl lists two of its own
    assert merged(*USB) == [USB[0]]
