"""A program that holds dialogues with the device that it sees: python dialogues.py TREE SCENE.

It prints what the tests compare. Scenes talk to the devices of tests/fakes/dialogues.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

sys.path.insert(0, sys.argv[1])

from sane.backend import BulkPort, ControlPort, Field, Registers, ScsiRules, errors
from sane.config import Environment
from sane.usb.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.usb.handle import Usb

READ, FEED = "28 00 00 00 00 00 00 00 28 00", "31 01 00 00 00 00 00 00 00 00"


class Family(ScsiRules):
    """The one vendor code that the emulated scanner has."""

    senses = {(3, 0x80, 3): (errors.NoDocs, "hopper empty")}


def tried(call: Callable[[], object]) -> str:
    """Return the result of *call*, or its failure."""
    try:
        return repr(call())
    except errors.SaneError as exc:
        return f"{type(exc).__name__} {exc.status}"


def scsi(usb: Usb) -> None:
    usb.scsi_rules = Family()
    print(usb.scsi(bytes.fromhex("12 00 00 00 10 00"), want=16).data)
    usb.scsi(bytes(6))
    usb.scsi(bytes.fromhex(FEED), patience=10, every=0.01)
    page = b""
    while True:
        answer = usb.scsi(bytes.fromhex(READ), want=40)
        page += answer.data
        if answer.is_end:
            break
    print(page == bytes(range(100)))
    print(tried(lambda: usb.scsi(bytes.fromhex(FEED))))
    usb.scsi(bytes(6))


def skipped(usb: Usb) -> None:
    """A device that leaves out the data phase, and one whose answer came late."""
    usb.scsi(bytes.fromhex(FEED))
    answer = usb.scsi(bytes.fromhex(READ), want=40)
    print(answer.data, answer.sense)
    usb.write(usb.bulk_out, ScsiRules().command(bytes.fromhex("12 00 00 00 10 00")))
    usb.is_out_of_step = True  # nobody has read the answer
    print(usb.scsi(bytes.fromhex("12 00 00 00 10 00"), want=16).data)


def refused(usb: Usb) -> None:
    """What is no command has no answer and halts the endpoint; after that the next one works."""
    for _ in range(2):
        print(tried(lambda: usb.exchange(b"what?", status=13, seconds=0.2)))
    print(usb.scsi(bytes.fromhex("12 00 00 00 10 00"), want=16).data)


def bulk(usb: Usb) -> None:
    steps = Field(0x46, 16)
    registers = Registers(BulkPort(usb), 0x80, fickle=(2,))
    for address in range(8, 0x7F):
        registers[address] = address
    registers[steps] = 0x1234
    registers.flush()
    print(registers.load(0x44, 6).hex(" "))
    print(registers.poll(2, lambda value: value > 4, 10))
    image = bytearray(70000)
    port = registers.port
    port.read_into(0, memoryview(image))
    print(image[:65535] == (bytes(range(256)) * 256)[:65535], image[65535:65540].hex())
    port.upload(6, bytes(200))
    print(registers.read(0x7F))


def control(usb: Usb) -> None:
    registers = Registers(ControlPort(usb, pairs=4, most=1 << 14), 0x200)
    for address in range(0xFA, 0x106):
        registers[address] = address & 0xFF
    registers.flush()
    print(registers.load(0xFA, 12).hex(" "))
    port = registers.port
    data = bytes(range(256)) * 200
    port.upload(0x10000000, data)
    view = memoryview(bytearray(len(data)))
    port.read_into(0x10000000, view)
    print(view == data)
    print(tried(lambda: port.read_into(0x10000000, view[:4])))


def main(scene: str) -> None:
    """Play one scene on the first device."""
    bus = Bus(Environment.current())
    usb = bus.open(bus.devices()[0])
    globals()[scene](usb)
    usb.close()


main(sys.argv[2])
