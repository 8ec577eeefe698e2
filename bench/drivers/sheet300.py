# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""Sheets of A4 in colour at 300 dpi with the noise of a photograph, as fast as wanted.

The device "fast" waits for nothing, "paced" takes 2 s for a page. When the first bytes of a page
are given, time.monotonic() goes to the file $SHEET300.
"""

import math
import os
import random
import time

from ..backend import FRAME_RGB, Device, DeviceInfo, Parameters, option
from ..backend import Backend as Base

PAGE_SECONDS = 2.0
LINES = 64  # of the picture, again and again


def picture(row_bytes):
    noise = random.Random(1).randbytes(row_bytes * LINES)
    wave = [int(90 + 80 * math.sin(at / 200)) for at in range(row_bytes * LINES)]
    return bytes(low + (byte & 15) for low, byte in zip(wave, noise, strict=True))


class Sheet(Device):
    mode = option.mode("Color")
    resolution = option.resolution(300)
    area = option.scan_area(width=210.0, height=297.0)

    def __init__(self, seconds):
        self.seconds = seconds
        self.rows = b""

    def parameters(self):
        return Parameters.for_area(FRAME_RGB, self.area, self.resolution, depth=8)

    def start(self):
        p = self.parameters()
        if not self.rows:
            self.rows = picture(p.bytes_per_line)
        self.size = p.bytes_per_line * p.lines
        self.done = 0
        self.began = time.monotonic()

    def read_into(self, view):
        if not self.done and "SHEET300" in os.environ:
            with open(os.environ["SHEET300"], "w") as file:
                file.write(str(time.monotonic()))
        at = self.done % len(self.rows)
        n = min(len(view), self.size - self.done, len(self.rows) - at, 1 << 16)
        if self.seconds and n:
            due = self.began + self.seconds * (self.done + n) / self.size
            left = due - time.monotonic()
            if left > 0:
                self.wait(left)
        view[:n] = self.rows[at : at + n]
        self.done += n
        return n


class Backend(Base):
    def list_devices(self, local_only):
        return [DeviceInfo(name, "Acme", f"Sheet {name}", "scanner") for name in ("fast", "paced")]

    def open(self, name):
        return Sheet(PAGE_SECONDS if name == "paced" else 0)
