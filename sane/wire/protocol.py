"""Both halves of the SANE network protocol without sockets: bytes in, records out.

They know which message may follow which, and the protocol version; neither devices nor time. A
half that raised ProtocolError is of no use any more: close the connection.

Client:  NEW --Init--> WAITING --reply--> READY --request--> WAITING
                          |  ^                                  |
              (resource)  v  |  (the reply of the same request, anew)
                      CHALLENGE --Authorize--> ANSWERED --dummy-+

Server:  NEW --Init--> SERVING --reply--> READY --request--> SERVING
                          |  ^                                  |
             (challenge)  v  |  Authorize, or anything else     |
                      CHALLENGE --------------------------------+

Source: net-protocol 2.6, 3 and 4.1.
"""

from __future__ import annotations

from ..errors import DeviceIOError
from . import messages
from .codec import MESSAGE_BYTES, ProtocolError, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .messages import Request
    from .records import Record

NEW, READY, WAITING, CHALLENGE, ANSWERED, SERVING, CLOSED = range(7)

MAJOR = 1
BUILD = 3  # the protocol version that both halves speak
BUILDS = (2, 3)  # and those that they understand

ADVERTISED = MAJOR << 24 | 2 << 16 | BUILD  # minor: that of the release we are compatible with


class Misplaced(ProtocolError):
    """A message that has no place where it came."""


class Client:
    """The frontend's side of a control connection: one request at a time.

    The reply to a request arrives in pieces through receive(). While ``challenge`` is not None the
    request waits for authorize(), however often.
    """

    def __init__(self) -> None:
        self.state = NEW
        self.version = BUILD
        self.challenge: str | None = None
        self._request: Request | None = None
        self._reader = Reader()

    def send(self, request: Request) -> bytes:
        """Return the bytes of *request*; raises errors.Invalid if it cannot be encoded."""
        wanted = NEW if isinstance(request, messages.Init) else READY
        if self.state != wanted:
            raise Misplaced(f"{request!r} is sent in state {self.state}")
        if self.version < BUILD and request.__class__ is messages.ControlOption:
            request = messages.ControlOption2(*(getattr(request, n) for n, _ in request.layout))
        data = request.encode()
        self._reader.discard()  # nothing can be expected yet: the reference drops it, too
        self._request = request
        self.state = CLOSED if request.reply is None else WAITING
        return data

    def authorize(self, user: str, password: str) -> bytes:
        """Return the bytes that answer an auth challenge: the resource goes back as it came."""
        if self.state != CHALLENGE:
            raise Misplaced("there was no auth challenge")
        data = messages.Authorize(self.challenge, user, password).encode()
        self.challenge = None
        self.state = ANSWERED
        return data

    def receive(self, data: bytes | memoryview) -> Record | None:
        """Take what came; return the reply once it is complete, also one that is an auth challenge.

        What follows a reply is kept for the reply that follows an authorization.
        """
        if self.state not in (WAITING, ANSWERED, CHALLENGE):
            return None  # nobody asked: dropped, as send() does with what came before
        self._reader.feed(data)
        return self.pending()

    def pending(self) -> Record | None:
        """Return the reply if what came before completes it."""
        request = self._request
        if self.state == ANSWERED:
            if self._reader.take(messages.Acknowledgement) is None:
                return None
            self.state = WAITING
        if self.state != WAITING or request is None or request.reply is None:
            return None
        reply = self._reader.take(request.reply)
        if reply is None:
            return None
        if request.may_challenge and getattr(reply, "resource", None) is not None:
            self.challenge = reply.resource  # type: ignore[attr-defined]
            self.state = CHALLENGE
            return reply
        if isinstance(reply, messages.InitReply) and reply.status == 0:
            self._agree(reply.version)
        self.state = READY
        return reply

    def _agree(self, version: int) -> None:
        major, build = version >> 24 & 0xFF, version & 0xFFFF
        if major != MAJOR or build not in BUILDS:
            raise ProtocolError(
                f"the server speaks version {major}, build {build}; known: {MAJOR}, {BUILDS}"
            )
        self.version = build

    def closed(self) -> DeviceIOError:
        """Return the error for a connection that the peer closed."""
        begun = self._reader.waiting_bytes
        self.state = CLOSED
        if self._request is None:
            return DeviceIOError("closed")
        return DeviceIOError(
            f"closed when {self._request.__class__.__name__} was to be answered"
            + (f", after {begun} bytes" if begun else "")
        )


class Server:
    """The scanner's side of a control connection.

    Feed it what arrives, ask request() until it returns None, and answer each request with
    reply() or, if its class says may_challenge, with challenge() before. A second request that came
    with the first is kept: pipelined requests are served in order.

    limit: see Reader. requests: what may be asked, by opcode. client_version: what the client's
    Init said, 0 before.
    """

    def __init__(
        self, limit: int = MESSAGE_BYTES, requests: Mapping[int, type[Request]] | None = None
    ) -> None:
        self._requests = messages.REQUESTS if requests is None else requests
        self.state = NEW
        self.client_version = 0
        self._reader = Reader(limit)
        self._opcode: int | None = None
        self._request: Request | None = None

    def receive(self, data: bytes | memoryview) -> None:
        """Take what came; call it only after request() returned None."""
        self._reader.feed(data)

    @property
    def has_begun(self) -> bool:
        """Part of a request has come, and the rest has not."""
        return self._opcode is not None or self._reader.waiting_bytes > 0

    def request(self) -> Request | None:
        """Return the next request, None if more bytes are needed.

        Raises ProtocolError for bytes that are no request, and for one that has no place here:
        the connection is then closed without an answer (3.12). After challenge() the next request
        is the answer: an Authorize, or any other, which stands for empty credentials (4.1).
        """
        if self.state not in (NEW, READY, CHALLENGE):
            raise Misplaced("the last request was not answered")
        if self._opcode is None:
            head = self._reader.take(messages.Opcode)
            if head is None:
                return None
            self._check(head.opcode)
            self._opcode = head.opcode
        record = self._requests[self._opcode]
        if record is messages.ControlOption and self._build < BUILD:
            record = messages.ControlOption2
        request = self._reader.take(record)
        if request is None:
            return None
        self._opcode = None
        if isinstance(request, messages.Init):
            self.client_version = request.version
        if self.state != CHALLENGE:
            self._request = request
        self.state = SERVING if request.reply is not None else CLOSED
        return request

    @property
    def _build(self) -> int:
        """The client's protocol version; one that makes no sense is taken for ours (3.1)."""
        build = self.client_version & 0xFFFF
        return build if build in BUILDS else BUILD

    def _check(self, opcode: int) -> None:
        if opcode not in self._requests:
            raise Misplaced(f"there is no request {opcode}")
        is_init = opcode == messages.Init.opcode
        if is_init != (self.state == NEW):
            raise Misplaced("INIT comes first, and once")
        if opcode == messages.Authorize.opcode and self.state != CHALLENGE:
            raise Misplaced("there was no auth challenge")

    def challenge(self, resource: str) -> bytes:
        """Return the bytes of an auth challenge for *resource*, instead of a reply."""
        request = self._request
        if self.state != SERVING or request is None or not request.may_challenge:
            raise Misplaced(f"{request!r} cannot be answered with an auth challenge")
        self.state = CHALLENGE
        return self.refusal(0, resource).encode()

    def refusal(self, status: int, resource: str | None = None) -> Record:
        """Return the reply to the current request in which all but these two are zero."""
        request = self._request
        if isinstance(request, messages.Open):
            return messages.OpenReply(status, 0, resource)
        if isinstance(request, messages.ControlOption):
            return messages.ControlReply(status, 0, 0, 0, b"", resource)
        if isinstance(request, messages.Start):
            return messages.StartReply(status, 0, 0, resource)
        raise Misplaced(f"{request!r} cannot be refused")

    def acknowledge(self) -> bytes:
        """Return the dummy word that answers an Authorize; reply() or challenge() follow it.

        Send both on their own: the reference client loses a reply that comes with the word (4.1).
        """
        return messages.Acknowledgement(0).encode()

    def reply(self, record: Record) -> bytes:
        """Return the bytes of the final reply to the current request."""
        request = self._request
        wanted = None if request is None else request.reply
        if self.state != SERVING or wanted is None or not isinstance(record, wanted):
            raise Misplaced(f"{record!r} does not answer {request!r}")
        data = record.encode()
        self.state = READY
        return data


# The data stream: records of any length up to LONGEST_RECORD, then the end (5.2 and 5.3).

END = 0xFFFFFFFF
LONGEST_RECORD = END - 1


def record_head(size: int) -> bytes:
    """Return what precedes *size* bytes of image data, 0 to LONGEST_RECORD."""
    if not 0 <= size <= LONGEST_RECORD:
        raise ValueError(f"a record of {size} bytes")
    return size.to_bytes(4, "big")


def frame_end(status: int) -> bytes:
    """Return the five bytes that end a frame: EOF, or the status that read failed with."""
    return END.to_bytes(4, "big") + bytes((status,))
