"""USB descriptors of an emulated device: written from a description, read back from raw bytes.

Source: Universal Serial Bus Specification 2.0, chapter 9; USB 3.2, chapter 9.6.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

LOW, FULL, HIGH, SUPER = 1, 2, 3, 5  # speeds, numbered as Linux does
CONTROL, ISOCHRONOUS, BULK, INTERRUPT = range(4)  # kinds of endpoints, as in bmAttributes

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT = range(1, 6)  # descriptor types
QUALIFIER, BOS, COMPANION = 6, 15, 48

ENGLISH = 0x0409
IN = 0x80  # in an endpoint's address

PACKET_SIZES = {  # wMaxPacketSize of bulk and of interrupt endpoints that name none
    LOW: {BULK: 8, INTERRUPT: 8},
    FULL: {BULK: 64, INTERRUPT: 64},
    HIGH: {BULK: 512, INTERRUPT: 64},
    SUPER: {BULK: 1024, INTERRUPT: 64},
}
CONTROL_PACKETS = {LOW: 8, FULL: 64, HIGH: 64, SUPER: 512}
VERSIONS = {LOW: 0x0110, FULL: 0x0110, HIGH: 0x0200, SUPER: 0x0300}  # bcdUSB


class Endpoint(NamedTuple):
    """An endpoint: address with 0x80 for IN; max_packet 0 is what the speed has by default."""

    address: int
    kind: int = BULK
    max_packet: int = 0
    interval: int = 0


class Interface(NamedTuple):
    """One alternate setting of an interface, with its endpoints."""

    endpoints: tuple[Endpoint, ...]
    usb_class: int = 0xFF
    subclass: int = 0xFF
    protocol: int = 0xFF
    number: int = 0
    alternate: int = 0


def packet_size(endpoint: Endpoint, speed: int) -> int:
    """Return the bytes of one packet of *endpoint*."""
    return endpoint.max_packet or PACKET_SIZES[speed].get(endpoint.kind, CONTROL_PACKETS[speed])


def device_descriptor(
    speed: int, ids: tuple[int, int, int], codes: tuple[int, int, int], strings: int
) -> bytes:
    """Return the 18 bytes: *ids* vendor, product, release; *codes* class, subclass, protocol.

    The first three of the *strings* (how many there are) are manufacturer, product and serial
    number. At super speed the packet size is written as a power of two.
    """
    packet = 9 if speed == SUPER else CONTROL_PACKETS[speed]
    indices = [n if n <= strings else 0 for n in (1, 2, 3)]
    return struct.pack(
        "<BBHBBBBHHHBBBB", 18, DEVICE, VERSIONS[speed], *codes, packet, *ids, *indices, 1
    )


def configuration_descriptor(speed: int, interfaces: tuple[Interface, ...]) -> bytes:
    """Return configuration 1, self-powered, with everything that belongs to it."""
    body = b""
    for interface in interfaces:
        body += struct.pack(
            "<9B",
            *(9, INTERFACE, interface.number, interface.alternate, len(interface.endpoints)),
            *(interface.usb_class, interface.subclass, interface.protocol, 0),
        )
        for endpoint in interface.endpoints:
            size = packet_size(endpoint, speed)
            interval = endpoint.interval or (4 if endpoint.kind == INTERRUPT else 0)
            body += struct.pack(
                "<BBBBHB", 7, ENDPOINT, endpoint.address, endpoint.kind, size, interval
            )
            if speed == SUPER:
                burst = size if endpoint.kind == INTERRUPT else 0  # wBytesPerInterval
                body += struct.pack("<BBBBH", 6, COMPANION, 0, 0, burst)
    numbers = {interface.number for interface in interfaces}
    head = (9, CONFIGURATION, 9 + len(body), len(numbers), 1, 0, 0xC0, 1)
    return struct.pack("<BBHBBBBB", *head) + body


def read_configuration(raw: bytes) -> tuple[Interface, ...]:
    """Return the interfaces of a configuration descriptor with everything that belongs to it.

    Raises ValueError where the lengths in it contradict each other.
    """
    found: list[Interface] = []
    position = 0
    while position < len(raw):
        length = raw[position]
        part = raw[position : position + length]
        if length < 2 or len(part) < length:
            raise ValueError(f"descriptor of {length} bytes at {position} of {len(raw)}")
        if part[1] == INTERFACE:
            found.append(Interface((), part[5], part[6], part[7], part[2], part[3]))
        elif part[1] == ENDPOINT:
            if not found:
                raise ValueError(f"endpoint before the first interface at {position}")
            _, _, address, attributes, size, interval = struct.unpack("<BBBBHB", part[:7])
            endpoint = Endpoint(address, attributes & 3, size & 0x7FF, interval)
            found[-1] = found[-1]._replace(endpoints=(*found[-1].endpoints, endpoint))
        position += length
    return tuple(found)


def string_descriptor(strings: tuple[str, ...], index: int) -> bytes | None:
    """Return string *index* (0: the list of languages), None where there is none."""
    if index == 0:
        return struct.pack("<BBH", 4, STRING, ENGLISH)
    if index > len(strings):
        return None
    text = strings[index - 1].encode("utf-16-le")
    return bytes((2 + len(text), STRING)) + text


def bos_descriptor() -> bytes:
    """Return what a super-speed device says it can do: nothing beyond that speed."""
    usb2 = struct.pack("<BBBI", 7, 16, 2, 0)
    super_speed = struct.pack("<BBBBHBBH", 10, 16, 3, 0, 8, 3, 0, 0)
    body = usb2 + super_speed
    return struct.pack("<BBHB", 5, BOS, 5 + len(body), 2) + body
