"""A device in a list: what it is called, who it is, and which texts can be shown."""

from __future__ import annotations


def is_printable(text: str) -> bool:
    """Tell whether *text* can be shown as it is: no control characters but tabs.

    Bytes that are no UTF-8 count as Latin-1: who named a device may have had another locale.
    """
    return (text.isascii() and text.isprintable()) or not any(map(_is_control, text))


def printable(text: str) -> str:
    """Return *text* with a question mark for what cannot be shown."""
    return "".join("?" if _is_control(char) else char for char in text)


def _is_control(char: str) -> bool:
    """Tell whether *char* is a control character, a line break or no character at all."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, by surrogateescape
        code -= 0xDC00
    is_control = (code < 0x20 and char != "\t") or 0x7F <= code < 0xA0
    return is_control or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029)


class DeviceInfo(tuple[str, str, str, str]):
    """A listed device: four non-empty texts without control characters (standard 4.2.8).

    It is the tuple of the four, as python-sane's programs unpack, compare and print it.

    name: unique in its backend and stable. type: one of the standard's, as "flatbed scanner".

    Who it is, each "" if unknown, so that a scanner that is found in two ways is known again: uuid
    (32 hexadecimal digits in small letters), serial number, host (its names and addresses,
    separated by blanks), usb (its ids, ``04b8:0110``).
    """

    uuid: str
    serial: str
    host: str
    usb: str

    def __new__(
        cls,
        name: str,
        vendor: str,
        model: str,
        type: str,
        *,
        uuid: str = "",
        serial: str = "",
        host: str = "",
        usb: str = "",
    ) -> DeviceInfo:
        found = super().__new__(cls, (name, vendor, model, type))
        found.uuid = uuid
        found.serial = serial
        found.host = host
        found.usb = usb
        return found

    def __getnewargs__(self) -> tuple[str, str, str, str]:
        return self.name, self.vendor, self.model, self.type

    @property
    def name(self) -> str:
        """What open takes."""
        return self[0]

    @property
    def vendor(self) -> str:
        """Who made it."""
        return self[1]

    @property
    def model(self) -> str:
        """What its maker calls it."""
        return self[2]

    @property
    def type(self) -> str:
        """What it is, as "flatbed scanner"."""
        return self[3]

    @property
    def backend(self) -> str:
        """The backend that drives it; "net" for a device of a server."""
        return self.name.partition(":")[0]

    @property
    def address(self) -> str:
        """Where the backend finds it, as ``libusb:001:004``; "" if its name does not say."""
        return self.name.partition(":")[2]

    @property
    def is_network(self) -> bool:
        """It is reached by the network, as far as its name and its backend tell."""
        local = ("libusb:", "usb:", "/dev/")
        way = self.address
        is_named = way.startswith(("net:", "tcp:", "http:", "https:")) or "://" in way
        return not way.startswith(local) and (self.backend == "net" or is_named or bool(self.host))

    @property
    def label(self) -> str:
        """A text to choose from a list by, as ``Epson GT-S50 (epsonds, USB 001:004)``."""
        is_told = self.model.lower().startswith(self.vendor.lower())
        who = self.model if is_told else f"{self.vendor} {self.model}"
        place = self.address
        for mark in ("libusb:", "usb:"):
            if place.startswith(mark):
                place = f"USB {place[len(mark) :]}"
        return f"{who} ({self.backend}, {place})" if place else f"{who} ({self.backend})"

    def renamed(self, name: str) -> DeviceInfo:
        """Return the same device by another name."""
        found = DeviceInfo(name, self.vendor, self.model, self.type)
        found.uuid, found.serial, found.host, found.usb = self.identity()
        return found

    def identity(self) -> tuple[str, str, str, str]:
        """Return who it is: UUID, serial number, host, and USB ids."""
        return self.uuid, self.serial, self.host, self.usb
