# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""Scanners with one fault each, chosen by the device's name; errors' names fail at start."""

import os
import time

from ..backend import (
    FRAME_GRAY,
    Device,
    Parameters,
    errors,
    option,
)
from ..backend import Backend as _Backend

LATIN = "caf\udce9"  # a text of the frontend's in ISO-8859-1


class Faulty(Device):
    """Eight lines of 64 grey pixels, but for the fault."""

    told = option.Int("Told", "A descriptor.", default=-1)

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.left = 0
        self.kept = []

    def parameters(self) -> Parameters:
        if self.fault == "frame":
            return Parameters(0x0B, 64, 8)
        return Parameters(FRAME_GRAY, 64, 8)

    def start(self) -> None:
        error = getattr(errors, self.fault, None)
        if error is not None:
            raise error("as the name says")
        self.left = 512

    def read_into(self, view: memoryview) -> int:
        if self.fault == "keeper":
            self.kept.append(view[:1])
        elif self.fault == "liar":
            return len(view) + 1
        elif self.fault == "raiser":
            raise ValueError("a mistake")
        elif self.fault == "quitter":
            raise SystemExit(3)
        elif self.fault == "printer":
            print("printed by a driver")
        elif self.fault == "jam" and self.left < 512:
            raise errors.Jammed("in the middle")
        elif self.fault == "sleeper":
            os.write(self.told, b"r")
            while True:  # neither wait nor blocking = "thread"
                time.sleep(0.01)
        elif self.fault == "short" and self.left < 512:
            return 0
        n = min(len(view), self.left, 64)
        view[:n] = bytes(n)
        self.left -= n
        return n


class Backend(_Backend):
    """Any name can be opened; "secret" asks for a password."""

    def list_devices(self, local_only: bool):
        return []

    def open(self, name: str) -> Device:
        if name == "secret":
            answer = self.context.authorize("the vault")
            if answer != ("u" * 127, "p" * 127):
                raise errors.AccessDenied(f"wrong: {answer}")
        if name == LATIN:
            answer = self.context.authorize(LATIN)
            if answer != ("j\udcf6rg", "sch\udcfcssel"):
                raise errors.AccessDenied(f"wrong: {answer}")
        if name == "unopenable":
            raise KeyError(name)
        return Faulty(name)
