"""The "IS" packets of Epson scanners: our Packets against an emulated scanner, with every fault."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from sane.backends._epson import network
from sane.backends._epson.network import HEAD_BYTES, Packets, discover
from sane.cancel import Cancel
from sane.config import Environment
from sane.errors import Cancelled, DeviceBusy, DeviceIOError, Invalid
from sane.testing.epson_net import (
    LOCKED,
    PASSED,
    WELCOME,
    Hangup,
    Responder,
    Server,
    discovery_answer,
    packet,
)
from sane.testing.machine import Machine
from sane.transport.network import Network

Tamper = Callable[[int, bytes], "bytes | None"]
SHORT = 0.05
NETWORK = Network(Environment({}), "epson2")


class Echo(Machine):
    """Answers each command with itself, doubled; b"silent" is not answered."""

    welcome = b"\x01\x02\0\0\0"

    def message(self, data: bytes) -> None:
        self.is_silent = data == b"silent"
        self.reply(data * 2)


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


def connect(server: Server, cancel: Cancel, lock: bytes = b"") -> Packets:
    host, port = server.address
    return Packets.open(host, lock, cancel, port)


def tampered(wanted: int, make: Tamper) -> Tamper:
    """Return a tamper that lets *make* replace packets of type *wanted*."""

    def tamper(kind: int, payload: bytes) -> bytes | None:
        return make(kind, payload) if kind == wanted else packet(kind, payload)

    return tamper


def test_a_command_gets_its_answer(cancel: Cancel) -> None:
    with Server(Echo(), port=0) as server:
        packets = connect(server, cancel)
        packets.send(b"abc", 6)
        assert packets.receive(6) == b"abcabc"
        assert packets.receive(1) == b""
        packets.close()
        assert server.machine.received == [b"abc"]


def test_an_answer_is_handed_out_in_pieces_and_asked_for_in_pieces(cancel: Cancel) -> None:
    with Server(Echo(), port=0) as server:
        packets = connect(server, cancel)
        packets.send(b"abcd", 4)
        assert packets.receive(2) == b"ab"
        packets.send(b"", 3)  # drops "cd" of the first answer
        assert packets.receive(9) == b"abc"
        packets.close()


def test_a_command_without_an_answer_gets_an_empty_packet(cancel: Cancel) -> None:
    with Server(Echo(), port=0) as server:
        packets = connect(server, cancel)
        packets.send(b"ab", 0)
        assert packets.receive(1) == b""
        packets.send(b"", 4)
        assert packets.receive(4) == b"abab"
        packets.close()


def test_the_lock_carries_its_payload_and_ends_with_the_link(cancel: Cancel) -> None:
    with Server(Echo(), port=0) as server:
        first = connect(server, cancel, bytes.fromhex("01a0040000012c"))
        first.close()
        second = connect(server, cancel)  # waits until the first unlock was read
        second.close()
        assert len(server.connections) == 2


def test_a_second_host_is_told_that_the_scanner_is_busy(
    cancel: Cancel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.testing.epson_net.LOCK_SECONDS", SHORT)
    with Server(Echo(), port=0) as server:
        first = connect(server, cancel)
        with pytest.raises(DeviceBusy, match="refused with 15"):
            connect(server, cancel)
        first.close()


def test_nothing_listens(cancel: Cancel) -> None:
    with Server(Echo(), port=0) as server:
        address = server.address
    with pytest.raises(Invalid, match=f"127.0.0.1 port {address[1]}"):
        Packets.open(*address[:1], b"", cancel, address[1])


WRONG_ENTRIES: list[tuple[int, Tamper, str]] = [
    (WELCOME, lambda _kind, _payload: b"HTTP/1.1 400 Bad", "does not begin a packet"),
    (WELCOME, lambda kind, _payload: packet(kind, b"abc"), "welcome of 5 bytes was due, not 61"),
    (WELCOME, lambda kind, _payload: packet(kind, bytes(9)), "9 bytes where 5 were asked for"),
    (LOCKED, lambda kind, _payload: packet(kind, b""), "answer to lock of 1 bytes was due, not n"),
    (LOCKED, lambda kind, _payload: packet(kind, bytes(2)), "2 bytes where 1 were asked for"),
]


@pytest.mark.parametrize(("kind", "make", "message"), WRONG_ENTRIES)
def test_what_is_no_scanner_is_refused(
    cancel: Cancel, kind: int, make: Tamper, message: str
) -> None:
    with (
        Server(Echo(), port=0, tamper=tampered(kind, make)) as server,
        pytest.raises(DeviceIOError, match=message),
    ):
        connect(server, cancel)


@pytest.mark.parametrize("kind", [WELCOME, LOCKED])
def test_a_scanner_that_says_nothing_ends_the_wait(
    cancel: Cancel, kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "ANSWER_SECONDS", SHORT)
    with (
        Server(Echo(), port=0, tamper=tampered(kind, lambda _k, _p: None)) as server,
        pytest.raises(DeviceIOError),
    ):
        connect(server, cancel)


def raise_hangup(_kind: int, payload: bytes) -> bytes | None:
    raise Hangup(packet(PASSED, payload)[:-1])


WRONG_ANSWERS: list[tuple[Tamper, str]] = [
    (lambda _kind, payload: b"XX" + packet(PASSED, payload)[2:], "does not begin a packet"),
    (lambda kind, payload: packet(kind, payload + b"?"), "5 bytes where 4 were asked for"),
    (lambda _kind, _payload: struct.pack(">2sHHIH", b"IS", 0xA000, 12, 1 << 31, 0), "2147483648"),
    (lambda _kind, _payload: packet(0x9000, b"\x04"), "stopped at the device"),
    (lambda _kind, _payload: packet(0x9000, b"\x77"), "an unknown event"),
    (lambda _kind, _payload: packet(0x9000, b""), "an unknown event"),
    (raise_hangup, "closed the connection"),
]


@pytest.mark.parametrize(("make", "message"), WRONG_ANSWERS)
def test_a_wrong_answer_ends_the_link(cancel: Cancel, make: Tamper, message: str) -> None:
    with Server(Echo(), port=0, tamper=tampered(PASSED, make)) as server:
        packets = connect(server, cancel)
        packets.send(b"ab", 4)
        with pytest.raises(DeviceIOError, match=message):
            packets.receive(4)
        with pytest.raises(DeviceIOError, match="of no use after"):
            packets.send(b"ab", 4)
        packets.close()
        server.tamper = packet
        again = connect(server, cancel)
        again.send(b"ab", 4)
        assert again.receive(4) == b"abab"
        again.close()


def test_cancel_at_the_device_is_cancelled(cancel: Cancel) -> None:
    tamper = tampered(PASSED, lambda _kind, _payload: packet(0x9000, b"\x03"))
    with Server(Echo(), port=0, tamper=tamper) as server:
        packets = connect(server, cancel)
        packets.send(b"ab", 4)
        with pytest.raises(Cancelled, match="cancelled at the device"):
            packets.receive(4)
        packets.close()


def test_a_stall_ends_the_link(cancel: Cancel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "STALL_SECONDS", SHORT)
    tamper = tampered(PASSED, lambda _kind, payload: packet(PASSED, payload)[:-1])
    with Server(Echo(), port=0, tamper=tamper) as server:
        packets = connect(server, cancel)
        packets.send(b"ab", 4)
        with pytest.raises(DeviceIOError):
            packets.receive(4)
        with pytest.raises(DeviceIOError, match="of no use after"):
            packets.send(b"ab", 4)
        packets.close()


def test_a_refusal_is_a_short_answer(cancel: Cancel) -> None:
    tamper = tampered(PASSED, lambda kind, _payload: packet(kind, b"\x15"))
    with Server(Echo(), port=0, tamper=tamper) as server:
        packets = connect(server, cancel)
        packets.send(b"\x1c\x47", 14)
        assert packets.receive(14) == b"\x15"
        packets.close()


@pytest.mark.parametrize("sent", [0, 5, HEAD_BYTES, HEAD_BYTES + 1])
def test_cancel_ends_a_wait_and_loses_nothing(cancel: Cancel, sent: int) -> None:
    """After cancel the rest of the answer can be dropped, and the next is not misread."""
    more = threading.Event()

    def slow(kind: int, payload: bytes) -> bytes | None:
        server.tamper = packet
        data = packet(kind, payload)
        server.connections[-1].send_raw(data[:sent])
        cancel.set()
        assert more.wait(10)
        return data[sent:]

    with Server(Echo(), port=0) as server:
        packets = connect(server, cancel)
        server.tamper = slow
        packets.send(b"abc", 6)
        with pytest.raises(Cancelled):
            packets.receive(6)
        more.set()
        cancel.clear()
        packets.drop()
        packets.send(b"de", 4)
        assert packets.receive(4) == b"dede"
        packets.close()


def test_the_search_finds_those_that_answer_like_scanners(cancel: Cancel) -> None:
    answers = (b"EPSONp" + bytes(70), b"EPSONp" + bytes(69), b"NOEPSON" + bytes(90))
    for number, count in enumerate((1, 0, 0)):
        responder = Responder("127.0.0.1", 0, answers[number : number + 1])
        try:
            found = discover(NETWORK.search, cancel.wait, SHORT, responder.address)
        finally:
            responder.close()
        assert found == ["127.0.0.1"][:count]
        assert responder.received == [b"EPSONP\0\xff" + bytes(7)]


def test_a_scanner_that_answers_twice_is_found_once(cancel: Cancel) -> None:
    responder = Responder("127.0.0.1", 0, (discovery_answer("GT-EMU"),) * 2)
    try:
        assert discover(NETWORK.search, cancel.wait, SHORT, responder.address) == ["127.0.0.1"]
    finally:
        responder.close()


def test_the_search_ends_at_once_when_cancelled(cancel: Cancel) -> None:
    responder = Responder("127.0.0.1", 0, ())
    cancel.set()
    try:
        with pytest.raises(Cancelled):
            discover(NETWORK.search, cancel.wait, 60, responder.address)
    finally:
        responder.close()
