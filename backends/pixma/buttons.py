"""What the events of a scanner say: which button, and what was chosen with it.

Source: specification pixma 2.10.
"""

from __future__ import annotations

from .models import IMAGECLASS, MP150, MP730, MP750, MP800

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .models import Model

PACKET_BYTES = 16  # packets are multiples of it, except of a few old units
NETWORK_BYTES = 20  # of all that come over the network
LONG_BYTES = 64  # what is not sent of a packet is 0
SHORT_PACKETS = (0x2635, 0x261F, 0x2630, 0x264D, 0x262F, 0x264C)  # 8 bytes, of family mp730
PANELS = (
    *(0x1754, 0x1764, 0x178E, 0x1755, 0x1765, 0x1741, 0x1769, 0x176A, 0x176B, 0x1779, 0x1776),
    *(0x178F, 0x1854, 0x1756),
)  # their panel tells what was chosen
DOCUMENT_PANELS = (0x1854, 0x1741)  # and what kind of document lies where
LIDE = (0x1912, 0x1913)
FILM_SCANNERS = {0x1901: 0x70, 0x1908: 0x50, 0x190D: 0x50}  # each with its second button


class Event:
    """One packet: *button* (1, 2, 0 for none) and the choices that come with it, 0 if unknown.

    wants_time: the scanner wants to be told the time.
    """

    __slots__ = (
        *("button", "document", "feeder", "orientation", "original", "resolution", "target"),
        "wants_time",
    )

    def __init__(self) -> None:
        self.button = self.target = self.original = self.resolution = 0
        self.document = self.feeder = self.orientation = 0
        self.wants_time = False


def event_of(model: Model, packet: bytes) -> Event | None:
    """Return what a packet says; None for one of a length that no packet has."""
    sizes = 8 if model.product in SHORT_PACKETS else PACKET_BYTES
    if not packet or (len(packet) % sizes and len(packet) != NETWORK_BYTES):
        return None
    data = packet[:LONG_BYTES].ljust(LONG_BYTES, b"\0")
    event = Event()
    DECODERS[model.family](event, model.product, data)
    return event


def _inkjet(event: Event, product: int, data: bytes) -> None:
    """Families mp150 and mp800."""
    if product in PANELS:
        event.button = 1 if data[7] & 1 else 2 if data[7] & 2 else 0
        event.target, event.original = data[11] & 0x0F, data[10]
        event.resolution = data[12]
        if product in DOCUMENT_PANELS:
            event.document, event.feeder, event.orientation = data[6], data[8], data[16]
    elif product in LIDE:
        event.button = 2 if data[19] == 6 else 1 if data[19] else 0
        event.target = data[19] & 0x0F
    elif product in FILM_SCANNERS:
        event.button = 2 if data[1] & 0xF0 == FILM_SCANNERS[product] else 1
        event.target = data[1] >> 4
    else:
        event.button = 1 if data[0] & 1 else 2 if data[0] & 2 else 0
        event.target, event.original = data[1] & 0x0F, data[0] >> 4


def _mp730(event: Event, product: int, data: bytes) -> None:
    if product in SHORT_PACKETS:
        event.button = 1 if data[7] & 0x10 else 0
        event.wants_time = bool(data[5] & 8)
        return
    _mp750(event, product, data)
    event.wants_time = bool(data[10] & 0x40)


def _mp750(event: Event, _product: int, data: bytes) -> None:
    event.button = 2 if data[15] & 1 else 1 if data[15] & 2 else 0


def _laser(event: Event, _product: int, data: bytes) -> None:
    event.button = 1 if data[15] & 1 else 0


DECODERS = {
    MP150: _inkjet,
    MP800: _inkjet,
    MP730: _mp730,
    MP750: _mp750,
    IMAGECLASS: _laser,
}
