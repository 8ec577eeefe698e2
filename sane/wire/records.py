"""Records of the SANE network protocol: the kinds of fields, and how annotations name them.

A record class lists its fields once, as annotations in wire order; from them come its encoder and
its decoder. Texts are str (None: NULL), words are int, values of options are the bytes that cross
the C ABI. Source: net-protocol 2.1 to 2.4.
"""

from __future__ import annotations

from .. import const
from .codec import POINTER_BYTES, ProtocolError, put_octets, put_text, put_word, put_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeAlias

    from .codec import Field, Reader

    # What annotations of records say; FIELDS has what they mean.
    Word: TypeAlias = int
    Flag: TypeAlias = bool
    Text: TypeAlias = str | None
    ControlWord: TypeAlias = int
    Value: TypeAlias = bytes
    Limits: TypeAlias = Any

RANGE_BYTES = 12  # what a C program spends on one (2.7)


class _Word:
    """A word, or one of the enumerations: any value passes."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        put_word(out, value)

    def decode(self, reader: Reader, owner: Any) -> Any:
        return reader.word()


class _Flag(_Word):
    """A boolean: 0 or 1 is sent, every value but 0 is true."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        put_word(out, bool(value))

    def decode(self, reader: Reader, owner: Any) -> Any:
        return reader.word() != 0


class _Text:
    """A text with its NUL, or NULL."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        put_text(out, value)

    def decode(self, reader: Reader, owner: Any) -> Any:
        return reader.text()


class _ControlWord(_Word):
    """A word that is left out of SET_AUTO (3.6)."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        if owner.has_value:
            put_word(out, value)

    def decode(self, reader: Reader, owner: Any) -> Any:
        return reader.word() if owner.has_value else 0


class _Value:
    """An option's value: its array has words or bytes, as value_type says (2.3)."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        if not owner.has_value:
            return
        if owner.value_type <= const.TYPE_FIXED:
            put_words(out, value)
        elif owner.value_type == const.TYPE_STRING:
            put_octets(out, value)
        else:
            put_word(out, 0)

    def decode(self, reader: Reader, owner: Any) -> Any:
        if not owner.has_value:
            return b""
        kind = owner.value_type
        if not const.TYPE_BOOL <= kind <= const.TYPE_GROUP:
            raise reader.error(f"value type {kind} is not in the standard")
        if kind <= const.TYPE_FIXED:
            return reader.words()
        if kind == const.TYPE_STRING:
            return reader.octets()
        reader.count(0)
        return b""


class _Limits:
    """A constraint: None, a Range, words or texts, as constraint_type says."""

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        kind = owner.constraint_type
        if kind == const.CONSTRAINT_RANGE:
            put_word(out, 0)
            value.encode_into(out)
        elif kind == const.CONSTRAINT_WORD_LIST:
            put_word(out, len(value) + 1)
            put_word(out, len(value))
            for word in value:
                put_word(out, word)
        elif kind == const.CONSTRAINT_STRING_LIST:
            put_word(out, len(value) + 1)
            for text in value:
                put_text(out, text)
            put_text(out, None)

    def decode(self, reader: Reader, owner: Any) -> Any:
        kind = owner.constraint_type
        if kind == const.CONSTRAINT_RANGE:
            if reader.word() != 0:
                raise reader.error("a range that is NULL")
            return decode_inline(reader, Range, RANGE_BYTES)
        if kind == const.CONSTRAINT_WORD_LIST:
            words = tuple(memoryview(reader.words()).cast("i"))
            if not words or words[0] != len(words) - 1:
                raise reader.error(f"a word list of {len(words)} words says {words[:1]}")
            return words[1:]
        if kind == const.CONSTRAINT_STRING_LIST:
            texts = [reader.text() for _ in range(reader.count(POINTER_BYTES))]
            if None not in texts:
                raise reader.error("a string list without an end")
            return tuple(texts[: texts.index(None)])
        return None


class Inline:
    """A record that lies within another."""

    def __init__(self, record: type[Record]) -> None:
        self.record = record

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        value.encode_into(out)

    def decode(self, reader: Reader, owner: Any) -> Any:
        return decode_inline(reader, self.record, 0)


class Pointers:
    """An array of pointers to records, of which *final* are NULL at the end.

    NULL elsewhere is kept out of the list if *lenient*, else an error.
    """

    def __init__(self, record: type[Record], size: int, final: int, *, lenient: bool) -> None:
        self.record = record
        self.size = size
        self.final = final
        self.lenient = lenient

    def encode(self, out: bytearray, value: Any, owner: Any) -> None:
        put_word(out, len(value) + self.final)
        for record in value:
            put_word(out, 0)
            record.encode_into(out)
        for _ in range(self.final):
            put_word(out, 1)

    def decode(self, reader: Reader, owner: Any) -> Any:
        if reader.pending is None:
            reader.pending = [reader.count(POINTER_BYTES), []]
            reader.keep()
        pending: Any = reader.pending
        records = pending[1]
        while pending[0]:
            if reader.word() == 0:
                record = decode_inline(reader, self.record, self.size)
            elif self.lenient:
                record = None
            else:
                raise reader.error(f"element {len(records)} is NULL")
            if record is not None:
                records.append(record)
            pending[0] -= 1
            reader.keep()
        reader.pending = None
        return records


# What the names in annotations mean; messages.py adds those of its records.
FIELDS: dict[str, Field] = {
    "Word": _Word(),
    "Flag": _Flag(),
    "Text": _Text(),
    "ControlWord": _ControlWord(),
    "Value": _Value(),
    "Limits": _Limits(),
}


def decode_inline(reader: Reader, record: Any, size: int) -> Any:
    """Return a record that lies within another."""
    reader.charge(size)
    found = record.__new__(record)
    for name, field in record.layout:
        try:
            setattr(found, name, field.decode(reader, found))
        except ProtocolError as exc:
            raise exc.inside(name).inside(record.__name__) from None
    return found


class Record:
    """Fields in wire order: the annotations of the class. Made from values in that order."""

    layout: ClassVar[tuple[tuple[str, Field], ...]] = ()

    def __init_subclass__(cls) -> None:
        own = vars(cls).get("__annotations__") or cls.__annotations__
        cls.layout += tuple(
            (name, FIELDS[kind]) for name, kind in own.items() if not kind.startswith("ClassVar")
        )

    def __init__(self, *values: Any, **named: Any) -> None:
        for (name, _), value in zip(self.layout, values, strict=False):
            setattr(self, name, value)
        for name, value in named.items():
            setattr(self, name, value)
        if len(values) + len(named) != len(self.layout):
            raise TypeError(f"{self.__class__.__name__} has {len(self.layout)} fields")

    def encode_into(self, out: bytearray) -> None:
        """Append the record to *out*; raises errors.Invalid for what cannot be sent."""
        for name, field in self.layout:
            field.encode(out, getattr(self, name), self)

    def encode(self) -> bytes:
        """Return the record as it is sent."""
        out = bytearray()
        self.encode_into(out)
        return bytes(out)

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name, '?')!r}" for name, _ in self.layout)
        return f"{self.__class__.__name__}({fields})"


class Range(Record):
    """A range constraint, in words; quant 0 is none."""

    min: Word
    max: Word
    quant: Word
