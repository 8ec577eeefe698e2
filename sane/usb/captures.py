"""Captures of the original stack: the XML that its USB helper (sanei_usb) records.

Read only. Source: files that the original library wrote, on emulated devices. It records bulk,
interrupt and control transfers, each with only the data that moved; a failed transfer is always
called a timeout, and cleared halts and resets are left out.
"""

from __future__ import annotations

from ..record import BadSession
from .descriptors import BULK, INTERRUPT, descriptors_of
from .descriptors import IN as IN_BIT
from .link import ERROR, OK, TIMEOUT
from .session import CONTROL, IN, OUT, Record, RecordedDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BUS, ADDRESS = 1, 2  # the file does not tell where the device was
TYPES = {"BULK": BULK, "INTERRUPT": INTERRUPT}
PACKETS = {BULK: 512, INTERRUPT: 64}  # nor how large its packets were: a high-speed device's


def parse_capture(data: bytes, path: str) -> list[RecordedDevice]:
    """Return the device of a capture; raises BadSession."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as exc:  # or an unknown encoding
        raise BadSession(f"{path}: {exc}") from exc
    description = root.find("description")
    transactions = root.find("transactions")
    if root.tag != "device_capture" or description is None or transactions is None:
        raise BadSession(f"{path}: no device_capture with a description and transactions")
    element = description
    try:
        device = _device(description)
        for element in transactions:
            if element.tag.endswith("_tx"):
                where = f"{path}, seq {element.get('seq', '?')}"
                device.add(_record(element, where))
    except (KeyError, ValueError) as exc:
        raise BadSession(f"{path}: {exc!r} in {_shown(element)}") from exc
    return [device]


def _shown(element: Element) -> str:
    attributes = " ".join(f'{name}="{value}"' for name, value in element.attrib.items())
    return f"<{element.tag} {attributes}>"


def _device(description: Element) -> RecordedDevice:
    endpoints = {}
    for element in description.iter("endpoint"):
        kind = TYPES.get(element.get("transfer_type", ""))
        if kind is not None:
            endpoints[int(element.attrib["address"], 0)] = (kind, PACKETS[kind])
    vendor, product = (int(description.attrib[name], 0) for name in ("id_vendor", "id_product"))
    return RecordedDevice(BUS, ADDRESS, descriptors_of(vendor, product, endpoints))


def _record(element: Element, where: str) -> Record:
    attributes = element.attrib
    data = bytes.fromhex(element.text or "")
    is_in = attributes["direction"] == "IN"
    if element.tag == "control_tx":
        names = ("bmRequestType", "bRequest", "wValue", "wIndex", "wLength")
        kind, request, value, index, length = (int(attributes[name], 0) for name in names)
        record = Record(CONTROL, 0, data, length)
        record.setup = (kind, request, value, index)
    elif is_in:
        record = Record(IN, int(attributes["endpoint_number"], 0) | IN_BIT, data)
    else:
        record = Record(OUT, int(attributes["endpoint_number"], 0), data)
    error = attributes.get("error", "")
    record.outcome = TIMEOUT if error == "timeout" else f"{ERROR}: {error}" if error else OK
    record.where = where
    return record
