"""The emulated Canon scanner on the network: BJNP or MFNP, by UDP and TCP at one port.

    with Emulator(Scanner("MP560"), "127.0.0.5") as device:
        ...                                            # pixma.conf: bjnp://127.0.0.5

It knows packets, sessions and polls; what is in them is the scanner's.

Source: specification pixma 1.2 to 1.6, 1.9 and 6.1.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..net import Connection, HostGone, TcpEmulator, UdpEmulator
from .scanner import Scanner

BJNP, MFNP = "bjnp", "mfnp"
PORTS = {BJNP: 8612, MFNP: 8610}
HEADER = struct.Struct(">4sBBHHHI")  # magic, device class, code, 0, sequence, session, size
SCANNER, ANSWER = 0x02, 0x80  # device class, and its bit in answers
DISCOVER, DETAILS, CLOSE, READ, WRITE, IDENTITY, POLL = 0x01, 0x10, 0x11, 0x20, 0x21, 0x30, 0x32
EVENT, RESTART = b"\0\0\x80\0", b"\0\0\0\x01"  # results of a poll
STATUS_BYTES = 20  # of a poll
PIECE_BYTES = 32768  # of what the scanner says, in one answer
REQUEST_BYTES = 1 << 16  # of one command, at most
PAIRS = 20  # tries to find a port that is free for UDP and TCP


class Packet(NamedTuple):
    """A packet of a host, in a log: by `udp` or `tcp`, its code, sequence, session, payload."""

    link: str
    code: int
    sequence: int
    session: int
    payload: bytes


Tamper = Callable[[Packet, bytes], "bytes | None"]


def unchanged(packet: Packet, answer: bytes) -> bytes | None:
    """Return the answer as it is: the tamper of a device without faults."""
    return answer


class Emulator:
    """A scanner behind a UDP and a TCP port, from construction to close().

    scanner: keeps its state whoever is connected. port: 0 for any that is free. tamper(packet,
    answer): returns what is sent for a packet of a host, None for nothing; by this function tests
    make the faults of a device, by `tcp.faults` and `udp.faults` those of a network. broadcast:
    addresses at which it hears searches besides. piece_bytes: of one TCP answer. is_quiet: a read
    request is not answered where nothing is to be said. is_refusing: nobody gets a TCP connection.
    log: what hosts sent.
    """

    def __init__(
        self,
        scanner: Scanner,
        host: str = "127.0.0.1",
        port: int = -1,
        method: str = BJNP,
        broadcast: Iterable[str] = (),
    ) -> None:
        self.scanner = scanner
        self.method = method
        self.tamper: Tamper = unchanged
        self.piece_bytes = PIECE_BYTES
        self.is_quiet = False
        self.log: list[Packet] = []
        self.lock = threading.Lock()
        self.mac = bytes.fromhex(f"001e8f00{scanner.model.product:04x}")
        self._sessions = 0
        self._dialog = 0
        self.tcp, self.udp = self._listen(host, PORTS[method] if port < 0 else port)
        self.address = self.tcp.address
        self._ears = [_Udp(self, address, self.address[1], self.udp) for address in broadcast]

    def _listen(self, host: str, port: int) -> tuple[_Tcp, _Udp]:
        for _ in range(PAIRS):
            tcp = _Tcp(self, host, port)
            try:
                return tcp, _Udp(self, host, tcp.address[1])
            except OSError:
                tcp.close()
                if port:
                    raise
        raise OSError(f"no port of {host} is free for both UDP and TCP")

    @property
    def url(self) -> str:
        """What pixma.conf says of it."""
        host, port = self.address
        return f"{self.method}://{f'[{host}]' if ':' in host else host}:{port}"

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; may be called again."""
        for ear in (*self._ears, self.udp):
            ear.close()
        self.tcp.close()

    # What hosts send

    def read_header(self, data: bytes) -> tuple[int, int, int, int] | None:
        """Return code, sequence, session and size of a packet; None: it is none for us."""
        magic, kind, code, _zero, sequence, session, size = HEADER.unpack_from(data)
        if magic != self.method.upper().encode() or kind != SCANNER:
            return None
        return code, sequence, session, size

    def answer(self, packet: Packet) -> bytes | None:
        """Return what is sent for a packet."""
        with self.lock:
            self.log.append(packet)
            session = packet.session
            if packet.link == "tcp":
                payload = self._tcp_payload(packet)
            else:
                payload = self._udp_payload(packet)
                if packet.code == DETAILS:
                    self._sessions = session = self._sessions % 0xFFFF + 1
            if payload is None:
                return None
            head = HEADER.pack(
                self.method.upper().encode(),
                SCANNER | ANSWER,
                packet.code,
                0,
                packet.sequence,
                session,
                len(payload),
            )
        return self.tamper(packet, head + payload)

    def _tcp_payload(self, packet: Packet) -> bytes | None:
        if packet.code == WRITE:
            self.scanner.take(packet.payload)
            return len(packet.payload).to_bytes(4, "big")
        if packet.code == READ:
            data = self.scanner.read(self.piece_bytes)
            is_silent = self.scanner.is_silent or (self.is_quiet and not data)
            return None if is_silent else data
        raise HostGone  # no host sends that

    def _udp_payload(self, packet: Packet) -> bytes | None:
        if packet.code == DISCOVER:
            return b"\x00\x01\x08\x00" + self._addresses()
        if packet.code in (DETAILS, CLOSE):
            return b""
        if packet.code == IDENTITY:
            text = identity(self.scanner.model.name)
            return text if self.method == MFNP else len(text).to_bytes(2, "big") + text
        if packet.code == POLL and len(packet.payload) >= 2:
            return self._polled(packet.payload)
        return None

    def _addresses(self) -> bytes:
        host = self.address[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        numeric = socket.inet_pton(family, host.partition("%")[0])
        return bytes((len(self.mac), len(numeric))) + self.mac + numeric

    def _polled(self, payload: bytes) -> bytes:
        """Return the answer to a poll; an event is told until the host says that it has it."""
        kind = int.from_bytes(payload[:2], "big")
        result, key, status = bytes(4), 0, b""
        events = self.scanner.events
        if kind == 1:
            self._dialog += 1
        elif kind == 2 and events:
            result, key, status = EVENT, self._key, events[0]
        elif kind == 5 and len(payload) >= 80:
            result = RESTART
            if events and int.from_bytes(payload[76:80], "big") == self._key:
                events.popleft()
                self._key += 1
        head = result + struct.pack(">III", self._dialog, STATUS_BYTES, key)
        return head + status[:STATUS_BYTES].ljust(STATUS_BYTES, b"\0")

    _key = 1  # of the event that is told now


def identity(name: str) -> bytes:
    """Return the IEEE 1284 id of a model."""
    text = (
        f"MFG:Canon;CMD:MultiPASS 2.1,IVEC;SOJ:TXT01;MDL:{name};CLS:IMAGE;DES:Canon {name};"
        "VER:1.050;STA:10;"
    )
    return text.encode()


class _Tcp(TcpEmulator):
    """The connections of hosts, for commands."""

    def __init__(self, device: Emulator, host: str, port: int) -> None:
        self.device = device
        super().__init__(host, port)

    def serve(self, connection: Connection) -> None:
        while True:
            head = self.device.read_header(connection.receive(HEADER.size))
            if head is None or head[3] > REQUEST_BYTES:
                return
            packet = Packet("tcp", *head[:3], connection.receive(head[3]))
            answer = self.device.answer(packet)
            if answer is not None:
                connection.send(answer)


class _Udp(UdpEmulator):
    """Datagrams of hosts; *mouth* sends the answers, from the address of the device."""

    def __init__(self, device: Emulator, host: str, port: int, mouth: _Udp | None = None) -> None:
        self.device = device
        self.mouth = mouth
        super().__init__(host, port)

    def answers(self, data: bytes) -> Iterator[bytes]:
        if len(data) < HEADER.size:
            return
        head = self.device.read_header(data)
        if head is None:
            return
        answer = self.device.answer(Packet("udp", *head[:3], data[HEADER.size :]))
        if answer is not None:
            yield answer

    def reply(self, data: bytes, sender: tuple[str, int]) -> None:
        if self.mouth is None:
            super().reply(data, sender)
        else:
            self.mouth.reply(data, sender)
