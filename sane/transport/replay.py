"""Replaying: streams, datagrams and searches that answer as recorded ones did.

They insist on what the driver sent then; how it cuts a stream into reads and writes is its own
business. Nothing waits. What differs is shown with both sides and the place in the file, on stderr,
and everything on that connection fails from there on.
"""

from __future__ import annotations

import _socket
import select

from ..errors import Cancelled, DeviceIOError
from ..record import Mismatch, difference
from .broadcast import Answer, Search
from .datagrams import Datagrams
from .failures import NoAnswer
from .recording import masked
from .session import ANSWER, ASK, CLOSE, END, IN, KEY, OUT, SHUT
from .streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..cancel import Cancels
    from ..debug import Debug
    from .broadcast import Wait
    from .names import Address
    from .session import Channel, Record
    from .sockets import Deadline


class Tape:
    """The records of one channel, and how far they were used."""

    def __init__(self, channel: Channel, peer: str, debug: Debug) -> None:
        self.records = [r for r in channel.records if r.what not in (CLOSE, KEY)]
        self.key = next((r.words[0] for r in channel.records if r.what == KEY), "")
        self.peer = peer
        self.debug = debug
        self.place = 0
        self.used_bytes = 0  # of the record at place
        self.failure = ""
        self._last = channel.records[-1].where if channel.records else channel.opening.where

    def peek(self) -> Record | None:
        """Return the next record, None at the end."""
        return self.records[self.place] if self.place < len(self.records) else None

    def advance(self) -> None:
        """Go on to the next record."""
        self.place += 1
        self.used_bytes = 0

    def expect(self, what: str, action: str) -> Record:
        """Return the next record; it has to be *what* for *action* of the driver."""
        if self.failure:
            raise DeviceIOError(self.failure)
        record = self.peek()
        if record is None:
            raise self.failed(
                Mismatch(f"{self._last}: the recording has ended, the driver {action}")
            )
        if record.what != what:
            text = f"{record.where}: the recording has {record!s}, the driver {action}"
            raise self.failed(Mismatch(text))
        return record

    def failed(self, mismatch: Mismatch) -> DeviceIOError:
        """Return the error from now on; the first mismatch is shown."""
        if not self.failure:
            self.failure = f"{self.peer}: replay: {mismatch}"
            self.debug(0, "replay: %s", mismatch)
        return DeviceIOError(self.failure)

    def compare(self, record: Record, data: bytes, is_whole: bool) -> None:
        """Compare what the driver sends with what is left of *record*; raises what differs."""
        wanted = record.data[self.used_bytes :]
        if data != wanted[: len(data)] or (is_whole and data != wanted):
            text = difference(record.where, wanted, data, self.used_bytes)
            raise self.failed(Mismatch(text))

    def take_stream(self, data: bytes) -> None:
        """Compare bytes that go out on a stream, however they are cut."""
        while data:
            record = self.expect(OUT, f"sends {data[:16].hex(' ')}")
            piece = data[: len(record.data) - self.used_bytes]
            self.compare(record, piece, is_whole=False)
            self.used_bytes += len(piece)
            data = data[len(piece) :]
            if self.used_bytes == len(record.data):
                self.advance()
                record.check()

    def give_stream(self, view: memoryview) -> int:
        """Write what came then into *view*: n bytes, 0 if the peer closed, -1 for nothing yet."""
        record = self.peek()
        if self.failure:
            raise DeviceIOError(self.failure)
        if record is None or record.what != IN:
            return -1
        if not record.data:
            if record.outcome == END:
                return 0  # it stays closed
            self.advance()
            record.check()
            return -1
        n = min(len(view), len(record.data) - self.used_bytes)
        view[:n] = record.data[self.used_bytes : self.used_bytes + n]
        self.used_bytes += n
        if self.used_bytes == len(record.data):
            self.advance()
        return n


class ReplayStream(ByteStream):
    """Answers from a tape."""

    is_plain = False

    def __init__(self, tape: Tape, host: str, port: int, cancel: Cancels | None) -> None:
        self._tape = tape
        self._address = (_socket.AF_INET6 if ":" in host else _socket.AF_INET), (host, port)
        self.peer = tape.peer
        self.cancel = cancel
        self.key = tape.key

    def fileno(self) -> int:
        return -1

    def peer_address(self) -> Address:
        return self._address

    def wait(self, events: int, deadline: Deadline, call: str) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled(f"{self.peer}: {call}: cancelled")
        if events & select.POLLIN:
            self._tape.expect(IN, "waits for bytes")

    def pause(self, seconds: float) -> None:
        if self.cancel is not None:
            self.cancel.wait(0.0)

    def send(self, data: bytes | bytearray | memoryview, seconds: float | None = None) -> None:
        self._tape.take_stream(masked(data))

    def receive_now(self, view: memoryview) -> int:
        return self._tape.give_stream(view)

    def acknowledge(self) -> None:
        return

    def end_sending(self) -> None:
        self._tape.expect(SHUT, "ends sending")
        self._tape.advance()

    def detach(self) -> Any:
        raise TypeError("a replayed stream has no socket")

    def close(self) -> None:
        self._tape.debug(3, "%s: replay: closed at record %d", self.peer, self._tape.place)


class ReplayDatagrams(Datagrams):
    """Answers from a tape; where it has no answer there is silence."""

    def __init__(self, tape: Tape, cancel: Cancels | None) -> None:
        self._tape = tape
        self.peer = tape.peer
        self.cancel = cancel

    def fileno(self) -> int:
        return -1

    def local_address(self) -> str:
        return "127.0.0.1"

    def pause(self, seconds: float) -> None:
        if self.cancel is not None:
            self.cancel.wait(0.0)

    def send(self, data: bytes) -> None:
        record = self._tape.expect(OUT, f"sends {data[:16].hex(' ')}")
        self._tape.compare(record, data, is_whole=True)
        self._tape.advance()
        record.check()

    def receive(self, seconds: float | None = None) -> bytes:
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled(f"{self.peer}: receive: cancelled")
        record = self._tape.peek()
        if self._tape.failure:
            raise DeviceIOError(self._tape.failure)
        if record is None or record.what != IN:
            raise NoAnswer(f"{self.peer}: receive: timed out")
        self._tape.advance()
        record.check()
        return record.data

    def close(self) -> None:
        self._tape.debug(3, "%s: replay: closed at record %d", self.peer, self._tape.place)


class ReplaySearch(Search):
    """Finds what was found then."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.debug = tape.debug

    def send(self, data: bytes, port: int) -> None:
        while (record := self._tape.peek()) is not None and record.what == ANSWER:
            self._tape.advance()  # the caller has heard enough in this round
        record = self._tape.expect(ASK, f"asks port {port}")
        if record.words != (str(port),):
            text = f"{record.where}: the recording asks port {record.words[0]}, the driver {port}"
            raise self._tape.failed(Mismatch(text))
        self._tape.compare(record, data, is_whole=True)
        self._tape.advance()

    def receive(self, wait: Wait, seconds: float) -> Answer | None:
        record = self._tape.peek()
        if self._tape.failure or record is None or record.what != ANSWER:
            return None
        self._tape.advance()
        host, port, interface = record.words
        return Answer(record.data, host, int(port), interface)

    def close(self) -> None:
        return
