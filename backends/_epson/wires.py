"""How bytes reach an Epson scanner: what the wires of ESC/I and of ESC/I-2 have in common.

Every wait ends when the Device is cancelled that the wire belongs to.
Source: specification esci 1.1 (USB), 1.2 (network).
"""

from __future__ import annotations

from ...errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...usb.handle import Usb
    from .network import Packets

DRAIN_BYTES = 1 << 17
DRAINED_BYTES = 1 << 26  # more than any page in memory: what goes on sending is no scanner
EMPTY_BYTES = 1 << 12  # what an empty transfer counts for: one that sends them ends too


class PacketWire:
    """A scanner on the network."""

    is_network = True

    def __init__(self, packets: Packets) -> None:
        self.packets = packets
        self.name = packets.name

    @property
    def fault(self) -> str:
        """Why it is of no use any more, "" as long as it is."""
        return self.packets.fault

    def belongs_to(self, device: object) -> None:
        """Let cancel of *device* end the waits."""
        self.packets.belongs_to(device)

    def close(self) -> None:
        """Release the scanner."""
        self.packets.close()


class BulkWire:
    """A scanner on the bus: every message is one bulk transfer."""

    is_network = False

    def __init__(self, usb: Usb) -> None:
        self.usb = usb
        self.name = usb.name
        self._in, self._out = usb.bulk_in, usb.bulk_out
        self._is_interrupted = False  # cancel came amid a transfer: its rest is one of its own

    def belongs_to(self, device: object) -> None:
        """Let cancel of *device* end the waits."""
        self.usb.belongs_to(device)

    def drain(self, seconds: float) -> bytes:
        """Receive and forget what the scanner still has to say; return the last of it.

        It has said all when it is silent for *seconds*, or fails. Raises DeviceIOError for a
        device that sends on and on.
        """
        from ...usb.handle import UsbError

        last = b""
        dropped = 0
        while dropped < DRAINED_BYTES:
            try:
                data = self.usb.read(self._in, DRAIN_BYTES, seconds)
            except UsbError:
                return last
            last = data or last
            dropped += len(data) or EMPTY_BYTES
        raise DeviceIOError(f"{self.name}: sends and sends, the last bytes {last[-16:].hex(' ')}")

    def close(self) -> None:
        """Release the scanner."""
        self.usb.close()
