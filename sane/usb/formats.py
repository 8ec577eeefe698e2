"""Reads a recorded USB session from a file, by the reader of its format.

Ours is docs/usb-sessions.md; the others are XML of sanei_usb and pcap of usbmon.
"""

from __future__ import annotations

import os

from ..record import BadSession, read_file
from .session import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import RecordedDevice


def load(path: str) -> list[RecordedDevice]:
    """Return the devices of the session in *path*: ours, XML of sanei_usb, or pcap of usbmon.

    ``path,04b8:0110`` gives ids to a capture that does not hold the device descriptor. Raises
    BadSession, or OSError when the file cannot be read.
    """
    ids: tuple[int, int] | None = None
    name, comma, tail = path.rpartition(",")
    vendor, _, product = tail.partition(":")
    if comma and not os.path.exists(path):
        try:
            ids, path = (int(vendor, 16), int(product, 16)), name
        except ValueError:
            raise BadSession(f"{path}: {tail!r} is not VENDOR:PRODUCT in hexadecimal") from None
    data = read_file(path)
    if data.startswith(b"pysane-usb"):
        return parse(data.decode("utf-8", "replace").splitlines(), path)
    if data.lstrip()[:1] == b"<":
        from .captures import parse_capture

        return parse_capture(data, path)
    from .usbmon import parse_pcap

    return parse_pcap(data, path, ids)
