"""The usbredir protocol byte by byte, with the test in QEMU's place."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from sane.testing.usb.hosted import Device, HostError, Usbredir
from tests.fakes.loopback import BULK_IN, BULK_OUT, EVENTS, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT = 10
CAPABILITIES = 0x72
HELLO, CONNECT, DISCONNECT, RESET, INTERFACES, ENDPOINTS = range(6)
CONTROL, BULK, INTERRUPT = 100, 101, 103


class Qemu:
    """QEMU's side of one port."""

    def __init__(self, path: str, capabilities: int = CAPABILITIES) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(path)
        self.header = "<III"
        self.send(HELLO, 0, struct.pack("<64sI", b"QEMU of the tests", capabilities))
        assert self.receive()[0] == HELLO
        self.header = "<IIQ"

    def send(self, kind: int, number: int, body: bytes) -> None:
        self.socket.sendall(struct.pack(self.header, kind, len(body), number) + body)

    def receive(self) -> tuple[int, int, bytes]:
        """Return type, id and body of the next message."""
        kind, length, number = struct.unpack(
            self.header, self.exactly(struct.calcsize(self.header))
        )
        return kind, number, self.exactly(length)

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, "the host closed the socket"
            data += piece
        return data

    def bulk(self, number: int, endpoint: int, data: bytes | int) -> None:
        length, sent = (data, b"") if isinstance(data, int) else (len(data), data)
        head = struct.pack("<BBHIH", endpoint, 0, length & 0xFFFF, 0, length >> 16)
        self.send(BULK, number, head + sent)

    def bulk_answer(self) -> tuple[int, int, int, bytes]:
        """Return id, status, length and data of a bulk packet."""
        kind, number, body = self.receive()
        assert kind == BULK
        _, status, low, _, high = struct.unpack_from("<BBHIH", body)
        return number, status, high << 16 | low, body[10:]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Usbredir]:
    with Usbredir(str(tmp_path / "port")) as bus:
        yield bus


@pytest.fixture
def device(bus: Usbredir) -> Device:
    return bus.plug(Loopback)


@pytest.fixture
def qemu(device: Device, tmp_path: Path) -> Iterator[Qemu]:
    """Return QEMU after the device was announced."""
    qemu = Qemu(str(tmp_path / "port"))
    with qemu.socket:
        assert [qemu.receive()[0] for _ in range(2)] == [INTERFACES, ENDPOINTS]
        kind, _, body = qemu.receive()
        assert kind == CONNECT
        assert struct.unpack("<BBBBHHH", body) == (2, 0, 0, 0, 0x1209, 0x0002, 0x0100)
        yield qemu


def test_interfaces_and_endpoints_are_described(bus: Usbredir, tmp_path: Path) -> None:
    bus.plug(Loopback)
    qemu = Qemu(str(tmp_path / "port"))
    with qemu.socket:
        body = qemu.receive()[2]
        assert struct.unpack_from("<I", body) == (2,)
        assert (body[4:6], body[36:38]) == (bytes((0, 1)), bytes((255, 7)))
        body = qemu.receive()[2]
        kinds, sizes = body[:32], struct.unpack_from("<32H", body, 96)
        used = {place: (kinds[place], sizes[place]) for place in range(32) if kinds[place] != 255}
    assert used == {0: (0, 64), 2: (2, 512), 16: (0, 64), 17: (2, 512), 19: (3, 8), 20: (2, 512)}


def test_bulk_transfers_with_their_statuses(qemu: Qemu) -> None:
    qemu.bulk(1, BULK_OUT, b"L100000")
    assert qemu.bulk_answer() == (1, 0, 7, b"")
    qemu.bulk(2, BULK_IN, 100000)
    number, status, length, data = qemu.bulk_answer()
    assert (number, status, length, len(data)) == (2, 0, 100000, 100000)
    qemu.bulk(3, BULK_OUT, b"E" + bytes(100))
    qemu.bulk_answer()
    qemu.bulk(4, BULK_IN, 14)
    assert qemu.bulk_answer() == (4, 6, 0, b"")  # babble
    qemu.bulk(5, BULK_IN, 512)
    qemu.bulk_answer()
    qemu.bulk(6, BULK_OUT, b"?")
    qemu.bulk_answer()
    qemu.bulk(7, BULK_IN, 10)
    assert qemu.bulk_answer() == (7, 4, 0, b"")  # stall


def test_a_cancelled_transfer_is_answered_so(qemu: Qemu) -> None:
    qemu.bulk(1 << 40, BULK_IN, 10)  # ids have 64 bits
    qemu.send(21, 1 << 40, b"")
    assert qemu.bulk_answer() == (1 << 40, 1, 0, b"")
    qemu.send(21, 77, b"")  # it has ended: no answer
    qemu.bulk(2, BULK_OUT, b"Eabc")
    assert qemu.bulk_answer() == (2, 0, 4, b"")
    qemu.bulk(3, BULK_IN, 10)
    assert qemu.bulk_answer() == (3, 0, 3, b"abc")


def test_control_requests(qemu: Qemu) -> None:
    qemu.send(CONTROL, 1, struct.pack("<BBBBHHH", 0x80, 1, 0xC0, 0, 0, 0, 10))
    kind, number, body = qemu.receive()
    assert (kind, number, body[3], body[8:]) == (CONTROL, 1, 0, b"\x04\0none")
    qemu.send(CONTROL, 2, struct.pack("<BBBBHHH", 0x80, 0x7F, 0xC0, 0, 0, 0, 10))
    assert qemu.receive()[2][3] == 4  # stall


def test_configuration_and_settings_are_announced_again(qemu: Qemu, device: Device) -> None:
    qemu.send(6, 5, b"\1")
    assert [qemu.receive()[0] for _ in range(2)] == [INTERFACES, ENDPOINTS]
    assert qemu.receive() == (8, 5, b"\0\1")
    qemu.send(7, 6, b"")
    assert qemu.receive() == (8, 6, b"\0\1")
    qemu.send(9, 7, b"\1\0")
    qemu.receive(), qemu.receive()
    assert qemu.receive() == (11, 7, b"\0\1\0")
    qemu.send(10, 8, b"\1")
    assert qemu.receive() == (11, 8, b"\0\1\0")
    qemu.send(RESET, 0, b"")
    device.wait_for("reset")


def test_interrupts_are_pushed_while_somebody_listens(qemu: Qemu, device: Device) -> None:
    qemu.send(15, 1, bytes((EVENTS,)))
    assert qemu.receive() == (17, 1, bytes((0, EVENTS)))
    for button in (3, 4):
        device.call("press", button)
        assert qemu.receive() == (INTERRUPT, 0, bytes((EVENTS, 0, 1, 0, button)))
    qemu.send(16, 2, bytes((EVENTS,)))
    assert qemu.receive() == (17, 2, bytes((0, EVENTS)))


def test_unplugging_fails_what_is_pending_and_frees_the_port(
    qemu: Qemu, bus: Usbredir, device: Device
) -> None:
    with pytest.raises(HostError, match="all 1 ports are in use"):
        bus.plug(Loopback)
    qemu.bulk(1, BULK_IN, 10)
    device.call("press", 1)  # a message later, the request has arrived as well
    device.unplug()
    kind, number, body = qemu.receive()
    if kind == BULK:
        assert (number, body[1]) == (1, 3)
        kind = qemu.receive()[0]
    assert kind == DISCONNECT
    bus.plug(Loopback)
    assert [qemu.receive()[0] for _ in range(3)] == [INTERFACES, ENDPOINTS, CONNECT]


def test_a_qemu_without_the_capabilities_ends_the_host(bus: Usbredir, tmp_path: Path) -> None:
    with Qemu(str(tmp_path / "port"), 0).socket as connection:
        assert connection.recv(1) == b""
    with pytest.raises(HostError, match="ended with status 1"):
        bus.unplug_all()
