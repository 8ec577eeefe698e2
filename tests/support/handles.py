"""What tests do with a handle: set an option as a frontend does, and take whole pages."""

from __future__ import annotations

from typing import Any

from sane import errors
from sane.handle import Handle


def put(handle: Handle, attribute: str, value: Any) -> None:
    """Set an option as a frontend does."""
    option = getattr(type(handle.device), attribute)
    handle.set(option.index, option.encode(value))


def read(handle: Handle, room: int = 1 << 16) -> bytes:
    """Return all of the frame."""
    view, out = memoryview(bytearray(room)), bytearray()
    while True:
        try:
            n = handle.read(view)
        except errors.EndOfFrame:
            return bytes(out)
        out += view[:n]


def page(handle: Handle) -> bytes:
    """Return the next page."""
    handle.start()
    return read(handle)
