"""What a USB device says of itself: interfaces and endpoints from its raw descriptors.

It parses bytes and knows neither sysfs nor libusb. A device may lie: a length of zero or one that
leads out of the data ends the parsing there, and what came before counts.
Source: USB 2.0 specification, 9.6.
"""

from __future__ import annotations

DEVICE, CONFIGURATION, INTERFACE, ENDPOINT = 1, 2, 4, 5  # bDescriptorType
DEVICE_SIZE, CONFIGURATION_SIZE, INTERFACE_SIZE, ENDPOINT_SIZE = 18, 9, 9, 7
CONTROL, ISOCHRONOUS, BULK, INTERRUPT = range(4)
TRANSFER_TYPES = ("control", "isochronous", "bulk", "interrupt")
IN = 0x80

CLASS_PER_INTERFACE, CLASS_IMAGE, CLASS_APPLICATION, CLASS_VENDOR = 0x00, 0x06, 0x10, 0xFF
SCANNER_CLASSES = (CLASS_PER_INTERFACE, CLASS_IMAGE, CLASS_APPLICATION, CLASS_VENDOR)
HUB_CLASS = 0x09


class Endpoint:
    """One endpoint: *address* with the direction in bit 7, *type* BULK..., *max_packet* bytes."""

    __slots__ = ("address", "interval", "max_packet", "type")

    def __init__(self, address: int, type: int, max_packet: int, interval: int = 0) -> None:
        self.address = address
        self.type = type
        self.max_packet = max_packet
        self.interval = interval

    @property
    def is_in(self) -> bool:
        """Whether it carries data from the device."""
        return bool(self.address & IN)

    def __repr__(self) -> str:
        kind, way = TRANSFER_TYPES[self.type], "in" if self.is_in else "out"
        return f"<{kind} {way} 0x{self.address:02x}, {self.max_packet} bytes>"


class Interface:
    """One alternate setting of an interface, with its class triple and endpoints."""

    __slots__ = ("alternate", "class_", "configuration", "endpoints", "number")

    def __init__(
        self, number: int, alternate: int, class_: tuple[int, int, int], configuration: int
    ) -> None:
        self.number = number
        self.alternate = alternate
        self.class_ = class_
        self.configuration = configuration
        self.endpoints: list[Endpoint] = []

    def first(self, type: int, direction: int) -> Endpoint | None:
        """Return the first endpoint of *type* in *direction* (IN or 0), None without one."""
        for endpoint in self.endpoints:
            if endpoint.type == type and endpoint.address & IN == direction:
                return endpoint
        return None

    def __repr__(self) -> str:
        triple = "/".join(f"{part:02x}" for part in self.class_)
        return f"<interface {self.number}.{self.alternate} {triple} {self.endpoints}>"


class Descriptors:
    """The device descriptor, and the interfaces of all configurations in their order."""

    __slots__ = ("class_", "interfaces", "product", "raw", "release", "vendor")

    def __init__(self, raw: bytes) -> None:
        """Parse *raw*: the device descriptor, then whole configurations, as sysfs gives them.

        Raises ValueError when not even the device descriptor is there.
        """
        if len(raw) < DEVICE_SIZE or raw[0] < DEVICE_SIZE or raw[1] != DEVICE:
            raise ValueError(f"{len(raw)} bytes do not begin with a device descriptor")
        self.raw = raw
        self.class_ = (raw[4], raw[5], raw[6])
        self.vendor = raw[8] | raw[9] << 8
        self.product = raw[10] | raw[11] << 8
        self.release = raw[12] | raw[13] << 8
        self.interfaces: list[Interface] = []
        self._parse(raw)

    def _parse(self, raw: bytes) -> None:
        configuration = 0
        interface: Interface | None = None
        offset = raw[0]
        while offset + 2 <= len(raw):
            size, kind = raw[offset], raw[offset + 1]
            body = raw[offset : offset + size]
            if size < 2 or len(body) < size:
                return
            if kind == CONFIGURATION and size >= CONFIGURATION_SIZE:
                configuration, interface = body[5], None
            elif kind == INTERFACE and size >= INTERFACE_SIZE:
                interface = Interface(body[2], body[3], (body[5], body[6], body[7]), configuration)
                self.interfaces.append(interface)
            elif kind == ENDPOINT and size >= ENDPOINT_SIZE and interface is not None:
                packet = (body[4] | body[5] << 8) & 0x07FF
                interface.endpoints.append(Endpoint(body[2], body[3] & 3, packet, body[6]))
            offset += size

    @property
    def first_configuration(self) -> int:
        """The value of the first configuration, 1 when there is none to read it from."""
        return self.interfaces[0].configuration if self.interfaces else 1

    def active(self, configuration: int) -> list[Interface]:
        """Return the interfaces of *configuration*, those of the first if it has none."""
        found = [item for item in self.interfaces if item.configuration == configuration]
        first = self.first_configuration
        return found or [item for item in self.interfaces if item.configuration == first]


def scanner_interface(descriptors: Descriptors, configuration: int) -> Interface | None:
    """Return the interface that a scanner most likely scans through, None without a guess.

    A device of its own class: the first with a bulk IN endpoint. Else the first of a class that
    scanners use: printer and storage interfaces of a multifunction device are left to their
    drivers. Source: esci 1.1; most vendors do the same.
    """
    for interface in descriptors.active(configuration):
        fits = descriptors.class_[0] == CLASS_VENDOR or interface.class_[0] in SCANNER_CLASSES
        if interface.alternate == 0 and fits and interface.first(BULK, IN):
            return interface
    return None


def descriptors_of(vendor: int, product: int, endpoints: dict[int, tuple[int, int]]) -> Descriptors:
    """Return descriptors for a device of which only ids and used endpoints are known.

    endpoints: address to type and packet size.
    """
    body = b"".join(
        bytes((7, 5, address, kind, packet & 0xFF, packet >> 8, 0))
        for address, (kind, packet) in sorted(endpoints.items())
    )
    ids = bytes((vendor & 0xFF, vendor >> 8, product & 0xFF, product >> 8))
    device = bytes((18, 1, 0, 2, 0xFF, 0, 0, 64)) + ids + bytes((0, 0, 0, 0, 0, 1))
    size = 18 + len(body)
    configuration = bytes((9, 2, size & 0xFF, size >> 8, 1, 1, 0, 0x80, 50))
    interface = bytes((9, 4, 0, 0, len(endpoints), 0xFF, 0, 0, 0))
    return Descriptors(device + configuration + interface + body)
