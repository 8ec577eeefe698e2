"""Announces emulated devices by multicast DNS, without a daemon: for networks of tests' own.

A Responder answers whoever asks, multicast or not, tells of its services when it begins and says
goodbye when it ends. Source: RFC 6762 (5.4, 6, 6.7, 8.3, 10.1), RFC 6763, RFC 1035 4.1.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..transport import interfaces

GROUP, PORT = "224.0.0.251", 5353
A, PTR, TXT, AAAA, SRV, ANY = 1, 12, 16, 28, 33, 255
INTERNET, TOP_BIT = 1, 0x8000  # the latter: answer to us alone, in a question; flush, in a record
ANSWER = 0x8400  # the flags: an answer, with authority
HEAD = struct.Struct(">6H")
LIVES_SECONDS = 120
LEGACY_SECONDS = 10  # for hosts that keep nothing (6.7)
POINTERS = 32  # in one name: more are a circle
DATAGRAM_BYTES = 1 << 16
JOIN_SECONDS = 10.0
ALL_TYPES = "_services._dns-sd._udp.local"

Asked = tuple[tuple[str, ...], int, bool]  # name, type, "answer to me alone"
Record = tuple[tuple[str, ...], int, bytes, bool]  # name, type, data, nobody else has one


@dataclass
class Announced:
    """A service: instance name, type as ``_uscan._tcp``, port, TXT, host name and its addresses.

    addresses: () for those of all interfaces, loopback last.
    """

    name: str
    type: str
    port: int
    texts: Mapping[str, str | None] = field(default_factory=dict)
    server: str = "scanner.local"
    addresses: tuple[str, ...] = ()

    def records(self) -> Iterator[Record]:
        """Yield name, type, data and whether nobody else has such a record."""
        type_name = (*self.type.split("."), "local")
        instance = (self.name, *type_name)
        server = tuple(self.server.split("."))
        yield type_name, PTR, encoded(instance), False
        yield tuple(ALL_TYPES.split(".")), PTR, encoded(type_name), False
        yield instance, SRV, struct.pack(">3H", 0, 0, self.port) + encoded(server), True
        yield instance, TXT, self._text(), True
        for address in self.addresses or own_addresses():
            packed = ipaddress.ip_address(address).packed
            yield server, A if len(packed) == 4 else AAAA, packed, True

    def _text(self) -> bytes:
        entries = [
            (key if value is None else f"{key}={value}").encode()
            for key, value in self.texts.items()
        ]
        return b"".join(bytes((len(entry),)) + entry for entry in entries) or b"\0"


def own_addresses() -> tuple[str, ...]:
    """Return this machine's addresses that need no zone, loopback last."""
    found = [a for a in interfaces.addresses() if not a.text.startswith("fe80:")]
    return tuple(a.text for a in sorted(found, key=lambda a: a.is_loopback))


def encoded(name: Iterable[str]) -> bytes:
    """Return the labels of a name as DNS has them."""
    labels = [label.encode() for label in name]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def questions(data: bytes) -> list[Asked]:
    """Return name, type and "to us alone" of each question in a query; [] for anything else."""
    try:
        _id, flags, count, *_ = HEAD.unpack_from(data)
        if flags & TOP_BIT:
            return []
        found, at = [], HEAD.size
        for _ in range(count):
            name, at = _name(data, at)
            kind, group = struct.unpack_from(">2H", data, at)
            at += 4
            found.append((name, kind, bool(group & TOP_BIT)))
    except (IndexError, struct.error):
        return []
    return found


def _name(data: bytes, at: int) -> tuple[tuple[str, ...], int]:
    labels: list[str] = []
    end, jumps = -1, 0
    while size := data[at]:
        if size >= 0xC0:
            end = at + 2 if end < 0 else end
            at = (size & 0x3F) << 8 | data[at + 1]
            jumps += 1
            if jumps > POINTERS:
                raise IndexError("a name without end")
        else:
            labels.append(data[at + 1 : at + 1 + size].decode("utf-8", "replace"))
            at += 1 + size
    return tuple(labels), at + 1 if end < 0 else end


def answer(
    services: Iterable[Announced],
    asked: list[Asked] | None,
    seconds: int = LIVES_SECONDS,
    query: bytes = b"",
) -> bytes:
    """Return the records that answer *asked*, with what goes with them; all records for None.

    query: the datagram of a host that keeps nothing; its number and question are repeated. b"" if
    nothing is known of what was asked.
    """
    every = list(dict.fromkeys(record for service in services for record in service.records()))
    wanted = every if asked is None else [record for record in every if _is_asked(record, asked)]
    if not wanted:
        return b""
    more = [record for record in every if record not in wanted]
    flush = 0 if query else TOP_BIT
    number, repeated = 0, b""
    if query and asked:
        number = int.from_bytes(query[:2], "big")
        repeated = encoded(asked[0][0]) + struct.pack(">2H", asked[0][1], INTERNET)
    parts = [HEAD.pack(number, ANSWER, bool(repeated), len(wanted), 0, len(more)), repeated]
    for name, kind, data, is_own in (*wanted, *more):
        group = INTERNET | (flush if is_own else 0)
        parts += [encoded(name), struct.pack(">2HIH", kind, group, seconds, len(data)), data]
    return b"".join(parts)


def _is_asked(record: Record, asked: list[Asked]) -> bool:
    key = [label.lower() for label in record[0]]
    return any(
        [label.lower() for label in name] == key and kind in (record[1], ANY)
        for name, kind, _ in asked
    )


class Responder:
    """Announces *services* from construction to close(), on all interfaces, loopback too."""

    def __init__(self, services: Iterable[Announced]) -> None:
        self.services = list(services)
        self.asked: list[Asked] = []  # by hosts, for assertions
        self._interfaces = sorted(
            {a.index for a in interfaces.addresses() if a.family == socket.AF_INET}
        )
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        self._socket.bind(("", PORT))
        for index in self._interfaces:
            request = socket.inet_aton(GROUP) + struct.pack("=Ii", 0, index)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        self._ends, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._tell(answer(self.services, None))

    def __enter__(self) -> Responder:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, and end."""
        if self._thread.is_alive():
            self._tell(answer(self.services, None, 0))
            self._end.close()
            self._thread.join(JOIN_SECONDS)
            self._ends.close()
            self._socket.close()

    def _tell(self, data: bytes) -> None:
        """Send *data* to everybody."""
        for index in self._interfaces:
            request = struct.pack("=4s4si", bytes(4), bytes(4), index)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
            self._socket.sendto(data, (GROUP, PORT))

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._ends, select.POLLIN)
        poll.register(self._socket, select.POLLIN)
        while self._ends.fileno() not in dict(poll.poll()):
            data, sender = self._socket.recvfrom(DATAGRAM_BYTES)
            asked = questions(data)
            self.asked += asked
            is_legacy = sender[1] != PORT
            reply = answer(
                self.services,
                asked,
                LEGACY_SECONDS if is_legacy else LIVES_SECONDS,
                data if is_legacy else b"",
            )
            if reply and (is_legacy or all(alone for _, _, alone in asked)):
                self._socket.sendto(reply, sender)
            elif reply:
                self._tell(reply)
