"""Epson scanners on the network: "IS" packets over TCP port 1865, and the search by UDP.

It carries commands and answers of ESC/I and ESC/I-2 and knows the meaning of neither. A Packets is
one connection, locked for us; every 2000 packet gets exactly one answer, which is used up before
the next. Source: specification esci 1.2 (framing, time limits) and 1.3 (ENPC).
"""

from __future__ import annotations

import struct

from ...cancel import CancelOf
from ...errors import Cancelled, DeviceBusy, DeviceIOError, Invalid
from ...transport.broadcast import EVERYBODY
from ...transport.opening import Target, open_stream
from . import PORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...cancel import Cancels
    from ...transport.broadcast import Answer
    from ...transport.opening import Connect
    from ...transport.streams import ByteStream

    Searching = Callable[..., Iterator[Answer]]

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 10.0  # a device must begin to answer within this time
STALL_SECONDS = 5.0  # and never pause longer inside an answer
HEAD_BYTES = 12
ANSWER_BYTES = 1 << 26  # no device holds more: an announced length beyond is a lie

MAGIC = b"IS"
LOCK, UNLOCK, PASS = 0x2100, 0x2101, 0x2000
WELCOME_BYTES = 5
ACK = 0x06
EVENTS = {  # 9000: what the device tells unasked, by its first byte
    0x01: "a scan was started at the device",
    0x02: "the device disconnects",
    0x03: "cancelled at the device",
    0x04: "stopped at the device",
    0x80: "the device gave up waiting",
    0xA0: "an error in the device's server",
}
EVENT, EVENT_CANCEL, EVENT_BYTES = 0x9000, 0x03, 64

_HEAD = struct.Struct(">2sHHIH")  # magic, type, offset of the data, length, 0
_DATA = struct.Struct(">II")  # command bytes, answer bytes expected

DISCOVERY_PORT = 3289
DISCOVERY_QUERY = b"EPSONP\x00\xff\x00\x00\x00\x00\x00\x00\x00"
DISCOVERY_ANSWER = b"EPSON"
DISCOVERY_BYTES = 76  # a shorter answer is not from a scanner
DISCOVERY_SECONDS = 1.0


def packet(kind: int, payload: bytes = b"") -> bytes:
    """Return an IS packet of type *kind*."""
    return _HEAD.pack(MAGIC, kind, HEAD_BYTES, len(payload), 0) + payload


def pass_packet(command: bytes, expected: int) -> bytes:
    """Return the packet that passes *command* and asks for *expected* answer bytes."""
    return packet(PASS, _DATA.pack(len(command), expected) + command)


class Packets:
    """A locked connection to a scanner: commands out, the bytes of their answers in.

    After a failure it is of no use any more and says so at once. Cancelled is no failure: what was
    due before it still is, and drop() gets rid of it.
    """

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self._cancel = stream.cancel  # of whoever opened it, until it belongs to a Device
        self.name = stream.peer
        self.expected = 0  # answer bytes that the last command asked for
        self.left = 0  # payload bytes of the answer still in the stream
        self.is_due = False  # the head of an answer has yet to come
        self.fault = ""  # why the connection is of no use any more
        self._head = memoryview(bytearray(HEAD_BYTES))
        self._head_bytes = 0  # of the head that have come

    def belongs_to(self, device: object) -> None:
        """Let cancel of *device*, an open Device, end the waits of this connection."""
        self.stream.cancel = CancelOf(device, self._cancel)

    @classmethod
    def open(
        cls,
        host: str,
        lock: bytes,
        cancel: Cancels | None,
        port: int = PORT,
        connect: Connect = open_stream,
    ) -> Packets:
        """Connect to *host* and lock the scanner with the payload *lock*.

        Raises Invalid when nothing listens there, DeviceBusy when the lock is refused, and
        DeviceIOError for a peer that is no such scanner.
        """
        try:
            stream = connect(Target(host, port), CONNECT_SECONDS, cancel)
        except DeviceIOError as exc:
            raise Invalid(str(exc)) from exc
        packets = cls(stream)
        try:
            packets._enter(lock)
        except BaseException:
            stream.close()
            raise
        return packets

    def _enter(self, lock: bytes) -> None:
        self._expect("a welcome", WELCOME_BYTES)
        self._send(packet(LOCK, lock))
        answer = self._expect("an answer to lock", 1)
        if answer[0] != ACK:
            raise DeviceBusy(f"{self.name}: the lock was refused with {answer.hex()}")

    def _expect(self, what: str, size: int) -> bytes:
        """Return the payload of a packet that is due by the rules of entering."""
        self.is_due, self.expected = True, size
        answer = self.receive(size)
        if len(answer) < size:
            got = answer.hex(" ") or "nothing"
            raise DeviceIOError(f"{self.name}: {what} of {size} bytes was due, not {got}")
        return answer

    # Commands

    def send(self, command: bytes, expected: int) -> None:
        """Pass *command* on; *expected*: the exact size of its answer, 0 for an empty packet.

        b"" asks for the next *expected* bytes that the device holds. What is left of the last
        answer is dropped.
        """
        self.drop()
        self._send(pass_packet(command, expected))
        self.expected = expected
        self.is_due = True

    def receive_into(self, view: memoryview) -> int:
        """Write the next bytes of the answer into *view*; return how many, 0 when it is used up.

        Waits for one byte at least.
        """
        if self.is_due:
            self._receive_head()
        wanted = min(len(view), self.left)
        if not wanted:
            return 0
        n = self._receive_into(view[:wanted], STALL_SECONDS)
        self.left -= n
        return n

    def receive_all_into(self, view: memoryview) -> int:
        """Fill *view* from the answer; return how many bytes, fewer only when it is used up."""
        filled = 0
        while n := self.receive_into(view[filled:]):
            filled += n
        return filled

    def receive(self, size: int) -> bytes:
        """Return the next *size* bytes of the answer, fewer when it is used up."""
        data = bytearray(size)
        return bytes(data[: self.receive_all_into(memoryview(data))])

    def lend(self) -> ByteStream:
        """Return the stream, for somebody who receives the answer that is due by himself."""
        self.is_due = False
        return self.stream

    def resume(self, head: bytes | None, size: int) -> None:
        """Go on with an answer that somebody else began to receive from the stream.

        head: what has come of its head, None when all of it has. size: the bytes that follow.
        """
        self.is_due = head is not None
        if head is None:
            self.left = size
        else:
            self.expected = size
            self._head[: len(head)] = head
            self._head_bytes = len(head)

    def fail(self, text: str) -> DeviceIOError:
        """Let nobody use the connection any more; return the error that says why."""
        self.fault = text
        return DeviceIOError(f"{self.name}: {text}")

    def drop(self) -> None:
        """Receive and forget what is left of the last answer."""
        if self.is_due or self.left:
            scratch = memoryview(bytearray(1 << 14))
            while self.receive_into(scratch):
                pass

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass between two commands; ends with errors.Cancelled."""
        self._check()
        self.stream.pause(seconds)

    def close(self) -> None:
        """Unlock and disconnect; the answer to unlock is not awaited."""
        try:
            if not self.fault:
                self._send(packet(UNLOCK))
        finally:
            self.stream.close()

    # The stream

    def _send(self, data: bytes) -> None:
        self._check()
        try:
            self.stream.send(data, STALL_SECONDS)
        except BaseException as exc:  # cancelled too: half a packet may be out
            self.fault = str(exc)
            raise

    def _receive_into(self, view: memoryview, seconds: float) -> int:
        self._check()
        try:
            n = self.stream.receive_into(view, seconds)
        except DeviceIOError as exc:
            self.fault = str(exc)
            raise
        if not n:
            raise self.fail("closed the connection in the middle of an answer")
        return n

    def _check(self) -> None:
        """Raise what is wrong with the connection."""
        if self.fault:
            raise DeviceIOError(f"{self.name}: the connection is of no use after: {self.fault}")

    def _receive_head(self) -> None:
        while self._head_bytes < HEAD_BYTES:
            seconds = STALL_SECONDS if self._head_bytes else ANSWER_SECONDS
            self._head_bytes += self._receive_into(self._head[self._head_bytes :], seconds)
        self._parse_head()

    def _parse_head(self) -> None:
        """Note how much payload follows; raises for what is no answer to the last command."""
        self.is_due, self._head_bytes = False, 0
        magic, kind, _offset, size, _zero = _HEAD.unpack(self._head)
        if magic != MAGIC:
            raise self.fail(f"{self._head.hex(' ')} does not begin a packet")
        if kind == EVENT:
            self._raise_event(min(size, EVENT_BYTES))
        if size > self.expected or size > ANSWER_BYTES:
            raise self.fail(
                f"an answer of {size} bytes where {self.expected} were asked for "
                f"({self._head.hex(' ')})"
            )
        self.left = size

    def _raise_event(self, size: int) -> None:
        """Raise what the device tells unasked, where an answer was due."""
        self.left = size
        data = self.receive(size)
        text = EVENTS.get(data[0] if data else -1, "an unknown event")
        error = self.fail(f"{text} (event {data.hex(' ')})")
        if data[:1] == bytes((EVENT_CANCEL,)):
            raise Cancelled(str(error))
        raise error


def discover(
    search: Searching,
    wait: Callable[[float, int], bool],
    seconds: float = DISCOVERY_SECONDS,
    to: tuple[str, int] = (EVERYBODY, DISCOVERY_PORT),
) -> list[str]:
    """Ask all scanners on the network; return the addresses of those that answer in *seconds*.

    search: Network.search. Answers that are no scanner's are left out.
    """
    found: list[str] = []
    questions = [(DISCOVERY_QUERY, to[1])]
    for answer in search(questions, wait, seconds, to=to[:1], rounds=1):
        is_scanner = len(answer.data) >= DISCOVERY_BYTES
        if is_scanner and answer.data.startswith(DISCOVERY_ANSWER) and answer.host not in found:
            found.append(answer.host)
    return found
