"""The usbredir transport: QEMU's usb-redir device plugs our devices into a virtual machine.

QEMU connects to a Unix socket per port and is the protocol's "guest" side, we are its "host" side.
Source: the usbredir protocol, version 0.7 (usb-redirection-protocol.md), seen with QEMU 7.2.
"""

from __future__ import annotations

import os
import socket
import struct
from errno import EOVERFLOW, EPIPE
from typing import TYPE_CHECKING

from . import descriptors
from .descriptors import FULL, HIGH, IN, INTERRUPT, LOW, SUPER, Endpoint
from .state import state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop
    from .model import UsbDevice

HELLO, CONNECT, DISCONNECT, RESET, INTERFACES, ENDPOINTS = range(6)
SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION = 6, 7, 8
SET_ALTERNATE, GET_ALTERNATE, ALTERNATE = 9, 10, 11
START_INTERRUPTS, STOP_INTERRUPTS, INTERRUPTS = 15, 16, 17
CANCEL = 21
CONTROL_DATA, BULK_DATA, INTERRUPT_DATA = 100, 101, 103

# Capabilities: the device's release in CONNECT, packet sizes, long ids, long bulk transfers.
LONG_IDS = 1 << 5
CAPABILITIES = 1 << 1 | 1 << 4 | LONG_IDS | 1 << 6

SUCCESS, CANCELLED, FAILED, STALL, BABBLE = 0, 1, 3, 4, 6
STATUSES = {0: SUCCESS, -EPIPE: STALL, -EOVERFLOW: BABBLE}
SPEEDS = {LOW: 0, FULL: 1, HIGH: 2, SUPER: 3}
NO_ENDPOINT = 255

MAX_MESSAGE = 64 << 20  # no transfer is larger: usbfs allows 16 MiB by default


class ProtocolError(Exception):
    """QEMU sent what the protocol does not know."""


class Port:
    """One usb-redir device of the machine: a port into which a device can be plugged."""

    def __init__(self, loop: Loop, path: str) -> None:
        self.device: UsbDevice | None = None
        self._loop = loop
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(1)
        self._socket: socket.socket | None = None
        self._has_hello = False
        self._header = "<III"
        self._received = bytearray()
        self._pending: dict[int, tuple[int, bytes]] = {}  # by id: type, head of the answer
        self._interrupts: set[int] = set()  # endpoints that QEMU listens to
        self._handlers: dict[int, Callable[[int, bytes], None]] = {
            HELLO: self._on_hello,
            RESET: self._on_reset,
            SET_CONFIGURATION: self._on_set_configuration,
            GET_CONFIGURATION: self._on_get_configuration,
            SET_ALTERNATE: self._on_set_alternate,
            GET_ALTERNATE: self._on_get_alternate,
            START_INTERRUPTS: self._on_start_interrupts,
            STOP_INTERRUPTS: self._on_stop_interrupts,
            CANCEL: self._on_cancel,
            CONTROL_DATA: self._on_control,
            BULK_DATA: self._on_bulk,
            INTERRUPT_DATA: self._on_interrupt,
        }
        loop.watch(self._listener.fileno(), self._accept)

    def plug(self, device: UsbDevice) -> None:
        """Plug a device in; it appears as soon as QEMU is there."""
        self.device = device
        device.call_later = self._loop.call_later
        device.unplugged = self._unplugged
        if self._has_hello:
            self._connect()

    def close(self) -> None:
        """Close the connection, and with it unplug the device."""
        if self.device is not None:
            self.device.unplug()
        for each in (self._listener, self._socket):
            if each is not None:
                self._loop.unwatch(each.fileno())
                each.close()
        self._socket = None

    # The connection

    def _accept(self) -> None:
        accepted = self._listener.accept()[0]
        if self._socket is not None:
            accepted.close()
            return
        self._socket = accepted
        self._loop.watch(accepted.fileno(), self._receive)
        self._send(HELLO, 0, struct.pack("<64sI", b"PySANE emulated device", CAPABILITIES))

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:  # QEMU has ended
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._has_hello, self._header = False, "<III"
            return
        self._received += data
        while self._take_message():
            pass

    def _take_message(self) -> bool:
        """Handle one message of what was received; False: it is not all there."""
        size = struct.calcsize(self._header)
        if len(self._received) < size:
            return False
        kind, length, number = struct.unpack_from(self._header, self._received)
        if length > MAX_MESSAGE:
            raise ProtocolError(f"message {kind} of {length} bytes")
        if len(self._received) < size + length:
            return False
        body = bytes(memoryview(self._received)[size : size + length])
        del self._received[: size + length]
        if kind not in self._handlers:
            raise ProtocolError(f"message {kind} of {length} bytes is unknown")
        if self.device is not None or kind == HELLO:
            self._handlers[kind](number, body)
        return True

    def _send(self, kind: int, number: int, body: bytes, data: bytes = b"") -> None:
        if self._socket is None:
            return
        head = struct.pack(self._header, kind, len(body) + len(data), number)
        try:
            self._socket.sendall(head + body + data)
        except (BrokenPipeError, ConnectionResetError):
            return  # the end is noticed where it is read

    def _on_hello(self, number: int, body: bytes) -> None:
        capabilities = struct.unpack_from("<I", body, 64)[0]
        if capabilities & CAPABILITIES != CAPABILITIES:
            raise ProtocolError(f"QEMU can {capabilities:#x}, needed is {CAPABILITIES:#x}")
        self._header = "<IIQ"
        self._has_hello = True
        if self.device is not None:
            self._connect()

    # The device

    def _connect(self) -> None:
        device = self.device
        assert device is not None
        self._send_infos()
        ids = (device.vendor, device.product, device.release)
        self._send(CONNECT, 0, struct.pack("<BBBBHHH", SPEEDS[device.speed], *device.codes, *ids))

    def _unplugged(self) -> None:
        self.device = None
        self._pending.clear()
        self._interrupts.clear()
        self._send(DISCONNECT, 0, b"")

    def _send_infos(self) -> None:
        """Tell QEMU the interfaces and endpoints in their current settings."""
        device = self.device
        assert device is not None
        current = [
            i for i in device.interfaces if state_of(device).alternates[i.number] == i.alternate
        ]
        rows = [(i.number, i.usb_class, i.subclass, i.protocol) for i in current]
        columns = [bytes(column).ljust(32, b"\0") for column in zip(*rows, strict=True)]
        self._send(INTERFACES, 0, struct.pack("<I", len(current)) + b"".join(columns))
        kinds, intervals, numbers = bytearray([NO_ENDPOINT] * 32), bytearray(32), bytearray(32)
        sizes = [0] * 32
        kinds[0] = kinds[16] = descriptors.CONTROL
        sizes[0] = sizes[16] = descriptors.CONTROL_PACKETS[device.speed]
        for interface in current:
            for endpoint in interface.endpoints:
                place = (endpoint.address & IN) >> 3 | endpoint.address & 0x0F
                kinds[place] = endpoint.kind
                intervals[place] = endpoint.interval
                numbers[place] = interface.number
                sizes[place] = descriptors.packet_size(endpoint, device.speed)
        self._send(ENDPOINTS, 0, bytes(kinds + intervals + numbers) + struct.pack("<32H", *sizes))

    def _on_reset(self, number: int, body: bytes) -> None:
        assert self.device is not None
        self.device.reset()

    def _on_set_configuration(self, number: int, body: bytes) -> None:
        assert self.device is not None
        is_good = self.device.configure(body[0])
        self._send_infos()
        self._send(
            CONFIGURATION,
            number,
            bytes((SUCCESS if is_good else STALL, state_of(self.device).value)),
        )

    def _on_get_configuration(self, number: int, body: bytes) -> None:
        assert self.device is not None
        self._send(CONFIGURATION, number, bytes((SUCCESS, state_of(self.device).value)))

    def _on_set_alternate(self, number: int, body: bytes) -> None:
        assert self.device is not None
        is_good = self.device.set_interface(body[0], body[1])
        self._send_infos()
        self._send(ALTERNATE, number, bytes((SUCCESS if is_good else STALL, body[0], body[1])))

    def _on_get_alternate(self, number: int, body: bytes) -> None:
        assert self.device is not None
        alternate = state_of(self.device).alternates.get(body[0], 0)
        self._send(ALTERNATE, number, bytes((SUCCESS, body[0], alternate)))

    # Transfers

    def _on_control(self, number: int, body: bytes) -> None:
        assert self.device is not None
        endpoint, request, kind, _, value, index, length = struct.unpack_from("<BBBBHHH", body)
        self._pending[number] = (CONTROL_DATA, body[:3])

        def done(status: int, data: bytes) -> None:
            if self._pending.pop(number, None):
                size = len(data) if endpoint & IN else length if not status else 0
                fields = (endpoint, request, kind, _status(status), value, index, size)
                self._send(CONTROL_DATA, number, struct.pack("<BBBBHHH", *fields), data)

        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        self.device.submit_control(number, setup, body[10:], done)

    def _on_bulk(self, number: int, body: bytes) -> None:
        assert self.device is not None
        endpoint, _, low, stream, high = struct.unpack_from("<BBHIH", body)
        length = high << 16 | low
        self._pending[number] = (BULK_DATA, body[:1])

        def done(status: int, data: bytes) -> None:
            if self._pending.pop(number, None):
                size = len(data) if endpoint & IN else length if not status else 0
                fields = (endpoint, _status(status), size & 0xFFFF, stream, size >> 16)
                self._send(BULK_DATA, number, struct.pack("<BBHIH", *fields), data)

        if endpoint & IN:
            self.device.submit_in(endpoint, number, length, done)
        else:
            self.device.submit_out(endpoint, number, body[10:], done)

    def _on_interrupt(self, number: int, body: bytes) -> None:
        """Take an interrupt OUT transfer."""
        assert self.device is not None
        endpoint, _, length = struct.unpack_from("<BBH", body)
        self._pending[number] = (INTERRUPT_DATA, body[:1])

        def done(status: int, data: bytes) -> None:
            if self._pending.pop(number, None):
                fields = (endpoint, _status(status), length if not status else 0)
                self._send(INTERRUPT_DATA, number, struct.pack("<BBH", *fields))

        self.device.submit_out(endpoint, number, body[4:], done)

    def _on_start_interrupts(self, number: int, body: bytes) -> None:
        self._interrupts.add(body[0])
        self._send(INTERRUPTS, number, bytes((SUCCESS, body[0])))
        self._await_interrupt(body[0])

    def _on_stop_interrupts(self, number: int, body: bytes) -> None:
        assert self.device is not None
        self._interrupts.discard(body[0])
        self.device.cancel(("interrupt", body[0]))
        self._send(INTERRUPTS, number, bytes((SUCCESS, body[0])))

    def _await_interrupt(self, address: int) -> None:
        """Hand on what an interrupt endpoint sends, as long as QEMU listens."""

        def done(status: int, data: bytes) -> None:
            if address in self._interrupts:
                head = struct.pack("<BBH", address, _status(status), len(data))
                self._send(INTERRUPT_DATA, 0, head, data)
                if not status:
                    self._await_interrupt(address)

        device = self.device
        assert device is not None
        endpoint = _find(device, address)
        size = descriptors.packet_size(endpoint, device.speed)
        device.submit_in(address, ("interrupt", address), size, done)

    def _on_cancel(self, number: int, body: bytes) -> None:
        assert self.device is not None
        kind, head = self._pending.pop(number, (0, b""))
        if not kind:
            return  # its answer is on the way
        self.device.cancel(number)
        sizes = {CONTROL_DATA: 10, BULK_DATA: 10, INTERRUPT_DATA: 4}
        answer = bytearray(head.ljust(sizes[kind], b"\0"))
        answer[3 if kind == CONTROL_DATA else 1] = CANCELLED
        self._send(kind, number, bytes(answer))


class Bus:
    """The ports of a machine."""

    def __init__(self, loop: Loop, paths: list[str]) -> None:
        self.environment: dict[str, str] = {}
        self._ports = [Port(loop, os.path.abspath(path)) for path in paths]

    def plug(self, device: UsbDevice) -> str:
        """Plug a device into a free port; its name is the machine's affair."""
        for port in self._ports:
            if port.device is None:
                port.plug(device)
                return ""
        raise RuntimeError(f"all {len(self._ports)} ports are in use")

    def close(self) -> None:
        """Close all ports."""
        for port in self._ports:
            port.close()


def _status(status: int) -> int:
    return STATUSES.get(status, FAILED)


def _find(device: UsbDevice, address: int) -> Endpoint:
    for interface in device.interfaces:
        for endpoint in interface.endpoints:
            if endpoint.address == address:
                return endpoint
    return Endpoint(address, INTERRUPT)
