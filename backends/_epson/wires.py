"""How bytes reach an Epson scanner: what the wires of ESC/I and of ESC/I-2 have in common.

Every wait ends when the Device is cancelled that the wire belongs to.
Source: specification esci 1.1 (USB), 1.2 (network).
"""

from __future__ import annotations

from ...errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Device
    from ...usb.handle import Usb
    from .network import Packets

DRAINED_BYTES = 1 << 26  # more than any page in memory: what goes on sending is no scanner


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

    def belongs_to(self, device: Device) -> None:
        """Let cancel of *device* end the waits."""
        self.packets.belongs_to(device)

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass before a scanner that was busy is asked again."""
        self.packets.wait(seconds)

    def close(self) -> None:
        """Release the scanner."""
        self.packets.close()


class BulkWire:
    """A scanner on the bus: every message is one bulk transfer."""

    is_network = False

    def __init__(self, usb: Usb) -> None:
        self.usb = usb
        self.name = usb.name
        self.bulk_in, self.bulk_out = usb.bulk_in, usb.bulk_out
        self.is_interrupted = False  # cancel came amid a transfer: its rest is one of its own

    def belongs_to(self, device: Device) -> None:
        """Let cancel of *device* end the waits."""
        self.usb.belongs_to(device)

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass before a scanner that was busy is asked again."""
        self.usb.wait(seconds)

    def drain(self, seconds: float) -> int:
        """Receive and forget what the scanner still has to say; return how many bytes that were.

        It has said all when it is silent for *seconds*. Raises DeviceIOError for a device that
        sends on and on.
        """
        dropped = self.usb.drain(self.bulk_in, seconds, DRAINED_BYTES)
        if dropped >= DRAINED_BYTES:
            raise DeviceIOError(f"{self.name}: sends and sends, {dropped} bytes until now")
        return dropped

    def close(self) -> None:
        """Release the scanner."""
        self.usb.close()
