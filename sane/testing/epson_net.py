"""The network side of an emulated Epson scanner: "IS" packets over TCP, and answers to the search.

A Machine speaks the scanner's protocol, ESC/I or ESC/I-2; a Server puts it on the network.
Source: specification esci 1.2, 1.3 and 6.1.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable

from ..backends._epson import PORT
from ..backends._epson.network import (
    ACK,
    HEAD_BYTES,
    LOCK,
    MAGIC,
    PASS,
    UNLOCK,
)
from .machine import Machine
from .net import Connection, TcpEmulator, UdpEmulator

NAK = 0x15
WELCOME, LOCKED, UNLOCKED, PASSED = 0x8000, 0xA100, 0xA101, 0xA000
DATA_OFFSET = 0x300C  # what real devices send
REQUEST_BYTES = 1 << 20  # a host never sends more at once
LOCK_SECONDS = 2.0  # a lock waits so long for the last host's unlock to be read

_HEAD = struct.Struct(">2sHHIH")
_DATA = struct.Struct(">II")


class Hangup(Exception):
    """Raised in a Server's tamper: send what it carries, and close the connection."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.data = data


def packet(kind: int, payload: bytes) -> bytes:
    """Return an IS packet as a device sends it."""
    return _HEAD.pack(MAGIC, kind, DATA_OFFSET, len(payload), 0) + payload


def answer(kind: int, payload: bytes) -> bytes | None:
    """Return the packet as it is: the tamper of a server without faults."""
    return packet(kind, payload)


class Server(TcpEmulator):
    """A Machine on TCP, from construction to close(); one host at a time, the others get NAK.

    tamper(kind, payload): returns the bytes to send for a packet, None for none at all, or raises
    Hangup: by this function tests make the faults of a device, by `faults` those of a network.
    """

    def __init__(
        self,
        machine: Machine,
        host: str = "127.0.0.1",
        port: int = PORT,
        tamper: Callable[[int, bytes], bytes | None] = answer,
    ) -> None:
        self.machine = machine
        self.tamper = tamper
        self._owner: Connection | None = None
        self._change = threading.Condition()
        super().__init__(host, port)

    def serve(self, connection: Connection) -> None:
        try:
            self._send(connection, WELCOME, self.machine.welcome)
            while True:
                self._handle(connection, *_receive_packet(connection))
        except Hangup as exc:
            connection.send_raw(exc.data)
        finally:
            self._release(connection)

    def _handle(self, connection: Connection, kind: int, payload: bytes) -> None:
        if kind == LOCK:
            granted = self._acquire(connection)
            self._send(connection, LOCKED, bytes((ACK if granted else NAK,)))
        elif kind == UNLOCK:
            self._release(connection)
            self._send(connection, UNLOCKED, bytes((ACK,)))
        elif kind == PASS and connection is self._owner and len(payload) >= _DATA.size:
            size, expected = _DATA.unpack_from(payload)
            command = payload[_DATA.size : _DATA.size + size]
            if command:
                self.machine.take(command)
            if not self.machine.is_silent:
                self._send(connection, PASSED, self.machine.read(expected))
        else:
            raise Hangup  # no host sends that

    def _send(self, connection: Connection, kind: int, payload: bytes) -> None:
        data = self.tamper(kind, payload)
        if data is not None:
            connection.send(data)

    def _acquire(self, connection: Connection) -> bool:
        with self._change:
            free = self._change.wait_for(lambda: self._owner is None, LOCK_SECONDS)
            if free:
                self._owner = connection
                self.machine.connected()
            return free

    def _release(self, connection: Connection) -> None:
        with self._change:
            if self._owner is connection:
                self._owner = None
                self._change.notify_all()


class Responder(UdpEmulator):
    """Answers the search for scanners by UDP, from construction to close()."""

    def __init__(self, host: str, port: int, answers: tuple[bytes, ...]) -> None:
        self._said = answers
        super().__init__(host, port)

    def answers(self, data: bytes) -> tuple[bytes, ...]:
        return self._said


def discovery_answer(name: str) -> bytes:
    """Return an ENPC answer that names a scanner: "EPSONp", the head, and the name."""
    body = name.encode("ascii").ljust(64, b"\0")
    return b"EPSONp" + struct.pack(">BBHHH", 0, 0xFF, 0, 0, len(body)) + body


def _receive_packet(connection: Connection) -> tuple[int, bytes]:
    """Return type and payload of the host's next packet."""
    magic, kind, _offset, size, _zero = _HEAD.unpack(connection.receive(HEAD_BYTES))
    if magic != MAGIC or size > REQUEST_BYTES:
        raise Hangup
    return kind, connection.receive(size)
