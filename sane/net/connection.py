"""The control connection to one server: requests and their replies, one at a time.

It knows the client half of the protocol, authorization and time; neither options nor images. All
open devices of a host share it. What goes wrong in the middle of a message ends the connection:
everything behind it is an I/O error from then on, and the next open connects anew. A call that ends
before its reply has come leaves that to the next one: the protocol has one request at a time.
Source: net-protocol 2.6, 3, 4 and 7.6.
"""

from __future__ import annotations

import _thread
import os
import select

from ..cancel import NeverCancelled
from ..errors import BY_STATUS, AccessDenied, Cancelled, DeviceBusy, DeviceIOError, SaneError
from ..transport.sockets import Deadline
from ..transport.streams import ByteStream
from ..wire import messages, protocol
from ..wire.codec import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..cancel import Cancel
    from ..debug import Debug
    from ..wire.messages import Request
    from ..wire.records import Record

    Authorize = Callable[[str], tuple[str, str]]

# A scanner may warm up its lamp before START is answered, and send its carriage home before CANCEL.
REPLY_SECONDS = 120.0
MESSAGE_SECONDS = 10.0  # but a reply that has begun comes in one go
INIT_SECONDS = 30.0  # unless connect_timeout says something else
POSTPONE_SECONDS = 1.0  # CANCEL and CLOSE wait so long for another device's call, then go after it
FAREWELL_SECONDS = 5.0  # for what is left to say at the end
CHALLENGES = 8  # of one request: what asks more often would ask forever
LOCK_SECONDS = 0.05  # how often a call that waits for another device's looks at cancel

RECEIVE_BYTES = 1 << 16
RESOURCE_CHARACTERS = 128  # of a challenge; servers and clients use no more (4.2)
PASSWORD_CHARACTERS = 127
MD5 = "$MD5$"


class Connection:
    """A control connection after INIT.

    stream: connected, owned from now on. host: as configured, for the names of resources.
    reply_seconds: how long the first byte of a reply may take.
    """

    def __init__(
        self, stream: ByteStream, host: str, debug: Debug, reply_seconds: float = REPLY_SECONDS
    ) -> None:
        self.stream = stream
        self.host = host
        self.debug = debug
        self.reply_seconds = reply_seconds
        self.lost: DeviceIOError | None = None
        self._asked: Request | None = None  # last
        self._due = Deadline(None)  # when the reply to the last request has to begin
        self._postponed: list[Request] = []  # CANCEL and CLOSE that could not be sent at once
        self._protocol = protocol.Client()
        self._lock = _thread.allocate_lock()
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))

    def greet(self, seconds: float, user: str | None) -> None:
        """Exchange INIT; raises the status of a server that refuses, DeviceIOError otherwise."""
        reply: Any = self.call(
            messages.Init(protocol.ADVERTISED, user), NeverCancelled(), seconds=seconds
        )
        self.debug(3, "%s: INIT: status %d, version %#x", self.host, reply.status, reply.version)
        if reply.status:
            raise refused(reply.status, f"{self.stream.peer} refuses the connection")

    def is_alive(self) -> bool:
        """Tell whether the server still holds the connection, as far as can be known."""
        if self.lost is not None:
            return False
        poll = select.poll()
        poll.register(self.stream, select.POLLRDHUP)
        return not poll.poll(0)

    def held(self, cancel: Cancel | NeverCancelled, seconds: float | None = None) -> Held:
        """Return what keeps the calls of other devices out: finish_pending(), then exchange().

        seconds: for their calls to end, as long as a reply may take by default; raises DeviceBusy.
        """
        return Held(self._lock, cancel, self.reply_seconds if seconds is None else seconds)

    def call(self, request: Request, cancel: Cancel | NeverCancelled, **how: Any) -> Record:
        """Send *request* and return its reply, see exchange(); nobody else's call is beside it."""
        with self.held(cancel):
            self.finish_pending(cancel)
            return self.exchange(request, cancel, **how)

    def tell(self, request: Request, drain: int = -1) -> None:
        """Send CANCEL or CLOSE and wait until the server has done it; a failure is only told.

        drain: see exchange(). Beside a long call of another device, which may be asking its
        frontend for a password, the request is postponed: it is sent after that call, by a thread
        of its own or before the next request.
        """
        cancel = NeverCancelled()
        try:
            with self.held(cancel, 0.0 if self._postponed else POSTPONE_SECONDS):
                self.finish_pending(cancel, drain)
                self.exchange(request, cancel, drain=drain)
        except DeviceBusy:
            self.debug(2, "%s: %r is sent after the call of another device", self.host, request)
            self._postpone(request)
        except DeviceIOError as exc:
            self.debug(2, "%s: %r: %s", self.host, request, exc)

    def _postpone(self, request: Request) -> None:
        from ..threads import start_thread

        self._postponed.append(request)
        try:
            start_thread(self._catch_up)
        except (RuntimeError, MemoryError) as exc:
            self.debug(1, "no thread: %s; it is sent before the next request", exc)

    def _catch_up(self, seconds: float | None = None) -> None:
        """Send what was postponed, after the call that is under way; None for no limit."""
        patience = None if seconds is None else Deadline(seconds)
        if not self._lock.acquire(True, -1 if seconds is None else seconds):
            return
        try:
            self.finish_pending(NeverCancelled(), patience=patience)
        except SaneError as exc:
            self.debug(2, "%s: postponed requests: %s", self.host, exc)
        finally:
            self._lock.release()

    # What every client asks; raises the status of a server that refuses.

    def devices(self, seconds: float) -> list[Any]:
        """Return the devices that the server lists; raises DeviceBusy if it needs longer.

        The connection outlasts that, since devices may be open on it. A list that comes later is
        that of the next call, unless that is much later or other requests come between.
        """
        patience = Deadline(seconds)
        with self.held(NeverCancelled(), seconds):
            is_asked = self.lost is None and self._awaits(messages.GetDevices)
            if not (is_asked and self._due.left()):
                self.finish_pending(NeverCancelled(), patience=patience)
                self.send(messages.GetDevices(), NeverCancelled(), self.reply_seconds)
            reply: Any = self.reply(NeverCancelled(), -1, patience)
        if reply.status:
            raise refused(reply.status, "no devices")
        return list(reply.devices)

    def open(self, device: str, authorize: Authorize, meanwhile: Callable[[], None]) -> int:
        """Open *device*, "" for the server's first; return its number there."""
        reply: Any = self.call(
            messages.Open(device), NeverCancelled(), authorize=authorize, meanwhile=meanwhile
        )
        if reply.status:
            raise refused(reply.status, f"{self.host} does not open {device!r}")
        return int(reply.handle)

    def close(self, farewell: bool = True) -> None:
        """Say what is left to say and EXIT if the server listens, and close; may be called again.

        It takes FAREWELL_SECONDS for each of the two at most.
        """
        if farewell and (self._postponed or self._awaits(messages.Cancel, messages.Close)):
            self._catch_up(FAREWELL_SECONDS)
        if self.lost is None:
            self.lost = DeviceIOError(f"{self.stream.peer}: the connection is closed")
            if farewell and self._protocol.state == protocol.READY:
                try:
                    self.stream.cancel = None
                    self.stream.send(self._protocol.send(messages.Exit()), FAREWELL_SECONDS)
                except DeviceIOError as exc:
                    self.debug(2, "EXIT: %s", exc)
            if self._lock.locked():  # by a thread that would wait for the reply on and on
                self.stream.hang_up()
        self.stream.close()

    # Below, the lock is held.

    def exchange(
        self,
        request: Request,
        cancel: Cancel | NeverCancelled,
        *,
        authorize: Authorize | None = None,
        seconds: float | None = None,
        drain: int = -1,
        meanwhile: Callable[[], None] | None = None,
    ) -> Record:
        """Send *request* and return its reply, authorization included.

        seconds: until the reply begins. drain: a data connection to empty meanwhile, since a
        server that is blocked there answers nothing. meanwhile: called before the reply is waited
        for. After Cancelled the reply is still to come: the next call waits for it first.
        """
        seconds = self.reply_seconds if seconds is None else seconds
        self.send(request, cancel, seconds)
        if meanwhile is not None:
            meanwhile()
        reply = self.reply(cancel, drain)
        challenges = 0
        while self._protocol.challenge is not None:
            challenges += 1
            if challenges > CHALLENGES:
                raise self.fail(AccessDenied(f"{self.host}: asks for a password again and again"))
            self._answer(self._protocol.challenge, cancel, authorize or no_authorization)
            self._due = Deadline(seconds)
            reply = self.reply(cancel, drain)
        return reply

    def fail(self, error: SaneError) -> SaneError:
        """End the connection; return the error that everything on it ends with."""
        if self.lost is None:
            self.lost = error if isinstance(error, DeviceIOError) else DeviceIOError(str(error))
            self._postponed.clear()
            self.debug(1, "%s: connection given up: %s", self.host, error)
            self.stream.close()
        return error

    def send(self, request: Request, cancel: Cancel | NeverCancelled, seconds: float) -> None:
        """Send *request* in one write; its reply has to begin within *seconds*."""
        self._asked = request
        self._due = Deadline(seconds)
        self._transmit(self._protocol.send(request), cancel)
        self.debug(5, "%s: sent %r", self.host, request)

    def _transmit(self, data: bytes, cancel: Cancel | NeverCancelled) -> None:
        self.stream.cancel = cancel
        try:
            self.stream.send(data, MESSAGE_SECONDS)
        except SaneError as exc:  # Cancelled too: half a request is none
            raise self.fail(exc) from exc

    def _awaits(self, *kinds: type[Request]) -> bool:
        """Tell whether a request of these kinds was sent, and its reply has not come."""
        return self._protocol.state == protocol.WAITING and isinstance(self._asked, kinds)

    def finish_pending(
        self, cancel: Cancel | NeverCancelled, drain: int = -1, patience: Deadline | None = None
    ) -> None:
        """Take the reply that another call left, then send what was postponed; see reply().

        Nothing is cut short: each reply has as long as its request gave it.
        """
        if self.lost is not None:
            raise DeviceIOError(str(self.lost))
        if self._protocol.state == protocol.CHALLENGE:
            raise self.fail(DeviceIOError(f"{self.host}: an authorization was left unanswered"))
        if self._protocol.state in (protocol.WAITING, protocol.ANSWERED):
            self.reply(cancel, drain, patience)
            if self._protocol.challenge is not None:
                raise self.fail(
                    DeviceIOError(f"{self.host}: asks for a password that nobody waits for")
                )
        while self._postponed:
            self.send(self._postponed[0], cancel, self.reply_seconds)
            del self._postponed[0]
            self.reply(cancel, drain, patience)

    def reply(
        self, cancel: Cancel | NeverCancelled, drain: int, patience: Deadline | None = None
    ) -> Record:
        """Return the reply to the last request, or the challenge that came instead.

        Raises DeviceBusy at the end of *patience*, which leaves the reply to the next call as
        Cancelled does; everything else ends the connection.
        """
        deadline = self._due
        begun = False
        try:
            found = self._protocol.pending()
            while found is None:
                n = self.stream.receive_now(self._buffer)
                if n == 0:
                    raise self._closed()
                if n < 0:
                    drain = self._wait(deadline, cancel, drain, patience or deadline)
                    continue
                found = self._protocol.receive(self._buffer[:n])
                if not begun:
                    begun = True
                    deadline = Deadline(MESSAGE_SECONDS)
                elif found is None and deadline.left() == 0:  # bytes come, but never the last
                    raise DeviceIOError(f"{self.stream.peer}: no answer in time, as a whole")
        except DeviceIOError as exc:
            if isinstance(exc, ProtocolError):
                exc = DeviceIOError(f"{self.stream.peer}: {exc}")
            raise self.fail(exc) from exc
        self.debug(5, "%s: received %r", self.host, found)
        return found

    def _closed(self) -> DeviceIOError:
        return DeviceIOError(f"{self.stream.peer}: {self._protocol.closed()}")

    def _wait(
        self, deadline: Deadline, cancel: Cancel | NeverCancelled, drain: int, patience: Deadline
    ) -> int:
        """Wait for the reply, emptying *drain*; return -1 in its place when it has ended."""
        self.stream.acknowledge()
        poll = select.poll()
        poll.register(self.stream, select.POLLIN)
        if cancel.fd >= 0:
            poll.register(cancel.fd, select.POLLIN)
        if drain >= 0:
            poll.register(drain, select.POLLIN)
        first = min((deadline, patience), key=lambda limit: limit.left() or 0.0)
        ready = dict(poll.poll(first.left_ms()))
        if cancel.is_set():
            raise Cancelled(f"{self.stream.peer}: cancelled")
        if self.stream.fileno() not in ready:
            if deadline.left() == 0:
                raise DeviceIOError(f"{self.stream.peer}: no answer in time")
            if patience.left() == 0:
                raise DeviceBusy(f"{self.stream.peer}: has not answered yet")
        return -1 if drain in ready and not _drain(drain) else drain

    def _answer(self, resource: str, cancel: Cancel | NeverCancelled, authorize: Authorize) -> None:
        try:
            user, password = authorize(f"net:{self.host}:{resource}")
        except AccessDenied as exc:
            self.debug(1, "%s", exc)  # nobody to ask: the server decides about nobody
            user = password = ""
        except BaseException as exc:
            self.fail(Cancelled(f"{self.host}: asking for a password failed: {exc}"))
            raise
        if cancel.is_set():
            raise self.fail(Cancelled(f"{self.host}: cancelled when asked for a password"))
        password = password[:PASSWORD_CHARACTERS]
        if user or password:
            password = digest(resource, password)
        self._transmit(self._protocol.authorize(user, password), cancel)


class Held:
    """Holds a lock; whoever waits for it sees cancel, and gives up after *seconds*."""

    def __init__(
        self, lock: _thread.LockType, cancel: Cancel | NeverCancelled, seconds: float
    ) -> None:
        self._lock = lock
        self._cancel = cancel
        self._deadline = Deadline(seconds)

    def __enter__(self) -> None:
        if self._lock.acquire(False):
            return
        while not self._lock.acquire(True, LOCK_SECONDS):
            if self._cancel.is_set():
                raise Cancelled
            if self._deadline.left() == 0:
                raise DeviceBusy("another device of this host keeps the connection busy")

    def __exit__(self, *exc: object) -> None:
        self._lock.release()


def no_authorization(resource: str) -> tuple[str, str]:
    """Stand for a frontend without a callback: nobody is asked (4.3)."""
    return "", ""


def digest(resource: str, password: str) -> str:
    """Return what is sent for *password*: an MD5 digest if the resource is a challenge (4.2).

    scanimage and xsane make the digest themselves; a frontend that knows nothing of it gives the
    password, which need not cross the network.
    """
    _, marker, challenge = resource[:RESOURCE_CHARACTERS].partition(MD5)
    if not marker or password.startswith(MD5):
        return password
    from hashlib import md5

    data = f"{challenge}{password}".encode("utf-8", "surrogateescape")
    return MD5 + md5(data, usedforsecurity=False).hexdigest()


def refused(status: int, text: str) -> SaneError:
    """Return the error for a status that the server sent; one that is none is an I/O error."""
    kind = BY_STATUS.get(status, DeviceIOError)
    return kind(text if status in BY_STATUS else f"{text}: status {status}")


def _drain(fd: int) -> bool:
    """Throw away what *fd* has; return False when nothing will come any more."""
    try:
        return bool(os.read(fd, RECEIVE_BYTES))
    except BlockingIOError:
        return True
    except OSError:
        return False
