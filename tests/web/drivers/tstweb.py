# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner for the tests of the web server, which fails as the file $TSTWEB says.

Its words, one or more: busy, gone, jam, crash, hang, unplug (in mid-page), hang-open, hang-start,
hang-close, stubborn (ignores cancel), passes (three frames), endless, unknown (no height);
crash-list, hang-list (until the word is gone), missing (from the list), late (a second scanner,
first on the list, whose open returns when the word "asleep" is gone). Without
the word "empty" its feeder has two sheets; "pressed" presses its button; "pixels": it sends no
JPEG. What it was told by option "note" is appended to $TSTWEB.notes.
"""

import os
import signal
import time

from ..backend import (
    CAP_HARD_SELECT,
    CAP_SOFT_DETECT,
    FRAME_BLUE,
    FRAME_GRAY,
    FRAME_GREEN,
    FRAME_RED,
    FRAME_RGB,
    UNIT_PERCENT,
    Device,
    DeviceInfo,
    Parameters,
    errors,
    option,
)
from ..backend import Backend as Base

SENSOR = CAP_SOFT_DETECT | CAP_HARD_SELECT
LONG = 60.0
SHEETS = 2
JPEG = b"\xff\xd8not really a photograph\xff\xd9"


def words():
    try:
        with open(os.environ["TSTWEB"]) as file:
            return file.read().split()
    except (KeyError, OSError):
        return []


class Document:
    def __init__(self):
        self.left = JPEG

    def read_into(self, view):
        n = min(len(view), 10, len(self.left))
        view[:n], self.left = self.left[:n], self.left[n:]
        return n


class Web(Device):
    encoded = () if "pixels" in words() else ("image/jpeg",)
    poll_buttons = "no-poll" not in words()

    source = option.source("Flatbed", "ADF", "ADF Duplex")
    mode = option.mode("Lineart", "Gray", "Color")
    resolution = option.resolution(75, 150, 300)
    area = option.scan_area(width=215.9, height=297.0)
    brightness = option.Int("Brightness", "How light it is.", option.Range(-4, 3), default=0)
    threshold = option.Fixed(
        "Threshold",
        "From here on white.",
        option.Range(0.0, 100.0, 0.5),
        unit=UNIT_PERCENT,
        default=50.0,
        active=option.when(mode="Lineart"),
    )
    note = option.String("Note", "It is written down.", size=40)
    page_loaded = option.Bool("Page loaded", "There is paper.", cap=SENSOR)
    page_loaded.on_get(lambda device: "empty" not in words())
    scan = option.latched("Scan button", "Somebody pressed it.")

    def __init__(self):
        self.sheets = SHEETS
        self.left = 0
        self.number = 0
        self.frame = 0

    @note.changed
    def write_note(self):
        with open(os.environ["TSTWEB"] + ".notes", "a") as file:
            file.write(self.note + "\n")

    def pressed_buttons(self):
        return ["scan"] if "pressed" in words() else []

    def parameters(self):
        found = Parameters.for_area(
            FRAME_RGB if self.mode == "Color" else FRAME_GRAY,
            self.area,
            self.resolution,
            depth=1 if self.mode == "Lineart" else 8,
        )
        lines = -1 if "unknown" in words() else found.lines
        if self.mode == "Color" and "passes" in words():
            format = (FRAME_RED, FRAME_GREEN, FRAME_BLUE)[self.frame % 3]
            last = self.frame % 3 == 2
            return Parameters(format, found.pixels_per_line, lines, 8, last_frame=last)
        return Parameters(found.format, found.pixels_per_line, lines, found.depth)

    def start(self):
        told = words()
        if "hang-start" in told:
            self.sleep(told)
        if "jam" in told:
            raise errors.Jammed("stuck")
        if "gone" in told:
            raise OSError(19, "no such device")
        is_pass = self.mode == "Color" and "passes" in told and self.number
        if is_pass:
            self.frame += 1
        if not is_pass or self.frame % 3 == 0:
            if self.source != "Flatbed":
                if not self.sheets or "empty" in told:
                    raise errors.NoDocs("empty")
                self.sheets -= 1
            self.number += 1
        p = self.parameters()
        lines = p.lines if p.lines > 0 else 50
        self.size = self.left = p.bytes_per_line * lines

    def sleep(self, told):
        if "stubborn" in told:
            while True:
                time.sleep(LONG)
        self.wait(LONG)

    def read_into(self, view):
        told = words()
        done = self.size - self.left
        if done > self.size // 3:
            if "crash" in told:
                os.kill(os.getpid(), signal.SIGSEGV)
                time.sleep(LONG)  # another thread may take it, and this one finish the page
            if "hang" in told:
                self.sleep(told)
            if "unplug" in told:
                raise OSError(19, "no such device")
        n = min(self.left, len(view), 500)
        if "endless" in told:
            self.wait(0.01)
            n = 1
        shade = 50 * self.number + 10 * (self.frame % 3) + self.brightness
        view[:n] = bytes((shade,)) * n
        self.left -= n
        return n

    def conditions(self):
        told = words()
        if "silent" in told:
            return None
        return [errors.CoverOpen("open")] if "cover" in told else []

    def document(self, mime):
        return Document()

    def close(self):
        if "hang-close" in words():
            time.sleep(LONG)


class Backend(Base):
    def list_devices(self, local_only):
        if "crash-list" in words():
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(LONG)
        while "hang-list" in words():
            time.sleep(0.02)
        if "missing" in words():
            return []
        one = DeviceInfo("one", "Acme", "Web 1", "multi-function peripheral", serial="S1")
        late = DeviceInfo("late", "Acme", "Web 0", "flatbed scanner", serial="S0")
        return [late, one] if "late" in words() else [one]

    def open(self, name):
        told = words()
        if "hang-open" in told:
            time.sleep(LONG)
        while name == "late" and "asleep" in words():
            time.sleep(0.02)
        if "busy" in told or "busy" in words():
            raise errors.DeviceBusy("somebody")
        if "gone" in told:
            raise OSError(19, "no such device")
        return Web()
