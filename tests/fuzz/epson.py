"""What the fuzzer tries on the Epson drivers: scanners whose answers are changed anywhere.

A scanner is opened over a fake bus, set up and scanned. The first byte chooses ESC/I or ESC/I-2;
then each answer of the emulated scanner takes some bytes that say what becomes of it. Whatever
that is, every call ends with a status, and the device is closed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sane.backend import Context
from sane.backends.epson2 import Backend as Epson2
from sane.backends.epson2 import device as epson2_device
from sane.backends.epson2.device import Epson
from sane.backends.epson2.wires import UsbWire as EscIWire
from sane.backends.epsonds import Backend as EpsonDs
from sane.backends.epsonds import commands as epsonds_commands
from sane.backends.epsonds.wires import UsbWire as EscI2Wire
from sane.config import Environment
from sane.errors import EndOfFrame, SaneError
from sane.testing import esci, esci2
from tests.fakes.scanner import MachineLink, prepared
from tests.fakes.usb import fake_usb

NOWHERE = Environment({"SANE_CONFIG_DIR": "/nonexistent"})
READS, ROOM = 400, 1 << 14
PASS, CUT, PATCH, DROP, DOUBLE, REPLACE, EMPTY = range(7)

epson2_device.WARMUP_SECONDS = epson2_device.BUTTON_SECONDS = 0.0
epsonds_commands.BUSY_SECONDS = epsonds_commands.LEAVE_SECONDS = 0.0


class Tampered(MachineLink):
    """The link to *machine*, whose answers become what the bytes of *plan* say."""

    def __init__(self, machine: Any, plan: bytes) -> None:
        super().__init__(machine)
        self._plan = list(reversed(plan))

    def transfer_out(self, *arguments: Any) -> Any:
        result = super().transfer_out(*arguments)
        answers, self.machine.replies = list(self.machine.replies), self.machine.replies.__class__()
        for answer in answers:
            self.machine.replies.extend(self._changed(answer))
        return result

    def _byte(self) -> int:
        return self._plan.pop() if self._plan else 0

    def _changed(self, answer: bytes) -> list[bytes]:
        action = self._byte() % 8
        if action == CUT:
            return [answer[: self._byte()]]
        if action == PATCH and answer:
            at = self._byte() % len(answer)
            return [answer[:at] + bytes((self._byte(),)) + answer[at + 1 :]]
        if action == DROP:
            return []
        if action == DOUBLE:
            return [answer, answer]
        if action == REPLACE:
            return [bytes(self._byte() for _ in range(self._byte()))]
        return [b""] if action == EMPTY else [answer]


def open_esc_i(plan: bytes) -> Any:
    owner = Epson2("epson2", Context(NOWHERE))
    owner.init()
    owner.debug.level = -1
    wire = EscIWire(fake_usb(Tampered(esci.Scanner(esci.Model()), plan)))
    return prepared(Epson(wire, owner.debug), owner)


def open_esc_i2(plan: bytes) -> Any:
    owner = EpsonDs("epsonds", Context(NOWHERE))
    owner.init()
    owner.debug.level = -1
    wire = EscI2Wire(fake_usb(Tampered(esci2.Scanner(esci2.Model()), plan)))
    return prepared(owner._open(wire), owner)


def check(data: bytes) -> None:
    """Open, set up, scan and close; every call may fail, none may do so otherwise."""
    if not data:
        return
    with suppress(SaneError):
        handle = (open_esc_i if data[0] % 2 == 0 else open_esc_i2)(data[1:])
        try:
            use(handle)
        finally:
            handle.close()


def use(handle: Any) -> None:
    for index, option in enumerate(handle.options.declared):
        with suppress(SaneError):
            value = handle.get(index)
            if option.attribute in ("br_x", "br_y"):
                handle.set(index, option.encode(20.0))
            elif index % 3 == 0:
                handle.set(index, value)
    for _ in range(2):
        handle.start()
        room = memoryview(bytearray(ROOM))
        with suppress(EndOfFrame):
            for _ in range(READS):
                handle.read(room)
        handle.parameters()
    handle.cancelled()


def seeds() -> dict[str, bytes]:
    """Return scans without a fault, and with one early and one late."""
    found = {}
    for number, name in enumerate(("esc-i", "esc-i-2")):
        head = bytes((number,))
        found[name] = head
        found[f"{name}-cut"] = head + bytes((0, 0, CUT, 3))
        found[f"{name}-patched"] = head + bytes((0, PATCH, 9, 255, 0, 0, PATCH, 4, 0))
        found[f"{name}-dropped"] = head + bytes(12) + bytes((DROP, 0, DOUBLE))
        found[f"{name}-replaced"] = head + bytes((0, REPLACE, 5, 1, 2, 3, 4, 5, EMPTY))
    return found
