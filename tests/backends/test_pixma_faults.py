"""pixma: what goes wrong on the bus and the network, and that the next page is whole after it."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backends.pixma import netlink, unit
from sane.testing.net import Fault
from sane.testing.pixma import Answer, Scanner
from sane.testing.pixma.network import Packet
from tests.backends.pixma_samples import (
    FEEDER,
    Bus,
    frame,
    is_right,
    opened,
    scanner_at,
    set_up,
)

BUSY, FAILED, UNKNOWN = Answer(0x1414), Answer(0x1515), Answer(0x1234)
SILENT = Answer(whole=b"")

# Source: specification pixma 7; what is better here is what it recommends.
FAULTS: list[tuple[str, str, tuple[Answer | None, ...], type[Exception] | None]] = [
    ("MP560", "DB20", (BUSY,) * 3, None),
    ("MP560", "DB20", (BUSY,) * 99, errors.DeviceBusy),
    ("MP560", "DB20", (FAILED,), errors.DeviceIOError),
    ("MP560", "DB20", (SILENT,), None),  # once more, after the session was ended
    ("MP560", "DB20", (SILENT,) * 2, errors.DeviceIOError),
    ("MP560", "EE20", (BUSY,), None),
    ("MP560", "EE20", (FAILED,), errors.DeviceIOError),
    ("MP560", "D820", (UNKNOWN,), errors.DeviceIOError),
    ("MP560", "D920", (FAILED,), errors.DeviceIOError),
    ("MP560", "DA20", (Answer(spoils=True),), errors.DeviceIOError),
    ("MP560", "DA20", (Answer(whole=b"\x06\x06\0\0\0\0\0\0"),), errors.DeviceIOError),
    ("MP560", "DA20", (Answer(whole=b"\x06\x06\0"),), errors.DeviceIOError),
    ("MP560", "DA20", (Answer(whole=bytes(600)),), errors.DeviceIOError),
    ("MP560", "DA20", (Answer(data=bytes(8)),) * 9, None),
    ("MP560", "DA20", (Answer(data=bytes(8)),) * 999, errors.DeviceIOError),
    ("MP560", "DA20", (Answer(data=b"\x02\0\0\0\0\0\0\xfe"),), None),
    ("MP510", "F320", (Answer(data=bytes(16)),) * 3, None),
    ("MP560", "StartJob", (Answer(data=b"<cmd>NG</cmd>"),), errors.DeviceIOError),
    ("MP560", "ModeShift", (SILENT,), errors.DeviceIOError),
    ("MP560", "EndJob", (Answer(data=b"<cmd>NG</cmd>"),), None),
    ("MP560", "EF20", (FAILED,), None),
    ("MP560", "D420", (None, FAILED), errors.Cancelled),
    ("MP560", "D420", (None, Answer(0x1414, carries_out=False)), None),
    ("MP560", "D420", (None, UNKNOWN), errors.DeviceIOError),
    ("MP560", "D420", (None, SILENT), errors.DeviceIOError),
    ("MP560", "D420", (None, Answer(flags=0x40, more=7)), None),
    ("MP560", "D420", (Answer(data=b"", carries_out=False),) * 3, None),
    ("MF4410", "D460", (None, None, FAILED), errors.Cancelled),
    ("MF4410", "D460", (None, None, SILENT), errors.DeviceIOError),
    ("MF4410", "D460", (None, None, *(Answer(data=b"", carries_out=False),) * 3), None),
    ("MF4410", "F320", (SILENT,), None),
    ("MF4410", "DD20", (FAILED,), errors.DeviceIOError),
    ("MF4270", "CF60", (FAILED,), errors.DeviceIOError),
    ("MF4270", "D420", (None, None, UNKNOWN), errors.DeviceIOError),
    ("MP750", "E920", (BUSY,) * 4, None),
    ("MP750", "F320", (None, Answer(data=bytes(12))), None),
    ("MP750", "D420", (None, None, FAILED), errors.Cancelled),
    ("MP730", "DE20", (UNKNOWN,), errors.DeviceIOError),
    ("MP830", "E920", (FAILED,), None),
    ("9000F", "DA20", (Answer(data=b"\x02\0\0\0\0\0\0\xfe"),) * 2, None),
]


@pytest.mark.parametrize(("model", "name", "answers", "error"), FAULTS)
def test_a_fault_has_its_end(
    model: str, name: str, answers: tuple[Answer | None, ...], error: type[Exception] | None
) -> None:
    with Bus(model) as bus:
        bus.scanner.block_bytes = 3000
        set_up(bus.handle, "Gray", 150)
        bus.scanner.inject(name, *answers)
        with pytest.raises(error) if error else contextlib.nullcontext():
            assert is_right(frame(bus.handle), model, 150)
        bus.handle.cancelled()
        bus.scanner._scripted.clear()
        assert is_right(frame(bus.handle), model, 150), "the next page"
        assert bus.scanner.problems == []


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("MP560", "Color"),
        ("MP600", "Gray"),
        ("MF4410", "Gray"),
        ("MF4270", "Color"),
        ("MP750", "Gray"),
    ],
)
def test_a_cancel_at_any_transfer_does_no_harm_to_the_next_page(model: str, mode: str) -> None:
    with Bus(model) as bus:
        bus.scanner.block_bytes = 12_000
        set_up(bus.handle, mode, 150)
        bus.link.count = 0
        expected = frame(bus.handle)
        transfers = bus.link.count
        bus.link.then = bus.handle.cancel_request.set
        for number in range(1, transfers + 1):
            bus.link.count, bus.link.at = 0, number
            with contextlib.suppress(errors.Cancelled):
                frame(bus.handle)
            bus.handle.cancelled()
            bus.link.at = -1
            assert frame(bus.handle) == expected, f"cancelled at {number} of {transfers}"
        assert is_right(expected, model, 150)


def test_an_image_block_may_end_at_512_bytes() -> None:
    """The original then waits for more in vain."""
    with Bus("MP560") as bus:
        bus.scanner.block_bytes = 496
        bus.scanner._next_block = exact_blocks(bus.scanner)  # type: ignore[method-assign]
        set_up(bus.handle, "Gray", 75)
        assert is_right(frame(bus.handle), "MP560", 75)


def exact_blocks(scanner: Scanner) -> Any:
    """Return what gives blocks of 496 bytes, which the emulator avoids."""
    from sane.testing.pixma import blocks

    def next_block(_message: object) -> blocks.Block:
        image = scanner._image
        assert image is not None
        data = image.read(496)
        return blocks.Block(0 if image.left else scanner._end, data)

    return next_block


def test_a_scanner_that_has_no_data_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "EMPTY_SECONDS", 0.05)
    with Bus("MP560") as bus:
        set_up(bus.handle, "Gray", 75)
        bus.scanner.inject("D420", *[Answer(data=b"", carries_out=False)] * 1_000_000)
        with pytest.raises(errors.DeviceIOError, match="no image data"):
            frame(bus.handle)
        bus.handle.cancelled()
        bus.scanner._scripted.clear()
        bus.scanner.inject("D420", *[BUSY] * 1_000_000)
        with pytest.raises(errors.DeviceBusy, match="busy at command d420"):
            frame(bus.handle)


@pytest.mark.parametrize("model", ["MP560", "MF4410", "MP730", "MP750", "MP830"])
def test_an_empty_feeder_says_so(model: str) -> None:
    with Bus(model) as bus:
        set_up(bus.handle, "Gray", 150, FEEDER) if model != "MP560" else None
        if model == "MP560":
            return
        with pytest.raises(errors.NoDocs):
            bus.handle.start()
        bus.scanner.load(1)
        assert is_right(frame(bus.handle), model, 150)


def test_a_page_waits_for_paper() -> None:
    with Bus("MF4410") as bus:
        set_up(bus.handle, "Gray", 150, FEEDER, adf_wait=5)
        empty = Answer(data=bytes((0, 1, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0xFB)))
        bus.scanner.load(1)
        bus.scanner.inject("F320", empty, empty, empty)
        assert is_right(frame(bus.handle), "MF4410", 150)


def test_an_unplugged_scanner_is_told() -> None:
    with Bus("MP560") as bus:
        set_up(bus.handle, "Gray", 75)
        bus.handle.start()
        bus.link.is_unplugged = True
        with pytest.raises(errors.DeviceIOError, match="unplugged"):
            bus.handle.read(memoryview(bytearray(100_000)))


# Buttons


def test_a_press_is_told_once() -> None:
    with Bus("MP600") as bus:
        bus.scanner.press(2, target=5, original=3)
        values = [value_of(bus, name) for name in ("button_2", "button_2", "target", "original")]
        assert values == [1, 0, 5, 3]
        assert value_of(bus, "button_1") == 0


def test_an_update_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bus("MG5300") as bus:
        put_button(bus)
        bus.scanner.press(1, target=2, resolution=3)
        monkeypatch.setattr(bus.handle.device, "_asked_at", float("-inf"))
        put_button(bus)
        assert bus.scanner.events == type(bus.scanner.events)()
        assert [value_of(bus, name) for name in ("scan_resolution", "button_1")] == [3, 1]


@pytest.mark.parametrize(("button", "error"), [(1, None), (2, errors.Cancelled)])
def test_a_page_waits_for_a_button(button: int, error: type[Exception] | None) -> None:
    with Bus("MP600") as bus:
        set_up(bus.handle, "Gray", 75, button_controlled=True)
        bus.link.at = bus.link.count + 9
        bus.link.then = lambda: bus.scanner.press(button)
        with pytest.raises(error) if error else contextlib.nullcontext():
            assert is_right(frame(bus.handle), "MP600", 75)


@pytest.mark.parametrize("data", [b"\1", b"\1" * 17, b"\1" * 65, b"\1" * 1000])
def test_packets_that_are_no_event_are_left_out(data: bytes) -> None:
    with Bus("MP600") as bus:
        bus.scanner.notify(data[:64])
        assert value_of(bus, "button_1") in (0, 1)
        set_up(bus.handle, "Gray", 75)
        assert is_right(frame(bus.handle), "MP600", 75)


def value_of(bus: Bus, attribute: str) -> int:
    option = getattr(type(bus.handle.device), attribute)
    value: int = option.decode(bus.handle.get(option.index))
    return value


def put_button(bus: Bus) -> None:
    bus.handle.set(type(bus.handle.device).button_update.index, b"")  # type: ignore[attr-defined]


def test_a_unit_that_asks_for_the_time_is_told() -> None:
    with Bus("MP360") as bus:
        bus.scanner.notify(bytes(10) + b"\x40" + bytes(5))
        assert value_of(bus, "button_1") == 0
        (command,) = bus.scanner.log
        assert (command.name, len(command.data)) == ("EB80", 30)
        assert command.data[10:24].decode().translate(str.maketrans("", "", "0123456789")) == "// :"


# The network


def tampered(code: int, change: Any, link: str = "tcp") -> Any:
    """Return a tamper that changes the third answer to packets of this kind."""
    seen = []

    def tamper(packet: Packet, answer: bytes) -> bytes | None:
        if (packet.link, packet.code) == (link, code):
            seen.append(packet)
        if len(seen) == 3:
            seen.append(packet)
            changed: bytes | None = change(answer)
            return changed
        return answer

    return tamper


@pytest.mark.parametrize("method", ["bjnp", "mfnp"])
@pytest.mark.parametrize(
    ("code", "change"),
    [
        (0x21, lambda answer: answer[:5] + b"\x20" + answer[6:]),
        (0x21, lambda answer: answer[:9] + b"\xee" + answer[10:]),
        (0x21, lambda answer: answer[:-1] + b"\xff"),
        (0x21, lambda answer: answer[:15] + b"\x02" + answer[16:18]),
        (0x20, lambda answer: answer[:9] + b"\xee" + answer[10:]),
        (0x20, lambda answer: b"HTTP" + answer[4:]),
        (0x20, lambda answer: answer[:12] + b"\xff\xff\xff\xff" + answer[16:]),
        (0x20, lambda answer: answer[:12] + bytes(4)),
    ],
)
def test_garbage_on_a_connection(method: str, code: int, change: Any, tmp_path: Path) -> None:
    with scanner_at("MF4410", method) as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 150)
        frame(handle)
        emulator.tamper = tampered(code, change)
        with pytest.raises(errors.DeviceIOError):
            frame(handle)
        handle.cancelled()
        assert is_right(frame(handle), "MF4410", 150)


def test_headers_may_be_split(tmp_path: Path) -> None:
    """The original takes a header only in one piece."""
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 150)
        emulator.tcp.faults.add(Fault("slow", times=9, size=7, seconds=0.001))
        assert is_right(frame(handle), "MF4410", 150)


@pytest.mark.parametrize("piece", [512, 1000, 65536])
def test_payloads_of_any_size(piece: int, tmp_path: Path) -> None:
    with scanner_at("MP730") as emulator, opened(emulator, tmp_path) as handle:
        emulator.piece_bytes = piece
        set_up(handle, "Color", 150)
        assert is_right(frame(handle), "MP730", 150)


@pytest.mark.parametrize("after", [0, 1, 6, 12, 14])
def test_a_connection_that_breaks(after: int, tmp_path: Path) -> None:
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Color", 150)
        emulator.tcp.faults.add(Fault("cut", after=after, size=5))
        with contextlib.suppress(errors.DeviceIOError):
            frame(handle)
        handle.cancelled()
        assert is_right(frame(handle), "MF4410", 150)


def test_a_job_that_is_not_announced_is_scanned_all_the_same(tmp_path: Path) -> None:
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 150)
        handle.device.unit.link.peer.seconds = 0.05  # type: ignore[attr-defined]
        emulator.tamper = lambda packet, answer: None if packet.code == 0x10 else answer
        assert is_right(frame(handle), "MF4410", 150)


def test_a_unit_without_polls_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.backends.pixma.polling.SECONDS", 0.05)
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 150)
        emulator.tamper = lambda packet, answer: None if packet.code == 0x32 else answer
        for _ in range(3):
            assert is_right(frame(handle), "MF4410", 150)
    assert [packet.code for packet in emulator.log].count(0x32) == 2  # one command, two tries


def test_answers_of_others_are_not_taken(tmp_path: Path) -> None:
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        emulator.udp.faults.add(Fault("stale", times=20))
        set_up(handle, "Gray", 150)
        assert is_right(frame(handle), "MF4410", 150)


def test_a_silent_unit_is_cancelled_at_once(tmp_path: Path) -> None:
    with scanner_at("MP560") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 75)
        emulator.scanner.is_silent = True
        timer = threading.Timer(0.2, handle.cancel_request.set)
        timer.start()
        with pytest.raises(errors.Cancelled):
            handle.start()
        timer.join()
        emulator.scanner.is_silent = False
        handle.cancelled()
        assert is_right(frame(handle), "MP560", 75)


def test_a_unit_that_refuses_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "CONNECT_SECONDS", 0.2)
    with scanner_at("MF4410") as emulator, opened(emulator, tmp_path) as handle:
        set_up(handle, "Gray", 150)
        emulator.tcp.close()
        with pytest.raises(errors.DeviceIOError, match="refused"):
            handle.start()
