"""`pysane share` of the tree under test as a process, on free ports of the loopback."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT, TREE
from tests.support.saned import environment
from tests.support.server import Server
from tests.support.timing import wait_until

DRIVERS = ROOT / "tests" / "web" / "drivers"
SECONDS = 60.0  # for anything that takes a second: others may have the machine
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sane.cli.pysane.main import main;"
    " sys.exit(main(['share', *sys.argv[1:]]))"
)


def needs_web() -> None:
    """Skip where the packages of the extra ``web`` are not installed."""
    for name in ("uvicorn", "starlette", "segno", "cryptography", "argon2"):
        pytest.importorskip(name, reason=f"peer absent: the Python package {name}")


def configure(folder: Path, settings: str = "", dll: str = "test\n") -> Path:
    """Write dll.conf, the shipped test.conf and pysane-share.toml; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text(dll)
    (folder / "test.conf").write_text((ROOT / "etc" / "test.conf").read_text())
    (folder / "pysane-share.toml").write_text(settings)
    return folder


class Faults:
    """What the driver tstweb is to do wrong, and what it was told."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tstweb"
        self._drivers = folder / "drivers"
        self._drivers.mkdir(mode=0o755)
        for driver in DRIVERS.glob("*.py"):  # a checkout may be writable by a group: not loaded
            shutil.copyfile(driver, self._drivers / driver.name)
            (self._drivers / driver.name).chmod(0o644)
        self.set("")

    @property
    def variables(self) -> dict[str, Any]:
        """The environment in which workers find driver and faults."""
        return {"TSTWEB": str(self._file), "PYSANE_BACKEND_PATH": str(self._drivers)}

    def set(self, words: str) -> None:
        """Fail so from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(words)
        new.replace(self._file)

    def notes(self) -> list[str]:
        """Return what option note was set to, in order."""
        notes = self._file.with_suffix(".notes")
        return notes.read_text().split() if notes.exists() else []


class Share(Server):
    """A running server. state: its folder.

    tree: whose server it is; the staged one has the compiled parts. announces: as it is configured
    to.
    """

    def __init__(
        self,
        config: Path,
        state: Path,
        *arguments: str,
        tree: Path = TREE,
        announces: bool = False,
        **variables: str,
    ) -> None:
        self.state = state
        words = ["--port", "0", "--bind", "127.0.0.1", "-vv"]
        words += [] if announces else ["--no-announce"]
        argv = [sys.executable, "-I", "-c", START, str(tree), *words]
        super().__init__(
            [*argv, "--state", str(state), *arguments],
            environment(config, **variables),
            stdin=subprocess.DEVNULL,
        )
        try:
            self.port = int(self.wait_for(r"http://127\.0\.0\.1:(\d+)/").group(1))
            https = re.search(r"https://127\.0\.0\.1:(\d+)/", self.log)
            self.https_port = int(https.group(1)) if https else 0
        except BaseException:
            self.stop()
            raise

    def wait_for(self, pattern: str, seconds: float = SECONDS) -> re.Match[str]:
        """Return where its output matches *pattern*."""

        def look() -> bool:
            return bool(re.search(pattern, self.log)) or self.process.poll() is not None

        wait_until(look, seconds)
        found = re.search(pattern, self.log)
        assert found, f"no {pattern!r} in\n{self.log}"
        return found

    def connect(self, source: str = "", tls: bool = False) -> socket.socket:
        """Return a connection, from the address *source*."""
        port = self.https_port if tls else self.port
        where = (source, 0) if source else None
        sock = socket.create_connection(("127.0.0.1", port), SECONDS, source_address=where)
        if not tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(sock)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the reply to one request."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        with contextlib.closing(client):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, path, body, names)
            reply = client.getresponse()
            found = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, found, reply.read()

    def raw(self, data: bytes) -> bytes:
        """Return all that comes back for *data* until the server closes."""
        with self.connect() as sock:
            sock.sendall(data)
            return until_closed(sock)


def until_closed(sock: socket.socket) -> bytes:
    """Return what comes until the end of the connection, however it ends."""
    data = bytearray()
    with contextlib.suppress(ConnectionError):
        while got := sock.recv(1 << 16):
            data += got
    return bytes(data)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Check that a block takes no longer than *seconds*."""
    import time

    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def eventually(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until condition() is true; return that."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [condition()]
        return bool(found[0])

    assert wait_until(look, seconds)
    return found[0]
