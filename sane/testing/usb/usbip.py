"""The USB/IP transport: a server from which any Linux machine attaches our devices.

    python3 -m sane.testing.usb.usbip MODULE:CLASS [NAME=VALUE...] [--port 3240] [--bind ADDRESS]

It makes a device of the class with the values (Python literals or texts) and says what to type to
attach it. Source: Linux Documentation/usb/usbip_protocol.rst, version 1.1.1; seen with usbip 2.0.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

from .loop import Loop

if TYPE_CHECKING:
    from .model import UsbDevice

PORT = 3240  # assigned to usbip
VERSION = 0x0111
LIST_REQUEST, IMPORT_REQUEST, LIST_REPLY, IMPORT_REPLY = 0x8005, 0x8003, 0x0005, 0x0003
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
REFUSED = 1  # a status before the import
ECONNRESET = 104
MAX_TRANSFER = 64 << 20  # no request is larger: usbfs allows 16 MiB by default

REQUEST = struct.Struct(">HHI")  # before the import: version, code, status
COMMAND = struct.Struct(">5I")  # after it: command, sequence number, device, direction, endpoint
BODY = struct.Struct(">IiiiI8s")  # of SUBMIT: flags, length, start frame, packets, interval, setup
ANSWER = struct.Struct(">iiiii8x")  # of SUBMITTED: status, length, start frame, packets, errors


class ProtocolError(Exception):
    """The other side sent what the protocol does not know."""


class Server:
    """Listens, and exports devices; each can be attached once at a time."""

    def __init__(self, loop: Loop, address: str = "127.0.0.1", port: int = PORT) -> None:
        self.loop = loop
        self.exports: dict[str, UsbDevice] = {}  # by bus id
        self.users: dict[str, Connection] = {}
        self._count = 0
        self._connections: set[Connection] = set()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family)
        self.address, self.port = self._listener.getsockname()[:2]
        loop.watch(self._listener.fileno(), self._accept)

    @property
    def environment(self) -> dict[str, str]:
        """The port, for tests that let the system choose it."""
        return {"USBIP_PORT": str(self.port)}

    def plug(self, device: UsbDevice) -> str:
        """Export *device*; return its bus id."""
        self._count += 1
        name = f"1-{self._count}"
        device.call_later = self.loop.call_later
        device.unplugged = lambda: self._unplugged(name)
        self.exports[name] = device
        return name

    def close(self) -> None:
        """End all connections, and listen no more."""
        for connection in list(self._connections):
            connection.close()
        self.loop.unwatch(self._listener.fileno())
        self._listener.close()

    def closed(self, connection: Connection) -> None:
        """Take note that a connection has ended."""
        self._connections.discard(connection)
        for name in [name for name, user in self.users.items() if user is connection]:
            del self.users[name]

    def _accept(self) -> None:
        accepted = self._listener.accept()[0]
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(Connection(self, accepted))

    def _unplugged(self, name: str) -> None:
        del self.exports[name]
        if name in self.users:
            self.users[name].close()


class Connection:
    """One client: a listing, or an import and then the transfers of that device."""

    def __init__(self, server: Server, accepted: socket.socket) -> None:
        self._server = server
        self._socket = accepted
        self._device: UsbDevice | None = None
        self._received = bytearray()
        self._pending: set[int] = set()  # sequence numbers
        self._is_open = True
        server.loop.watch(accepted.fileno(), self._receive)

    def close(self) -> None:
        """Close it, and cancel what is pending."""
        if not self._is_open:
            return
        self._is_open = False
        if self._device is not None:
            for number in self._pending:
                self._device.cancel((self, number))
        self._server.loop.unwatch(self._socket.fileno())
        self._socket.close()
        self._server.closed(self)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.close()
            return
        self._received += data
        try:
            while self._is_open and self._take():
                pass
        except ProtocolError as exc:
            print(f"usbip client: {exc}", file=sys.stderr)
            self.close()

    def _take(self) -> bool:
        """Handle one message of what was received; False: it is not all there."""
        return self._take_request() if self._device is None else self._take_command()

    def _take_request(self) -> bool:
        if len(self._received) < REQUEST.size:
            return False
        version, code, _ = REQUEST.unpack_from(self._received)
        if version != VERSION:
            raise ProtocolError(f"version {version:#06x}, not {VERSION:#06x}")
        if code == LIST_REQUEST:
            del self._received[: REQUEST.size]
            self._list()
        elif code == IMPORT_REQUEST:
            if len(self._received) < REQUEST.size + 32:
                return False
            name = bytes(self._received[REQUEST.size : REQUEST.size + 32]).rstrip(b"\0")
            del self._received[: REQUEST.size + 32]
            self._import(name.decode("ascii", "replace"))
        else:
            raise ProtocolError(f"unknown request {code:#06x}")
        return True

    def _list(self) -> None:
        exports = self._server.exports
        reply = REQUEST.pack(VERSION, LIST_REPLY, 0) + struct.pack(">I", len(exports))
        for name, device in exports.items():
            reply += _description(name, device)
            for interface in device.interfaces:
                if interface.alternate == 0:
                    codes = (interface.usb_class, interface.subclass, interface.protocol, 0)
                    reply += bytes(codes)
        self._send(reply)

    def _import(self, name: str) -> None:
        device = self._server.exports.get(name)
        if device is None or name in self._server.users:
            self._send(REQUEST.pack(VERSION, IMPORT_REPLY, REFUSED))
            return
        self._device = device
        self._server.users[name] = self
        device.reset()
        self._send(REQUEST.pack(VERSION, IMPORT_REPLY, 0) + _description(name, device))

    def _take_command(self) -> bool:
        if len(self._received) < COMMAND.size + BODY.size:
            return False
        command, number, _, direction, endpoint = COMMAND.unpack_from(self._received)
        size = COMMAND.size + BODY.size
        if command == UNLINK:
            target = struct.unpack_from(">I", self._received, COMMAND.size)[0]
            del self._received[:size]
            self._unlink(number, target)
            return True
        if command != SUBMIT:
            raise ProtocolError(f"unknown command {command}")
        _, length, _, _, _, setup = BODY.unpack_from(self._received, COMMAND.size)
        if not 0 <= length <= MAX_TRANSFER:
            raise ProtocolError(f"a transfer of {length} bytes")
        end = size if direction else size + length
        if len(self._received) < end:
            return False
        data = bytes(memoryview(self._received)[size:end])
        del self._received[:end]
        self._submit(number, endpoint | direction << 7, length, setup, data)
        return True

    def _submit(self, number: int, address: int, length: int, setup: bytes, data: bytes) -> None:
        def done(status: int, got: bytes) -> None:
            if number not in self._pending or not self._is_open:
                return
            self._pending.discard(number)
            size = len(got) if is_in else length if not status else 0
            head = COMMAND.pack(SUBMITTED, number, 0, 0, 0) + ANSWER.pack(status, size, 0, 0, 0)
            self._send(head + got)

        device = self._device
        assert device is not None
        is_in = bool(address & 0x80)
        self._pending.add(number)
        if not address & 0x0F:
            device.submit_control((self, number), setup, data, done)
        elif is_in:
            device.submit_in(address, (self, number), length, done)
        else:
            device.submit_out(address, (self, number), data, done)

    def _unlink(self, number: int, target: int) -> None:
        """Cancel a transfer; one that has ended was answered before."""
        assert self._device is not None
        is_cancelled = target in self._pending and self._device.cancel((self, target))
        if is_cancelled:
            self._pending.discard(target)
        head = COMMAND.pack(UNLINKED, number, 0, 0, 0)
        self._send(head + ANSWER.pack(-ECONNRESET if is_cancelled else 0, 0, 0, 0, 0))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return  # the end is noticed where it is read


def _description(name: str, device: UsbDevice) -> bytes:
    """Return the 312 bytes that describe a device."""
    number = int(name.partition("-")[2]) + 1
    path = f"/sys/devices/platform/emulated/usb1/{name}".encode()
    head = struct.pack(">256s32s3I", path, name.encode(), 1, number, device.speed)
    ids = struct.pack(">3H", device.vendor, device.product, device.release)
    numbers = (device.configuration[5], 1, device.configuration[4])
    return head + ids + bytes((*device.codes, *numbers))


def make_device(text: str, values: list[str]) -> UsbDevice:
    """Return a device of the class MODULE:CLASS; raise SystemExit with what is wrong."""
    module, _, name = text.partition(":")
    sys.path.insert(0, os.getcwd())
    words: dict[str, Any] = {}
    for value in values:
        key, sign, literal = value.partition("=")
        if not sign:
            raise SystemExit(f"{value!r} is not NAME=VALUE")
        try:
            words[key] = ast.literal_eval(literal)
        except (SyntaxError, ValueError):
            words[key] = literal
    try:
        kind = getattr(importlib.import_module(module), name)
        device: UsbDevice = kind(**words)
    except (ImportError, AttributeError, TypeError, ValueError) as exc:
        raise SystemExit(f"{text}: {exc}") from exc
    return device


def main(arguments: list[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(
        prog="python3 -m sane.testing.usb.usbip",
        description="Export an emulated USB device, to be attached by usbip.",
    )
    parser.add_argument("device", metavar="MODULE:CLASS")
    parser.add_argument("values", metavar="NAME=VALUE", nargs="*")
    add_options(parser)
    options = parser.parse_args(arguments)
    return serve(make_device(options.device, options.values), options.device, options)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where `serve` listens."""
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS")


def serve(device: UsbDevice, name: str, options: argparse.Namespace) -> int:
    """Export a device until Ctrl-C; show the commands that attach it."""
    loop = Loop()
    try:
        server = Server(loop, options.bind, options.port)
    except OSError as exc:
        raise SystemExit(f"{options.bind} port {options.port}: {exc.strerror}") from exc
    place = server.plug(device)
    port = "" if server.port == PORT else f"--tcp-port {server.port} "
    print(f"{name} ({device.vendor:04x}:{device.product:04x}) waits; to attach it:")
    print("    sudo modprobe vhci-hcd")
    print(f"    sudo usbip {port}attach -r {server.address} -b {place}")
    print("and to detach it: sudo usbip port; sudo usbip detach -p PORT", flush=True)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
        loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
