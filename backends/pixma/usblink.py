"""A scanner on the bus: commands and answers as bulk transfers, buttons as interrupt transfers.

It knows endpoints and transfers; what the bytes mean is commands.py's. Source: specification
pixma 1.1.
"""

from __future__ import annotations

from ...backend import Stalled, TimedOut
from ...usb.descriptors import IN, INTERRUPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Device
    from ...usb.handle import Usb

REST_SECONDS = 1.0  # for what follows of an answer that has begun
INTERRUPT_SECONDS = 0.1  # the shortest wait for an event
EVENT_BYTES = 64  # more than any packet of an interrupt


class UsbLink:
    """An open scanner on the bus, which it owns. Every wait ends when its Device is cancelled."""

    is_idle_silent = False  # between pages it answers commands

    def __init__(self, usb: Usb) -> None:
        self.usb = usb
        self.name = usb.name
        self._bulk_in = usb.bulk_in
        self._interrupt_in = usb.interface.first(INTERRUPT, IN)

    def belongs_to(self, device: Device) -> None:
        """Let cancel of *device* end the waits."""
        self.usb.belongs_to(device)

    def exchange(self, command: bytes, want: int, seconds: float) -> bytes:
        """Send *command*; return its answer, one transfer of at most *want* bytes.

        Raises DeviceIOError for silence after *seconds*, and for more than *want* bytes. Whatever
        else the scanner says to a command that failed is dropped before the next one.
        """
        return bytes(self.usb.exchange(command, want=want, short=True, seconds=seconds))

    def more(self, view: memoryview) -> int:
        """Receive what follows of the last answer into *view*; return how many bytes."""
        usb = self.usb
        usb.is_out_of_step = True
        n = usb.read_into(self._bulk_in, view, REST_SECONDS)
        usb.is_out_of_step = False
        return n

    def drop(self) -> None:
        """Forget what the scanner still has to say to a command before."""
        self.usb.is_out_of_step = True
        self.usb.get_in_step()

    def event(self, seconds: float) -> bytes:
        """Return what the scanner tells unasked within *seconds*, b"" for nothing."""
        seconds = max(seconds, INTERRUPT_SECONDS)
        if self._interrupt_in is None:
            self.usb.wait(seconds)
            return b""
        try:
            return self.usb.read(self._interrupt_in.address, EVENT_BYTES, seconds)
        except (TimedOut, Stalled):
            return b""

    def pending_event(self) -> bytes:
        """Return an event that is there already, b"" for none."""
        return self.event(INTERRUPT_SECONDS) if self._interrupt_in is not None else b""

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass; ends with errors.Cancelled."""
        self.usb.wait(seconds)

    def begin_page(self) -> None:
        """Prepare for the commands of a page: nothing is to be done on the bus."""

    def end_page(self) -> None:
        """Release what a page needed: nothing on the bus."""

    def close(self) -> None:
        """Release the scanner."""
        self.usb.close()
