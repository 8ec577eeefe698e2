"""Runs the distribution's saned on an address of the loopback network of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

from tests.peers.frontends import environment, peer

SECONDS = 10.0
PORT = 6566  # the only one that every client knows


class OriginalSaned:
    """A running server; log is the file that it writes to."""

    def __init__(self, config: Path, *arguments: str, address: str = "127.0.0.1") -> None:
        self.address = address
        self.log = config.with_name(f"{config.name}.log")
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [peer("saned"), "-l", "-e", "-d5", "-b", address, "-p", str(PORT), *arguments],
                env=environment(config, None),
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                socket.create_connection((self.address, PORT), SECONDS).close()
                return
            time.sleep(0.01)
        raise AssertionError(f"saned does not listen\n{self.log.read_text()}")

    def __enter__(self) -> OriginalSaned:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def children(self) -> list[int]:
        """Return the processes of its clients."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def stop(self) -> None:
        """End it, and those of its clients that are still there."""
        with contextlib.suppress(OSError):
            for pid in self.children():
                os.kill(pid, 15)
        self.process.terminate()
        self.process.wait(SECONDS)
