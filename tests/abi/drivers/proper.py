# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner that keeps all rules, for tests of the C ABI; its host paces it through two pipes.

Options gate and told are descriptors of the host: each line waits for a byte from gate; told
gets r before such a wait, s at start, f or F (aborted) at finish and c at close.
"""

import os

from ..backend import (
    CAP_SOFT_DETECT,
    FRAME_GRAY,
    FRAME_RGB,
    Device,
    DeviceInfo,
    Parameters,
    Range,
    errors,
    option,
    when,
)
from ..backend import Backend as _Backend

FLATBED, ADF = (75, 150, 300, 600), (100, 200)
PAGES = 3
PATTERN = bytes(range(251)) * 40  # 251 is prime: no line looks like the one before


class Scanner(Device):
    """A flatbed with a feeder of three pages; every kind of option."""

    standard = option.Group("Standard")
    mode = option.mode("Gray", "Color", "Color Lineart")
    source = option.source("Flatbed", "ADF")
    resolution = option.resolution(*FLATBED)
    preview = option.preview()
    area = option.scan_area(width=100.0, height=50.0)

    kinds = option.Group("Kinds")
    level = option.Int("Level", "A number in steps.", Range(-10, 10, 4), default=-2, auto=2)
    percent = option.Fixed("Percent", "A real number.", Range(-1.5, 100.0), default=0)
    table = option.Int("Table", "A vector.", Range(0, 255), length=16)
    label = option.String("Label", "A free text.", size=32)
    color_only = option.Bool("Color only", "Inactive in Gray.", active=when(mode="Color"))
    sensor = option.Int("Sensor", "Counts how often it is read.", cap=CAP_SOFT_DETECT)
    press = option.Button("Press", "Counts how often it is pressed.")
    pressed = option.Int("Pressed", "How often.", cap=CAP_SOFT_DETECT)
    refused = option.Bool("Refused", "Cannot be switched on.")

    pacing = option.Group("Pacing")
    gate = option.Int("Gate", "A descriptor.", default=-1)
    told = option.Int("Told", "A descriptor.", default=-1)

    def __init__(self) -> None:
        self.page = self.left = self.position = self.reads = 0

    @resolution.constrained("source")
    def _resolutions(self):
        return ADF if self.source == "ADF" else FLATBED

    @sensor.on_get
    def _sense(self):
        self.reads += 1
        return self.reads

    @press.changed
    def _press(self):
        self.pressed += 1

    @refused.changed
    def _refuse(self):
        if self.refused:
            raise errors.CoverOpen("close the cover first")

    def tell(self, letter: bytes) -> None:
        """Write to the host's pipe."""
        if self.told >= 0:
            os.write(self.told, letter)

    def parameters(self) -> Parameters:
        frame = FRAME_RGB if self.mode == "Color" else FRAME_GRAY
        return Parameters.for_area(frame, self.area, self.resolution, depth=8)

    def start(self) -> None:
        self.tell(b"s")
        if self.source == "ADF":
            if self.page == PAGES:
                self.page = 0
                raise errors.NoDocs("the feeder is empty")
            self.page += 1
        params = self.parameters()
        self.line = params.bytes_per_line
        self.left = params.bytes_per_line * params.lines
        self.position = self.line_left = 0

    def read_into(self, view: memoryview) -> int:
        if not self.left:
            return 0
        if not self.line_left:
            self.await_line()
            self.line_left = self.line
        first = (self.position + self.page) % 251
        n = min(len(view), self.line_left, len(PATTERN) - first)
        view[:n] = PATTERN[first : first + n]
        self.left -= n
        self.line_left -= n
        self.position += n
        return n

    def await_line(self) -> None:
        """Wait until the host lets the next line go."""
        if self.gate >= 0:
            self.tell(b"r")
            self.wait(None, self.gate)
            os.read(self.gate, 1)

    def finish(self, aborted: bool) -> None:
        self.page = 0
        self.tell(b"F" if aborted else b"f")

    def close(self) -> None:
        self.tell(b"c")


class Threaded(Scanner):
    """One that blocks where no cancel can wake it: a plain read of the pipe."""

    blocking = "thread"

    def await_line(self) -> None:
        if self.gate >= 0:
            self.tell(b"r")
            os.read(self.gate, 1)


class Backend(_Backend):
    """Devices flat and thread; any number of each may be open."""

    def list_devices(self, local_only: bool):
        fifo = self.context.environment.get("PYSANE_TEST_FIFO")
        if fifo:
            with open(fifo, "rb") as file:  # until the host opens it and closes it
                file.read()
        names = ["flat", "thread"] if local_only else ["flat", "thread", "remote"]
        return [DeviceInfo(name, "Noname", "Proper", "flatbed scanner") for name in names]

    def open(self, name: str) -> Device:
        if name in ("", "flat"):
            return Scanner()
        if name == "thread":
            return Threaded()
        raise errors.Invalid(f"no device {name!r}")
