"""Emulated devices on the network: each fault does what it says, and nothing is left behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

import pytest

from sane.testing.net import Connection, Fault, Faults, TcpEmulator, UdpEmulator

LONG = 10.0


class Tcp(TcpEmulator):
    """Answers each line with itself; stops at an empty one."""

    def serve(self, connection: Connection) -> None:
        while (line := connection.receive_until(b"\n")) != b"\n":
            connection.send(line)


class Udp(UdpEmulator):
    def answers(self, data: bytes) -> Iterable[bytes]:
        return [data, data.upper()]


def talk(device: TcpEmulator, *lines: bytes) -> bytes:
    """Return all that comes back."""
    with socket.create_connection(device.address, LONG) as sock:
        sock.sendall(b"".join(lines) + b"\n")
        data = b""
        while more := sock.recv(1000):
            data += more
        return data


TCP = [
    (Fault("silence"), b""),
    (Fault("drop"), b"b\n"),
    (Fault("garbage", data=b"?"), b"?b\n"),
    (Fault("surplus", data=b"?"), b"a\n?b\n"),
    (Fault("cut", size=1), b"a"),
    (Fault("slow", size=1, seconds=0.01), b"a\nb\n"),
    (Fault("stale", after=1), b"a\na\nb\n"),
    (Fault("repeat"), b"a\na\nb\n"),
    (Fault("close"), b""),
    (Fault("drop", times=2), b""),
]


@pytest.mark.parametrize(("fault", "sent"), TCP, ids=[str(fault.kind) for fault, _ in TCP])
def test_net_faults_of_a_connection(fault: Fault, sent: bytes) -> None:
    with Tcp() as device:
        device.faults.add(fault)
        assert talk(device, b"a\n", b"b\n") == sent
        assert talk(device, b"c\n") == b"c\n"
        assert [bytes(connection.received) for connection in device.connections] == [
            *(b"a\nb\n\n", b"c\n\n")
        ]


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (Fault("drop"), [b"A"]),
        (Fault("garbage", data=b"?"), [b"?", b"A"]),
        (Fault("cut", size=0), [b"", b"A"]),
        (Fault("stale", after=1), [b"a", b"a", b"A"]),
        (Fault("repeat"), [b"a", b"a", b"A"]),
        (Fault("surplus", data=b"?"), [b"a", b"?", b"A"]),
        (Fault("slow", seconds=0.01), [b"a", b"A"]),
    ],
)
def test_net_faults_of_datagrams(fault: Fault, sent: list[bytes]) -> None:
    with Udp() as device, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(LONG)
        device.faults.add(fault)
        sock.sendto(b"a", device.address)
        assert [sock.recv(100) for _ in sent] == sent
        assert device.received == [b"a"]


def test_net_a_device_is_switched_off_in_the_middle() -> None:
    with Tcp() as device:
        device.faults.add(Fault("slow", seconds=60.0))
        with socket.create_connection(device.address, LONG) as sock:
            sock.sendall(b"a\n")
            begin = time.monotonic()
            while not device.connections or not device.connections[0].received:
                assert time.monotonic() - begin < LONG
            device.close()
            assert sock.recv(10) == b""
        assert time.monotonic() - begin < LONG
        device.close()


def test_net_hang_up_keeps_the_port() -> None:
    with Tcp() as device:
        with socket.create_connection(device.address, LONG) as sock:
            sock.sendall(b"a\n")
            assert sock.recv(2) == b"a\n"
            device.hang_up()
            assert sock.recv(2) == b""
        assert talk(device, b"b\n") == b"b\n"


def test_net_several_faults_wait_for_their_turn() -> None:
    faults = Faults()
    faults.add(Fault("drop"))
    faults.add(Fault("close", after=1))
    faults.add(Fault("repeat"))
    assert [getattr(faults.meet(), "kind", "") for _ in range(4)] == ["drop", "close", "repeat", ""]
    faults.add(Fault("drop"))
    faults.clear()
    assert faults.meet() is None
    for wrong in (Fault("explode"), Fault("drop", after=-1), Fault("drop", times=0)):
        with pytest.raises(ValueError, match="none of"):
            faults.add(wrong)
