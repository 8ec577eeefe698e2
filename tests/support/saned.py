"""Runs saned of the tree under test on a free port, and talks to it byte by byte."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sane.wire import messages
from sane.wire.codec import Reader
from tests import ROOT, TREE
from tests.support.server import Server
from tests.support.timing import SECONDS, wait_until

DRIVERS = ROOT / "tests" / "saned" / "drivers"
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sane.saned import main; sys.exit(main())"
)
DEVICE = "test:0"


def configure(folder: Path, dll: str = "test\n", **files: str) -> Path:
    """Write dll.conf, the shipped test.conf and *files* (``saned_conf`` is saned.conf)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text(dll)
    (folder / "test.conf").write_text((ROOT / "etc" / "test.conf").read_text())
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return folder


def environment(config: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which programs read *config*."""
    dropped = ("SANE_", "LD_", "PYTHON", "PYSANE_", "LISTEN_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return {**kept, "LC_ALL": "C", "SANE_CONFIG_DIR": str(config), **variables}


def command(*arguments: str) -> list[str]:
    """Return the command line of saned."""
    return [sys.executable, "-I", "-c", START, str(TREE), *arguments]


class Saned(Server):
    """A running server."""

    def __init__(
        self, config: Path, *arguments: str, address: str = "127.0.0.1", port: int = 0, **env: str
    ) -> None:
        self.address = address
        words = ("-l", "-e", "-d5", "-b", address, "-p", str(port), *arguments)
        super().__init__(command(*words), environment(config, **env))
        try:
            line = self.wait_for("listening on ")
            self.port = int(line.rpartition(":")[2])
            self.wait_for("ready")
        except BaseException:
            self.stop()
            raise

    def wait_for(self, text: str, seconds: float = SECONDS, begin: int = 0) -> str:
        """Return the first line of the log, from character *begin* on, that contains *text*."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [line for line in self.log[begin:].split("\n")[:-1] if text in line]
            return bool(found) or self.process.poll() is not None

        assert wait_until(look, seconds) and (look(), found)[1], f"no {text!r} in\n{self.log}"
        return found[0]

    def wait_for_children(self, count: int) -> None:
        """Wait until it has *count* clients."""
        assert wait_until(lambda: len(self.children()) == count), self.children()

    def connect(self) -> Client:
        """Return a client that has said nothing yet."""
        return Client(self.address, self.port)

    def client(self) -> Client:
        """Return a client whose INIT was answered."""
        client = self.connect()
        assert client.ask(messages.Init(0x01000003, "tester")).status == 0
        return client


class Client:
    """A client that does exactly what it is told; every wait has a deadline."""

    def __init__(self, address: str | Path, port: int = 0) -> None:
        if isinstance(address, Path):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(address))
        else:
            self.sock = socket.create_connection((address, port), SECONDS)
        self.address = address
        self.sock.settimeout(SECONDS)
        self._reader = Reader()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self, size: int) -> bytes:
        """Return *size* bytes, fewer if the server closes."""
        data = b""
        while len(data) < size:
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionResetError:
                break
            if not more:
                break
            data += more
        return data

    def is_closed(self) -> bool:
        """Wait for the server to close; tell whether it sent nothing before."""
        return self.receive(1) == b""

    def take(self, record: Any) -> Any:
        """Return the next reply."""
        while (reply := self._reader.take(record)) is None:
            data = self.sock.recv(65536)
            assert data, f"closed instead of a {record.__name__}"
            self._reader.feed(data)
        return reply

    def ask(self, request: Any) -> Any:
        """Send a request and return its reply."""
        self.send(request.encode())
        return self.take(request.reply)

    def open(self, name: str | None = DEVICE) -> int:
        """Open a device, fetch its descriptors, return the handle."""
        reply = self.ask(messages.Open(name))
        assert (reply.status, reply.resource) == (0, None), reply
        self.ask(messages.GetDescriptors(reply.handle))
        return int(reply.handle)

    def start(self, handle: int) -> socket.socket:
        """Start a frame and return the data connection."""
        reply = self.ask(messages.Start(handle))
        assert reply.status == 0, reply
        return self.fetch(reply.port)

    def fetch(self, port: int) -> socket.socket:
        """Return a data connection to *port*."""
        if isinstance(self.address, Path):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(f"{self.address}.{port}")
        else:
            sock = socket.create_connection((self.sock.getpeername()[0], port), SECONDS)
        sock.settimeout(SECONDS)
        return sock


def read_all(sock: socket.socket) -> bytes:
    """Return everything up to the end of the connection, which is closed."""
    data = b""
    with contextlib.closing(sock):
        while more := sock.recv(1 << 20):
            data += more
    return data


def split_frame(data: bytes) -> tuple[bytes, bytes]:
    """Return the image of a data stream, and what follows its records."""
    image = b""
    while data[:4] not in (b"\xff\xff\xff\xff", b""):
        size = int.from_bytes(data[:4], "big")
        assert len(data) >= 4 + size
        image += data[4 : 4 + size]
        data = data[4 + size :]
    return image, data


@contextlib.contextmanager
def clients(server: Saned, count: int) -> Iterator[list[Client]]:
    """Yield *count* clients whose INIT was answered."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.client()) for _ in range(count)]
