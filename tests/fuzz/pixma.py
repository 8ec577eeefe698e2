"""What the fuzzer tries on the pixma driver: packets, events, XML, and scans with changed answers.

The first byte chooses: a parser that gets the rest, or a model that is opened, set up and scanned
on a fake bus, whose answers become what the bytes say (tests/fuzz/epson.py). Whatever that is,
every call ends with a status, and the device is closed. Among the seeds is what other programs
fell over: an identity whose length is beyond its datagram.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sane.backends.pixma import bjnp, buttons, commands, ivec, models, unit
from sane.backends.pixma.models import BY_PRODUCT
from sane.backends.pixma.units import device_for
from sane.backends.pixma.usblink import UsbLink
from sane.config import Environment
from sane.debug import Debug
from sane.errors import Cancelled, DeviceBusy, DeviceIOError, SaneError
from sane.handle import Handle
from sane.testing.pixma import Scanner
from tests.backends.pixma_samples import FEEDER, BusLink
from tests.fakes.usb import SCANNER, descriptor_bytes, fake_usb
from tests.fuzz.epson import CUT, DOUBLE, DROP, EMPTY, PATCH, REPLACE, Tampered, use
from tests.support.handles import put

MODELS = ("MP560", "MF4410", "MF4270", "MP750", "MP730", "MP830", "MB5100")

unit.EMPTY_SECONDS = 0.0


class TamperedBus(Tampered, BusLink):
    """A fake bus with changed answers."""

    def __init__(self, machine: Scanner, plan: bytes) -> None:
        BusLink.__init__(self, machine)
        self._plan = list(reversed(plan))


def datagram(data: bytes) -> None:
    """Read a datagram, as a discovery, an identity and a poll."""
    head, payload = bjnp.payload_of(data)
    bjnp.mac_of(payload)
    models.model_called(bjnp.model_text(head.method, payload))
    bjnp.PollAnswer(payload)


def event(data: bytes) -> None:
    """Read an event, as of every kind of model."""
    for product in (0x1718, 0x1754, 0x1912, 0x1908, 0x2635, 0x1706, 0x26B0):
        buttons.event_of(BY_PRODUCT[product], data)


def dialogue(data: bytes) -> None:
    """Read an answer in XML."""
    ivec.check("it", ivec.START_JOB, data)


def block(data: bytes) -> None:
    """Read the header of an image block."""
    commands.check_block("it", commands.BLOCK, data, 16)
    commands.long_block(data)
    commands.short_block(data)
    commands.laser_block(data, is_long=True)


PARSERS: tuple[Callable[[bytes], None], ...] = (datagram, event, dialogue, block)


def check(data: bytes) -> None:
    """Do what the first byte says with the others; everything may fail, nothing otherwise."""
    if not data:
        return
    kind, rest = data[0], data[1:]
    if kind < len(PARSERS):
        with suppress(DeviceIOError, DeviceBusy, Cancelled):
            PARSERS[kind](rest)
        return
    scanner = Scanner(MODELS[kind % len(MODELS)], sheets=2)
    raw = descriptor_bytes(scanner.model.product, SCANNER, vendor=models.VENDOR)
    debug = Debug("pixma", Environment({}))
    debug.level = -1
    usb = fake_usb(TamperedBus(scanner, rest), raw)
    usb._debug.level = -1
    with suppress(SaneError):
        device = device_for(UsbLink(usb), BY_PRODUCT[scanner.model.product], debug)
        device.debug = debug
        handle = Handle(device)
        try:
            if kind & 0x40 and device.unit.model.has_feeder:
                put(handle, "source", FEEDER)
            use(handle)
        finally:
            handle.close()


IDENTITY = b"\0\x30MFG:Canon;MDL:MP560;CLS:IMAGE;"


def seeds() -> dict[str, bytes]:
    """Return each answer as it should be, and scans without a fault and with some."""

    def answer(code: int, payload: bytes, length: int = -1) -> bytes:
        size = len(payload) if length < 0 else length
        head = b"BJNP\x82" + bytes((code, 0, 0, 0, 1, 0, 0)) + size.to_bytes(4, "big")
        return b"\0" + head + payload

    found = {
        "discover": answer(1, bytes.fromhex("000108000604001E8F36B64AC0A8012D")),
        "identity": answer(0x30, IDENTITY),
        "identity-overflow": answer(0x30, IDENTITY, 0xFFFFFFFF),
        "identity-long": answer(0x30, b"\xff\xffMDL:" + b"A" * 3000),
        "poll": answer(0x32, b"\0\0\x80\0" + bytes(12) + b"\1\5" + bytes(18)),
        "event": b"\1" + b"\1\5" + bytes(30),
        "xml": b"\2<cmd><contents><param_set><response>OK</response></param_set></contents></cmd>",
        "block": b"\3" + b"\6\6" + bytes(6) + b"\x28" + bytes(5) + b"\1\0",
    }
    for number, name in enumerate(MODELS):
        head = bytes((len(MODELS) * 2 + number,))
        fed = bytes((0x40 + (number - 0x40) % len(MODELS),))
        title = name.lower()
        found[f"{title}-whole"] = head
        found[f"{title}-fed"] = fed
        found[f"{title}-cut"] = head + bytes((0, 0, CUT, 3))
        found[f"{title}-patched"] = head + bytes((0, PATCH, 9, 255, 0, 0, PATCH, 4, 0))
        found[f"{title}-dropped"] = head + bytes(9) + bytes((DROP, 0, DOUBLE))
        found[f"{title}-replaced"] = head + bytes((0, REPLACE, 5, 6, 6, 3, 4, 5, EMPTY))
    return found
