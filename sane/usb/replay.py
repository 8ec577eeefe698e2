"""Replaying: a link that answers as a recorded device did, and insists on what it was sent.

It knows recorded sessions and what a transfer is on the wire: an IN transfer ends with a short
packet or when it is full, so that reads may be cut elsewhere than they were. What differs from
the recording is reported with both sides and the place in the file, and fails the transfer.
"""

from __future__ import annotations

from ..record import Mismatch, difference
from .descriptors import IN as IN_BIT
from .link import ERROR, OK, Link
from .session import CLOSE, CONTROL, HALT, IN, LEFT, OPEN, OUT, RESET, STREAM
from .sysfs import BusDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..debug import Debug
    from .descriptors import Endpoint
    from .link import Cancels, LinkStream, Result, Setup
    from .session import Record, RecordedDevice


class RecordedBusDevice(BusDevice):
    """A device of a recorded session in a listing."""

    __slots__ = ("device",)

    def __init__(self, device: RecordedDevice) -> None:
        super().__init__(device.bus, device.address, device.descriptors)
        self.device = device

    def text(self, attribute: str) -> str:
        return self.device.texts.get(attribute, "")

    @property
    def configuration(self) -> int:
        return self.descriptors.first_configuration

    def driver(self, interface: int) -> str:
        return ""


class Tape:
    """The records of one device as one backend sees them, and how far they were used."""

    def __init__(self, records: list[Record], is_native: bool) -> None:
        self.records = records
        self.is_native = is_native
        self.place = 0
        self.used_bytes = 0  # of the record at place
        self.failure = ""

    def peek(self) -> Record | None:
        """Return the next record that is a transfer or the like, None at the end."""
        while self.place < len(self.records):
            record = self.records[self.place]
            if record.what not in (OPEN, CLOSE):
                return record
            self.advance()
        return None

    def advance(self) -> None:
        """Go on to the next record."""
        self.place += 1
        self.used_bytes = 0

    def expect(self, action: str, what: str, endpoint: int = 0) -> Record:
        """Return the next record; raises Mismatch unless it is *what* of *endpoint*."""
        record = self.peek()
        if record is None:
            last = self.records[-1].where if self.records else "the recording"
            raise Mismatch(f"{last}: the recording has ended, the driver wants {action}")
        if record.what != what or record.endpoint != endpoint:
            raise Mismatch(f"{record.where}: the recording has {record}, the driver wants {action}")
        return record

    def take_out(self, endpoint: Endpoint, data: bytes) -> Result:
        """Compare *data*, one transfer, with what was sent then."""
        action = f"out {endpoint.address:02x}"
        done = 0
        while True:
            record = self.expect(action, OUT, endpoint.address)
            wanted = record.data[self.used_bytes :]
            piece = data[done : done + len(wanted)]
            if piece != wanted[: len(piece)]:
                raise Mismatch(difference(record.where, wanted, piece, self.used_bytes))
            done += len(piece)
            self.used_bytes += len(piece)
            is_whole = done == len(data)
            if self.used_bytes < len(record.data):
                if is_whole and not done % endpoint.max_packet and done:
                    return OK, done  # the same packets, in more transfers
                raise Mismatch(
                    f"{record.where}: the driver sends {len(data)} bytes, the recording has "
                    f"{len(record.data)}"
                )
            is_full = len(record.data) % endpoint.max_packet == 0
            self.advance()
            if record.outcome != OK or is_whole:
                return record.outcome, done
            if not is_full:
                raise Mismatch(
                    f"{record.where}: the driver sends {len(data)} bytes, the recording has {done}"
                )

    def take_in(self, endpoint: Endpoint, view: memoryview) -> Result:
        """Give what came then, as one transfer into *view*."""
        action = f"in {endpoint.address:02x}"
        done = 0
        while True:
            record = self.expect(action, IN, endpoint.address)
            came = record.data[self.used_bytes :]
            n = min(len(came), len(view) - done)
            view[done : done + n] = came[:n]
            done += n
            self.used_bytes += n
            if n < len(came):
                if len(view) % endpoint.max_packet:
                    raise Mismatch(
                        f"{record.where}: the driver asks for {len(view)} bytes, the device sent "
                        f"{done - n + len(came)}: it would overflow"
                    )
                return OK, done
            self.advance()
            full = record.outcome == OK and record.size == len(record.data) > 0
            following = self.peek()
            if (
                not full
                or len(record.data) % endpoint.max_packet
                or done == len(view)
                or following is None
                or (following.what, following.endpoint) != (IN, endpoint.address)
            ):
                return record.outcome, done

    def take_control(self, setup: Setup, data: memoryview) -> Result:
        """Compare a control transfer with the one then, and give its answer."""
        text = "control {:02x} {:02x} {:04x} {:04x}".format(*setup)
        record = self.expect(text, CONTROL)
        if record.setup != setup:
            raise Mismatch(f"{record.where}: the recording has {record}, the driver wants {text}")
        if not setup[0] & IN_BIT:
            if bytes(data) != record.data:
                raise Mismatch(difference(record.where, record.data, bytes(data), 0))
        elif len(record.data) > len(data):
            raise Mismatch(
                f"{record.where}: the driver asks for {len(data)} bytes, the recording has "
                f"{len(record.data)}"
            )
        else:
            data[: len(record.data)] = record.data
        self.advance()
        return record.outcome, len(record.data)

    def take_mark(self, what: str, endpoint: int = 0) -> str:
        """Go past a clear-halt or reset; foreign formats leave them out."""
        record = self.peek()
        if not self.is_native and (record is None or record.what != what):
            return OK
        record = self.expect(f"{what} {endpoint:02x}" if endpoint else what, what, endpoint)
        self.advance()
        return record.outcome


class ReplayLink(Link):
    """Answers from *tape*; after a mismatch everything fails with its text."""

    is_live = False

    def __init__(self, tape: Tape, debug: Debug) -> None:
        self._tape = tape
        self._debug = debug

    def failed(self, mismatch: Mismatch) -> str:
        """Return the outcome from now on; the first mismatch is shown."""
        tape = self._tape
        if not tape.failure:
            tape.failure = f"{ERROR}: {mismatch}"
            self._debug(0, "replay: %s", mismatch)
        return tape.failure

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        try:
            return self._tape.take_in(endpoint, data) if self._works else (self._tape.failure, 0)
        except Mismatch as exc:
            return self.failed(exc), 0

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        try:
            taken = self._tape.take_out(endpoint, bytes(data)) if self._works else None
            return taken or (self._tape.failure, 0)
        except Mismatch as exc:
            return self.failed(exc), 0

    def control(self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels) -> Result:
        try:
            return self._tape.take_control(setup, data) if self._works else (self._tape.failure, 0)
        except Mismatch as exc:
            return self.failed(exc), 0

    @property
    def _works(self) -> bool:
        return not self._tape.failure

    def stream(self, endpoint: Endpoint, size: int, depth: int, total: int | None) -> LinkStream:
        try:
            if self._works and self._tape.is_native:
                self._tape.take_mark(STREAM, endpoint.address)
        except Mismatch as exc:
            self.failed(exc)
        return ReplayStream(self, self._tape, endpoint, total)

    def clear_halt(self, endpoint: Endpoint) -> str:
        return self._mark(HALT, endpoint.address)

    def reset(self) -> str:
        return self._mark(RESET)

    def is_drained(self, endpoint: Endpoint) -> bool:
        """Tell whether the recording has something else next than a transfer from *endpoint*.

        A driver drains what the recorded one, which may be another, did not have to.
        """
        record = self._tape.peek()
        return record is None or (record.what, record.endpoint) != (IN, endpoint.address)

    def _mark(self, what: str, endpoint: int = 0) -> str:
        try:
            return self._tape.take_mark(what, endpoint) if self._works else self._tape.failure
        except Mismatch as exc:
            return self.failed(exc)

    def close(self) -> None:
        self._debug(3, "replay: closed at record %d", self._tape.place)


class ReplayStream:
    """Delivers the IN transfers that follow on the tape, however they were cut."""

    def __init__(self, link: ReplayLink, tape: Tape, endpoint: Endpoint, total: int | None) -> None:
        self._link = link
        self._tape = tape
        self._endpoint = endpoint
        self._left = -1 if total is None else total
        self.outcome = OK

    def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Move what came then into *view*."""
        tape = self._tape
        while self._left and not tape.failure:
            try:
                record = tape.expect(f"in {self._endpoint.address:02x}", IN, self._endpoint.address)
            except Mismatch as exc:
                self.outcome = self._link.failed(exc)
                break
            came = record.data[tape.used_bytes :]
            n = min(len(came), len(view), self._left if self._left > 0 else len(view))
            view[:n] = came[:n]
            tape.used_bytes += n
            self._left -= n if self._left > 0 else 0
            if n == len(came):
                tape.advance()
            if n:
                return OK, n
            if record.outcome != OK:
                self.outcome = record.outcome
                return record.outcome, 0
        return (tape.failure or OK), 0

    def reader(self, seconds: float, cancel: Cancels) -> None:
        """Return None: there is nothing to read without Python."""

    def close(self) -> bytes:
        """Return what the stream had got then and was not read."""
        tape = self._tape
        rest = b""
        if tape.failure:
            return rest
        if not tape.is_native:
            self._skip_taken_back()
            return rest
        while (record := tape.peek()) is not None:
            if record.endpoint != self._endpoint.address or record.what not in (IN, LEFT):
                break
            rest += record.data[tape.used_bytes :]
            tape.advance()
            if record.what == LEFT:
                break
        return rest

    def _skip_taken_back(self) -> None:
        """Go past transfers that another driver had on their way and took back."""
        while (record := self._tape.peek()) is not None:
            mine = (record.what, record.endpoint) == (IN, self._endpoint.address)
            if not mine or record.data or record.outcome == OK:
                break
            self._tape.advance()
