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


class DeviceInfo:
    """A listed device: four non-empty texts without control characters (standard 4.2.8).

    name: unique in its backend and stable. type: one of the standard's, as "flatbed scanner".

    Who it is, each "" if unknown, so that a scanner that is found in two ways is known again: uuid
    (32 hexadecimal digits in small letters), serial number, host (its names and addresses,
    separated by blanks), usb (its ids, ``04b8:0110``).
    """

    __slots__ = ("host", "model", "name", "serial", "type", "usb", "uuid", "vendor")

    def __init__(
        self,
        name: str,
        vendor: str,
        model: str,
        type: str,
        *,
        uuid: str = "",
        serial: str = "",
        host: str = "",
        usb: str = "",
    ) -> None:
        self.name = name
        self.vendor = vendor
        self.model = model
        self.type = type
        self.uuid = uuid
        self.serial = serial
        self.host = host
        self.usb = usb

    def renamed(self, name: str) -> DeviceInfo:
        """Return the same device by another name."""
        found = DeviceInfo(name, self.vendor, self.model, self.type)
        found.uuid, found.serial, found.host, found.usb = self.identity()
        return found

    def identity(self) -> tuple[str, str, str, str]:
        """Return who it is: UUID, serial number, host, and USB ids."""
        return self.uuid, self.serial, self.host, self.usb

    def __repr__(self) -> str:
        return f"DeviceInfo({self.name!r}, {self.vendor!r}, {self.model!r}, {self.type!r})"
