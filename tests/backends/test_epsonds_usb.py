"""epsonds over USB with scanners that send too little, too much, something else or nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.epsonds import Backend
from sane.backends.epsonds.wires import UsbWire
from sane.config import Environment
from sane.handle import Handle
from sane.testing.esci2 import Bed, Model, Scanner, reply
from sane.usb.descriptors import Endpoint
from sane.usb.link import CANCELLED
from tests.fakes.scanner import MachineLink, prepared, read_frame, set_options
from tests.fakes.usb import fake_usb

FEEDER = Bed(850, 1400, features=("DPLX",))
SIZE = 112 * 79  # of the page, in bytes


def open_scanner(scanner: Scanner, link: MachineLink | None = None) -> Handle:
    owner = Backend("epsonds", Context(Environment({"SANE_CONFIG_DIR": "/nonexistent"})))
    owner.init()
    wire = UsbWire(fake_usb(link or MachineLink(scanner)))
    handle = prepared(owner._open(wire), owner)
    set_options(handle, mode="Gray", resolution=100, br_x=30.0, br_y=20.0)
    return handle


def scan(handle: Handle) -> bytes:
    handle.start()
    return read_frame(handle)


def works_again(scanner: Scanner) -> None:
    """Check that the next session finds a scanner, whatever the last one left behind."""
    scanner.faults.clear()
    scanner.scripted.clear()
    scanner.is_silent = False
    handle = open_scanner(scanner)
    assert len(scan(handle)) == SIZE
    handle.close()


@pytest.mark.parametrize("piece", [1, 500, 512, 4096, 1 << 20])
def test_pieces_of_every_size(piece: int) -> None:
    scanner = Scanner(Model())
    scanner.piece_bytes = piece
    if piece == 1:
        scanner.model.resolutions = range(10, 20)
    handle = open_scanner(scanner)
    assert len(scan(handle)) == handle.device.parameters().frame_bytes
    assert handle.parameters().lines > 0
    handle.close()
    assert scanner.commands[-1] == "FIN"


Fault = Callable[[bytes], "bytes | None"]
FAULTS: dict[str, Fault] = {
    "nothing": lambda _data: None,
    "too little": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "too much": lambda data: data + b"!",
    "garbage": lambda data: random.Random(3).randbytes(len(data)),
    "zeros": lambda data: bytes(len(data)),
    "another answer": lambda _data: reply(b"STAT")[0],
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(10))
def test_one_bad_message(fault: str, number: int) -> None:
    """The message number *number* of a session and a scan: ACK, INFO and its data, ..."""
    scanner = Scanner(Model(feeder=FEEDER))
    sent = [0]
    plain = scanner.reply

    def tampered(data: bytes, name: str = "") -> bytes:
        sent[0] += 1
        changed = FAULTS[fault](data) if sent[0] == number + 1 else data
        return plain(changed, name) if changed is not None else b""

    scanner.reply = tampered  # type: ignore[method-assign]
    is_token_data = number in (2, 4, 6)  # INFO, CAPA, RESA: some of them may say nothing
    handle = None
    try:
        handle = open_scanner(scanner)
        image = scan(handle)
        assert is_token_data or len(image) == SIZE
    except errors.SaneError as exc:
        assert isinstance(exc, errors.DeviceIOError | errors.Invalid)
    else:
        assert fault in ("zeros", "too little") and is_token_data
    finally:
        if handle is not None:
            handle.close()
    scanner.reply = plain  # type: ignore[method-assign]
    works_again(scanner)


def test_what_an_earlier_session_left_is_no_answer() -> None:
    scanner = Scanner(Model())
    for message in (b"\x06", *reply(b"IMG", "#typIMGA", bytes(70000))):
        scanner.replies.append(message)
    handle = open_scanner(scanner)
    assert len(scan(handle)) == SIZE
    handle.close()


def test_a_device_that_sends_without_end() -> None:
    scanner = Scanner(Model())

    class Endless(MachineLink):
        def transfer_in(
            self, endpoint: Endpoint, data: memoryview, *rest: object
        ) -> tuple[str, int]:
            return "ok", len(data)

    with pytest.raises(errors.DeviceIOError, match="sends and sends"):
        open_scanner(scanner, Endless(scanner))


def test_unplugged_in_the_middle_of_a_page() -> None:
    scanner = Scanner(Model())
    scanner.piece_bytes = 1000
    link = MachineLink(scanner)
    handle = open_scanner(scanner, link)
    handle.start()
    handle.read(memoryview(bytearray(1500)))
    link.is_unplugged = True
    with pytest.raises(errors.DeviceIOError, match="unplugged"):
        read_frame(handle)
    with pytest.raises(errors.DeviceIOError):
        handle.start()
    handle.close()


@pytest.mark.parametrize("partial", [0, 512, 1024])
def test_cancel_in_the_middle_of_a_transfer(partial: int) -> None:
    """What came of it is kept; the rest is received before the scanner is told."""
    scanner = Scanner(Model())

    class Interrupted(MachineLink):
        is_due = False

        def transfer_in(
            self, endpoint: Endpoint, data: memoryview, *rest: object
        ) -> tuple[str, int]:
            if self.is_due and len(data) > 64:
                self.is_due = False
                n = super().transfer_in(endpoint, data[:partial], 0.0, None)[1] if partial else 0  # type: ignore[arg-type]
                handle.cancel_request.set()
                return CANCELLED, n
            return super().transfer_in(endpoint, data, *rest)  # type: ignore[arg-type]

    link = Interrupted(scanner)
    handle = open_scanner(scanner, link)
    handle.start()
    link.is_due = True
    with pytest.raises(errors.Cancelled):
        read_frame(handle)
    handle.cancelled()
    assert scanner.commands[-1] == "CAN"
    assert not scanner.replies
    assert len(scan(handle)) == SIZE
    handle.close()
    works_again(scanner)


@pytest.mark.parametrize("tokens", ["#typIMGA#psti0000112i0000000i0000079", "#lfti0000001"])
def test_a_scanner_that_tells_without_end_and_sends_nothing(tokens: str) -> None:
    scanner = Scanner(Model())
    scanner.inject("IMG", *[reply(b"IMG", tokens)] * 100)
    handle = open_scanner(scanner)
    with pytest.raises(errors.DeviceIOError, match="replies without image data"):
        scan(handle)
    handle.close()
    works_again(scanner)


def test_a_scanner_that_wakes_up_is_asked_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sane.backends.epsonds.commands.BUSY_SECONDS", 0.05)
    scanner = Scanner(Model())
    scanner.busy = {"INFO": 2}
    begin = time.monotonic()
    open_scanner(scanner).close()
    assert time.monotonic() - begin >= 0.1
