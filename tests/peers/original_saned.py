"""Runs the distribution's saned on an address of the loopback network of its own."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

from tests.peers.frontends import environment, peer
from tests.support.distribution import sane_version

SECONDS = 10.0
PORT = 6566  # the only one that every client knows


class OriginalSaned:
    """Starts a saned for each connection to *address*, as inetd does.

    Standing alone, that of Debian's 1.4.0 ends at the second connection. libraries: what it runs
    on, the distribution's if None.
    """

    def __init__(
        self,
        config: Path,
        *,
        address: str = "127.0.0.1",
        libraries: Path | None = None,
    ) -> None:
        self.address = address
        # Later ones read a frame of less than 1 MiB at once and then say, of a three-pass scan,
        # what the next frame looks like: with the smallest buffer they get there less often.
        small = ("-B", "1") if sane_version() >= (1, 3, 1) else ()
        self._command = [peer("saned"), *small]
        self._environment = environment(config, libraries)
        self._processes: list[subprocess.Popen[bytes]] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, PORT), family=family)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:  # stop has shut it down
                return
            with connection:
                self._processes.append(
                    subprocess.Popen(
                        self._command,
                        env=self._environment,
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=subprocess.DEVNULL,
                    )
                )

    def __enter__(self) -> OriginalSaned:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def kill_all(self) -> None:
        """Kill the processes of all clients."""
        for process in self._processes:
            process.kill()

    def stop(self) -> None:
        """End it, and those of its clients that are still there."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)
        self._listener.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(SECONDS)
            finally:
                process.kill()
