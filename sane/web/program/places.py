"""Where the server keeps its state, alone, and the settings with what the command line says.

It knows folders and locks, and what options replace.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import ShareSettings

CANNOT_LISTEN, OUTPUT = 69, 73
STATE = "pysane-share"
LOCK = "lock"


class CannotRun(Exception):
    """The program cannot do its work. status: its exit status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def changed(settings: ShareSettings, options: Any) -> ShareSettings:
    """Return the settings with what the command line says instead."""
    server, https = settings.server, settings.https
    if options.port is not None:
        server = replace(server, port=options.port)
        https = replace(https, port=0 if not options.port else https.port)
    if options.bind:
        server = replace(server, addresses=tuple(options.bind))
    if options.announce is not None:
        server = replace(server, announce=options.announce)
    if options.https is not None:
        https = replace(https, enabled=options.https)
    return replace(settings, server=server, https=https)


def state_folder(path: str) -> Path:
    """Return the private folder that outlives the server, made if need be."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    service = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    folder = Path(path or service or os.path.join(home, STATE))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        info = folder.stat()
        if info.st_uid == os.geteuid() and info.st_mode & 0o077:
            folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable")
    except OSError as exc:
        text = f"the folder for its state, {folder}: {exc.strerror}; --state gives it another"
        raise CannotRun(OUTPUT, text) from exc
    return folder


def locked(state: Path) -> int:
    """Return a descriptor that keeps other servers out of *state*; raises CannotRun."""
    fd = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(fd, 32).decode("ascii", "replace").strip() or "?"
        os.close(fd)
        text = f"another server uses {state} (pid {pid}); --state gives this one its own"
        raise CannotRun(CANNOT_LISTEN, text) from None
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return fd
