"""A scripted link below a Usb handle, a scanner's descriptors, and a bus of folders."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sane.config import Environment
from sane.debug import Debug
from sane.usb.descriptors import Descriptors
from sane.usb.handle import Usb
from sane.usb.link import CANCELLED, OK, Link
from sane.usb.sysfs import BusDevice

if TYPE_CHECKING:
    from pathlib import Path

    from sane.usb.descriptors import Endpoint
    from sane.usb.link import Cancels, LinkStream, Result, Setup

EPSON = 0x04B8


def endpoint_bytes(address: int, type: int, packet: int) -> bytes:
    return struct.pack("<BBBBHB", 7, 5, address, type, packet, 0)


def interface_bytes(
    number: int, class_: int, endpoints: bytes, *, alternate: int = 0, protocol: int = 0
) -> bytes:
    count = len(endpoints) // 7
    head = bytes((9, 4, number, alternate, count, class_, 0, protocol, 0))
    return head + endpoints


BULK_PAIR = endpoint_bytes(0x81, 2, 512) + endpoint_bytes(0x02, 2, 512)
SCANNER = interface_bytes(0, 0xFF, BULK_PAIR + endpoint_bytes(0x83, 3, 8))
PRINTER = interface_bytes(0, 0x07, endpoint_bytes(0x01, 2, 512) + endpoint_bytes(0x82, 2, 512))


def descriptor_bytes(
    product: int = 0x011E, interfaces: bytes = SCANNER, *, vendor: int = EPSON, class_: int = 0
) -> bytes:
    """Return a device descriptor and one configuration of value 1."""
    device = struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x0200, class_, 0, 0, 64, vendor, product, 0x0100, 1, 2, 3, 1
    )
    count = interfaces.count(b"\x09\x04")
    size = 9 + len(interfaces)
    return device + struct.pack("<BBHBBBBB", 9, 2, size, count, 1, 0, 0xC0, 1) + interfaces


def add_device(
    root: Path,
    address: int,
    number: int = 0x011E,
    *,
    raw: bytes = b"",
    bus: int = 1,
    **texts: str,
) -> Path:
    """Make a folder as sysfs has it for a device on *bus*; return it."""
    folder = root / f"{bus}-{address}"
    folder.mkdir(parents=True)
    (folder / "descriptors").write_bytes(raw or descriptor_bytes(number))
    values = {"busnum": str(bus), "devnum": str(address), "bConfigurationValue": "1", **texts}
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    return folder


class FakeLink(Link):
    """Answers IN transfers from a script, and notes what is sent.

    answers: for each IN or control IN transfer bytes, or an outcome, or both. outcomes: for the
    next OUT transfers, OK if there is none.
    """

    def __init__(self, *answers: bytes | str | tuple[str, bytes]) -> None:
        self.answers = list(answers)
        self.outcomes: list[tuple[str, int]] = []
        self.halt_outcome = OK
        self.sent: list[tuple[object, ...]] = []
        self.closed = 0

    def _answer(self, data: memoryview, cancel: Cancels) -> Result:
        if cancel.is_set():
            return CANCELLED, 0
        answer = self.answers.pop(0)
        if isinstance(answer, bytes):
            answer = OK, answer
        elif isinstance(answer, str):
            answer = answer, b""
        outcome, content = answer
        data[: len(content)] = content
        return outcome, len(content)

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        self.sent.append(("in", endpoint.address, len(data), seconds))
        return self._answer(data, cancel)

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        self.sent.append(("out", endpoint.address, bytes(data)))
        return self.outcomes.pop(0) if self.outcomes else (OK, len(data))

    def control(self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels) -> Result:
        self.sent.append(("control", setup, bytes(data)))
        return self._answer(data, cancel) if setup[0] & 0x80 else (OK, len(data))

    def stream(self, endpoint: Endpoint, size: int, depth: int, total: int | None) -> LinkStream:
        self.sent.append(("stream", endpoint.address, size, depth, total))
        return FakeStream(self)

    def clear_halt(self, endpoint: Endpoint) -> str:
        self.sent.append(("clear halt", endpoint.address))
        return self.halt_outcome

    def reset(self) -> str:
        self.sent.append(("reset",))
        return OK

    def close(self) -> None:
        self.closed += 1


class FakeStream:
    """A stream of the same answers, of which the last one comes when it is closed."""

    def __init__(self, link: FakeLink) -> None:
        self._link = link
        self.outcome = OK

    def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
        return self._link._answer(view, cancel)

    def reader(self, seconds: float, cancel: Cancels) -> None:
        return None

    def close(self) -> bytes:
        answer = self._link.answers.pop() if self._link.answers else b""
        assert isinstance(answer, bytes)
        return answer


def fake_usb(link: Link, raw: bytes = b"") -> Usb:
    """Return a handle on *link*, of the first interface of *raw*."""
    bus_device = BusDevice(1, 2, Descriptors(raw or descriptor_bytes()))
    return Usb(
        bus_device, bus_device.descriptors.interfaces[0], link, Debug("usb", Environment({}))
    )
