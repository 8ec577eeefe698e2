"""What the fuzzer tries on the fujitsu driver: replies, and scans whose answers are changed.

The first byte chooses: a decoder that gets the rest as its reply, or a model that is opened, set up
and scanned, whose answers become what the bytes say (tests/fuzz/epson.py). Whatever that is, every
call ends with a status, and the device is closed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sane.backends.fujitsu import replies, scanner
from sane.backends.fujitsu.capabilities import Capabilities, Identity
from sane.backends.fujitsu.job import Job
from sane.backends.fujitsu.presence import preset
from sane.errors import DeviceIOError, SaneError
from sane.image.jpegsides import JpegSides
from tests.backends.fujitsu_samples import Desk, set_options
from tests.fuzz.epson import CUT, DOUBLE, DROP, EMPTY, PATCH, REPLACE, Tampered, use

MODELS = ("fi-7260", "iX500", "M3091", "fi-6240", "fi-5950")
OPTIONS = "--page-width 60 --page-height 40 -x 60 -y 20"
STANDARD = 96

Job.patience = 0.0
scanner.PAUSE_SECONDS = scanner.PATIENCE_SECONDS = 0.0


def capabilities(data: bytes) -> None:
    """Read both INQUIRY replies, and make options of them."""
    preset(Capabilities(Identity(data[:STANDARD]), data[STANDARD:]))


def sides(data: bytes) -> None:
    """Deal out a JPEG, in pieces as long as its first byte."""
    front, back = bytearray(), bytearray()
    dealt = JpegSides(front.extend, back.extend, 8)
    size = 1 + data[0] if data else 1
    for start in range(1, len(data), size):
        dealt.feed(memoryview(data[start : start + size]))
    dealt.end()


DECODERS: tuple[Any, ...] = (
    *(capabilities, sides, replies.PixelSize, replies.hardware_status),
    *(replies.sense_status, replies.serial_number),
)


def check(data: bytes) -> None:
    """Do what the first byte says with the others; everything may fail, nothing otherwise."""
    if not data:
        return
    kind, rest = data[0], data[1:]
    if kind < len(DECODERS):
        with suppress(DeviceIOError):
            DECODERS[kind](rest)
        return
    desk = Desk(MODELS[kind % len(MODELS)], sheets=2, buffer=4096)
    desk.owner.debug.level = -1
    desk.link = Tampered(desk.scanner, rest)
    with suppress(SaneError):
        handle = desk.open()
        try:
            source = handle.options.constraints[2][-1]
            with suppress(SaneError):
                set_options(handle, f"--source '{source}' --resolution 75 {OPTIONS}")
            use(handle)
        finally:
            handle.close()


def seeds() -> dict[str, bytes]:
    """Return every reply as it should be, and scans without a fault and with some."""
    found = {}
    for name in MODELS[:3]:
        model = Desk(name).scanner.model
        found[f"capabilities-{name}"] = b"\0" + model.standard() + model.page_f0()
    frame = bytes.fromhex("FFD8 FFC0000B08001000100101 1100 FFDA0008010100003F00")
    found["jpeg"] = b"\x01\x05" + frame + b"abc\xff\xd0def\xff\xd1ghi\xff\xd9"
    found["pixel-size"] = b"\x02" + bytes((0, 0, 2, 0, 0, 0, 1, 0) * 2) + bytes(16)
    found["status"] = b"\x03" + bytes(12)
    for number, name in enumerate(MODELS):
        head = bytes((number + 10,))
        found[name] = head
        found[f"{name}-cut"] = head + bytes((0, 0, CUT, 3))
        found[f"{name}-patched"] = head + bytes(20) + bytes((PATCH, 9, 2, 0, 0, PATCH, 4, 0))
        found[f"{name}-dropped"] = head + bytes(60) + bytes((DROP, 0, DOUBLE))
        found[f"{name}-replaced"] = head + bytes(70) + bytes((REPLACE, 5, 1, 2, 3, 4, 5, EMPTY))
    return found
