# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""Driver of the emulated page scanner (tests/fakes/page_scanner.py), dropped in by the tests."""

import struct

from ..backend import FRAME_GRAY, Device, Parameters, Usb, UsbBackend, errors, option
from ..usb.handle import TimedOut

BLOCK = 65536
MOST_LEFT = 4  # answers that a broken-off job can leave behind
ACK, NAK = b"\x06", b"\x15"


class Page(Device):
    """One open page scanner."""

    contrast = option.Int("Contrast", "Does nothing.")

    def __init__(self, usb: Usb) -> None:
        self.usb = usb
        self.usb.timeout = 2
        try:
            answer = self.identify()
        except errors.DeviceIOError:  # it hangs in what the last program left
            usb.reset()
            answer = self.identify()
        if answer[:4] != b"PAGE" or len(answer) != 8:
            raise errors.DeviceIOError(f"{usb.name}: identifies itself as {answer!r}")
        self.width, self.lines = struct.unpack("<HH", answer[4:])
        self.left = 0

    def identify(self) -> bytes:
        """Drop what was left unread, then ask."""
        for _ in range(MOST_LEFT):
            try:
                self.usb.read(self.usb.bulk_in, BLOCK, 0.1)
            except TimedOut:
                break
        return self.ask(b"I", 8)

    def ask(self, command: bytes, size: int) -> bytes:
        self.usb.write(self.usb.bulk_out, command)
        return self.usb.read(self.usb.bulk_in, size)

    def parameters(self) -> Parameters:
        return Parameters(FRAME_GRAY, self.width, self.lines, depth=8)

    def start(self) -> None:
        answer = self.ask(b"S", 1)
        if answer == NAK:
            raise errors.NoDocs("the feeder is empty")
        if answer != ACK:
            raise errors.DeviceIOError(f"{self.usb.name}: {answer!r} is no acknowledgement")
        self.left = self.width * self.lines
        self.block = b""

    def read_into(self, view: memoryview) -> int:
        if not self.block and self.left:
            size = min(BLOCK, self.left)
            self.block = self.ask(b"R" + struct.pack("<I", size), size)
            if len(self.block) != size:
                got = len(self.block)
                raise errors.DeviceIOError(f"{self.usb.name}: {got} bytes of {size} of the image")
            self.left -= size
        n = min(len(view), len(self.block))
        view[:n] = self.block[:n]
        self.block = self.block[n:]
        return n

    def finish(self, aborted: bool) -> None:
        self.ask(b"E", 1)

    def close(self) -> None:
        self.usb.close()


class Backend(UsbBackend):
    """Every page scanner."""

    usb_ids = ((0x1209, 0x0003, "PySANE", "page scanner"),)
    device = Page
