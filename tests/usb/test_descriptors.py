"""Descriptors as devices give them, and as no device should."""

from __future__ import annotations

import random

import pytest

from sane.usb.descriptors import BULK, IN, INTERRUPT, Descriptors, scanner_interface
from tests.fakes.usb import (
    BULK_PAIR,
    PRINTER,
    SCANNER,
    descriptor_bytes,
    endpoint_bytes,
    interface_bytes,
)


def test_a_scanner_is_parsed() -> None:
    found = Descriptors(descriptor_bytes(0x011E))
    assert (found.vendor, found.product, found.release) == (0x04B8, 0x011E, 0x0100)
    (interface,) = found.interfaces
    assert (interface.number, interface.alternate, interface.configuration) == (0, 0, 1)
    assert interface.class_ == (0xFF, 0, 0)
    addresses = [(item.address, item.type, item.max_packet) for item in interface.endpoints]
    assert addresses == [(0x81, BULK, 512), (0x02, BULK, 512), (0x83, INTERRUPT, 8)]


def test_the_first_endpoint_of_a_kind_is_found() -> None:
    (interface,) = Descriptors(descriptor_bytes()).interfaces
    found = [interface.first(kind, way) for kind in (BULK, INTERRUPT) for way in (IN, 0)]
    assert [item and item.address for item in found] == [0x81, 0x02, 0x83, None]


def test_foreign_descriptors_between_are_skipped() -> None:
    hid = bytes((9, 0x21, 1, 1, 0, 1, 0x22, 63, 0))
    association = bytes((8, 11, 0, 1, 255, 0, 0, 0))
    raw = descriptor_bytes(interfaces=association + SCANNER[:9] + hid + SCANNER[9:])
    assert len(Descriptors(raw).interfaces[0].endpoints) == 3


@pytest.mark.parametrize("tail", [b"\x00\x04", b"\x01\x04", b"\x09\x04\x01", b"\x09", b"\xff\x05"])
def test_a_lie_ends_the_parsing_and_keeps_what_came_before(tail: bytes) -> None:
    assert len(Descriptors(descriptor_bytes() + tail).interfaces) == 1


def test_an_endpoint_before_any_interface_is_ignored() -> None:
    assert Descriptors(descriptor_bytes(interfaces=BULK_PAIR)).interfaces == []


@pytest.mark.parametrize("raw", [b"", b"\x12", descriptor_bytes()[:17], b"\x11\x01" + bytes(30)])
def test_what_is_no_device_descriptor_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="device descriptor"):
        Descriptors(raw)


def test_garbage_never_does_worse_than_nothing() -> None:
    source = random.Random(5)
    for _ in range(500):
        raw = bytearray(descriptor_bytes(interfaces=PRINTER + SCANNER))
        for _ in range(source.randrange(1, 12)):
            raw[source.randrange(18, len(raw))] = source.randrange(256)
        found = Descriptors(bytes(raw))
        scanner_interface(found, source.randrange(3))
        repr(found.interfaces)


@pytest.mark.parametrize(
    ("interfaces", "class_", "number"),
    [
        (SCANNER, 0, 0),
        (PRINTER + interface_bytes(1, 0xFF, BULK_PAIR), 0, 1),
        (PRINTER + interface_bytes(1, 0x06, BULK_PAIR), 0, 1),
        (PRINTER, 0, None),
        (PRINTER, 0xFF, 0),  # a device of its own class: its interfaces' classes mean nothing
        (interface_bytes(0, 0xFF, endpoint_bytes(0x83, 3, 8)), 0, None),
        (interface_bytes(0, 0xFF, BULK_PAIR, alternate=1), 0, None),
    ],
)
def test_the_interface_that_scans_is_guessed(
    interfaces: bytes, class_: int, number: int | None
) -> None:
    found = scanner_interface(Descriptors(descriptor_bytes(1, interfaces, class_=class_)), 1)
    assert (found and found.number) == number


def test_a_device_without_configuration_is_judged_by_its_first() -> None:
    found = Descriptors(descriptor_bytes())
    assert found.active(0) == found.active(7) == found.interfaces
