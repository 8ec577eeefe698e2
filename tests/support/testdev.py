"""The test device through a registry: options by number, reads."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.handle import Handle
from tests import ROOT

FEEDER = b"Automatic Document Feeder\0"
MODE, DEPTH, HAND, THREE_PASS, ORDER, RESOLUTION, SOURCE = 2, 3, 4, 5, 6, 7, 8
PICTURE, INVERT, LIMIT, LIMIT_SIZE, DELAY, DURATION, FORCED, LOSS = 10, 11, 12, 13, 14, 15, 16, 17
FUZZY, NON_BLOCKING, SELECT_FD, TEST_OPTIONS, TL_X, BR_X, BR_Y = 18, 19, 20, 21, 24, 26, 27


def words(*values: int) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


def fixed(value: float) -> bytes:
    return words(int(value * 65536))


class Stack:
    """A backend on a config directory; devices are closed after the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry: Any = None
        self.handles: list[Handle] = []

    def configure(self, text: str | None, debug: str = "") -> Stack:
        if text is not None:
            (self.folder / "test.conf").write_text(text)
        variables = {"SANE_CONFIG_DIR": str(self.folder)}
        if debug:
            variables["SANE_DEBUG_TEST"] = debug
        self.registry = registry_for("test", Context(Environment(variables)))
        return self

    def open(self, name: str | None = "0") -> Handle:
        handle: Handle = self.registry.open(name)
        self.handles.append(handle)
        return handle

    def close(self, handle: Handle) -> None:
        self.handles.remove(handle)
        handle.close()

    def value(self, index: int, text: str) -> bytes:
        """Return the first value of option *index* after configuring *text*."""
        handle = self.configure(text).open()
        fetch(handle)
        return handle.get(index)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    found = Stack(tmp_path)
    yield found
    for handle in found.handles:
        handle.close()
    found.registry.exit()


@pytest.fixture
def handle(stack: Stack) -> Handle:
    found = stack.configure((ROOT / "etc" / "test.conf").read_text()).open()
    fetch(found)
    return found


def fetch(handle: Handle) -> None:
    for index in range(len(handle.options)):
        handle.descriptor(index)


def put(handle: Handle, index: int, data: bytes) -> tuple[bytes, int]:
    """Set an option, then fetch all descriptors as a good frontend does."""
    result = handle.set(index, data)
    fetch(handle)
    return result


def outcome(call: Callable[[], object]) -> object:
    try:
        call()
    except errors.SaneError as exc:
        return type(exc)
    return None


def read(handle: Handle, size: int = 1 << 20) -> bytes:
    data = bytearray(size)
    return bytes(data[: handle.read(memoryview(data))])


def read_all(handle: Handle) -> bytes:
    data = b""
    while True:
        try:
            data += read(handle)
        except errors.EndOfFrame:
            return data


def frame(handle: Handle) -> bytes:
    handle.start()
    return read_all(handle)
