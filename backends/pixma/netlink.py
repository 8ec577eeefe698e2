"""A scanner on the network: commands over TCP, jobs and buttons over UDP.

It knows connections, which answer belongs to which packet, and when an answer is whole; packets are
bjnp.py's, and what they carry commands.py's. Source: specification pixma 1.2 to 1.5.

                  begin_page                  end_page
    no connection ----------> DETAILS, TCP ----------> CLOSE, no connection
                              WRITE, READ...

MFNP has one connection, from the first page until close.
"""

from __future__ import annotations

from time import monotonic

from ...backend import CancelOf, Target
from ...cancel import NeverCancelled
from ...errors import DeviceIOError
from . import bjnp
from .polling import Polling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Device
    from ...cancel import Cancels
    from ...debug import Debug
    from ...transport.network import Network
    from ...transport.streams import ByteStream

CONNECT_SECONDS, CONNECT_PAUSE = 2.0, 0.1
ANSWER_SECONDS = 8.0  # as over USB, where less was configured
SEND_SECONDS = 5.0
STALL_SECONDS = 5.0  # a pause amid a packet
SETTLE_SECONDS = 2.0  # for the answer to a command that was cancelled
NOTHING = memoryview(b"")
FIRST_LARGEST = 512  # a shorter payload ends an answer, until a longer one was seen
TRIES = 3


class Peer:
    """A unit at an address: its commands over UDP, each by a socket of its own.

    seconds: that one try may take. session: the number of the job that was announced last.
    """

    def __init__(self, network: Network, method: str, host: str, port: int, seconds: float) -> None:
        self.network = network
        self.method, self.host, self.port = method, host, port
        self.seconds = seconds
        self.session = 0
        self.name = f"{method}://{host} port {port}"
        self._sequence = 0

    def number(self) -> int:
        """Return the sequence number of the next command, over UDP or TCP."""
        number, self._sequence = self._sequence, self._sequence + 1 & 0xFFFF
        return number

    def ask(
        self,
        code: int,
        payload: bytes = b"",
        cancel: Cancels | None = None,
        *,
        seconds: float = 0.0,
        tries: int = TRIES,
        is_sessionless: bool = False,
    ) -> tuple[bjnp.Head, bytes]:
        """Return the answer to one command; it is sent again where none comes.

        Answers to other commands, and datagrams of others, are dropped. Raises NoAnswer.
        """
        sequence = self.number()
        session = 0 if is_sessionless else self.session
        request = bjnp.packet(self.method, code, sequence, session, payload)
        seconds = seconds or self.seconds
        socket = self.network.datagrams(self.host, self.port, seconds, cancel)
        try:
            data = socket.ask(
                request,
                lambda data: bjnp.answers(data, self.method, code, sequence),
                tries,
                seconds,
            )
        finally:
            socket.close()
        return bjnp.payload_of(data)


class NetLink:
    """A scanner on the network. Every wait ends when its Device is cancelled.

    While a connection is open, a cancel may leave an answer half received: its rest is received
    and dropped before the next command, so that no answer is taken for that of another.
    """

    def __init__(self, peer: Peer, debug: Debug, cancel: Cancels | None = None) -> None:
        self.peer = peer
        self.name = peer.name
        self.debug = debug
        self.cancel = cancel
        self.is_open = True
        self._polling = Polling(peer, debug)
        self._stream: ByteStream | None = None
        self._largest = FIRST_LARGEST
        self._head = memoryview(bytearray(bjnp.HEAD_BYTES))
        self._head_bytes = 0  # of the header that have come
        self._due: tuple[int, int] | None = None  # code and number of the answer that is to come
        self._left = 0  # bytes of its payload still in the stream
        self._has_ended = True  # the last payload of the answer has begun

    @property
    def is_idle_silent(self) -> bool:
        """Between pages there is no connection, so that no command can be sent."""
        return self._stream is None

    def belongs_to(self, device: Device) -> None:
        """Let cancel of *device* end the waits."""
        self.cancel = CancelOf(device, self.cancel)
        if self._stream is not None:
            self._stream.cancel = self.cancel

    # Jobs

    def begin_page(self) -> None:
        """Announce a job and connect, unless there is a connection."""
        if self._stream is not None:
            return
        peer = self.peer
        try:
            job = bjnp.details(*self._polling.names, self._polling.process)
            head, _ = peer.ask(bjnp.DETAILS, job, self.cancel)
            peer.session = head.session
        except DeviceIOError as exc:  # the original goes on without a session, too
            self.debug(1, "%s: the job was not announced: %s", self.name, exc)
            peer.session = 0
        self._stream = self._connected()
        self._due, self._left, self._head_bytes, self._has_ended = None, 0, 0, True

    def _connected(self) -> ByteStream:
        """Return a stream; a unit that ends an earlier connection may refuse it for a moment."""
        target = Target(self.peer.host, self.peer.port)
        end = monotonic() + CONNECT_SECONDS
        while True:
            try:
                left = max(CONNECT_PAUSE, end - monotonic())
                return self.peer.network.open(target, left, self.cancel)
            except DeviceIOError:
                if monotonic() + CONNECT_PAUSE >= end:
                    raise
            self.wait(CONNECT_PAUSE)

    def end_page(self) -> None:
        """End the job and its connection; MFNP keeps them, unless something has failed."""
        if self.peer.method == bjnp.BJNP or self._is_lost:
            self._disconnect()

    @property
    def _is_lost(self) -> bool:
        """Something is still to come that nobody waits for."""
        return self._due is not None or self._head_bytes > 0

    def _disconnect(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        stream.close()
        try:
            self.peer.ask(bjnp.CLOSE, b"", self.cancel, seconds=1.0, tries=1)
        except DeviceIOError as exc:
            self.debug(1, "%s: the end of the job was not answered: %s", self.name, exc)

    def close(self) -> None:
        """Release the scanner."""
        self.is_open = False
        self._disconnect()

    # Commands

    def exchange(self, command: bytes, want: int, seconds: float) -> bytes:
        """Send *command*; return its answer of at most *want* bytes.

        seconds: until it begins; ANSWER_SECONDS become more if so is configured. After silence or
        garbage the connection is given up: the next command makes another one.
        """
        self.begin_page()
        try:
            self._settle()
            limit = max(seconds, self.peer.seconds) if seconds >= ANSWER_SECONDS else seconds
            self._send(command, limit)
            data = memoryview(bytearray(want))
            return bytes(data[: self._receive_into(data, limit)])
        except DeviceIOError:
            self._give_up()
            raise

    def more(self, view: memoryview) -> int:
        """Receive what follows of the last answer into *view*; return how many bytes."""
        try:
            return self._receive_into(view, max(ANSWER_SECONDS, self.peer.seconds))
        except DeviceIOError:
            self._give_up()
            raise

    def drop(self) -> None:
        """Forget what is left of the last answer; the scanner does so at the next command."""
        self._has_ended = True

    def _give_up(self) -> None:
        """Close the connection, on which nothing can be understood any more."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _send(self, command: bytes, seconds: float) -> None:
        """Send a command; the unit tells how much of it has come."""
        assert self._stream is not None
        self._has_ended = False
        self._ask(bjnp.WRITE, command)
        accepted = memoryview(bytearray(bjnp.ACCEPTED_BYTES))
        n = self._receive_head(seconds, accepted)
        if self._left + n != len(accepted):
            raise bjnp.wrong(f"{self.name}: {self._left + n} bytes answer a command", self._head)
        self._receive_all(accepted[n:])
        if int.from_bytes(accepted, "big") != len(command):
            raise bjnp.wrong(f"{self.name}: of {len(command)} bytes it took", accepted)

    def _receive_into(self, view: memoryview, seconds: float) -> int:
        """Receive the answer into *view*, as far as there is room; return how many bytes.

        It comes in payloads of one size, of which the last one is shorter.
        """
        done = 0
        while done < len(view):
            if self._left:
                done += self._receive_some(view[done : done + self._left])
            elif self._has_ended:
                break
            else:
                done += self._next_payload(view[done:], seconds)
        return done

    def _next_payload(self, view: memoryview, seconds: float) -> int:
        """Ask for the next payload of the answer; return how many of its bytes are in *view*."""
        self._ask(bjnp.READ)
        n = self._receive_head(seconds, view)
        size = self._left + n
        self._has_ended = size < self._largest
        self._largest = max(self._largest, size)
        return n

    # Packets

    def _ask(self, code: int, payload: bytes = b"") -> None:
        assert self._stream is not None
        peer = self.peer
        number = peer.number()
        self._due = code, number
        packet = bjnp.packet(peer.method, code, number, peer.session, payload)
        self._stream.send(packet, SEND_SECONDS)

    def _receive_head(self, seconds: float, rest: memoryview = NOTHING) -> int:
        """Receive the header that is due; `_left` is then how many bytes of payload are to come.

        rest: where those of them go that come along; returns how many did.
        """
        assert self._stream is not None
        assert self._due is not None
        n = 0
        while self._head_bytes < bjnp.HEAD_BYTES:
            limit = STALL_SECONDS if self._head_bytes else seconds
            head_part = self._head[self._head_bytes :]
            come = self._come(self._stream.receive_parts((head_part, rest), limit))
            n = max(0, self._head_bytes + come - bjnp.HEAD_BYTES)
            self._head_bytes += come - n
        head = bjnp.Head(self._head)
        head.check(self.peer.method, *self._due)
        if n > head.length:
            raise bjnp.wrong(f"{self.name}: {n} bytes follow a header", self._head)
        self._due, self._head_bytes, self._left = None, 0, head.length - n
        return n

    def _receive_some(self, view: memoryview) -> int:
        assert self._stream is not None
        n = self._come(self._stream.receive_into(view, STALL_SECONDS))
        self._left -= n
        return n

    def _receive_all(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            done += self._receive_some(view[done:])

    def _come(self, n: int) -> int:
        if not n:
            raise DeviceIOError(f"{self.name}: closed the connection amid an answer")
        return n

    def _settle(self) -> None:
        """Receive and drop what is left of the last answer."""
        if self._due is not None:
            self._receive_head(SETTLE_SECONDS)
        scratch = memoryview(bytearray(min(self._left, 1 << 16)))
        while self._left:
            self._receive_some(scratch[: self._left])

    # Buttons, and time

    def event(self, seconds: float) -> bytes:
        """Return what the scanner tells unasked within *seconds*, b"" for nothing."""
        found = self.pending_event()
        if not found and seconds:
            self.wait(seconds)
        return found

    def pending_event(self) -> bytes:
        """Return an event that is there already, b"" for none."""
        return self._polling.event(self.cancel)

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass; ends with errors.Cancelled."""
        if self.peer.network.is_live:
            (self.cancel or NeverCancelled()).wait(seconds)
