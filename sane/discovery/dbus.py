"""A connection to the system's D-Bus on which every wait ends: by a deadline, or by a cancel.

jeepney makes the messages and reads them; the socket, the time and the limits are ours. What comes
was checked by the bus, whose socket belongs to the system: it may be late, or another program, but
no other user speaks here. Source: D-Bus specification, "Authentication Protocol", "Message
Protocol" and "Well-known Message Bus Instances".
"""

from __future__ import annotations

import os

from ..errors import DeviceIOError
from ..transport.failures import Disconnected, NoAnswer
from ..transport.opening import Target, open_stream
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..cancel import Cancels
    from ..transport.streams import ByteStream

SOCKET = "/var/run/dbus/system_bus_socket"
BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
TO_BUS = BUS, BUS_PATH, BUS
SEND_SECONDS = 0.5  # the bus takes what it is sent at once, unless it hangs
RECEIVE_BYTES = 1 << 16
MOST_BYTES = 8 << 20  # of one connection: ten thousand announcements are less than a third
GREETING_BYTES = 512


class Message:
    """What came: a signal, the answer to a call, or its failure.

    reply_to: the number of the call that it answers, 0 for a signal. error: the name of the error,
    "" otherwise. body: its values. Raises TypeError if a field of the header is of another type.
    """

    __slots__ = ("body", "error", "interface", "member", "path", "reply_to", "sender")

    def __init__(self, fields: dict[int, Any], body: Sequence[Any]) -> None:
        self.path: str = fields.get(1, "")
        self.interface: str = fields.get(2, "")
        self.member: str = fields.get(3, "")
        self.error: str = fields.get(4, "")
        self.reply_to: int = fields.get(5, 0)
        self.sender: str = fields.get(7, "")
        self.body = body
        texts = self.path, self.interface, self.member, self.error, self.sender
        if not isinstance(self.reply_to, int) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"header {fields}")

    def has(self, *types: type) -> bool:
        """Tell whether the values of the body are of these types."""
        return len(self.body) == len(types) and all(map(isinstance, self.body, types))


class Bus:
    """An open connection. Failures are a DeviceIOError that names the socket."""

    def __init__(self, stream: ByteStream) -> None:
        from jeepney.low_level import Parser

        self._stream = stream
        self._parser = Parser()
        self._view = memoryview(bytearray(RECEIVE_BYTES))
        self._received = 0
        self._calls = 0

    @classmethod
    def open(cls, path: str, seconds: float, cancel: Cancels | None) -> Bus:
        """Return a connection to the bus at *path*, which has *seconds* to greet us.

        Raises ImportError without jeepney, DeviceIOError where no bus answers.
        """
        import jeepney.low_level  # noqa: F401 - before anything is opened

        deadline = Deadline(seconds)
        stream = open_stream(Target("", 0, path), seconds, cancel)
        try:
            user = str(os.geteuid()).encode().hex()
            stream.send(f"\0AUTH EXTERNAL {user}\r\n".encode(), deadline.left())
            _read_greeting(stream, deadline)
            stream.send(b"BEGIN\r\n", deadline.left())
            bus = cls(stream)
            bus.call(TO_BUS, "Hello")
            return bus
        except BaseException:
            stream.close()
            raise

    def call(
        self,
        to: tuple[str, str, str],
        member: str,
        signature: str | None = None,
        body: tuple[object, ...] = (),
    ) -> int:
        """Send a method call; return the number by which its answer is known.

        to: the program's name on the bus, the path of its object, and the interface. No program is
        started for it: a daemon that does not run fails the call. That the bus is gone is told by
        receive, after what it had sent before.
        """
        from jeepney import DBusAddress, new_method_call
        from jeepney.low_level import MessageFlag

        destination, path, interface = to
        address = DBusAddress(path, destination, interface)
        message = new_method_call(address, member, signature, body)
        message.header.flags = MessageFlag.no_auto_start
        self._calls += 1
        from contextlib import suppress

        with suppress(Disconnected):
            self._stream.send(message.serialise(self._calls), SEND_SECONDS)
        return self._calls

    def receive(self, seconds: float) -> Message | None:
        """Return the next message, None when *seconds* have passed without one."""
        deadline = Deadline(seconds)
        while (message := self._next()) is None:
            try:
                n = self._stream.receive_into(self._view, deadline.left())
            except NoAnswer:
                return None
            if not n:
                raise Disconnected(f"{self._stream.peer}: closed")
            self._received += n
            if self._received > MOST_BYTES:
                raise DeviceIOError(f"{self._stream.peer}: more than {MOST_BYTES} bytes came")
            self._parser.add_data(bytes(self._view[:n]))
        return message

    def _next(self) -> Message | None:
        """Return the next message that has come whole."""
        try:
            found = self._parser.get_next_message()
            if found is None:
                return None
            fields = {int(field): value for field, value in found.header.fields.items()}
            return Message(fields, found.body)
        except Exception as exc:  # jeepney raises whatever the bytes lead it to
            raise DeviceIOError(f"{self._stream.peer}: what came is no D-Bus: {exc!r}") from exc

    def close(self) -> None:
        """End the connection: the daemon drops what was asked on it."""
        self._stream.close()


def _read_greeting(stream: ByteStream, deadline: Deadline) -> None:
    """Take the bus's answer to who we are; raises DeviceIOError if it is not OK."""
    said = b""
    byte = memoryview(bytearray(1))
    while not said.endswith(b"\r\n") and len(said) < GREETING_BYTES:
        stream.receive_exactly(byte, deadline.left())
        said += bytes(byte)
    if not said.startswith(b"OK "):
        raise DeviceIOError(f"{stream.peer}: it answers {said!r}")
