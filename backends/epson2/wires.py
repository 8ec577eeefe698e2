"""How bytes reach an ESC/I scanner: USB or the network, with the same methods.

A wire knows where one message ends and the next begins; what they mean is commands.py's.
Source: specification esci 1.1 (USB), 1.2 (network).
"""

from __future__ import annotations

from ...errors import Cancelled
from .._epson import network
from .._epson.wires import BulkWire, PacketWire
from .blocks import NetBlocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...usb.handle import Usb
    from .._epson.blocks import Blocks

USB_SECONDS = 60.0  # a transfer may have to wait for the lamp and the carriage
DRAIN_SECONDS = 0.2  # a scanner with something left to say says it at once
ACK = b"\x06"
FAILED_BITS, CANCEL_BIT = 0xC0, 0x10  # of the status byte behind a block


class NetWire(PacketWire):
    """A scanner on the network. Standard image blocks cannot be asked for there."""

    block_bytes = 1 << 15  # what one block may have; a scanner's buffer is no larger

    def send(self, command: bytes, size: int) -> None:
        """Send one message whose answer has exactly *size* bytes."""
        self.packets.send(command, size)

    def receive(self, size: int) -> bytes:
        """Return the next *size* bytes of the answer; fewer when it has no more."""
        return self.packets.receive(size)

    def blocks(
        self, sizes: tuple[int, int, int], mask: int, flip: int, cancel_fd: int
    ) -> NetBlocks:
        """Ask for the first image block; return what receives it and all others."""
        self.packets.send(b"", (sizes[0] if sizes[1] else sizes[2]) + 1)
        stream = self.packets.lend()
        blocks = NetBlocks(stream.fileno(), cancel_fd, sizes, mask, flip)
        blocks.send = lambda data: stream.send(data, network.STALL_SECONDS)
        if not stream.is_plain:
            blocks.stream = stream
        blocks.set_limits(network.ANSWER_SECONDS, network.STALL_SECONDS)
        return blocks

    def forget(self) -> int:
        """Forget what the scanner still has to say: nothing, each connection begins anew."""
        return 0


class UsbWire(BulkWire):
    """A scanner on the bus."""

    block_bytes = 1 << 17

    def __init__(self, usb: Usb) -> None:
        super().__init__(usb)
        self._block = memoryview(b"")

    def send(self, command: bytes, size: int) -> None:
        """Send one message; *size* is of interest to the network only."""
        self.usb.write(self.bulk_out, command, USB_SECONDS)

    def receive(self, size: int) -> bytes:
        """Return one transfer of at most *size* bytes."""
        return self.usb.read(self.bulk_in, size, USB_SECONDS)

    def acknowledge(self) -> None:
        """Acknowledge an image block: the next one comes by itself."""
        self.usb.write(self.bulk_out, ACK, USB_SECONDS)

    def receive_block(self, size: int) -> memoryview:
        """Return the next image block; it is valid until another one is received."""
        if len(self._block) < size:
            self._block = memoryview(bytearray(size))
        try:
            n = self.usb.read_into(self.bulk_in, self._block[:size], USB_SECONDS)
        except Cancelled:
            self.is_interrupted = True
            raise
        return self._block[:n]

    def blocks(self, sizes: tuple[int, int, int], mask: int) -> Blocks | None:
        """Return what receives the image blocks without Python, None where nothing can."""
        transfers = self.usb.nogil_transfers(self.bulk_in, self.bulk_out)
        if transfers is None:
            return None
        from .._epson.blocks import Blocks

        addresses, masks = (self.bulk_in, self.bulk_out), (FAILED_BITS & mask, CANCEL_BIT & mask)
        limits = USB_SECONDS, self.usb.cancel.fd
        return Blocks(transfers, addresses, sizes, ACK, masks, limits)

    def drop_block(self, size: int) -> None:
        """Receive and forget an image block, also one that has come in part."""
        n = len(self.receive_block(size))
        if self.is_interrupted and n < size:
            self.receive_block(size - n)
        self.is_interrupted = False

    def clear_halts(self) -> None:
        """End a stall of either endpoint, which would meet the next message."""
        self.usb.clear_halt(self.bulk_in)
        self.usb.clear_halt(self.bulk_out)

    def forget(self) -> int:
        """Receive and forget what the scanner still has to say; return how many bytes that were."""
        self.clear_halts()
        return self.drain(DRAIN_SECONDS)
