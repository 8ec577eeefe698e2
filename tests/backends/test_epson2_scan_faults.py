"""epson2 with scanners that fail during a scan: a status, and usable again.

Source: specification esci 7.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from sane import errors
from sane.backends._epson import network
from sane.backends.epson2 import device
from sane.testing.epson_net import Hangup, packet
from sane.testing.esci import Model, Scanner
from tests.fakes.scanner import (
    constant,
    is_whole,
    on_network,
    on_usb,
    read_frame,
    scan,
    set_options,
    small,
)

SHORT = 0.2
CAN, ACK, NAK = b"\x18", b"\x06", b"\x15"
FEEDER = "Automatic Document Feeder"
Opened = Callable[[Scanner], AbstractContextManager[tuple[Any, Any]]]

transports = pytest.mark.parametrize("opened", [on_network, on_usb])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing long."""
    monkeypatch.setattr(device, "WARMUP_SECONDS", 0.001)
    monkeypatch.setattr(device, "BUTTON_SECONDS", 0.001)


# Starting


@transports
@pytest.mark.parametrize(
    ("name", "fault", "error"),
    [
        ("W parameter", constant(NAK), errors.Invalid),
        ("FS W", constant(NAK), errors.Invalid),
        ("m parameter", constant(NAK), errors.Invalid),
        ("FS G", constant(b"\x02\0" + bytes(12)), errors.DeviceIOError),
        ("FS G", constant(struct.pack("<BBIII", 2, 0, 1 << 30, 1, 1)), errors.DeviceIOError),
        ("FS G", constant(struct.pack("<BBIII", 2, 0, 100, 1 << 31, 1)), errors.DeviceIOError),
        ("FS G", constant(struct.pack("<BBIII", 2, 0, 0, 0, 1 << 31)), errors.DeviceIOError),
    ],
)
def test_a_start_that_fails_leaves_a_device_that_works(
    opened: Opened, name: str, fault: Callable[[bytes], bytes], error: type[errors.SaneError]
) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle)
        expected = scan(handle)
        scanner.faults[name] = fault
        with pytest.raises(error):
            handle.start()
    scanner.faults.clear()
    scanner.connected()
    with opened(scanner) as (handle, _other):
        small(handle)
        assert scan(handle) == expected


@transports
@pytest.mark.parametrize(
    ("answer", "error", "starts"),
    [
        (b"\x02\x80" + bytes(12), errors.DeviceIOError, 2),
        (NAK, errors.DeviceIOError, 2),
        (b"\x02\x40" + bytes(12), errors.DeviceBusy, 1),
        (b"\x06" + bytes(13), errors.Invalid, 1),
    ],
)
def test_a_refused_start_is_tried_once_more(
    opened: Opened, answer: bytes, error: type[errors.SaneError], starts: int
) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle)
        expected = scan(handle)
        scanner.received.clear()
        scanner.refusals = [answer] * 2
        with pytest.raises(error):
            handle.start()
        assert scanner.received.count(b"\x1cG") == starts
        scanner.refusals = [answer] * (starts - 1)
        assert scan(handle) == expected


@transports
def test_the_lamp_is_waited_for(opened: Opened) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle)
        scanner.warmup_polls = 4
        scanner.received.clear()
        assert is_whole(handle, scan(handle))
        assert scanner.received.count(b"\x1cF") == 5


@pytest.mark.parametrize("is_extended", [True, False])
def test_a_lamp_that_never_warms_up(is_extended: bool) -> None:
    scanner = Scanner(Model("B8", is_extended=is_extended))
    with on_usb(scanner) as (handle, _link):
        small(handle)
        scanner.warmup_polls = 1000
        scanner.received.clear()
        with pytest.raises(errors.DeviceBusy, match="still warming up"):
            handle.start()
        assert scanner.received.count(b"\x1cF" if is_extended else b"\x1bf") == 15
        scanner.warmup_polls = 0
        assert is_whole(handle, scan(handle))


def test_a_standard_scan_is_repeated_while_the_lamp_warms_up() -> None:
    scanner = Scanner(Model("B5", is_extended=False))
    with on_usb(scanner) as (handle, _link):
        small(handle)
        expected = scan(handle)
        refusal = bytes((2, 0x80, 0, 0, 0, 0))
        lamp = [0, 2, 2]
        scanner.faults["ESC f payload"] = lambda data: bytes((data[0] | lamp.pop(0),)) + data[1:]
        scanner.refusals = [refusal] * 2
        assert scan(handle) == expected
        assert not lamp
        lamp += [0, 0]
        scanner.refusals = [refusal]
        with pytest.raises(errors.DeviceIOError, match="does not scan"):
            handle.start()


@transports
@pytest.mark.parametrize(
    ("bits", "error"),
    [(0x04, errors.Jammed), (0x02, errors.CoverOpen), (0x08, errors.NoDocs)],
)
def test_the_feeder_says_what_is_wrong(
    opened: Opened, bits: int, error: type[errors.SaneError]
) -> None:
    scanner = Scanner(Model("B8", adf=(9000, 12000)), sheets=1)
    with opened(scanner) as (handle, _other):
        set_options(handle, source=FEEDER, mode="Gray", br_x=20.0, br_y=200.0, resolution=150)
        scanner.faults["FS F"] = lambda data: data[:1] + bytes((0x80 | bits,)) + data[2:]
        with pytest.raises(error, match="feeder status"):
            handle.start()
        scanner.faults.clear()
        assert is_whole(handle, scan(handle))
        with pytest.raises(errors.NoDocs):
            handle.start()


@transports
def test_the_button_is_waited_for(opened: Opened) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle, wait_for_button=True)
        scanner.button_polls = 3
        scanner.received.clear()
        assert is_whole(handle, scan(handle))
        assert scanner.received.count(b"\x1b!") == 4


def test_a_button_that_cannot_be_asked_does_not_hold_up_the_scan() -> None:
    scanner = Scanner(Model("B8"))
    with on_network(scanner) as (handle, _server):
        small(handle, wait_for_button=True)
        scanner.faults["ESC !"] = constant(NAK)
        assert is_whole(handle, scan(handle))


def test_cancel_ends_the_wait_for_the_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "BUTTON_SECONDS", 60)
    scanner = Scanner(Model("B8"))
    with on_network(scanner) as (handle, _server):
        small(handle, wait_for_button=True)
        scanner.button_polls = 1000

        def cancel(data: bytes) -> bytes:
            handle.cancel_request.set()
            return data

        scanner.faults["ESC ! payload"] = cancel
        with pytest.raises(errors.Cancelled):
            handle.start()
        handle.cancelled()
        set_options(handle, wait_for_button=False)
        assert is_whole(handle, scan(handle))


# Reading


@transports
@pytest.mark.parametrize("is_extended", [True, False])
@pytest.mark.parametrize("number", [1, 3])
def test_the_status_of_a_block(opened: Opened, is_extended: bool, number: int) -> None:
    if opened is on_network and not is_extended:
        return  # over the network there are extended scans only
    scanner = Scanner(Model("B8", is_extended=is_extended))
    name = f"block {number}" if is_extended else f"head {number}"
    failing = lambda data: data[:-1] + b"\x80" if is_extended else data[:1] + b"\x80" + data[2:]  # noqa: E731
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        expected = scan(handle)
        scanner.faults[name] = failing
        with pytest.raises(errors.DeviceIOError, match=r"status 80|does not scan"):
            scan(handle)
        with pytest.raises((errors.DeviceIOError, errors.Invalid)):  # start or read had failed
            handle.read(memoryview(bytearray(10)))
        scanner.faults.clear()
        assert scan(handle) == expected


@transports
def test_cancel_at_the_device(opened: Opened) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        scanner.faults["block 2"] = lambda data: data[:-1] + b"\x10"
        scanner.received.clear()
        with pytest.raises(errors.Cancelled):
            scan(handle)
        assert scanner.received[-2:] == [ACK, CAN]
        scanner.faults.clear()
        assert is_whole(handle, scan(handle))


@transports
def test_a_block_that_is_too_short(opened: Opened) -> None:
    scanner = Scanner(Model("B8"))
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        scanner.faults["block 2"] = lambda data: data[:-5]
        with pytest.raises(errors.DeviceIOError, match=r"block 2 (has|of 13; head 49 53)"):
            scan(handle)
        assert scanner.received[-1] == CAN
        scanner.faults.clear()
        assert is_whole(handle, scan(handle))


@transports
@pytest.mark.parametrize("is_extended", [True, False])
def test_a_block_that_is_too_long(opened: Opened, is_extended: bool) -> None:
    if opened is on_network and not is_extended:
        return
    scanner = Scanner(Model("B8", is_extended=is_extended))
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        expected = scan(handle)
        scanner.faults["block 2"] = lambda data: data + bytes(1500)
        with pytest.raises(errors.DeviceIOError):
            scan(handle)
        scanner.faults.clear()
        if opened is on_usb:
            assert scan(handle) == expected  # in the same handle: what was left over is dropped
    scanner.faults.clear()
    scanner.connected()
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        assert scan(handle) == expected


@transports
@pytest.mark.parametrize("number", [1, 2])
def test_silence_in_the_middle(
    opened: Opened, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = Scanner(Model("B8"))

    def fall_silent(_data: bytes) -> None:
        scanner.is_silent = True

    with opened(scanner) as (handle, _other):
        small(handle, mode="Color")
        monkeypatch.setattr(network, "ANSWER_SECONDS", SHORT)
        monkeypatch.setattr(network, "STALL_SECONDS", SHORT)
        scanner.faults[f"block {number}"] = fall_silent
        with pytest.raises(errors.DeviceIOError):
            scan(handle)
    monkeypatch.undo()
    scanner.is_silent = False
    scanner.faults.clear()
    scanner.connected()
    with opened(scanner) as (handle, _other):
        assert is_whole(handle, scan(handle))


def test_a_connection_that_closes_in_the_middle() -> None:
    scanner = Scanner(Model("B8"))
    with on_network(scanner) as (handle, server):
        small(handle, mode="Color")
        handle.start()
        left = [3]

        def tamper(kind: int, payload: bytes) -> bytes:
            left[0] -= 1
            if not left[0]:
                raise Hangup(packet(kind, payload)[: len(payload) // 2])
            return packet(kind, payload)

        server.tamper = tamper
        with pytest.raises(errors.DeviceIOError, match="closed the connection"):
            read_frame(handle)
        server.tamper = packet
        with pytest.raises(errors.DeviceIOError, match="of no use after"):
            handle.start()
    with on_network(scanner) as (handle, _server):
        assert is_whole(handle, scan(handle))


def test_a_scanner_that_is_unplugged_in_the_middle() -> None:
    scanner = Scanner(Model("B8"))
    with on_usb(scanner) as (handle, link):
        small(handle, mode="Color")
        handle.start()
        handle.read(memoryview(bytearray(100)))
        link.is_unplugged = True
        with pytest.raises(errors.DeviceIOError, match="unplugged"):
            read_frame(handle)


@transports
def test_a_last_block_of_length_0(opened: Opened) -> None:
    """The original cannot do this over the network."""
    scanner = Scanner(Model("B8"))

    def rounded(data: bytes) -> bytes:
        _stx, _status, size, count, last = struct.unpack("<BBIII", data)
        assert size == last
        return struct.pack("<BBIII", 2, 0, size, count + 1, 0)

    with opened(scanner) as (handle, _server):
        small(handle, mode="Color")
        plan = handle.device.make_plan()
        lines = 3 * plan.block_lines
        while lines > plan.lines:  # USB has larger blocks: fewer lines, more pixels
            set_options(handle, br_x=2 * handle.device.br_x)
            plan = handle.device.make_plan()
            lines = 3 * plan.block_lines
        set_options(handle, br_y=(lines + 0.3) * 25.4 / 150)
        assert handle.device.make_plan().lines == lines
        expected = scan(handle)
        scanner.faults["FS G"] = rounded
        assert scan(handle) == expected


@transports
@pytest.mark.parametrize("is_extended", [True, False])
@pytest.mark.parametrize("read_bytes", [0, 1, 40000, 262144])
def test_cancel_leaves_nothing_behind(opened: Opened, is_extended: bool, read_bytes: int) -> None:
    if opened is on_network and not is_extended:
        return
    scanner = Scanner(Model("B8", is_extended=is_extended))
    with opened(scanner) as (handle, _other):
        small(handle, mode="Color", resolution=300)
        expected = scan(handle)
        handle.start()
        read = 0
        while read < read_bytes:
            read += handle.read(memoryview(bytearray(read_bytes - read)))
        scanner.received.clear()
        handle.cancel_request.set()
        with pytest.raises(errors.Cancelled):
            handle.read(memoryview(bytearray(10)))
        handle.cancelled()
        assert [message for message in scanner.received if message != ACK] == [CAN]
        assert scan(handle) == expected


def test_closing_in_the_middle_ends_the_scan() -> None:
    scanner = Scanner(Model("B8"))
    with on_network(scanner) as (handle, _server):
        small(handle, mode="Color")
        handle.start()
    assert scanner.received[-1] == CAN
