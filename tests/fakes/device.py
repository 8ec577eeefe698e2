"""A device of small frames that follows a script and notes the calls it gets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from sane import const, errors, option
from sane.backend import Device, Parameters
from sane.config import Environment
from sane.debug import Debug
from sane.option import Bool, Button, Fixed, Group, Int, Range, String

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.handle import Handle

LINES, WIDTH = 4, 10


class Fake(Device):
    """Frames of 40 bytes; a script says what start and read_into do; calls are noted."""

    group = Group("Group")
    number = Int("Number", "", Range(0, 100, 5), default=10)
    sensor = Bool("Sensor", cap=const.CAP_SOFT_DETECT)
    hidden = Int("Hidden", cap=const.CAP_HARD_SELECT)
    quality = Int("Quality", "", (1, 5, 9), auto=5, reloads=const.INFO_RELOAD_PARAMS)
    press = Button("Press")
    text = String("Text", "", ("Color", "Gray"))
    off = Fixed("Off", active=lambda device: False)
    area = option.scan_area(width=200.0, height=200.0)

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: dict[str, BaseException] = {}
        self.answers: list[Any] = []  # of read_into, before it works
        self.lines = LINES
        self.left = 0
        self.pages = 1000
        self.debug = Debug("fake", Environment({}))

    def note(self, call: str) -> None:
        self.calls.append(call)
        if call.partition(" ")[0] in self.fails:
            raise self.fails[call.partition(" ")[0]]

    def parameters(self) -> Parameters:
        return Parameters(const.FRAME_GRAY, WIDTH, self.lines)

    def start(self) -> None:
        self.note("start")
        if not self.pages:
            raise errors.NoDocs("the feeder is empty")
        self.pages -= 1
        self.left = WIDTH * LINES

    def read_into(self, view: memoryview) -> Any:
        self.note("read_into")
        if self.answers:
            return self.answers.pop(0)
        n = min(self.left, len(view))
        view[:n] = b"\x55" * n
        self.left -= n
        return n

    def frame_ended(self) -> None:
        self.note("frame_ended")

    def finish(self, aborted: bool) -> None:
        self.note(f"finish {aborted}")

    def close(self) -> None:
        self.note("close")

    @press.changed
    def _press(self) -> None:
        self.note("press")


def calls(handle: Handle) -> list[str]:
    device = handle.device
    assert isinstance(device, Fake)
    return device.calls


def fake(handle: Handle) -> Fake:
    device = handle.device
    assert isinstance(device, Fake)
    return device


def finishes(handle: Handle) -> list[str]:
    return [call for call in calls(handle) if call.startswith("finish")]


def read(handle: Handle, size: int = 100) -> bytes:
    data = bytearray(size)
    with memoryview(data) as view:
        return bytes(data[: handle.read(view)])


def number(handle: Handle, name: str) -> int:
    return next(item.index for item in handle.options.declared if item.name == name)


def words(*values: int) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


def outcome(call: Callable[[], object]) -> object:
    """Return what *call* gives: None for success, or the class that it raises."""
    try:
        call()
    except errors.SaneError as exc:
        return type(exc)
    return None
