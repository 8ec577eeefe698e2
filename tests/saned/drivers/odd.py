# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A device for the tests of saned: it blocks, fails and asks for passwords as it is told."""

import fcntl
import os
import time

from ..backend import FRAME_GRAY, Device, DeviceInfo, Parameters, errors, option
from ..backend import Backend as Base

LONG = 60.0


class Odd(Device):
    number = option.Int("A number", "Whatever.", option.Range(0, 99))
    obedient = option.Bool("Block obediently", "Setting it waits until cancel.")
    stubborn = option.Bool("Block stubbornly", "Setting it sleeps, whatever happens.")
    secret = option.Bool("Secret", "Setting it wants a password.")
    array = option.Int("Array", "Three words.", length=3)
    text = option.String("Text", "Any text.", size=8)
    failure = option.Int("Status of start", "It fails with this one.", option.Range(0, 11))
    ask = option.Bool("Ask", "Start wants a password.")
    block = option.Bool("Block", "Reads wait until cancel.")
    stuck = option.Bool("Stuck", "Reads sleep, whatever happens.")
    trickle = option.Int("Trickle", "Bytes of a read; 0 is as many as fit.", option.Range(0, 99))
    lines = option.Int("Lines", "Of a frame.", option.Range(1, 1_000_000), default=10)
    unprintable = option.Bool("Unprintable", "Descriptors cannot be sent.")
    late = option.Int("Late", "Seconds that a read sleeps, once.", option.Range(0, 99))
    rest = option.Int("Rest", "Seconds that finish takes.", option.Range(0, 99))

    def __init__(self, backend, lock):
        self.backend = backend
        self.lock = lock
        self.left = 0

    @obedient.changed
    def set_obedient(self):
        if self.obedient:
            self.note("waiting")
            self.wait(LONG)

    @stubborn.changed
    def set_stubborn(self):
        if self.stubborn:
            self.note("sleeping")
            time.sleep(LONG)

    @secret.changed
    def set_secret(self):
        if self.secret and self.backend.context.authorize("odd-option") != ("joe", "pw"):
            raise errors.AccessDenied("wrong")

    @unprintable.changed
    def set_unprintable(self):
        Odd.text.desc = "a\0b" if self.unprintable else "fine"

    def parameters(self):
        return Parameters(FRAME_GRAY, 100, self.lines, 8, bytes_per_line=100)

    def start(self):
        if self.ask and self.backend.context.authorize("odd-start") != ("joe", "pw"):
            raise errors.AccessDenied("wrong")
        if self.failure:
            raise errors.BY_STATUS[self.failure](f"told to fail with {self.failure}")
        self.left = 100 * self.lines

    def read_into(self, view):
        if self.block and self.left < 100 * self.lines:
            self.note("reading")
            self.wait(LONG)
        if self.stuck and self.left < 100 * self.lines:
            self.note("stuck")
            time.sleep(LONG)
        if self.late and self.left < 100 * self.lines:
            self.note("late")
            time.sleep(self.late)
            self.late = 0
        limit = 100 if self.block or self.stuck or self.late else len(view)
        n = min(len(view), self.left, self.trickle or limit)
        view[:n] = bytes(n)
        self.left -= n
        return n

    def finish(self, aborted):
        self.note(f"finish {aborted}")
        if self.rest:
            self.wait(self.rest)
            self.note("at rest")

    def close(self):
        self.note("close")
        os.close(self.lock)

    def note(self, text):
        self.debug(0, "odd: %s", text)


class Backend(Base):
    def list_devices(self, local_only):
        return [DeviceInfo("0", "Noname", "Odd", "virtual device")]

    def open(self, name):
        if name == "ask" and self.context.authorize("odd-open") != ("joe", "pw"):
            raise errors.AccessDenied("wrong")
        if name not in ("", "0", "ask"):
            raise errors.Invalid(f"no device {name}")
        path = self.read_config()[0].text
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise errors.DeviceBusy("somebody has it open") from None
        return Odd(self, lock)
