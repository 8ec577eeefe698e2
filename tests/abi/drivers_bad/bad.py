# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""Scanners with one fault each: the device's name chooses the method of the same name.

A good scan is 8 lines of 64 gray pixels. Names that start with open_ fail in the constructor,
with list_ in the list of devices (the variable PYSANE_BAD_LIST), others in the device's calls.
"""

import os
import time

from ..backend import Backend as _Backend
from ..backend import Device, DeviceInfo, Parameters, errors, option, when
from ..option import Bool, Button, Int, Range

RAISED = {
    "os_error": OSError(5, "cable"),
    "permission_error": PermissionError(13, "not yours"),
    "memory_error": MemoryError(),
    "keyboard_interrupt": KeyboardInterrupt(),
    "system_exit": SystemExit(3),
    "key_error": KeyError("mistake"),
    "stop_iteration": StopIteration(),
    "jammed": errors.Jammed("paper"),
    "no_docs": errors.NoDocs("tray"),
}
RETURNED = {
    "more": lambda view: len(view) + 1,
    "huge": lambda view: 1 << 80,
    "negative": lambda view: -1,
    "none": lambda view: None,
    "str": lambda view: "64",
    "float": lambda view: 64.0,
    "view": lambda view: view,
}
PARAMETERS = {
    "none": None,
    "tuple": (0, True, 64, 64, 8, 8),
    "format": Parameters(7, 64, 8),
    "depth": Parameters(0, 64, 8, 3),
    "negative": Parameters(0, -64, 8),
    "zero": Parameters(0, 0, 0),
    "huge": Parameters(0, 1 << 40, 8),
    "text": Parameters("0", "64", "8", bytes_per_line="64"),
}


class Good(Device):
    """What works, for a fault to replace."""

    number = Int("Number", "", Range(0, 100), default=7)

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.left = 0
        self.kept = None

    def parameters(self) -> Parameters:
        return Parameters(0, 64, 8)

    def start(self) -> None:
        self.left = 512

    def read_into(self, view: memoryview) -> int:
        n = min(len(view), self.left, 64)
        view[:n] = b"\x2a" * n
        self.left -= n
        return n


class Raises(Good):
    """CALL_raises_WHAT: raises it in that call."""

    button = Button("Button")

    def _raise(self, call: str) -> None:
        if self.fault.startswith(f"{call}_raises_"):
            raise RAISED[self.fault.partition("_raises_")[2]]

    @button.changed
    def _pressed(self) -> None:
        self._raise("button")

    def parameters(self) -> Parameters:
        self._raise("parameters")
        return super().parameters()

    def start(self) -> None:
        self._raise("start")
        super().start()

    def read_into(self, view: memoryview) -> int:
        self._raise("read")
        return super().read_into(view)

    def finish(self, aborted: bool) -> None:
        self._raise("finish")

    def close(self) -> None:
        self._raise("close")


class Returns(Good):
    """read_returns_WHAT."""

    def read_into(self, view: memoryview) -> object:
        return RETURNED[self.fault.removeprefix("read_returns_")](view)


class ReturnsParameters(Good):
    """parameters_return_WHAT."""

    def parameters(self) -> object:
        return PARAMETERS[self.fault.removeprefix("parameters_return_")]


class Nothing(Device):
    """Implements no method at all."""

    def __init__(self, fault: str) -> None:
        pass


class NoInit(Device):
    """Lacks what the framework relies on: a condition looks at what __init__ did not set."""

    number = Int("Number", active=lambda device: device.missing)

    def __init__(self, fault: str) -> None:
        pass


class Keeps(Good):
    """keeps_WHAT: keeps the view, and uses what it kept in the next call."""

    def read_into(self, view: memoryview) -> int:
        if self.kept is not None:
            self.kept[:8] = b"overrun!"
        self.kept = {"view": view, "slice": view[:8], "cast": view.cast("B")}[self.fault[6:]]
        return super().read_into(view)


class WritesPast(Good):
    """writes_past: a byte more than the view holds."""

    def read_into(self, view: memoryview) -> int:
        view[len(view)] = 1
        return super().read_into(view)


class Resizes(Good):
    """releases: gives the view back itself, and goes on."""

    def read_into(self, view: memoryview) -> int:
        n = super().read_into(view)
        view.release()
        return n


def told() -> None:
    """Tell the client that the call has begun."""
    os.write(2, b"waiting\n")


class Spins(Good):
    """spins: a loop without end in Python code."""

    def read_into(self, view: memoryview) -> int:
        told()
        while True:
            pass


class Sleeps(Good):
    """sleeps: a loop without end that mostly sleeps."""

    def read_into(self, view: memoryview) -> int:
        told()
        while True:
            time.sleep(0.01)


class SleepsDeaf(Sleeps):
    """sleeps_deaf: catches whatever interrupts it."""

    def read_into(self, view: memoryview) -> int:
        told()
        while True:
            try:
                time.sleep(0.01)
            except BaseException:
                continue


class Dead(Good):
    """thread_dead: said that it blocks, and never comes back."""

    blocking = "thread"

    def read_into(self, view: memoryview) -> int:
        told()
        time.sleep(3600)
        return 0


class DeadStart(Good):
    """start_dead: start does not return."""

    def start(self) -> None:
        told()
        while True:
            time.sleep(0.01)


class WrongReader(Good):
    """wrong_reader: a reader that is no capsule."""

    def start(self) -> None:
        super().start()
        self.reader = object()


class ChangesItsOptions(Good):
    """constraint_WHAT: a constraint that makes no sense once the option is set."""

    choose = Bool("Choose")
    dependent = Int("Dependent", "", Range(0, 9), default=5)
    last = Int("Last", active=when(choose=False))

    @dependent.constrained("choose")
    def _constraint(self) -> object:
        wrong = {"empty": (), "text": "abc", "huge": Range(0, 1 << 40), "number": 5}
        return wrong[self.fault.removeprefix("constraint_")] if self.choose else Range(0, 9)


class Undescribed(Good):
    """undescribed: an option that C cannot be told of; nor can it be closed."""

    number = Int("\ud800")

    def close(self) -> None:
        raise KeyError("mistake")


class Prints(Good):
    """prints: to stdout, where the image goes."""

    def read_into(self, view: memoryview) -> int:
        print("printed by a driver")
        return super().read_into(view)


CLASSES = {
    "nothing": Nothing,
    "no_init": NoInit,
    "writes_past": WritesPast,
    "releases": Resizes,
    "spins": Spins,
    "sleeps": Sleeps,
    "sleeps_deaf": SleepsDeaf,
    "thread_dead": Dead,
    "start_dead": DeadStart,
    "wrong_reader": WrongReader,
    "prints": Prints,
    "undescribed": Undescribed,
    "good": Good,
}
FAMILIES = {
    "read_returns_": Returns,
    "parameters_return_": ReturnsParameters,
    "keeps_": Keeps,
    "constraint_": ChangesItsOptions,
}


class Backend(_Backend):
    """Opens a device for every fault."""

    def list_devices(self, local_only: bool) -> object:
        fault = self.context.environment.get("PYSANE_BAD_LIST", "")
        info = DeviceInfo("good", "Noname", "Bad", "virtual device")
        if fault.startswith("raises_"):
            raise RAISED[fault.removeprefix("raises_")]
        wrong = {
            "none": None,
            "number": 5,
            "junk": [None, 5, "text", DeviceInfo, info],
            "bytes": [DeviceInfo(b"x", b"x", b"x", b"x"), info],
            "empty": [DeviceInfo("", "", "", ""), info],
            "control": [DeviceInfo("a\nb", "c\0d", "e", "f"), info],
            "surrogate": [DeviceInfo("a\ud800", "b", "c", "d"), info],
            "huge": [DeviceInfo(str(number), "v", "m", "t") for number in range(100_000)],
            "long": [DeviceInfo("x" * 1_000_000, "v", "m", "t"), info],
        }
        return wrong.get(fault, [info])

    def open(self, name: str) -> object:
        if name.startswith("open_raises_"):
            raise RAISED[name.removeprefix("open_raises_")]
        if name.startswith("open_returns_"):
            return {"none": None, "text": "device", "class": Good}[name[13:]]
        if name == "open_dead":
            while True:
                time.sleep(0.01)
        if name == "open_late":
            time.sleep(0.5)
            return CLASSES["good"]("good")
        if "_raises_" in name:
            return Raises(name)
        for family, cls in FAMILIES.items():
            if name.startswith(family):
                return cls(name)
        return CLASSES[name or "good"](name)


__all__ = ["Backend", "option"]
