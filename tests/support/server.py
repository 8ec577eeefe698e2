"""A server of ours as a process. Its log is a file, which never makes it wait."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, TypeVar

SECONDS = 15.0  # to end, which takes milliseconds

Started = TypeVar("Started", bound="Server")


class Server:
    """What saned and pysane share have in common: a log, children, an end.

    argv, env: of the process, whose output is the log. options: more for Popen.
    """

    def __init__(self, argv: list[str], env: dict[str, str], **options: Any) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            argv, env=env, stdout=self._log, stderr=self._log, **options
        )

    def __enter__(self: Started) -> Started:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has written so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode()

    def children(self) -> list[int]:
        """Return its child processes: of saned one a client, of a share its workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; return its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
            self._log.close()
