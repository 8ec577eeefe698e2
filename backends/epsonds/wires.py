"""How bytes reach an ESC/I-2 scanner: USB or the network, with the same methods.

A wire knows where one message ends and the next begins; what they mean is commands.py's.
Source: specification esci 1.1 (USB), 1.2 (network).
"""

from __future__ import annotations

from ...errors import Cancelled, DeviceIOError
from .._epson.wires import BulkWire, PacketWire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...usb.handle import Usb
    from .._epson.network import Packets

USB_SECONDS = 6.0
FIRST_SECONDS = 0.8  # for the answer to the first command: another kind of device stays silent
FIRST_BYTES = 1 << 16
DRAIN_SECONDS = 0.02  # what is left of an earlier session is there at once
SHORT = "an answer of {} bytes ended after {}"


class NetWire(PacketWire):
    """A scanner on the network."""

    def __init__(self, packets: Packets) -> None:
        super().__init__(packets)
        self.left = 0  # bytes of the data that are still to come

    def greet(self, command: bytes) -> bytes:
        """Send the first command; return its answer of one byte."""
        self.send(command, 1)
        return self.receive(1)

    def send(self, command: bytes, size: int) -> None:
        """Send one message whose answer has *size* bytes, none if its parameters follow."""
        self.left = 0
        self.packets.send(command, size)

    def receive(self, size: int) -> bytes:
        """Return the answer."""
        data = self.packets.receive(size)
        self.left = 0
        if len(data) < size:
            raise DeviceIOError(f"{self.name}: {SHORT.format(size, len(data))}: {data.hex(' ')}")
        return data

    def expect(self, size: int) -> None:
        """Ask for the *size* bytes of data that an answer announced."""
        self.packets.send(b"", size)
        self.left = size

    def receive_into(self, view: memoryview) -> int:
        """Write the next of the expected bytes into *view*; return how many, one at least."""
        n = self.packets.receive_into(view)
        if not n:
            raise DeviceIOError(f"{self.name}: the data ended {self.left} bytes early")
        self.left -= n
        return n

    def drop(self) -> None:
        """Receive and forget what is still expected."""
        self.packets.drop()
        self.left = 0


class UsbWire(BulkWire):
    """A scanner on the bus."""

    def __init__(self, usb: Usb) -> None:
        super().__init__(usb)
        self.fault = ""
        self.left = 0  # bytes of the answer or the data that are still to come
        self._buffer = memoryview(b"")  # a transfer that the caller's view had no room for
        self._ready = memoryview(b"")  # what of it was not delivered

    def greet(self, command: bytes) -> bytes:
        """Send the first command; return its answer of one byte.

        What a session left that broke off is not the answer: it is received before.
        """
        self.drain(DRAIN_SECONDS)
        self._write(command)
        return self.usb.read(self.bulk_in, FIRST_BYTES, FIRST_SECONDS)

    def _write(self, data: bytes) -> None:
        try:
            self.usb.write(self.bulk_out, data, USB_SECONDS)
        except DeviceIOError as exc:
            self.fault = str(exc)
            raise

    def send(self, command: bytes, size: int) -> None:
        """Send one message whose answer has *size* bytes, none if its parameters follow."""
        self.drop()
        self._write(command)
        self.left = size

    def receive(self, size: int) -> bytes:
        """Return the answer."""
        data = bytearray(size)
        with memoryview(data) as view:
            filled = 0
            while filled < size:
                filled += self.receive_into(view[filled:])
        return bytes(data)

    def expect(self, size: int) -> None:
        """Take note of the *size* bytes of data that an answer announced: they come unasked."""
        self.left = size

    def receive_into(self, view: memoryview) -> int:
        """Write the next of the expected bytes into *view*; return how many, one at least."""
        if not self._ready:
            if len(view) >= self.left:
                return self._transfer(view[: self.left])
            if len(self._buffer) < self.left:
                self._buffer = memoryview(bytearray(self.left))
            n = self._transfer(self._buffer[: self.left])
            self.left += n  # until they are delivered
            self._ready = self._buffer[:n]
        n = min(len(view), len(self._ready))
        view[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        self.left -= n
        return n

    def _transfer(self, view: memoryview) -> int:
        """Receive what is left of the answer; return how many bytes came of it."""
        try:
            n = self.usb.read_into(self.bulk_in, view, USB_SECONDS)
        except Cancelled:
            self.is_interrupted = True
            raise
        except DeviceIOError as exc:
            self.fault = str(exc)
            raise
        if not n or (n < self.left and not self.is_interrupted):
            self.fault = SHORT.format(self.left, n)
            raise DeviceIOError(f"{self.name}: {self.fault}: {bytes(view[: min(n, 64)]).hex(' ')}")
        self.is_interrupted = self.is_interrupted and n < self.left
        self.left -= n
        return n

    def drop(self) -> None:
        """Receive and forget what is still expected."""
        self.left -= len(self._ready)
        self._ready = memoryview(b"")
        while self.left:
            scratch = memoryview(bytearray(self.left))
            self._transfer(scratch)
