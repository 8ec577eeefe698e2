"""What the fuzzer tries on a session of saned: any requests in any order, cut anywhere.

The devices are those of the test backend, the connection is made up. The first byte says how many
bytes arrive at once, whether a password is wanted, and what becomes of data connections.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from sane.config import Environment, Line
from sane.errors import DeviceIOError
from sane.sessions.access import SanedConf
from sane.sessions.conversation import Conversation
from sane.sessions.site import Site
from sane.sessions.users import Users
from sane.wire import messages as m

CONFIG = Path(__file__).with_name("sane.d")
MOST_REPLY_BYTES = 1 << 22  # to one request: an array of 1 MiB and the descriptors, generously
PASSWORD, FETCHED, DROPPED = 0x80, 0x40, 0x20  # bits of the first byte; the others: piece size


class Connection:
    """A client whose bytes are all there: always readable, then closed."""

    peer = "fuzz"

    def __init__(self, data: bytes, size: int, null: int) -> None:
        self._data = data
        self._size = size
        self._null = null
        self.sent = bytearray()

    def fileno(self) -> int:
        return self._null

    def receive_now(self, view: memoryview) -> int:
        piece, self._data = self._data[: self._size], self._data[self._size :]
        view[: len(piece)] = piece
        return len(piece)

    def send(self, data: bytes, seconds: float | None = None) -> None:
        assert len(data) <= MOST_REPLY_BYTES
        self.sent += data

    def close(self) -> None:
        return

    def wait_for_end(self, seconds: float) -> None:
        return


class Port:
    """A data port to which the client has connected already, or never does."""

    def __init__(self, number: int, null: int, mode: int) -> None:
        self.number = number
        self._null = null
        self._client: socket.socket | None = None
        self._server: socket.socket | None = None
        if mode & FETCHED:
            self._server, self._client = socket.socketpair()
            if mode & DROPPED:
                self._client.close()

    def fileno(self) -> int:
        return self._null

    def accept(self) -> Any:
        if self._server is None:
            raise DeviceIOError("nobody came")
        return self._server

    def close(self) -> None:
        return

    def end(self) -> None:
        for sock in (self._client, self._server):
            if sock is not None:
                sock.close()


class Ports:
    """Opens Ports, a few; then there is none any more."""

    def __init__(self, null: int, mode: int) -> None:
        self._null = null
        self._mode = mode
        self.opened: list[Port] = []

    def open(self) -> Port:
        if len(self.opened) == 8:
            raise DeviceIOError("no port")
        self.opened.append(Port(len(self.opened) + 1, self._null, self._mode))
        return self.opened[-1]


class NoWatch:
    """Watches nothing: here no client vanishes and no driver hangs."""

    def nothing(self) -> None:
        return

    enter = leave = start = finish = nothing


class FuzzSite(Site):
    """The test backend, with or without a password."""

    def __init__(self, mode: int) -> None:
        environment = Environment({"SANE_CONFIG_DIR": str(CONFIG)})
        self.failures: list[str] = []
        super().__init__(environment, SanedConf(), 4096, self.note)
        self._lines = [Line("users", 1, "joe:secret:test")] if mode & PASSWORD else []

    def note(self, level: int, text: str) -> None:
        if level == 1:
            self.failures.append(text)

    def watch(self, fd: int, interrupt: Any, rests: Any) -> Any:
        return NoWatch()

    def users(self) -> Users:
        return Users(self._lines)


def check(data: bytes) -> None:
    """Run a session on *data*; whatever it says, the session ends by itself with all closed."""
    if not data:
        return
    mode = data[0]
    null = os.open(os.devnull, os.O_RDONLY)
    site = FuzzSite(mode)
    connection, ports = Connection(data[1:], 1 + (mode & 0x1F) * 7, null), Ports(null, mode)
    try:
        session = Conversation(connection, ports, site)  # type: ignore[arg-type]
        session.run()
        session.release()
        assert not session._devices
        assert not site.failures, site.failures
        begins_well = data[1:5] == bytes(4) and len(connection.sent) >= 8
        assert begins_well or not connection.sent
    finally:
        for port in ports.opened:
            port.end()
        os.close(null)


def seeds() -> dict[str, bytes]:
    """Return sessions to begin with."""
    init, opened = m.Init(0x01000003, "joe"), m.Open("test:0")
    described, started = m.GetDescriptors(0), m.Start(0)
    mode = m.ControlOption(0, 2, 1, 3, 6, b"Color\0")
    word = (50 << 16).to_bytes(4, "little")
    sessions: dict[str, list[m.Request]] = {
        "list": [init, m.GetDevices(), m.Exit()],
        "first": [init, m.Open(""), m.GetParameters(0), m.Close(0)],
        "null": [init, m.Open(None), m.Open("pnm:0"), m.Open(":"), m.GetDevices()],
        "options": [
            *(init, opened, described, mode, described),
            m.ControlOption(0, 7, 1, 2, 4, word),
            m.ControlOption(0, 0, 0, 1, 4, bytes(4)),
            m.ControlOption(0, 34, 2, 0, 0, b""),
        ],
        "version-2": [m.Init(2, None), opened, m.ControlOption2(0, 3, 2, 1, 0, b"")],
        "scan": [init, opened, described, started, m.GetParameters(0), m.Cancel(0), started],
        "frames": [init, opened, described, started, started, m.Close(0), m.Exit()],
        "two": [init, opened, m.Open("test:1"), started, m.Start(1), m.Cancel(1), m.Close(1)],
        "password": [
            *(init, opened, m.Authorize("test", "joe", "secret"), described, started),
            *(opened, m.Authorize("test", "joe", "$MD5$0"), opened, m.GetDevices()),
        ],
        "misplaced": [init, m.Authorize("x", "y", "z")],
        "handles": [init, m.Cancel(9), m.Close(-1), m.GetDescriptors(7), m.Start(3)],
    }
    found = {}
    for number, (name, requests) in enumerate(sessions.items()):
        wire = b"".join(request.encode() for request in requests)
        for kind in (0x1F, FETCHED | DROPPED | 0x1F, FETCHED | 1, PASSWORD | number):
            found[f"{name}-{kind:02x}"] = bytes((kind,)) + wire
    return found
