"""The program that holds emulated devices on a transport, for tests that command it by a pipe.

    python3 -m sane.testing.usb.host umockdev COMMANDS REPLIES
    python3 -m sane.testing.usb.host usbredir COMMANDS REPLIES SOCKET...
    python3 -m sane.testing.usb.host usbip COMMANDS REPLIES

COMMANDS and REPLIES are descriptors. Both carry pickles, each after its length in four bytes:
commands are (name, arguments...), see `UsbHost`; a reply is (True, value) or (False, traceback).
At the end of COMMANDS the program removes its devices and ends. The other side is `hosted.py`.
"""

from __future__ import annotations

import importlib
import os
import pickle
import struct
import sys
import traceback
from typing import TYPE_CHECKING, Any

from .state import state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Fault
    from .model import Event, UsbDevice


def send_message(descriptor: int, value: object) -> None:
    """Write one message, all of it."""
    data = pickle.dumps(value, 4)
    left = memoryview(struct.pack("<I", len(data)) + data)
    while left:
        left = left[os.write(descriptor, left) :]


def receive_message(descriptor: int) -> Any:
    """Read one message; raise EOFError when the other side has gone."""
    size = struct.unpack("<I", _exactly(descriptor, 4))[0]
    return pickle.loads(_exactly(descriptor, size))  # from our own tests, on a pipe


def _exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        if not piece:
            raise EOFError("the other side of the pipe has gone")
        data += piece
    return data


LATER = object()  # as an answer: it is given by UsbHost.answer


class UsbHost:
    """The devices of one bus, by the numbers that `plug` hands out; each method is a command."""

    def __init__(self, bus: Any, answer: Callable[[Any], None]) -> None:
        self.bus = bus
        self.answer = answer
        self.devices: list[UsbDevice] = []

    def environment(self) -> dict[str, str]:
        """Return what programs need in their environment to see the bus."""
        return dict(self.bus.environment)

    def plug(
        self, folder: str, module: str, name: str, arguments: tuple[Any, ...], words: dict[str, Any]
    ) -> tuple[int, str]:
        """Make a device of class *name* in *module*, found in *folder*; return number and name."""
        if folder and folder not in sys.path:
            sys.path.append(folder)
        kind: Any = importlib.import_module(module)
        for part in name.split("."):
            kind = getattr(kind, part)
        device = kind(*arguments, **words)
        where = self.bus.plug(device)
        self.devices.append(device)
        return len(self.devices) - 1, where

    def unplug(self, number: int) -> None:
        """Unplug a device."""
        self.devices[number].unplug()

    def unplug_all(self) -> None:
        """Unplug every device, and forget them."""
        for device in self.devices:
            device.unplug()
        self.devices.clear()

    def is_gone(self, number: int) -> bool:
        """Tell whether a device has left the bus."""
        return state_of(self.devices[number]).is_gone

    def fault(self, number: int, fault: Fault) -> None:
        """Let a fault happen."""
        state_of(self.devices[number]).faults.add(fault)

    def clear_faults(self, number: int) -> None:
        """Forget the faults that have not happened."""
        state_of(self.devices[number]).faults.clear()

    def trace(self, number: int, clear: bool) -> list[Event]:
        """Return a device's trace; *clear*: and begin a new one."""
        trace = list(state_of(self.devices[number]).trace)
        if clear:
            state_of(self.devices[number]).trace.clear()
        return trace

    def await_events(
        self, number: int, kind: str, count: int, beginning: bytes, seconds: float
    ) -> Any:
        """Answer when the trace has *count* events of *kind* whose data begin as given.

        The answer is how many there are, fewer when *seconds* have passed.
        """
        device = self.devices[number]

        def found() -> int:
            events = (
                e for e in state_of(device).trace if e.kind == kind and e.data.startswith(beginning)
            )
            return sum(1 for _ in events)

        def look(is_late: bool = False) -> None:
            if device.noted is look and (is_late or found() >= count):
                device.noted = _nothing
                self.answer(found())

        if found() >= count:
            return found()
        device.noted = look
        device.call_later(seconds, lambda: look(True))
        return LATER

    def call(self, number: int, name: str, arguments: tuple[Any, ...], words: Any) -> Any:
        """Call a method of a device."""
        return getattr(self.devices[number], name)(*arguments, **words)

    def get(self, number: int, name: str) -> Any:
        """Return an attribute of a device."""
        return getattr(self.devices[number], name)

    def set(self, number: int, name: str, value: Any) -> None:
        """Set an attribute of a device, which must exist."""
        getattr(self.devices[number], name)
        setattr(self.devices[number], name, value)


def _nothing() -> None:
    """Watch nothing any more."""


def make_bus(transport: str, arguments: list[str]) -> tuple[Any, Any]:
    """Return the loop and the bus of *transport*."""
    if transport == "umockdev":
        from . import umockdev

        glib = umockdev.Loop()
        return glib, umockdev.Bus(glib)
    from .loop import Loop

    loop = Loop()
    if transport == "usbredir":
        from . import usbredir

        return loop, usbredir.Bus(loop, arguments)
    if transport == "usbip":
        from . import usbip

        return loop, usbip.Server(loop, port=0)
    raise SystemExit(f"no transport {transport!r}")


def main(arguments: list[str]) -> int:
    """Run the program."""
    transport, commands, replies = arguments[0], int(arguments[1]), int(arguments[2])
    loop, bus = make_bus(transport, arguments[3:])
    host = UsbHost(bus, lambda value: send_message(replies, (True, value)))

    def serve() -> None:
        try:
            name, *rest = receive_message(commands)
        except EOFError:
            loop.stop()
            return
        try:
            reply = (True, getattr(host, name)(*rest))
        except Exception:
            reply = (False, traceback.format_exc())
        if reply[1] is not LATER:
            send_message(replies, reply)

    loop.watch(commands, serve)
    send_message(replies, (True, None))
    loop.run()
    loop.unwatch(commands)
    bus.close()
    loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
