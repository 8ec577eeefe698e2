"""Captures of the kernel's USB monitor: pcap and pcapng files as Wireshark and tcpdump write them.

Read only. Standard requests of enumeration give the descriptors and are no transfers of a driver;
all else is, in the order in which it ended. Source: Linux Documentation/usb/usbmon.rst (binary
format), LINKTYPE_USB_LINUX 189 and _MMAPPED 220 of the tcpdump registry, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct

from ..record import BadSession
from .descriptors import (
    BULK,
    CONFIGURATION_SIZE,
    DEVICE_SIZE,
    HUB_CLASS,
    INTERRUPT,
    Descriptors,
    descriptors_of,
)
from .descriptors import IN as IN_BIT
from .link import BABBLE, ERROR, OK, STALL, TIMEOUT, UNPLUGGED
from .session import CONTROL, HALT, IN, OUT, Record, RecordedDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {189: 48, 220: 64}  # bytes before the data, by link type
URB = "QBBBBHbbqiiII8s"  # up to the setup packet, in the byte order of the machine
KINDS = {1: INTERRUPT, 3: BULK}  # transfer type of usbmon: 0 isochronous, 2 control
CONTROL_KIND = 2
OUTCOMES = {0: OK, -121: OK, -32: STALL, -75: BABBLE}
TAKEN_BACK = (-2, -104)  # ENOENT, ECONNRESET: nearly always since the driver's time was over
GONE = (-19, -108)  # ENODEV, ESHUTDOWN

GET_DESCRIPTOR, CLEAR_FEATURE = (0x80, 6), (0x02, 1)
STANDARD_REQUEST = 0x60  # bits of the request type that are 0 for those of the USB standard

SECTION, INTERFACE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 3, 6  # pcapng blocks
BYTE_ORDER = 0x1A2B3C4D


def parse_pcap(data: bytes, path: str, ids: tuple[int, int] | None = None) -> list[RecordedDevice]:
    """Return the devices that a driver talked to; *ids* for one whose descriptor is not there."""
    magic = data[:4]
    try:
        if magic == struct.pack("<I", SECTION):
            packets = list(_pcapng(data))
        elif magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
            packets = list(_pcap(data, "<"))
        elif magic in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
            packets = list(_pcap(data, ">"))
        else:
            raise BadSession(f"{path}: neither a recorded session nor XML, pcap or pcapng")
    except (struct.error, IndexError, KeyError) as exc:
        raise BadSession(f"{path}: cut short or broken ({exc})") from exc
    talks: dict[tuple[int, int], _Talk] = {}
    for number, (order, link_type, packet) in enumerate(packets, 1):
        if link_type not in HEADERS:
            raise BadSession(f"{path}: link type {link_type} is not usbmon's")
        if len(packet) < HEADERS[link_type]:
            raise BadSession(f"{path}: packet {number} is too short")
        fields = struct.unpack_from(f"{order}{URB}", packet)
        place = (fields[5], fields[4])
        talk = talks.setdefault(place, _Talk(path))
        talk.packet(number, fields, packet[HEADERS[link_type] :])
    return _devices(talks, path, ids)


def _devices(
    talks: dict[tuple[int, int], _Talk], path: str, ids: tuple[int, int] | None
) -> list[RecordedDevice]:
    """Return the devices of which the ids are known, or the one that *ids* are meant for."""
    found, nameless = [], []
    for place, talk in sorted(talks.items()):
        if talk.is_nameless and talk.has_bulk:
            nameless.append((place, talk))
        elif not talk.is_nameless and talk.records and not talk.is_hub:
            found.append(talk.device(*place, None))
    if len(nameless) == 1 and ids is not None:
        (place, talk) = nameless[0]
        return [talk.device(*place, ids)]
    if nameless and not found:
        places = ", ".join(f"{bus}:{address}" for (bus, address), _ in nameless)
        raise BadSession(
            f"{path}: the capture does not hold the descriptors of device {places}: plug it in "
            f"while capturing, or, if it is one device, append its ids: {path},VENDOR:PRODUCT"
        )
    return found


class _Talk:
    """What happened on one device."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._submitted: dict[int, tuple[bytes, bytes, int]] = {}  # setup, data, length by URB
        self._device = b""
        self._configuration = b""
        self._strings: dict[int, str] = {}
        self._endpoints: dict[int, tuple[int, int]] = {}
        self.records: list[Record] = []

    def packet(self, number: int, fields: tuple[int, ...], data: bytes) -> None:
        """Take a submission or a completion."""
        identity, event, kind, endpoint, status = (*fields[:4], fields[10])
        length, captured, setup = fields[11], fields[12], fields[13]
        data = data[:captured]
        if event == ord("S"):
            assert isinstance(setup, bytes)
            self._submitted[identity] = (setup if not fields[6] else b"", data, length)
            return
        begun = self._submitted.pop(identity, None)
        if begun is None or kind not in (CONTROL_KIND, *KINDS):
            return  # begun before the capture was, or isochronous
        outcome = UNPLUGGED if status in GONE else OUTCOMES.get(status, f"{ERROR}: {status}")
        outcome = TIMEOUT if status in TAKEN_BACK else outcome
        is_in = bool(endpoint & IN_BIT) if kind != CONTROL_KIND else bool(begun[0][:1] > b"\x7f")
        content = data if is_in else begun[1]
        where = f"{self._path}, packet {number}"
        moved = length if event == ord("C") else 0
        if len(content) < moved:
            raise BadSession(f"{where}: only {len(content)} of {moved} bytes were captured")
        content = content[:moved]
        if kind == CONTROL_KIND:
            self._control(begun[0], content, outcome, where)
            return
        record = Record(IN if is_in else OUT, endpoint, content, begun[2], outcome)
        record.where = where
        self.records.append(record)
        self._endpoints.setdefault(endpoint, (KINDS[kind], 512 if KINDS[kind] == BULK else 64))

    def _control(self, setup: bytes, content: bytes, outcome: str, where: str) -> None:
        if len(setup) < 8:
            return
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind & STANDARD_REQUEST:
            record = Record(CONTROL, 0, content, length, outcome)
            record.setup = (kind, request, value, index)
        elif (kind, request) == CLEAR_FEATURE:
            record = Record(HALT, index, outcome=outcome)
        else:
            if (kind, request) == GET_DESCRIPTOR:
                self._descriptor(value >> 8, value & 0xFF, content)
            return
        record.where = where
        self.records.append(record)

    def _descriptor(self, kind: int, index: int, content: bytes) -> None:
        if kind == 1 and len(content) >= DEVICE_SIZE:
            self._device = content[:DEVICE_SIZE]
        if kind == 2 and len(content) > max(CONFIGURATION_SIZE, len(self._configuration)):
            self._configuration = content
        if kind == 3 and index:
            self._strings[index] = content[2:].decode("utf-16-le", "replace")

    @property
    def is_nameless(self) -> bool:
        """Whether the capture does not tell the ids."""
        return not self._device

    @property
    def is_hub(self) -> bool:
        """Whether it is a hub, which no driver of ours talks to."""
        return self._device[4:5] == bytes((HUB_CLASS,))

    @property
    def has_bulk(self) -> bool:
        """Whether there were bulk transfers."""
        return any(kind == BULK for kind, _ in self._endpoints.values())

    def device(self, bus: int, address: int, ids: tuple[int, int] | None) -> RecordedDevice:
        """Return the device with its records; *ids* if the capture does not tell them."""
        if ids is None:
            ids = struct.unpack_from("<HH", self._device, 8)
        descriptors = descriptors_of(*ids, self._endpoints)
        if self._device and self._configuration:
            descriptors = Descriptors(self._device + self._configuration)
        found = RecordedDevice(bus, address, descriptors)
        for attribute, place in (("manufacturer", 14), ("product", 15)):
            text = self._strings.get(self._device[place] if self._device else 0)
            if text:
                found.texts[attribute] = text
        for record in self.records:
            found.add(record)
        return found


def _pcap(data: bytes, order: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield byte order, link type and content of the packets of a pcap file."""
    link_type = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    offset = 24
    while offset < len(data):
        size = struct.unpack_from(f"{order}I", data, offset + 8)[0]
        if offset + 16 + size > len(data):
            raise IndexError(f"packet of {size} bytes at {offset}")
        yield order, link_type, data[offset + 16 : offset + 16 + size]
        offset += 16 + size


def _pcapng(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield byte order, link type and content of the packets of a pcapng file."""
    order = "<"
    interfaces: list[int] = []
    offset = 0
    while offset < len(data):
        kind = struct.unpack_from("<I", data, offset)[0]
        if kind == SECTION:
            is_little = struct.unpack_from("<I", data, offset + 8)[0] == BYTE_ORDER
            order = "<" if is_little else ">"
            interfaces = []
        kind, size = struct.unpack_from(f"{order}II", data, offset)
        if size < 12 or size % 4 or offset + size > len(data):
            raise IndexError(f"block of {size} bytes at {offset}")
        body = data[offset + 8 : offset + size - 4]
        if kind == INTERFACE:
            interfaces.append(struct.unpack_from(f"{order}H", body)[0])
        elif kind == ENHANCED:
            interface, _, _, captured = struct.unpack_from(f"{order}4I", body)
            yield order, interfaces[interface], body[20 : 20 + captured]
        elif kind == SIMPLE:
            length = struct.unpack_from(f"{order}I", body)[0]
            yield order, interfaces[0], body[4 : 4 + length]
        offset += size
