# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner behind a socket whose other end is closed: each call of the driver writes to it."""

import socket

from ..backend import FRAME_GRAY, Device, DeviceInfo, Parameters, option
from ..backend import Backend as _Backend


def write_to_the_closed():
    """Raise BrokenPipeError, if not SIGPIPE."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        ours.sendall(b"anybody there?")


def write_and_go_on():
    try:
        write_to_the_closed()
    except BrokenPipeError:
        return
    raise AssertionError("the socket was open")


class Hangup(Device):
    """Eight lines of 64 gray pixels; with `fails` not one."""

    fails = option.Bool("Fails", "Let the error out of start.")

    @fails.changed
    def _fails(self):
        write_and_go_on()

    def parameters(self):
        write_and_go_on()
        return Parameters(FRAME_GRAY, 64, 8)

    def start(self):
        (write_to_the_closed if self.fails else write_and_go_on)()

    def read_into(self, view):
        write_and_go_on()
        n = min(len(view), 64)
        view[:n] = bytes(n)
        return n

    def frame_ended(self):
        write_and_go_on()

    def finish(self, aborted):
        write_and_go_on()

    def close(self):
        write_and_go_on()


class Backend(_Backend):
    def init(self):
        write_and_go_on()

    def list_devices(self, local_only):
        write_and_go_on()
        return [DeviceInfo("0", "Noname", "Hangup", "virtual device")]

    def open(self, name):
        write_and_go_on()
        return Hangup()

    def exit(self):
        write_and_go_on()
