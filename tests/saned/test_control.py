"""Options through the server: values of every type, and sizes that lie (net-protocol 3.6, 9)."""

from __future__ import annotations

import struct

import pytest

from sane.wire import messages
from sane.wire.codec import ARRAY_BYTES
from tests.support.saned import Client, Saned
from tests.support.saned_requests import BOOL, BUTTON, FIXED, GROUP, INT, STRING, ask, words

GET, SET, AUTO = range(3)


@pytest.fixture
def handle(client: Client) -> int:
    return client.open()


def index(client: Client, handle: int, name: str) -> tuple[int, messages.Descriptor]:
    """Return number and descriptor of an option."""
    found = client.ask(messages.GetDescriptors(handle)).descriptors
    number = next(i for i, descriptor in enumerate(found) if descriptor.name == name)
    return number, found[number]


def enable_all(client: Client, handle: int) -> None:
    number, _ = index(client, handle, "enable-test-options")
    assert ask(client, handle, number, SET, BOOL, 4, 1, 1).status == 0


# The samples of net-protocol 6.3; numbers are those of the test device.


def test_options_answer_as_the_specification_captured(client: Client, handle: int) -> None:
    dialogue = (
        (f"5 {handle} 0 0 1 4 1 0", "0 0 1 4 1 39x 0"),
        (f"5 {handle} 1Ax 0 2 4 1 0", "0 0 2 4 1 500000x 0"),
        (f"5 {handle} 2 1 3 5 5 'Gray'", "0 0 3 5 5 'Gray' 0"),
        (f"5 {handle} 3 1 1 4 1 8", "0 0 1 4 1 8 0"),
        (f"5 {handle} 4 1 0 4 1 0", "0 0 0 4 1 0 0"),
        (f"5 {handle} 7 1 2 4 1 320000x", "0 0 2 4 1 320000x 0"),
        (f"5 {handle} 1Ax 1 2 4 1 80000x", "0 4 2 4 1 80000x 0"),
        (f"5 {handle} 3E8x 0 1 4 1 0", "4 0 1 4 1 0 0"),
        (f"5 {handle} 0 7 1 4 1 0", "4 0 1 4 1 0 0"),
        (f"5 {handle} 1 0 5 0 0", "4 0 5 0 0 0"),  # a group
        (f"5 {handle} 7 1 2 4 1 4B6666x", "0 5 2 4 1 4B0000x 0"),
    )
    for request, expected in dialogue:
        client.send(encoded(request))
        assert client.receive(len(encoded(expected))) == encoded(expected), request


def encoded(text: str) -> bytes:
    """Return words, hexadecimal with an x behind them, and texts in quotes, as bytes."""
    data = b""
    for item in text.split():
        if item.startswith("'"):
            data += item.strip("'").encode() + b"\0"
        else:
            data += words(int(item[:-1], 16) if item.endswith("x") else int(item))
    return data


def test_a_text_is_padded_to_the_size_that_was_asked_for(client: Client, handle: int) -> None:
    client.send(words(5, handle, 2, GET, STRING, 6, 6) + bytes(6))
    assert client.receive(26) == words(0, 0, 3, 6, 6) + b"Gray\0\0"
    client.receive(4)
    reply = ask(client, handle, 2, GET, STRING, 100, 100, value=b"x" * 100)
    assert reply.value == b"Gray" + bytes(96)


def test_set_of_a_text_reloads_and_is_completed(client: Client, handle: int) -> None:
    reply = ask(client, handle, 2, SET, STRING, 6, 6, value=b"color\0")
    assert (reply.status, reply.info, reply.value) == (0, 6, b"Color\0")


def test_a_text_without_a_nul_is_terminated(client: Client, handle: int) -> None:
    """The reference client sends none when the text fills the descriptor's size."""
    reply = ask(client, handle, 2, SET, STRING, 6, 6, value=b"Colorx"[:6])
    assert reply.status == 4
    reply = ask(client, handle, 2, SET, STRING, 5, 5, value=b"Color")
    assert (reply.status, reply.value) == (0, b"Color")


def test_set_auto_is_short_and_so_is_its_reply(client: Client, handle: int) -> None:
    enable_all(client, handle)
    number, _ = index(client, handle, "bool-soft-select-soft-detect-auto")
    client.send(words(5, handle, number, AUTO))
    assert client.receive(24)[8:] == words(BOOL, 0, 0, 0)
    assert client.ask(messages.GetDevices()).status == 0


def test_values_of_every_type_come_back(client: Client, handle: int) -> None:
    enable_all(client, handle)
    samples = {
        "bool-soft-select-soft-detect": (BOOL, words(1)),
        "int": (INT, words(-7)),
        "int-constraint-range": (INT, words(76)),
        "int-constraint-word-list": (INT, words(17)),
        "int-constraint-array": (INT, words(1, -2, 3, -4, 5, 6)),
        "fixed": (FIXED, words(-(3 << 15))),
        "fixed-constraint-range": (FIXED, words(1 << 16)),
        "fixed-constraint-word-list": (FIXED, words(42 << 16)),
        "string": (STRING, "Straße".encode()),
        "string-constraint-string-list": (STRING, b"Second entry"),
    }
    for name, (kind, sample) in samples.items():
        number, descriptor = index(client, handle, name)
        value = sample.ljust(descriptor.size, b"\0")
        count = len(value) if kind == STRING else len(value) // 4
        changed = ask(client, handle, number, SET, kind, descriptor.size, count, value=value)
        assert changed.status == 0, name
        read = ask(client, handle, number, GET, kind, descriptor.size, count, value=value)
        assert (read.status, read.value) == (0, changed.value), name
        assert len(read.value) == descriptor.size


def test_an_adjusted_value_comes_back_with_inexact(client: Client, handle: int) -> None:
    enable_all(client, handle)
    number, _ = index(client, handle, "int-constraint-range")
    client.send(words(5, handle, number, SET, INT, 4, 1, 500))
    assert client.receive(28) == words(0, 1, INT, 4, 1, 192, 0)


def test_a_button_has_no_value(client: Client, handle: int) -> None:
    enable_all(client, handle)
    number, _ = index(client, handle, "button")
    client.send(words(5, handle, number, SET, BUTTON, 0, 0))
    assert client.receive(24) == words(0, 0, BUTTON, 0, 0, 0)


def test_descriptors_must_be_read_again_where_the_backend_wants_it(client: Client) -> None:
    """Only GET_OPTION_DESCRIPTORS reads them: the test device insists on it."""
    reply = client.ask(messages.Open("test:1"))
    assert ask(client, reply.handle, 7, GET, FIXED, 4, 1, 0).status == 4
    client.ask(messages.GetDescriptors(reply.handle))
    assert ask(client, reply.handle, 7, GET, FIXED, 4, 1, 0).status == 0
    changed = ask(client, reply.handle, 2, SET, STRING, 6, 6, value=b"Color\0")
    assert changed.info & 2
    assert ask(client, reply.handle, 7, GET, FIXED, 4, 1, 0).status == 4
    client.ask(messages.GetDescriptors(reply.handle))
    assert ask(client, reply.handle, 7, GET, FIXED, 4, 1, 0).status == 0


# Sizes that lie: INVAL, nothing of the server's memory, and the connection lives.

LIES = (
    ("INT GET without an array", (0, GET, INT, 4, 0), b""),
    ("INT GET of more than was sent", (0, GET, INT, 8, 1), words(0)),
    ("INT GET of less than the option", (39, GET, INT, 4, 1), words(0)),
    ("INT GET of a negative size", (0, GET, INT, -4, 1), words(0)),
    ("INT GET of a huge size", (0, GET, INT, 0x7FFFFFFC, 1), words(0)),
    ("INT GET of an odd size", (0, GET, INT, 5, 1), words(0)),
    ("INT GET as BOOL", (0, GET, BOOL, 4, 1), words(0)),
    ("INT GET as STRING", (0, GET, STRING, 4, 4), bytes(4)),
    ("STRING GET as INT", (2, GET, INT, 8, 2), bytes(8)),
    ("STRING GET of 64 MiB", (2, GET, STRING, 64 << 20, 0), b""),
    ("STRING GET with a short array", (2, GET, STRING, 6, 3), bytes(3)),
    ("STRING GET with a long array", (2, GET, STRING, 6, 60), bytes(60)),
    ("STRING SET with a short array", (2, SET, STRING, 6, 0), b""),
    ("STRING SET of a negative size", (2, SET, STRING, -1, 0), b""),
    ("INT SET of too little", (39, SET, INT, 4, 1), words(1)),
    ("GROUP GET", (1, GET, GROUP, 0, 0), b""),
    ("GROUP SET", (1, SET, GROUP, 0, 0), b""),
    ("option -1", (-1, GET, INT, 4, 1), words(0)),
    ("option 2^31 - 1", (0x7FFFFFFF, GET, INT, 4, 1), words(0)),
    ("action -1", (0, -1, INT, 4, 1), words(0)),
)


@pytest.mark.parametrize(("fields", "value"), [lie[1:] for lie in LIES], ids=[x[0] for x in LIES])
def test_a_request_whose_sizes_lie_is_refused(
    client: Client, handle: int, fields: tuple[int, ...], value: bytes
) -> None:
    enable_all(client, handle)
    client.ask(messages.GetDescriptors(handle))
    reply = ask(client, handle, *fields, value=value)
    assert (reply.status, reply.info) == (4, 0)
    assert reply.value in (b"", messages_value(fields[2], value))
    assert client.ask(messages.GetParameters(handle)).status == 0


def messages_value(kind: int, value: bytes) -> bytes:
    """Return *value* as the decoder gives it."""
    if kind == STRING:
        return value
    return b"".join(word[::-1] for word in (value[i : i + 4] for i in range(0, len(value), 4)))


@pytest.mark.parametrize("kind", [6, 7, -1, 255, 0x7FFFFFFF])
def test_an_unknown_value_type_ends_the_connection(client: Client, handle: int, kind: int) -> None:
    client.send(words(5, handle, 0, GET, kind, 4, 1, 0))
    assert client.is_closed()


@pytest.mark.parametrize("count", [0x7FFFFFFF, -1, ARRAY_BYTES + 1, 1 << 30])
def test_a_count_beyond_the_limit_ends_the_connection(
    client: Client, handle: int, count: int
) -> None:
    client.send(words(5, handle, 2, GET, STRING, 6, count))
    assert client.is_closed()


def test_a_text_of_the_largest_size_is_accepted(client: Client, handle: int) -> None:
    value = b"G" * ARRAY_BYTES
    reply = ask(client, handle, 2, SET, STRING, ARRAY_BYTES, ARRAY_BYTES, value=value)
    assert reply.status == 4
    reply = ask(client, handle, 2, GET, STRING, ARRAY_BYTES, ARRAY_BYTES, value=value)
    assert reply.value == b"Gray".ljust(ARRAY_BYTES, b"\0")


def test_a_thousand_large_gets_exhaust_nothing(client: Client, handle: int) -> None:
    """The reference server dies at the eleventh."""
    request = words(5, handle, 2, GET, STRING, 100_000, 100_000) + bytes(100_000)
    for _ in range(1000):
        client.send(request)
        assert client.take(messages.ControlReply).status == 0


def test_words_longer_than_the_option_are_padded(client: Client, handle: int) -> None:
    reply = ask(client, handle, 0, GET, INT, 12, 3, value=b"\xff" * 12)
    assert reply.value == struct.pack("=3i", 57, 0, 0)


def test_options_can_be_read_between_two_reads_of_a_frame(odd: Saned) -> None:
    """The device is slow, and nobody takes the data: a GET waits for neither."""
    with odd.client() as client:
        handle = client.open("odd:0")
        lines = struct.pack("=i", 1_000_000)
        assert client.ask(messages.ControlOption(handle, 12, SET, INT, 4, lines)).status == 0
        stream = client.start(handle)
        assert stream.recv(1)
        for _ in range(50):
            reply = client.ask(messages.ControlOption(handle, 12, GET, INT, 4, bytes(4)))
            assert (reply.status, reply.value) == (0, lines)
        reply = client.ask(messages.ControlOption(handle, 12, SET, INT, 4, lines))
        assert reply.status == 4
        client.ask(messages.Cancel(handle))
        stream.close()
