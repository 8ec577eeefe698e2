"""A listed device is the tuple of its four texts, and says where it is."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from sane.listed import DeviceInfo

TEXTS = ("epsonds:libusb:001:004", "Epson", "GT-S50", "sheetfed scanner")


def test_a_device_is_the_tuple_of_its_texts() -> None:
    device = DeviceInfo(*TEXTS, uuid="0" * 32, serial="X1", host="", usb="04b8:0137")
    name, vendor, model, kind = device
    assert (name, vendor, model, kind) == TEXTS == device
    assert (device.name, device.vendor, device.model, device.type) == TEXTS
    assert repr(device) == repr(TEXTS) and str(device) == str(TEXTS)
    assert hash(device) == hash(TEXTS) and {TEXTS: 1}[device] == 1
    assert json.loads(json.dumps(device)) == list(TEXTS)
    assert device[1:3] == ("Epson", "GT-S50") and type(device[1:3]) is tuple
    assert isinstance(device, tuple) and len(device) == 4


def test_a_device_keeps_who_it_is() -> None:
    device = DeviceInfo(*TEXTS, uuid="0" * 32, serial="X1", host="box 192.0.2.7", usb="04b8:0137")
    for again in (pickle.loads(pickle.dumps(device)), copy.copy(device), copy.deepcopy(device)):
        assert type(again) is DeviceInfo
        assert again == device and again.identity() == device.identity()
    other = device.renamed("Desk")
    assert other.name == "Desk" and other[1:] == device[1:]
    assert other.identity() == device.identity()


@pytest.mark.parametrize(
    ("name", "backend", "address", "is_network", "place"),
    [
        ("epsonds:libusb:001:004", "epsonds", "libusb:001:004", False, "epsonds, USB 001:004"),
        ("test:0", "test", "0", False, "test, 0"),
        ("v4l:/dev/video0", "v4l", "/dev/video0", False, "v4l, /dev/video0"),
        ("net:box:test:0", "net", "box:test:0", True, "net, box:test:0"),
        ("epson2:net:192.0.2.7", "epson2", "net:192.0.2.7", True, "epson2, net:192.0.2.7"),
        ("escl:http://box:80/eSCL", "escl", "http://box:80/eSCL", True, None),
        ("Desk", "Desk", "", False, "Desk"),
    ],
)
def test_a_name_tells_the_way(
    name: str, backend: str, address: str, is_network: bool, place: str | None
) -> None:
    device = DeviceInfo(name, *TEXTS[1:])
    assert (device.backend, device.address, device.is_network) == (backend, address, is_network)
    if place is not None:
        assert device.label == f"Epson GT-S50 ({place})"


def test_a_label_names_the_maker_once() -> None:
    assert DeviceInfo("escl:x", "HP", "HP LaserJet", "scanner").label == "HP LaserJet (escl, x)"


def test_a_host_makes_a_network_device() -> None:
    assert DeviceInfo("wsd:0123", "A", "B", "C", host="192.0.2.7").is_network
    assert not DeviceInfo("wsd:0123", "A", "B", "C").is_network
