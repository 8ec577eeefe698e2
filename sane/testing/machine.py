"""What an emulated scanner is to its transport: whole messages in, whole messages out.

A Machine speaks a scanner's protocol and knows no transport: on USB each message is one transfer,
on the network the replies are cut as the host asks for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Fault = Callable[[bytes], "bytes | None"]


class Machine:
    """An emulated scanner; a subclass implements message() and calls reply().

    faults: by the name of a reply, a function that returns what is sent instead, None for nothing.
    """

    welcome = b""  # what the scanner sends to a host that connects to it over the network
    expected = 0  # bytes of the next reply that the host asks for, where a shorter one has to end

    def __init__(self) -> None:
        self.replies: deque[bytes] = deque()
        self.received: list[bytes] = []  # every message of the host, for assertions
        self.faults: dict[str, Fault] = {}
        self.is_silent = False  # a fault: the scanner does not answer any more

    def message(self, data: bytes) -> None:
        """Take one message of the host and reply to it."""
        raise NotImplementedError

    def connected(self) -> None:
        """Take note of a new host: what the last one left behind is dropped."""
        self.forget()

    def forget(self) -> None:
        """Drop what the host has not read."""
        self.replies.clear()

    def take(self, data: bytes) -> None:
        """Note and handle one message of the host."""
        self.received.append(data)
        self.message(data)

    def reply(self, data: bytes, name: str = "") -> bytes:
        """Queue one message to the host, or what the fault *name* makes of it; return that."""
        fault = self.faults.get(name)
        sent = data if fault is None else fault(data)
        if sent is not None:
            self.replies.append(sent)
        return sent or b""

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes of the queued replies, of several if need be."""
        parts = []
        while size and self.replies:
            part = self.replies.popleft()
            if len(part) > size:
                self.replies.appendleft(part[size:])
                part = part[:size]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
