"""BJNP and MFNP packets: Canon's protocol for scanners on the network, as bytes.

It knows headers, payloads and what a unit says of itself; it does no I/O. All that comes in is
hostile: every length is checked before it is used. Source: specification pixma 1.2 to 1.5.
"""

from __future__ import annotations

import struct

from ...errors import DeviceIOError

BJNP, MFNP = "bjnp", "mfnp"
MAGICS = {BJNP: b"BJNP", MFNP: b"MFNP"}
METHODS = {magic: method for method, magic in MAGICS.items()}
PORTS = {BJNP: 8612, MFNP: 8610}
SCANNER, ANSWER = 0x02, 0x80  # device class, and what an answer adds to it

DISCOVER, DETAILS, CLOSE, IDENTITY, POLL = 0x01, 0x10, 0x11, 0x30, 0x32  # over UDP
READ, WRITE = 0x20, 0x21  # over TCP

HEAD_BYTES = 16
ACCEPTED_BYTES = 4  # of the answer to WRITE
IDENTITY_BYTES = 1024
MODEL_CHARACTERS = 63
PAYLOAD_BYTES = 1 << 24  # of one packet: a longer one is a lie
_HEAD = struct.Struct(">4sBBHHHI")  # magic, class, code, 0, sequence, session, length
_MAC = slice(6, 12)  # of the payload of an answer to DISCOVER

_HOST_CHARACTERS, _USER_CHARACTERS, _TITLE_CHARACTERS = 32, 32, 128
_POLL_NAME_CHARACTERS, _POLL_NAME_BYTES = 31, 64


class Head:
    """The header of a packet: *method*, *kind* (class), *code*, *sequence*, *session*, *length*."""

    __slots__ = ("code", "kind", "length", "method", "sequence", "session")

    length: int
    session: int

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Parse the first bytes of *data*; raises DeviceIOError, with them, for no header."""
        if len(data) < HEAD_BYTES:
            raise wrong("a header that is cut off", data)
        magic, self.kind, self.code, _, self.sequence, self.session, self.length = (
            _HEAD.unpack_from(data)
        )
        if magic not in METHODS or not self.kind & ANSWER:
            raise wrong("no answer", data)
        if self.length > PAYLOAD_BYTES:
            raise wrong(f"a payload of {self.length} bytes", data)
        self.method = METHODS[magic]

    def check(self, method: str, code: int, sequence: int) -> None:
        """Raise DeviceIOError unless it answers this command."""
        if (self.method, self.code, self.sequence) != (method, code, sequence):
            raise DeviceIOError(
                f"{method} answers {self.method} {self.code:02x} number {self.sequence} where "
                f"{code:02x} number {sequence} was asked"
            )


def wrong(what: str, data: bytes | bytearray | memoryview) -> DeviceIOError:
    """Return the error for *data* of the network that are *what*."""
    return DeviceIOError(f"{what}: {bytes(data[:64]).hex(' ') or 'nothing'}")


def packet(method: str, code: int, sequence: int, session: int = 0, payload: bytes = b"") -> bytes:
    """Return a packet of the host."""
    numbers = SCANNER, code, 0, sequence & 0xFFFF, session, len(payload)
    return _HEAD.pack(MAGICS[method], *numbers) + payload


def payload_of(data: bytes) -> tuple[Head, bytes]:
    """Return header and payload of a datagram; raises DeviceIOError where it is cut off."""
    head = Head(data)
    payload = data[HEAD_BYTES : HEAD_BYTES + head.length]
    if len(payload) < head.length:
        raise wrong("a datagram that is cut off", data)
    return head, payload


def answers(data: bytes, method: str, code: int, sequence: int) -> bool:
    """Tell whether a datagram is the whole answer to this command; others are dropped."""
    try:
        payload_of(data)[0].check(method, code, sequence)
    except DeviceIOError:
        return False
    return True


# What a unit says of itself


def discovery() -> list[tuple[bytes, int]]:
    """Return the questions to everybody, each with its port."""
    return [(packet(method, DISCOVER, 0), PORTS[method]) for method in (BJNP, MFNP)]


def mac_of(payload: bytes) -> str:
    """Return the hardware address in an answer to DISCOVER, 12 hexadecimal digits or ""."""
    mac = payload[_MAC]
    return mac.hex() if len(mac) == 6 and any(mac) else ""


def model_text(method: str, payload: bytes) -> str:
    """Return what a unit calls itself, the field MDL of its identity; "" without one.

    BJNP has two bytes before the text.
    """
    text = payload[2:] if method == BJNP else payload
    for token in text[:IDENTITY_BYTES].split(b";"):
        if token.startswith(b"MDL:"):
            model = token[4:].split(b"\0")[0].decode("ascii", "replace")
            return model[:MODEL_CHARACTERS]
    return ""


def details(host: str, user: str, process: int) -> bytes:
    """Return the payload that announces a job."""
    return b"".join(
        (
            bytes(8),
            _wide(host, _HOST_CHARACTERS),
            _wide(user, _USER_CHARACTERS),
            _wide(f"Process ID = {process}", _TITLE_CHARACTERS),
        )
    )


def _wide(text: str, characters: int) -> bytes:
    """Return *text* in 16-bit characters, cut or filled up."""
    data = text.encode("utf-16-be", "replace")[: 2 * characters]
    return data.ljust(2 * characters, b"\0")


# Buttons

STOP, START, ASK, TAKEN = 0, 1, 2, 5  # what a poll is about
STATUS_BYTES = 0x14
_POLL_ANSWER = struct.Struct(">4sIII")  # result, dialogue, length of the status, key
_RESTART, _HAS_EVENT = 0x01, 0x80


def poll(kind: int, names: tuple[str, str], dialog: int = 0, key: int = 0, now: str = "") -> bytes:
    """Return the payload of a poll.

    names: of the host and the user. kind: STOP and START begin the dialogue *dialog*, ASK asks for
    an event, TAKEN says that the one with this *key* is known. now: the local time, as 14 digits.
    """
    if kind == STOP:
        return bytes(80)
    host, user = names
    name = f"{user}  {host[:_HOST_CHARACTERS]}"[:_POLL_NAME_CHARACTERS]
    wide = name.encode("utf-16-be", "replace")[:_POLL_NAME_BYTES].ljust(_POLL_NAME_BYTES, b"\0")
    if kind == START:
        return struct.pack(">H6x", kind) + wide + bytes(8)
    head = struct.pack(">HHI", kind, 0, dialog) + wide + struct.pack(">I", STATUS_BYTES)
    if kind == TAKEN:
        return head + struct.pack(">I20x", key)
    return head + struct.pack(">20xI", 0x10) + now.encode("ascii").ljust(16, b"\0")


class PollAnswer:
    """What a unit says to a poll.

    restarts: the dialogue begins anew. event: the bytes of an event, b"" if there is none; key: its
    number.
    """

    __slots__ = ("dialog", "event", "key", "restarts")

    def __init__(self, payload: bytes) -> None:
        """Parse an answer; raises DeviceIOError for one that is cut off."""
        if len(payload) < _POLL_ANSWER.size:
            raise wrong("an answer to a poll that is cut off", payload)
        result, self.dialog, _, self.key = _POLL_ANSWER.unpack_from(payload)
        self.restarts = result[3] == _RESTART
        status = payload[_POLL_ANSWER.size : _POLL_ANSWER.size + STATUS_BYTES]
        self.event = status if result[2] & _HAS_EVENT else b""
