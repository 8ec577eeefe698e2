"""Recording: a link that notes every transfer of another one in a file.

It knows links and the text format; what it writes is complete up to the last transfer, also when
the program crashes. The file is docs/usb-sessions.md's.
"""

from __future__ import annotations

from ..record import SessionFile
from .descriptors import IN as IN_BIT
from .link import OK, Link
from .session import (
    CLOSE,
    CONTROL,
    HALT,
    IN,
    LEFT,
    MAGIC,
    OPEN,
    OUT,
    RESET,
    STREAM,
    TEXTS,
    Record,
    RecordedDevice,
    device_lines,
    record_lines,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .descriptors import Endpoint, Interface
    from .link import Cancels, LinkStream, Result, Setup
    from .sysfs import BusDevice


class Recorder(SessionFile):
    """Writes what happens to USB devices to *path*."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "PYSANE_USB_RECORD", MAGIC)

    def device(self, bus_device: BusDevice) -> None:
        """Write what *bus_device* is."""
        device = RecordedDevice(bus_device.bus, bus_device.address, bus_device.descriptors)
        device.texts = {name: text for name in TEXTS if (text := bus_device.text(name))}
        self.write(device_lines(device))

    def add(self, bus_device: BusDevice, record: Record, note: str = "") -> None:
        """Write *record*."""
        place = f"{bus_device.bus:03}:{bus_device.address:03}"
        self.write(record_lines(self.seconds(), place, record, note))


class RecordingLink(Link):
    """Does what *inner* does, and notes it; the file is closed with it."""

    def __init__(
        self,
        inner: Link,
        recorder: Recorder,
        bus_device: BusDevice,
        interface: Interface,
        backend: str,
    ) -> None:
        self._inner = inner
        self._transfers = inner.transfers
        self._recorder = recorder
        self._bus_device = bus_device
        recorder.begin(backend)
        recorder.device(bus_device)
        self.note(Record(OPEN), f"interface {interface.number} by {backend}")

    def note(self, record: Record, note: str = "") -> None:
        """Write *record* of this device."""
        self._recorder.add(self._bus_device, record, note)

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        outcome, n = self._transfers.transfer_in(endpoint, data, seconds, cancel)
        self.note(Record(IN, endpoint.address, bytes(data[:n]), len(data), outcome))
        return outcome, n

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        outcome, n = self._transfers.transfer_out(endpoint, data, seconds, cancel)
        self.note(Record(OUT, endpoint.address, bytes(data[:n]), len(data), outcome))
        return outcome, n

    def control(self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels) -> Result:
        outcome, n = self._transfers.control(setup, data, seconds, cancel)
        moved = bytes(data[:n]) if setup[0] & IN_BIT else bytes(data)
        record = Record(CONTROL, 0, moved, len(data), outcome)
        record.setup = setup
        self.note(record)
        return outcome, n

    def stream(self, endpoint: Endpoint, size: int, depth: int, total: int | None) -> LinkStream:
        inner = self._transfers.stream(endpoint, size, depth, total)
        limit = "" if total is None else f" total {total}"
        self.note(Record(STREAM, endpoint.address), f"size {size} depth {depth}{limit}")
        return RecordingStream(self, inner, endpoint)

    def clear_halt(self, endpoint: Endpoint) -> str:
        outcome = self._inner.clear_halt(endpoint)
        self.note(Record(HALT, endpoint.address, outcome=outcome))
        return outcome

    def reset(self) -> str:
        outcome = self._inner.reset()
        self.note(Record(RESET, outcome=outcome))
        return outcome

    def close(self) -> None:
        self._inner.close()
        self.note(Record(CLOSE))
        self._recorder.close()


class RecordingStream:
    """Does what *inner* does, and notes it as IN transfers; never without Python."""

    def __init__(self, link: RecordingLink, inner: LinkStream, endpoint: Endpoint) -> None:
        self._link = link
        self._inner = inner
        self._endpoint = endpoint

    @property
    def outcome(self) -> str:
        """How it failed, OK if it did not."""
        return self._inner.outcome

    def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Move what arrived into *view*."""
        outcome, n = self._inner.read_into(view, seconds, cancel)
        if n or outcome != OK:
            data = bytes(view[:n])
            self._link.note(Record(IN, self._endpoint.address, data, len(view), outcome))
        return outcome, n

    def reader(self, seconds: float, cancel: Cancels) -> None:
        """Return None: what is read without Python could not be noted."""

    def close(self) -> bytes:
        """End the stream."""
        rest = self._inner.close()
        self._link.note(Record(LEFT, self._endpoint.address, rest))
        return rest
