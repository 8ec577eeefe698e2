"""Makes the backend net, as the registry does, for servers of the tests."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from sane.backend import Context
from sane.config import Environment
from sane.errors import EndOfFrame
from sane.handle import Handle
from sane.net.client import Backend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = 10.0  # seconds until something must have happened
Authorize = "Callable[[str], tuple[str, str]]"


def backend(
    folder: Path,
    conf: str,
    authorize: Callable[[str], tuple[str, str]] | None = None,
    **variables: str,
) -> Backend:
    """Return the initialised backend for a net.conf with the text *conf*."""
    folder.mkdir(exist_ok=True)
    (folder / "net.conf").write_text(conf)
    environment = Environment({"SANE_CONFIG_DIR": os.fspath(folder), **variables})
    made = Backend("net", Context(environment, authorize))
    made.init()
    return made


def handle(made: Backend, name: str) -> Handle:
    """Open a device and return its handle."""
    device = made.open(name)
    device.debug = made.debug
    return Handle(device)


def frame(opened: Handle, room: int = 1 << 15) -> bytes:
    """Start, and return the bytes of one frame."""
    opened.start()
    return rest(opened, room)


def rest(opened: Handle, room: int = 1 << 15) -> bytes:
    """Return what is left of the frame."""
    buffer: Any = memoryview(bytearray(room))
    data = b""
    try:
        while True:
            data += buffer[: opened.read(buffer)]
    except EndOfFrame:
        return data


def wait_for(condition: Any) -> None:
    """Return when *condition* holds; fails when it never does."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.002)
