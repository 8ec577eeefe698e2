# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner whose calls wait for their host, so that two calls overlap as a test wants it.

Each call writes its letter to told, and waits for a byte from gate if its letter is among steps:
s start, r read, f finish (F: aborted), c close, g a look at sensor. Cancel does not reach it when
the letter is a capital there; when rude is set it waits for ever, in Python code. After a wait in
finish it writes d. jams: reads fail.

Device "keeps" keeps the states of a scan itself; "asks" asks for a password when it finishes.
"""

import os
import time

from ..backend import CAP_SOFT_DETECT, FRAME_GRAY, Device, Parameters, errors, option
from ..backend import Backend as _Backend


class Stepper(Device):
    """Endless frames of one line in 256 bytes."""

    told = option.Int("Told", "A descriptor.", default=-1)
    gate = option.Int("Gate", "A descriptor.", default=-1)
    steps = option.String("Steps", "The letters that wait.", size=16)
    rude = option.Bool("Rude", "Wait where no cancel comes.")
    sensor = option.Int("Sensor", "What takes a while.", cap=CAP_SOFT_DETECT)
    jams = option.Bool("Jams", "Reads fail.")
    hog = option.Int("Hog", "Setting it keeps the GIL for so many milliseconds.")

    @hog.changed
    def _hog(self):
        import ctypes

        ctypes.PyDLL(None).usleep(1000 * self.hog)

    @sensor.on_get
    def _sense(self):
        self.step("g")
        return 7

    def step(self, letter):
        """Tell the host, and wait for it; return whether that was to be."""
        if self.told >= 0:
            os.write(self.told, letter.encode())
        is_deaf = letter.upper() in self.steps
        if not is_deaf and letter.lower() not in self.steps:
            return False
        while self.rude:
            time.sleep(0.01)  # neither wait nor blocking = "thread"
        if not is_deaf:
            self.wait(None, self.gate)
        os.read(self.gate, 1)
        return True

    def parameters(self) -> Parameters:
        return Parameters(FRAME_GRAY, 256, lines=-1)

    def start(self) -> None:
        self.step("s")

    def read_into(self, view: memoryview) -> int:
        self.step("r")
        if self.jams:
            raise errors.Jammed
        n = min(len(view), 256)
        view[:n] = bytes(n)
        return n

    def finish(self, aborted: bool) -> None:
        if self.step("F" if aborted else "f"):
            os.write(self.told, b"d")

    def close(self) -> None:
        self.step("c")


class Keeper(Stepper):
    """It is told of everything, whatever happened before."""

    keeps_state = True
    scans = False

    def is_scanning(self) -> bool:
        return self.scans

    def start(self) -> None:
        self.scans = True
        super().start()

    def finish(self, aborted: bool) -> None:
        self.scans = False
        super().finish(aborted)


class Asker(Stepper):
    """A device that may not end a job without a password."""

    def __init__(self, authorize) -> None:
        self.authorize = authorize

    def finish(self, aborted: bool) -> None:
        self.authorize("the end")
        super().finish(aborted)


class Backend(_Backend):
    """Any number of any name."""

    def list_devices(self, local_only: bool):
        return []

    def open(self, name: str) -> Device:
        if name == "asks":
            return Asker(self.context.authorize)
        return Keeper() if name == "keeps" else Stepper()
