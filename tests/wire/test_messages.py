"""Every message against the dumps of net-protocol 6, both ways, and round trips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.wire import messages as m
from sane.wire.codec import ProtocolError, Reader
from sane.wire.records import Range, Record
from tests.support.wire_samples import REPLIES, REQUESTS
from tests.wire.parsing import decode, dump


@pytest.mark.parametrize(("record", "wire"), REQUESTS)
def test_messages_requests_are_laid_out_as_captured(record: m.Request, wire: str) -> None:
    assert record.encode() == dump(wire)
    assert m.REQUESTS[record.opcode] in (record.__class__, m.ControlOption)
    assert decode(record.__class__, dump(wire)[4:]) == record


@pytest.mark.parametrize(("record", "wire"), REPLIES)
def test_messages_replies_are_laid_out_as_captured(record: Record, wire: str) -> None:
    assert record.encode() == dump(wire)
    assert decode(record.__class__, dump(wire)) == record


def test_messages_a_vector_of_words_is_native() -> None:
    wire = """00000000 00000000 00000001 00000018 00000006
              ffffffef 00000000 fffffffb 0000002a 0000005b 40000000 00000000"""
    reply = decode(m.ControlReply, dump(wire))
    assert memoryview(reply.value).cast("i").tolist() == [-17, 0, -5, 42, 91, 1 << 30]


def test_messages_any_word_but_zero_is_a_null_pointer() -> None:
    assert decode(m.DevicesReply, dump("00000000 00000001 ffffffff")).devices == []
    assert decode(m.DevicesReply, dump("00000000 00000001 00000007")).devices == []


@pytest.mark.parametrize("wire", ["00000000 00000000", "00000000 00000002 00000001 00000001"])
def test_messages_odd_ends_of_a_device_list_are_accepted(wire: str) -> None:
    assert decode(m.DevicesReply, dump(wire)).devices == []


def test_messages_a_boolean_is_true_unless_zero() -> None:
    wire = "00000000 {} 0000000f 0000000f 00000003 00000008"
    assert decode(m.Parameters, dump(wire.format("00000000"))).last_frame is False
    assert decode(m.Parameters, dump(wire.format("00000009"))).last_frame is True


@pytest.mark.parametrize(
    ("record", "wire", "error"),
    [
        (m.ControlOption, "00000000 00000000 00000000 00000006 00000000", "value type 6"),
        (m.ControlOption, "00000000 00000000 00000001 ffffffff 00000000", "value type -1"),
        (m.DescriptorsReply, "00000001 00000001", "element 0 is NULL"),
        (
            m.DescriptorsReply,
            "00000001 00000000" + "00000000" * 3 + "00000001" * 4 + "00000001 00000001",
            "range that is NULL",
        ),
        (
            m.DescriptorsReply,
            "00000001 00000000" + "00000000" * 3 + "00000001" * 4 + "00000002 00000002 00000002",
            "word list",
        ),
        (
            m.DescriptorsReply,
            "00000001 00000000" + "00000000" * 3 + "00000001" * 4 + "00000002 00000000",
            "word list",
        ),
        (
            m.DescriptorsReply,
            "00000001 00000000" + "00000000" * 3 + "00000001" * 4 + "00000003 00000001 00000001",
            "string list without an end",
        ),
        (m.DescriptorsReply, "00020001", "an array of 131073 elements of 8 bytes"),
    ],
)
def test_messages_malformed_ones_are_refused(record: type[Record], wire: str, error: str) -> None:
    reader = Reader()
    reader.feed(dump(wire) + bytes(16))
    with pytest.raises(ProtocolError, match=error) as caught:
        reader.take(record)
    assert str(caught.value).startswith(f"{record.__name__}.")


def test_messages_a_record_wants_all_its_fields() -> None:
    with pytest.raises(TypeError, match="Open has 1 fields"):
        m.Open()
    assert repr(m.Open("x")) == "Open(name='x')"


# Round trips

WORDS = st.integers(-(1 << 31), (1 << 31) - 1)
TEXTS = st.none() | st.binary(max_size=40).map(
    lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)
NATIVE = st.lists(WORDS, max_size=20).map(
    lambda words: b"".join(w.to_bytes(4, "little", signed=True) for w in words)
)
VALUES = st.one_of(
    st.tuples(st.integers(0, 2), WORDS, NATIVE),
    st.tuples(st.just(3), WORDS, st.binary(max_size=50)),
    st.tuples(st.integers(4, 5), WORDS, st.just(b"")),
)
CONSTRAINTS = st.one_of(
    st.tuples(st.sampled_from([0, 4, -1]), st.none()),
    st.tuples(st.just(1), st.builds(Range, WORDS, WORDS, WORDS)),
    st.tuples(st.just(2), st.lists(WORDS, max_size=9).map(tuple)),
    st.tuples(st.just(3), st.lists(TEXTS.filter(lambda t: t is not None), max_size=9).map(tuple)),
)
DESCRIPTORS = st.builds(
    lambda texts, words, constraint: m.Descriptor(*texts, *words, *constraint),
    st.tuples(TEXTS, TEXTS, TEXTS),
    st.tuples(WORDS, WORDS, WORDS, WORDS),
    CONSTRAINTS,
)
RECORDS = st.one_of(
    st.builds(m.Init, WORDS, TEXTS),
    st.builds(m.Open, TEXTS),
    st.builds(m.Start, WORDS),
    st.builds(lambda a, b, v: m.ControlOption(a, b, 0, *v), WORDS, WORDS, VALUES),
    st.builds(lambda a, b, v: m.ControlOption2(a, b, 2, *v), WORDS, WORDS, VALUES),
    st.builds(m.Authorize, TEXTS, TEXTS, TEXTS),
    st.builds(m.InitReply, WORDS, WORDS),
    st.builds(m.DevicesReply, WORDS, st.lists(st.builds(m.Device, TEXTS, TEXTS, TEXTS, TEXTS))),
    st.builds(m.OpenReply, WORDS, WORDS, TEXTS),
    st.builds(m.DescriptorsReply, st.lists(DESCRIPTORS, max_size=8)),
    st.builds(lambda a, b, v, t: m.ControlReply(a, b, *v, t), WORDS, WORDS, VALUES, TEXTS),
    st.builds(
        lambda s, w, last: m.ParametersReply(s, m.Parameters(w[0], last, *w[1:])),
        WORDS,
        st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS),
        st.booleans(),
    ),
    st.builds(m.StartReply, WORDS, WORDS, WORDS, TEXTS),
)


@settings(max_examples=150)
@given(record=RECORDS)
def test_messages_what_is_sent_is_what_is_received(record: Record) -> None:
    data = record.encode()
    assert decode(record.__class__, data[4:] if isinstance(record, m.Request) else data) == record


@settings(max_examples=300)
@given(kind=st.sampled_from([record.__class__ for record, _ in REQUESTS + REPLIES]), data=...)
def test_messages_garbage_ends_in_a_record_or_one_error(kind: type[Record], data: bytes) -> None:
    reader = Reader()
    reader.feed(data)
    try:
        found = reader.take(kind)
    except ProtocolError as exc:
        assert str(exc).startswith(kind.__name__)
    else:
        assert found is None or isinstance(found, kind)
