"""Words, texts and arrays of the SANE network protocol, taken off the wire within limits.

A Reader is fed bytes as they come and decodes one record at a time; what a record holds is
declared in messages.py. Neither knows sockets. Source: net-protocol 2.1 to 2.3 and 2.7.
"""

from __future__ import annotations

import sys

from ..errors import DeviceIOError, Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Protocol, TypeVar

    class Field(Protocol):
        """How one field of a record is laid out; *owner* is the record, as far as it is known."""

        def encode(self, out: bytearray, value: object, owner: Record) -> None: ...

        def decode(self, reader: Reader, owner: Record) -> object: ...

    class Record(Protocol):
        """A class with its fields in wire order."""

        layout: ClassVar[tuple[tuple[str, Field], ...]]

    R = TypeVar("R", bound=Record)

WORD_BYTES = 4
POINTER_BYTES = 8  # what an array of texts or records costs per element

# No array is longer, whatever its elements: the limit of every reference since 1.0.15.
ARRAY_BYTES = 1 << 20
# What one message may decode to: AUTHORIZE alone holds three texts of any legal length.
MESSAGE_BYTES = 4 << 20

_WORD_MAX = 0x7FFFFFFF
_WORDS = 1 << 32


class ProtocolError(DeviceIOError):
    """Bytes that are no message: *reason* says what, *where* and *offset* in which field.

    offset counts from the first byte of the record that was being decoded.
    """

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.where = ""

    def inside(self, name: str) -> ProtocolError:
        """Note that the error lies in *name*, and return it."""
        self.where = f"{name}.{self.where}" if self.where else name
        return self

    def __str__(self) -> str:
        return f"{self.where}, byte {self.offset}: {self.reason}" if self.where else self.reason


class Incomplete(Exception):
    """More bytes are needed; never leaves this module's Reader.take."""


class Reader:
    """Decodes records from bytes in pieces of any size; what follows a record stays for the next.

    limit: the most bytes that one record may decode to, in the memory of a C program. The caller
    feeds only after take returned None: so no more is kept than one record and one piece.
    """

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        self._data = bytearray()
        self._pos = 0  # the next byte to decode; the record begins at 0
        self._kept = 0  # everything before it is decoded for good
        self._limit = limit
        self._spent = self._kept_spent = 0
        self._partial: object = None
        self._field = 0
        self.pending: object = None  # an array of records of which only the first have come

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add *data* to what waits to be decoded."""
        self._data += data

    @property
    def waiting_bytes(self) -> int:
        """How many bytes were fed that belong to no finished record."""
        return len(self._data)

    def discard(self) -> None:
        """Forget everything that was fed and not decoded."""
        self._data = bytearray()
        self._start()
        self._partial = None

    def take(self, record: type[R]) -> R | None:
        """Return the next record, of class *record*; None as long as it is incomplete.

        Raises ProtocolError for bytes that are none; the reader is of no use after that.
        """
        if self._partial is None:
            self._start()
            self._partial = record.__new__(record)
        partial = self._partial
        layout = record.layout
        while self._field < len(layout):
            name, field = layout[self._field]
            try:
                value = field.decode(self, partial)  # type: ignore[arg-type]
            except Incomplete:
                self._pos, self._spent = self._kept, self._kept_spent
                return None
            except ProtocolError as exc:
                raise exc.inside(name).inside(record.__name__) from None
            setattr(partial, name, value)
            self._field += 1
            self.keep()
        del self._data[: self._pos]
        self._start()
        self._partial = None
        return partial  # type: ignore[return-value]

    def _start(self) -> None:
        self._pos = self._kept = self._spent = self._kept_spent = self._field = 0
        self.pending = None

    def keep(self) -> None:
        """Note that everything so far is decoded for good: it is not looked at again."""
        self._kept = self._pos
        self._kept_spent = self._spent

    def error(self, text: str) -> ProtocolError:
        """Return the error for what was just read."""
        return ProtocolError(text, self._pos)

    def word(self) -> int:
        """Return the next signed word."""
        data = self._data
        pos = self._pos
        if len(data) - pos < WORD_BYTES:
            raise Incomplete
        value = data[pos] << 24 | data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3]
        self._pos = pos + WORD_BYTES
        return value if value <= _WORD_MAX else value - _WORDS

    def charge(self, size: int) -> None:
        """Count *size* bytes of decoded memory; raises ProtocolError beyond the limit."""
        self._spent += size
        if self._spent > self._limit:
            raise self.error(f"more than {self._limit} bytes in one message")

    def count(self, element_bytes: int) -> int:
        """Return the number of elements of an array, checked before anything is allocated."""
        number = self.word()
        if number < 0:
            number += _WORDS
        if number * max(element_bytes, 1) > ARRAY_BYTES:
            self._pos -= WORD_BYTES
            raise self.error(
                f"an array of {number} elements of {element_bytes} bytes, limit {ARRAY_BYTES} bytes"
            )
        self.charge(number * element_bytes)
        return number

    def raw(self, size: int) -> bytes:
        """Return the next *size* bytes."""
        end = self._pos + size
        if end > len(self._data):
            raise Incomplete
        piece = bytes(self._data[self._pos : end])
        self._pos = end
        return piece

    def text(self) -> str | None:
        """Return a text up to its NUL, None for NULL; its last byte is taken for a NUL (2.2)."""
        size = self.count(1)
        if size == 0:
            return None
        data = self.raw(size)[:-1]
        end = data.find(b"\0")
        return (data if end < 0 else data[:end]).decode("utf-8", "surrogateescape")

    def words(self) -> bytes:
        """Return an array of words as they lie in memory here."""
        return native(self.raw(WORD_BYTES * self.count(WORD_BYTES)))

    def octets(self) -> bytes:
        """Return an array of bytes."""
        return self.raw(self.count(1))


def native(data: bytes) -> bytes:
    """Return big-endian words as words of this machine, or the other way round."""
    if sys.byteorder == "big":
        return data
    swapped = bytearray(len(data))
    for byte in range(WORD_BYTES):
        swapped[byte::WORD_BYTES] = data[WORD_BYTES - 1 - byte :: WORD_BYTES]
    return bytes(swapped)


def put_word(out: bytearray, value: int) -> None:
    """Append a word; raises Invalid beyond 32 bits."""
    try:
        out += int(value).to_bytes(WORD_BYTES, "big", signed=True)
    except OverflowError:
        raise Invalid(f"{value} is not a 32-bit word") from None


def put_octets(out: bytearray, data: bytes) -> None:
    """Append an array of bytes; raises Invalid for one that no peer would accept."""
    if len(data) > ARRAY_BYTES:
        raise Invalid(f"{len(data)} bytes, limit {ARRAY_BYTES}")
    put_word(out, len(data))
    out += data


def put_words(out: bytearray, data: bytes) -> None:
    """Append *data*, words of this machine, as an array of words."""
    if len(data) % WORD_BYTES or len(data) > ARRAY_BYTES:
        raise Invalid(f"{len(data)} bytes are no words, or beyond {ARRAY_BYTES}")
    put_word(out, len(data) // WORD_BYTES)
    out += native(data)


def put_text(out: bytearray, text: str | None) -> None:
    """Append a text with its NUL, or NULL; raises Invalid if it holds a NUL or is too long."""
    if text is None:
        put_word(out, 0)
        return
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Invalid(f"{text!r} cannot be encoded") from None
    if b"\0" in data:
        raise Invalid(f"{text!r} holds a NUL")
    put_octets(out, data + b"\0")
