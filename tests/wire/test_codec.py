"""Primitive types on the wire, limits, and what an error says (net-protocol 11, items 1 to 15)."""

from __future__ import annotations

import tracemalloc

import pytest

from sane.errors import DeviceIOError, Invalid
from sane.wire import messages as m
from sane.wire.codec import (
    ARRAY_BYTES,
    MESSAGE_BYTES,
    ProtocolError,
    Reader,
    native,
    put_octets,
    put_text,
    put_word,
    put_words,
)
from sane.wire.records import Pointers, Record
from tests.wire.parsing import decode, dump


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (1, "00000001"),
        (-1, "ffffffff"),
        (0x7FFFFFFF, "7fffffff"),
        (-(1 << 31), "80000000"),
        (0, "00000000"),
    ],
)
def test_codec_words_are_signed_and_big_endian(value: int, wire: str) -> None:
    out = bytearray()
    put_word(out, value)
    assert out == dump(wire)
    assert decode(m.Acknowledgement, dump(wire)).dummy == value


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (None, "00000000"),
        ("", "00000001 00"),
        ("ab", "00000003 616200"),
        ("abc", "00000004 61626300"),
        ("ä\udcff", "00000004 c3a4ff00"),
    ],
)
def test_codec_texts(text: str | None, wire: str) -> None:
    out = bytearray()
    put_text(out, text)
    assert out == dump(wire)
    assert decode(m.Open, dump(wire)).name == text


def test_codec_the_last_byte_of_a_text_is_taken_for_its_nul() -> None:
    assert decode(m.Open, dump("00000007 746573743a3058")).name == "test:0"


def test_codec_a_text_ends_at_its_first_nul() -> None:
    assert decode(m.Open, dump("00000005 6100626300")).name == "a"


@pytest.mark.parametrize("value", [1 << 31, -(1 << 31) - 1])
def test_codec_a_word_has_32_bits(value: int) -> None:
    with pytest.raises(Invalid, match="32-bit"):
        put_word(bytearray(), value)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_codec_a_text_that_cannot_be_sent_is_named(text: str) -> None:
    with pytest.raises(Invalid, match=r"a|d800"):
        put_text(bytearray(), text)


def test_codec_arrays_beyond_the_limit_are_not_sent() -> None:
    with pytest.raises(Invalid, match="limit"):
        put_octets(bytearray(), bytes(ARRAY_BYTES + 1))
    with pytest.raises(Invalid, match="words"):
        put_words(bytearray(), b"abc")


def test_codec_words_change_their_byte_order() -> None:
    assert native(native(b"\1\2\3\4\5\6\7\10")) == b"\1\2\3\4\5\6\7\10"
    assert memoryview(native(dump("00000001 fffffffe"))).cast("i").tolist() == [1, -2]


@pytest.mark.parametrize("count", ["7fffffff", "ffffffff", "80000000", "00100001"])
def test_codec_a_huge_count_is_refused_without_allocation(count: str) -> None:
    reader = Reader()
    reader.feed(dump(count))
    tracemalloc.start()
    with pytest.raises(ProtocolError, match=r"^Open\.name, byte 0: an array of \d+"):
        reader.take(m.Open)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 65536


def test_codec_a_text_of_a_mebibyte_is_accepted() -> None:
    reader = Reader()
    reader.feed(dump("00100000") + b"a" * (ARRAY_BYTES - 1) + b"\0")
    found = reader.take(m.Open)
    assert found is not None
    assert found.name == "a" * (ARRAY_BYTES - 1)


def test_codec_a_count_of_words_is_judged_in_bytes() -> None:
    reader = Reader()
    reader.feed(dump("00000000 00000000 00000001 00000004 00040001"))
    with pytest.raises(ProtocolError, match=r"ControlReply\.value, byte 16: an array of 262145"):
        reader.take(m.ControlReply)


def test_codec_a_message_has_a_limit_and_its_budget_ends_with_it() -> None:
    text = dump("00010000") + b"a" * 0xFFFF + b"\0"
    reader = Reader(limit=0x20000)
    for _ in range(20):
        reader.feed(text)
        assert reader.take(m.Open) is not None
    reader.feed(text * 3)
    with pytest.raises(ProtocolError, match=r"Authorize\.password, byte \d+: more than 131072"):
        reader.take(m.Authorize)


def test_codec_the_limit_counts_once_however_the_bytes_come() -> None:
    reader = Reader(limit=200)
    data = m.Authorize("a" * 50, "b" * 50, "c" * 50).encode()[4:]
    for offset in range(len(data)):
        reader.feed(data[offset : offset + 1])
        found = reader.take(m.Authorize)
    assert found is not None


def test_codec_three_texts_of_a_mebibyte_fit_into_one_message() -> None:
    assert 3 * ARRAY_BYTES < MESSAGE_BYTES


def test_codec_an_error_is_an_io_error_for_the_frontend() -> None:
    assert issubclass(ProtocolError, DeviceIOError)
    error = ProtocolError("nonsense", 7).inside("size").inside("Descriptor")
    assert str(error) == "Descriptor.size, byte 7: nonsense"


class Counted:
    """A field that counts how often it is decoded."""

    count = 0

    def decode(self, reader: Reader, owner: object) -> int:
        self.count += 1
        return reader.word()


def test_codec_a_long_list_in_single_bytes_is_decoded_once() -> None:
    """Each element is, however its bytes come: a hostile peer cannot make it quadratic."""
    field = Counted()

    class Item(Record):
        layout = (("value", field),)  # type: ignore[assignment]

    class Items(Record):
        layout = (("items", Pointers(Item, 8, 0, lenient=False)),)

    elements = 500
    data = dump("000001f4") + elements * dump("00000000 00000001")
    reader = Reader()
    for offset in range(len(data)):
        reader.feed(data[offset : offset + 1])
        found = reader.take(Items)  # type: ignore[type-var]
    assert found is not None
    assert field.count <= 8 * elements


def test_codec_discard_begins_anew() -> None:
    reader = Reader()
    reader.feed(dump("00000003 61"))
    assert reader.take(m.Open) is None
    reader.discard()
    assert reader.waiting_bytes == 0
    reader.feed(dump("00000002 6200"))
    assert reader.take(m.Open) == m.Open("b")
