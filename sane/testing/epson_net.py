"""The network side of an emulated Epson scanner: "IS" packets over TCP, and answers to the search.

A Machine speaks the scanner's protocol, ESC/I or ESC/I-2; a Server puts it on the network.
Source: specification esci 1.2, 1.3 and 6.1.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

from ..backends._epson import PORT
from ..backends._epson.network import (
    ACK,
    DISCOVERY_QUERY,
    HEAD_BYTES,
    LOCK,
    MAGIC,
    PASS,
    UNLOCK,
)
from .machine import Machine

NAK = 0x15
WELCOME, LOCKED, UNLOCKED, PASSED = 0x8000, 0xA100, 0xA101, 0xA000
DATA_OFFSET = 0x300C  # what real devices send
REQUEST_BYTES = 1 << 20  # a host never sends more at once
LOCK_SECONDS = 2.0  # a lock waits so long for the last host's unlock to be read
JOIN_SECONDS = 10.0

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


class Server:
    """A Machine on TCP, from construction to close(); one host at a time, the others get NAK.

    tamper(kind, payload): returns the bytes to send for a packet, None for none at all, or raises
    Hangup: by this function tests make every fault of a network and of a device.
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
        self.connections = 0  # how many were ever made
        self._is_closing = False
        self._owner: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._change = threading.Condition()
        self._listener = socket.create_server((host, port))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and end all threads."""
        self.hang_up()
        with self._change:
            self._is_closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._listener.close()

    def hang_up(self) -> None:
        """Close the open connections, as a scanner does that is switched off."""
        with self._change:
            for connection in self._open:
                _shut(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return  # shut down by close
            with self._change:
                if self._is_closing:
                    connection.close()
                    return
                self._open.add(connection)
                self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._send(connection, WELCOME, self.machine.welcome)
            while (request := _receive_packet(connection)) is not None:
                self._handle(connection, *request)
        except Hangup as exc:
            _send_quietly(connection, exc.data)
        except OSError:
            pass  # the host is gone
        finally:
            self._release(connection)
            with self._change:
                self._open.discard(connection)
                connection.close()

    def _handle(self, connection: socket.socket, kind: int, payload: bytes) -> None:
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

    def _send(self, connection: socket.socket, kind: int, payload: bytes) -> None:
        data = self.tamper(kind, payload)
        if data is not None:
            connection.sendall(data)

    def _acquire(self, connection: socket.socket) -> bool:
        with self._change:
            free = self._change.wait_for(lambda: self._owner is None, LOCK_SECONDS)
            if free:
                self._owner = connection
                self.machine.connected()
            return free

    def _release(self, connection: socket.socket) -> None:
        with self._change:
            if self._owner is connection:
                self._owner = None
                self._change.notify_all()


class Responder:
    """Answers the search for scanners by UDP, from construction to close()."""

    def __init__(self, host: str, port: int, answers: tuple[bytes, ...]) -> None:
        self.answers = answers
        self.queries: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(len(DISCOVERY_QUERY))
            if not query:
                return  # close says so
            self.queries.append(query)
            for data in self.answers:
                self._socket.sendto(data, sender)

    def close(self) -> None:
        """End the thread and release the port."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self.address)
        self._thread.join(JOIN_SECONDS)
        self._socket.close()


def discovery_answer(name: str) -> bytes:
    """Return an ENPC answer that names a scanner: "EPSONp", the head, and the name."""
    body = name.encode("ascii").ljust(64, b"\0")
    return b"EPSONp" + struct.pack(">BBHHH", 0, 0xFF, 0, 0, len(body)) + body


def _receive_packet(connection: socket.socket) -> tuple[int, bytes] | None:
    """Return type and payload of the host's next packet, None when it has closed."""
    head = _receive_exactly(connection, HEAD_BYTES)
    if head is None:
        return None
    magic, kind, _offset, size, _zero = _HEAD.unpack(head)
    if magic != MAGIC or size > REQUEST_BYTES:
        return None
    payload = _receive_exactly(connection, size)
    return None if payload is None else (kind, payload)


def _receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return None
        data += more
    return data


def _send_quietly(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        return  # the host was faster


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
