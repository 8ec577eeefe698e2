"""epson2 with scanners that refuse, lie or say nothing when they are opened: a status, no more.

Source: specification esci 7.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from sane import errors
from sane.backends.epson2 import device
from sane.testing.esci import Model, Scanner
from tests.fakes.scanner import (
    constant,
    is_whole,
    on_network,
    on_usb,
    scan,
    small,
)

NAK = b"\x15"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing long."""
    monkeypatch.setattr(device, "WARMUP_SECONDS", 0.001)
    monkeypatch.setattr(device, "BUTTON_SECONDS", 0.001)


# Opening


@pytest.mark.parametrize(
    ("name", "fault", "error"),
    [
        ("ESC @", constant(NAK), errors.Invalid),
        ("ESC F", constant(NAK), errors.Unsupported),
        ("ESC F", constant(b"\x06\x02\0\0"), errors.Invalid),
        ("ESC F", constant(b"\x02\x00\0\0"), errors.DeviceIOError),  # no extended commands
        ("FS I", lambda data: data[:40], errors.DeviceIOError),
        ("FS I", constant(NAK), errors.DeviceIOError),
        ("FS I", lambda data: data[:8] + bytes(4) + data[12:], errors.DeviceIOError),
        ("FS I", lambda data: data[:12] + b"\xff" * 4 + data[16:], errors.DeviceIOError),
        ("FS I", lambda data: data[:4] + bytes(4) + data[8:], errors.DeviceIOError),
        ("FS I", lambda data: data[:20] + b"\xff" * 4 + data[24:], errors.DeviceIOError),
        ("FS I", lambda data: data[:20] + bytes(8) + data[28:], errors.DeviceIOError),
        ("FS F", lambda data: data[:3], errors.DeviceIOError),
        ("FS F", lambda _data: None, errors.DeviceIOError),
    ],
)
def test_a_scanner_that_cannot_be_identified_is_not_opened(
    name: str, fault: Callable[[bytes], bytes | None], error: type[errors.SaneError]
) -> None:
    scanner = Scanner(Model("B8"))
    scanner.faults[name] = fault
    with pytest.raises(error), on_network(scanner):
        pass
    scanner.faults.clear()
    with on_network(scanner) as (handle, _server):
        assert scan(handle)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("ESC I", b"B7"),
        ("ESC I", b""),
        ("ESC I", b"B7R\x00\x00A\x00\x10\x00\x20"),
        ("ESC I", b"B7" + b"R\x64\x00" * 300 + b"A\x00\x10\x00\x20"),
        ("ESC I", b"B7R\x64\x00A\x00\x00\x00\x20"),
        ("ESC f", bytes(20)),
    ],
)
def test_absurd_lists_and_sizes_on_usb(name: str, payload: bytes) -> None:
    model = Model("B6", is_extended=False, flatbed=(0, 0) if name == "ESC I" else (900, 900))
    scanner = Scanner(model)
    head = struct.pack("<BBH", 2, 0, len(payload))
    scanner.faults = {name: constant(head), f"{name} payload": constant(payload)}
    with pytest.raises(errors.DeviceIOError), on_usb(scanner):
        pass


def test_an_endless_announcement_is_not_believed() -> None:
    scanner = Scanner(Model("B6", is_extended=False))
    scanner.faults["ESC I"] = constant(b"\x02\x00\xff\xff")
    with pytest.raises(errors.DeviceIOError, match="65535 bytes announced"), on_usb(scanner):
        pass


def test_line_distances_that_differ_are_refused() -> None:
    scanner = Scanner(Model("D8", is_extended=False))
    scanner.faults["ESC i payload"] = constant(bytes((0xB0, 4, 0, 0, 8, 4)))
    with pytest.raises(errors.Invalid, match="line distances 8 and 4"), on_usb(scanner):
        pass


def test_an_unknown_level_is_a_b3() -> None:
    scanner = Scanner(Model("B8"))
    scanner.faults["FS I"] = lambda data: b"X9" + data[2:]
    with on_network(scanner) as (handle, _server):
        assert handle.device.caps.level == "B3"
        assert len(handle.options.constraints[4]) == 4  # halftones


def test_depths_and_focus_that_are_refused_are_not_offered() -> None:
    scanner = Scanner(Model("B8"))
    scanner.faults["ESC q"] = constant(NAK)
    scanner.faults["D parameter"] = constant(NAK)
    with on_network(scanner) as (handle, _server):
        assert handle.device.caps.depths == [8]
        assert not handle.device.caps.has_focus


def test_a_strange_acknowledgement_is_tolerated() -> None:
    scanner = Scanner(Model("B8"))
    scanner.faults["ESC @"] = constant(b"\x80")
    with on_network(scanner) as (handle, _server):
        assert is_whole(handle, scan(handle))


def test_what_a_scanner_still_had_to_say_is_dropped() -> None:
    """The last program was killed in the middle of a block."""
    scanner = Scanner(Model("B8"))
    scanner.replies.extend([bytes(70000), b"\x06\x06\x06"])
    with on_usb(scanner) as (handle, _link):
        small(handle)
        assert is_whole(handle, scan(handle))


def test_a_scanner_that_never_stops_sending_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends._epson.wires.DRAINED_BYTES", 1 << 20)
    scanner = Scanner(Model("B8"))
    scanner.replies.extend([bytes(1 << 17)] * 100)
    with pytest.raises(errors.DeviceIOError, match="sends and sends"), on_usb(scanner):
        pass


def test_names_and_numbers_of_sheer_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the replies: a SANE error, or a device that works."""
    rng = random.Random(5)
    opened = 0
    for number in range(150):
        scanner = Scanner(Model("B8"))
        name = rng.choice(("FS I", "ESC F", "ESC q payload", "FS F"))
        scanner.faults[name] = _nonsense(rng)
        opener = on_usb if number % 2 else on_network
        if opener is on_usb:
            name = rng.choice(("ESC I payload", "ESC f payload", "ESC I", "ESC f", "FS I"))
            scanner.faults[name] = _nonsense(rng)
        try:
            with opener(scanner) as (handle, _other):
                opened += 1
                small(handle)
                scan(handle)
        except errors.SaneError:
            continue
    assert opened > 5


def _nonsense(rng: random.Random) -> Callable[[bytes], bytes]:
    def fault(data: bytes) -> bytes:
        kind = rng.randrange(4)
        if kind == 0:
            return rng.randbytes(len(data))
        if kind == 1:
            return rng.randbytes(rng.randrange(1, 100))
        changed = bytearray(data)
        for _ in range(1 + 3 * (kind == 3)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)

    return fault


# What is told


def test_the_bytes_of_a_wrong_answer_are_told() -> None:
    scanner = Scanner(Model("B8"))
    with on_usb(scanner) as (handle, _link):
        small(handle)
        scanner.faults["FS G"] = constant(b"\x02\0" + b"\xaa" * 12)
        with pytest.raises(errors.DeviceIOError, match="02 00 aa aa aa"):
            handle.start()
