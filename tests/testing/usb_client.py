"""A libusb program that exercises the loopback device: run as a program on each transport.

    python usb_client.py WHAT...

Prints what it saw, one line each; the tests compare. Uses pyusb, as other programs use libusb.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import usb.core
import usb.util

BULK_IN, BULK_OUT, EVENTS = 0x81, 0x02, 0x83
WAIT_MS = 10000  # for what must come
SHORT_MS = 200  # for what must not


class Client:
    """The open device; each public method is one WHAT."""

    def __init__(self) -> None:
        self.device: Any = usb.core.find(idVendor=0x1209, idProduct=0x0002)
        if self.device is None:
            print("no device")
            raise SystemExit(1)
        usb.util.claim_interface(self.device, 0)

    def send(self, data: bytes) -> None:
        self.device.write(BULK_OUT, data, WAIT_MS)

    def receive(self, size: int, milliseconds: int = WAIT_MS, endpoint: int = BULK_IN) -> object:
        """Read; return the data, or the errno."""
        try:
            return bytes(self.device.read(endpoint, size, milliseconds))
        except usb.core.USBError as error:
            return error.errno

    def echo(self) -> None:
        self.send(b"Ehello")
        print(self.receive(100))

    def sizes(self) -> None:
        for size in (1, 511, 513, 16384, 65537, 1 << 20):
            self.send(b"L%d" % size)
            data = self.receive(size)
            assert isinstance(data, bytes)
            whole = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
            print(size, data == whole)

    def whole_packets(self) -> None:
        self.send(b"E" + b"x" * 512)
        print(self.receive(1024, SHORT_MS))
        self.send(b"Erest")
        data = self.receive(1024)
        assert isinstance(data, bytes)
        print(len(data), data[512:])
        self.send(b"Z" + b"x" * 512)
        data = self.receive(1024)
        assert isinstance(data, bytes)
        print(len(data))

    def timeout(self) -> None:
        before = time.monotonic()
        print(self.receive(100, SHORT_MS), time.monotonic() - before >= SHORT_MS / 1000)
        self.echo()

    def babble(self) -> None:
        self.send(b"E" + b"x" * 100)
        print(self.receive(14))

    def stall(self) -> None:
        self.send(b"?")
        print(self.receive(10))
        self.device.clear_halt(BULK_IN)
        self.echo()

    def control(self) -> None:
        print(bytes(self.device.ctrl_transfer(0xC0, 1, 0, 0, 10)))
        print(self.device.ctrl_transfer(0x40, 2, 0, 0, b"abc"))
        print(bytes(self.device.ctrl_transfer(0xC0, 1, 0, 0, 10)))
        try:
            self.device.ctrl_transfer(0xC0, 0x7F, 0, 0, 10)
        except usb.core.USBError as error:
            print(error.errno)

    def button(self) -> None:
        print("waiting", flush=True)
        print(self.receive(8, WAIT_MS, EVENTS))

    def reset(self) -> None:
        self.send(b"Estale")
        usb.util.release_interface(self.device, 0)
        self.device.reset()
        usb.util.claim_interface(self.device, 0)
        print(self.receive(10, SHORT_MS))
        self.echo()

    def configure(self) -> None:
        usb.util.release_interface(self.device, 0)
        self.device.set_configuration(1)
        usb.util.claim_interface(self.device, 0)
        usb.util.claim_interface(self.device, 1)
        self.device.set_interface_altsetting(1, 0)
        self.echo()

    def hold(self) -> None:
        print("claimed", flush=True)
        sys.stdin.readline()

    def pending(self) -> None:
        print("reading", flush=True)
        print(self.receive(100, WAIT_MS))

    def strings(self) -> None:
        print(self.device.manufacturer, self.device.product, self.device.serial_number)


if __name__ == "__main__":
    try:
        for what in sys.argv[1:]:
            client = Client()
            getattr(client, what)()
            usb.util.dispose_resources(client.device)
    except usb.core.USBError as failure:
        print("failed", failure.errno)
