"""An emulated USB device behind bench/fakeusb.c: python -m bench.usb_peer SOCKET MODULE:CLASS.

It serves programs one after the other with the device model of sane.testing.usb, as quickly as
Python can; no kernel takes part. The first line on stdout says that it listens.
"""

from __future__ import annotations

import errno
import importlib
import os
import select
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.testing.usb import UsbDevice

HEAD = struct.Struct("=III")
CANCEL, CLEAR_HALT, RESET = 0x100, 0x200, 0x300
SETUP_BYTES = 8
BUFFER_BYTES = 1 << 20
STATUSES = {0: 0, -errno.EPIPE: 4, -errno.ESHUTDOWN: 5, -errno.EOVERFLOW: 6}
ERROR, CANCELLED = 1, 3


class Peer:
    """One program's connection to *device*."""

    def __init__(self, device: UsbDevice, connection: socket.socket) -> None:
        self.device = device
        self.connection = connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        self.reader = connection.makefile("rb", BUFFER_BYTES)
        self._due: list[tuple[float, Callable[[], object]]] = []
        device.call_later = self._call_later

    def _call_later(self, seconds: float, function: Callable[[], object]) -> None:
        self._due.append((time.monotonic() + seconds, function))

    def _wait(self) -> None:
        """Call what is due until the program says something: it says nothing in advance then."""
        while self._due:
            self._due.sort(key=lambda due: due[0])
            seconds = max(0.0, self._due[0][0] - time.monotonic())
            if select.select([self.connection], [], [], seconds)[0]:
                return
            self._due.pop(0)[1]()

    def serve(self) -> None:
        """Answer until the program closes the device."""
        device = self.device
        while head := self._head():
            number, kind, length = HEAD.unpack(head)
            if kind == CANCEL:
                if device.cancel(number):
                    self.answer(number, CANCELLED, b"")
            elif kind == RESET:
                device.reset()
                device.configure(1)
            elif kind & CLEAR_HALT:
                device.clear_halt(kind & 0xFF)
            elif kind & 0x80:
                device.submit_in(kind, number, length, self._done(number))
            else:
                data = self.reader.read(length)
                if kind:
                    device.submit_out(kind, number, data, self._done(number, length))
                else:
                    self._control(number, data)

    def _head(self) -> bytes:
        self._wait()
        head: bytes = self.reader.read(HEAD.size)
        return head

    def _control(self, number: int, data: bytes) -> None:
        setup, out = data[:SETUP_BYTES], data[SETUP_BYTES:]
        is_in = bool(setup[0] & 0x80)
        done = self._done(number, -1 if is_in else len(out))
        self.device.submit_control(number, setup, b"" if is_in else out, done)

    def _done(self, number: int, length: int = -1) -> Callable[[int, bytes], None]:
        def done(status: int, data: bytes) -> None:
            self.answer(number, STATUSES.get(status, ERROR), data, length)

        return done

    def answer(self, number: int, status: int, data: bytes, length: int = -1) -> None:
        """Complete a transfer."""
        size = len(data) if length < 0 else length
        if len(data) < 4096:
            self.connection.sendall(HEAD.pack(number, status, size) + data)
        else:
            self.connection.sendall(HEAD.pack(number, status, size))
            self.connection.sendall(data)


def main(path: str, name: str) -> None:
    """Serve a device of class *name* on the Unix socket *path* until killed."""
    module, _, kind = name.partition(":")
    device = getattr(importlib.import_module(module), kind)()
    device.configure(1)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("listening", os.getpid(), flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                Peer(device, connection).serve()
                device.trace.clear()


if __name__ == "__main__":
    main(*sys.argv[1:])
