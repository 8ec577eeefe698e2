"""A device whose pages and mishaps a test writes down, and which notes what happens to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sane import const, errors, option
from sane.api.scanner import Scanner
from sane.backend import Device, Parameters
from sane.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable

Frame = tuple[Parameters, bytes]

SECONDS = 10
WIDTH, LINES = 10, 4


def gray(value: int, *, last: bool = True) -> Frame:
    """Return a gray frame of one value."""
    params = Parameters(const.FRAME_GRAY, WIDTH, LINES, last_frame=last)
    return params, bytes([value]) * WIDTH * LINES


def rgb(red: int, green: int, blue: int, *, last: bool = True) -> Frame:
    """Return a frame of one colour."""
    params = Parameters(const.FRAME_RGB, WIDTH, LINES, last_frame=last)
    return params, bytes([red, green, blue]) * WIDTH * LINES


class Sheets(Device):
    """Frames in the order of *script*; an exception in their place is raised by start.

    calls: start, finish and close as they come. When *script* is empty, so is the feeder.
    """

    source = option.source("Flatbed", "ADF", "ADF Duplex", default="ADF")
    resolution = option.resolution(75, 150, 300)
    pressed = option.Bool("Pressed", name="scan", cap=const.CAP_SOFT_DETECT | const.CAP_HARD_SELECT)

    def __init__(self, *script: Frame | BaseException, piece: int = 1 << 20) -> None:
        self.script = list(script)
        self.calls: list[str] = []
        self.piece = piece
        self.frame: Frame = gray(0)
        self.at = 0
        self.reads = 0
        self.button = 0
        self.on_read: Callable[[Sheets], Any] | None = None

    @pressed.on_get
    def _pressed(self) -> bool:
        return bool(self.button)

    def parameters(self) -> Parameters:
        return self.frame[0]

    def start(self) -> None:
        self.calls.append("start")
        if not self.script:
            raise errors.NoDocs("the feeder is empty")
        item = self.script.pop(0)
        if isinstance(item, BaseException):
            raise item
        self.frame, self.at = item, 0

    def read_into(self, view: memoryview) -> int:
        self.reads += 1
        if self.on_read is not None:
            self.on_read(self)
        data = self.frame[1]
        n = min(self.piece, len(view), len(data) - self.at)
        view[:n] = data[self.at : self.at + n]
        self.at += n
        return n

    def finish(self, aborted: bool) -> None:
        self.calls.append(f"finish {aborted}")

    def close(self) -> None:
        self.calls.append("close")


class Deaf(Sheets):
    """It blocks in a read until ``free`` is set, whatever it is told; ``blocks`` says so."""

    def __init__(self, *script: Frame | BaseException) -> None:
        super().__init__(*(script or (gray(1),)))
        self.blocks = threading.Event()
        self.free = threading.Event()
        self.on_read = self._block

    def _block(self, _: Sheets) -> None:
        self.blocks.set()
        self.free.wait(SECONDS)


class Waiting(Sheets):
    """It waits in a read, as a driver may, until it is cancelled; ``waits`` says that it does."""

    def __init__(self, *script: Frame | BaseException) -> None:
        super().__init__(*(script or (gray(1),)))
        self.waits = threading.Event()
        self.on_read = self._wait

    def _wait(self, _: Sheets) -> None:
        self.waits.set()
        self.wait(SECONDS)


def opened(device: Device) -> Scanner:
    """Return a Scanner of *device*."""
    return Scanner.around(Handle(device), "sheets:0")
