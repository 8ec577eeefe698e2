"""DNS messages as multicast DNS sends them: questions out, records in. It does no I/O.

Every message is hostile: names that point in circles, counts that lie, and lengths beyond the end
are a BadMessage. Source: RFC 1035 4.1, RFC 2782 (SRV), RFC 6762 18, RFC 6763 6.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
INTERNET, UNICAST = 1, 0x8000  # the second, in a question: answer to us alone
ANSWER_BIT = 0x8000  # of the flags
NAME_BYTES, LABEL_BYTES = 255, 63
POINTER = 0xC0  # the two highest bits of a length: the rest of the name is elsewhere
POINTERS = 32  # in one name: more are a circle
RECORDS = 512  # in a message of 64 KiB; more are garbage

_HEAD = struct.Struct(">6H")  # id, flags, and the counts of the four sections
_QUESTION = struct.Struct(">2H")  # type, class
_RECORD = struct.Struct(">2HIH")  # type, class, seconds to live, length
_SRV = struct.Struct(">3H")  # priority, weight, port


class BadMessage(ValueError):
    """Bytes that are no DNS message."""


class Record:
    """One record: what *name* has of *type*.

    value: the labels of a name for PTR, (labels, port) for SRV, packed bytes for A and AAAA, the
    strings for TXT, the bytes as they are for other types.
    """

    __slots__ = ("name", "type", "value")

    def __init__(self, name: tuple[bytes, ...], type: int, value: object) -> None:
        self.name = name
        self.type = type
        self.value = value


def name_of(text: str) -> tuple[bytes, ...]:
    """Return the labels of a name without escapes, as ``_uscan._tcp.local``."""
    return tuple(label.encode("utf-8", "surrogateescape") for label in text.split("."))


def key_of(name: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return *name* as it is compared: capitals do not count."""
    return tuple(label.lower() for label in name)


def query(questions: Iterable[tuple[tuple[bytes, ...], int]]) -> bytes:
    """Return a message that asks *questions*, each a name and a type.

    Raises BadMessage for a name that no message can hold.
    """
    asked = list(questions)
    parts = [_HEAD.pack(0, 0, len(asked), 0, 0, 0)]
    for name, type in asked:
        if not all(0 < len(label) <= LABEL_BYTES for label in name):
            raise BadMessage(f"{name!r} has a label that is empty or too long")
        parts += (bytes((len(label),)) + label for label in name)
        parts += (b"\0", _QUESTION.pack(type, INTERNET | UNICAST))
    return b"".join(parts)


def parse(data: bytes) -> list[Record]:
    """Return the records of an answer, those of a question being none; raises BadMessage."""
    try:
        _id, flags, questions, *counts = _HEAD.unpack_from(data)
        if not flags & ANSWER_BIT or sum(counts) > RECORDS or questions > RECORDS:
            return []
        at = _HEAD.size
        for _ in range(questions):
            _, at = _name(data, at)
            at += _QUESTION.size
        found = []
        for _ in range(sum(counts)):
            record, at = _record(data, at)
            found.append(record)
    except (struct.error, IndexError) as exc:
        raise BadMessage(f"cut short: {exc}") from exc
    return found


def _record(data: bytes, at: int) -> tuple[Record, int]:
    name, at = _name(data, at)
    type, _class, _seconds, size = _RECORD.unpack_from(data, at)
    start = at + _RECORD.size
    end = start + size
    if end > len(data):
        raise BadMessage(f"a record of {size} bytes ends beyond the message")
    raw = data[start:end]
    value: object = raw
    if type == PTR:
        value = _name(data, start)[0]
    elif type == SRV:
        value = _name(data, start + _SRV.size)[0], _SRV.unpack_from(data, start)[2]
    elif type == TXT:
        value = _strings(raw)
    elif (type, size) not in ((A, 4), (AAAA, 16)) and type in (A, AAAA):
        raise BadMessage(f"an address of {size} bytes")
    return Record(name, type, value), end


def _strings(raw: bytes) -> list[bytes]:
    found = []
    at = 0
    while at < len(raw):
        size = raw[at]
        found.append(raw[at + 1 : at + 1 + size])
        at += 1 + size
    return found


def _name(data: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    """Return the labels of the name at *at*, and where what follows it begins."""
    labels: list[bytes] = []
    end = -1
    jumps = 0
    while (size := data[at]) != 0:
        if size & POINTER == POINTER:
            end = at + 2 if end < 0 else end
            at = (size & ~POINTER) << 8 | data[at + 1]
            jumps += 1
        elif size & POINTER:
            raise BadMessage(f"a label that begins with {size:02x}")
        else:
            labels.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        if jumps > POINTERS or sum(map(len, labels)) + len(labels) > NAME_BYTES:
            raise BadMessage("a name without end")
    return tuple(labels), at + 1 if end < 0 else end
