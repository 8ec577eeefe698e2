"""Multicast DNS: what responders say in one datagram or in several, and what is no answer."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Iterable

import pytest

from sane.config import Environment
from sane.debug import Debug
from sane.discovery import dns, mdns
from sane.discovery.dns import AAAA, PTR, SRV, TXT, A
from sane.discovery.mdns import browse
from sane.testing.net import Fault, UdpEmulator
from sane.transport.broadcast import Answer

DEBUG = Debug("tst", Environment({}))
GROUP = "239.255.17.53"
TYPE = "_uscan._tcp"
LONG = 10.0


def packed(name: str | bytes) -> bytes:
    """Return a name in a message; a label that is given as bytes may hold dots."""
    labels = [name] if isinstance(name, bytes) else [part.encode() for part in name.split(".")]
    return b"".join(bytes((len(label),)) + label for label in labels)


def record(name: bytes, type: int, data: bytes) -> bytes:
    return name + struct.pack(">2HIH", type, 0x8001, 120, len(data)) + data


INSTANCE = packed("Büro 2.Stock".encode()) + packed(f"{TYPE}.local") + b"\0"
OTHER = packed(b"Other") + packed(f"{TYPE}.local") + b"\0"
HOST = packed("printer.local") + b"\0"
POINTER = record(packed(f"{TYPE}.local") + b"\0", PTR, INSTANCE)
SERVER = record(INSTANCE, SRV, struct.pack(">3H", 0, 0, 8080) + HOST)
TEXTS = record(INSTANCE, TXT, b"\x09rs=eSCL/x\x05rs=no\x06Duplex\x00")
ADDRESS = record(HOST, A, bytes((192, 0, 2, 7)))
ADDRESS6 = record(
    packed("PRINTER.local") + b"\0", AAAA, socket.inet_pton(socket.AF_INET6, "fe80::1")
)
WHOLE = (POINTER, SERVER, TEXTS, ADDRESS, ADDRESS6)


def message(*records: bytes) -> bytes:
    return struct.pack(">6H", 0, 0x8400, 0, 1, 0, len(records) - 1) + b"".join(records)


class Responder(UdpEmulator):
    """Answers questions about a type with its records; alone or all in one datagram."""

    def __init__(self, *records: bytes, at_once: bool = True) -> None:
        self.records = records
        self.at_once = at_once
        super().__init__("0.0.0.0", 0, [GROUP])

    def answers(self, data: bytes) -> Iterable[bytes]:
        if self.at_once:
            return [message(*self.records)]
        kinds = [PTR, SRV, TXT, A, AAAA]
        asked = [
            kind for kind in kinds if struct.pack(">2H", kind, dns.INTERNET | dns.UNICAST) in data
        ]
        return [message(it) for kind in asked for it in self.records if self.kind(it) == kind]

    @staticmethod
    def kind(record: bytes) -> int:
        return dns.parse(message(record))[0].type


def found(responder: Responder, seconds: float = 0.5) -> list[tuple[str, int, str, str]]:
    services = browse(TYPE, DEBUG, seconds, (GROUP,), responder.address[1])
    return [(it.name, it.port, it.address, it.instance) for it in services]


EXPECTED = [
    ("printer.local", 8080, "192.0.2.7", "Büro 2.Stock"),
    ("printer.local", 8080, "fe80::1%lo", "Büro 2.Stock"),
]


@pytest.mark.parametrize("at_once", [True, False])
def test_mdns_a_responder_is_found(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "ROUND_SECONDS", 0.05)
    with Responder(*WHOLE, at_once=at_once) as responder:
        assert found(responder) == EXPECTED


def test_mdns_it_goes_on_when_all_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "ROUND_SECONDS", 0.05)
    with Responder(*WHOLE) as responder:
        begin = time.monotonic()
        assert found(responder, 60.0) == EXPECTED
        assert time.monotonic() - begin < LONG


def test_mdns_the_texts_of_a_service() -> None:
    with Responder(*WHOLE) as responder:
        (service, _) = browse(TYPE, DEBUG, 0.3, (GROUP,), responder.address[1])
        assert service.texts == {"rs": "eSCL/x", "duplex": ""}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop"),
        Fault("garbage", data=b"\xff" * 100),
        Fault("garbage", data=b""),
        Fault("cut", size=60),
        Fault("repeat", times=9),
        Fault("surplus", data=b"\x00" * 12, times=9),
    ],
    ids=str,
)
def test_mdns_faults_of_the_network(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "ROUND_SECONDS", 0.1)
    with Responder(*WHOLE) as responder:
        responder.faults.add(fault)
        assert found(responder) == EXPECTED


def test_mdns_silence_ends_with_the_time() -> None:
    with Responder(*WHOLE) as responder:
        responder.faults.add(Fault("silence", times=99))
        begin = time.monotonic()
        assert found(responder, 0.2) == []
        assert time.monotonic() - begin < LONG / 2


@pytest.mark.parametrize(
    "records",
    [
        (POINTER, SERVER, TEXTS),
        (POINTER, TEXTS, ADDRESS),
        (SERVER, TEXTS, ADDRESS),
        (POINTER, record(INSTANCE, SRV, struct.pack(">3H", 0, 0, 0) + HOST), ADDRESS),
        (record(HOST, PTR, INSTANCE), SERVER, ADDRESS),
    ],
)
def test_mdns_what_is_not_known_whole_is_left_out(records: tuple[bytes, ...]) -> None:
    with Responder(*records) as responder:
        assert found(responder, 0.2) == []


def test_mdns_from_another_port_is_no_answer() -> None:
    class Elsewhere(Responder):
        def reply(self, data: bytes, sender: tuple[str, int]) -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(data, sender)

    with Elsewhere(*WHOLE) as elsewhere:
        assert found(elsewhere, 0.2) == []
        assert elsewhere.received


def test_mdns_all_types_are_asked_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for a type that nobody has."""
    monkeypatch.setattr(mdns, "ROUND_SECONDS", 0.05)
    with Responder(*WHOLE) as responder:
        begin = time.monotonic()
        port = responder.address[1]
        found = mdns.browse_all(("_none._tcp", TYPE), DEBUG, 60.0, (GROUP,), port)
        assert time.monotonic() - begin < LONG
    assert [it.instance for it in found[TYPE]] == ["Büro 2.Stock"] * 2
    assert found["_none._tcp"] == []


def test_mdns_a_flood_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "INSTANCES", 3)
    many = []
    for number in range(20):
        name = packed(b"N%d" % number) + packed(f"{TYPE}.local") + b"\0"
        many += [
            record(packed(f"{TYPE}.local") + b"\0", PTR, name),
            record(name, SRV, struct.pack(">3H", 0, 0, 80) + HOST),
        ]
    with Responder(*many, ADDRESS) as responder:
        assert len(found(responder, 0.3)) == 3


def test_mdns_a_host_that_floods_does_not_hide_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both answer the same question; the flood is there first."""
    monkeypatch.setattr(mdns, "INSTANCES", 8)
    monkeypatch.setattr(mdns, "INSTANCES_OF_HOST", 5)
    known = mdns._Known(dns.name_of(f"{TYPE}.local"))
    for number in range(20):
        name = packed(b"N%d" % number) + packed(f"{TYPE}.local") + b"\0"
        pointer = record(packed(f"{TYPE}.local") + b"\0", PTR, name)
        data = message(pointer, record(name, SRV, struct.pack(">3H", 0, 0, 80) + HOST))
        known.take(dns.parse(data), Answer(data, "192.0.2.66", 5353, "lo"))
    data = message(*WHOLE)
    known.take(dns.parse(data), Answer(data, "192.0.2.7", 5353, "lo"))
    names = [service.instance for service in known.services()]
    assert len(set(names)) == 6
    assert "Büro 2.Stock" in names


# Messages


def test_dns_names_are_followed_and_compared_without_capitals() -> None:
    head = struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0)
    name = packed(f"{TYPE}.local") + b"\0"
    pointer = b"\x01a\xc0\x0c"
    data = head + name + struct.pack(">2HIH", PTR, 1, 1, len(pointer)) + pointer
    (one,) = dns.parse(data)
    assert one.value == (b"a", b"_uscan", b"_tcp", b"local")
    assert dns.key_of((b"A", b"b")) == (b"a", b"b")
    assert dns.parse(dns.query([(dns.name_of("a.local"), A)])) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\0",
        struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + b"\x3f" * 300,
        struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + b"\x80a\0",
        struct.pack(">6H", 0, 0x8400, 0, 2, 0, 0) + ADDRESS,
        message(record(HOST, A, b"\1\2\3")),
        message(record(HOST, SRV, b"\0\0")),
        message(ADDRESS)[:-1],
    ],
)
def test_dns_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(dns.BadMessage):
        dns.parse(data)


def test_dns_counts_that_lie_cost_nothing() -> None:
    assert dns.parse(struct.pack(">6H", 0, 0x8400, 0, 0xFFFF, 0xFFFF, 0xFFFF)) == []


def test_dns_seeded_garbage_ends_in_records_or_the_named_error() -> None:
    chance = random.Random(53)
    good = message(*WHOLE)
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            dns.parse(bytes(data[: chance.randrange(len(data) + 1)]))
        except dns.BadMessage:
            continue


@pytest.mark.parametrize("name", [("a" * 64, "local"), ("", "local")])
def test_dns_a_name_that_no_message_holds(name: tuple[str, ...]) -> None:
    with pytest.raises(dns.BadMessage):
        dns.query([(tuple(label.encode() for label in name), A)])
