"""What probe answers, in whatever pieces it comes, and what is none of its answers."""

from __future__ import annotations

import random

import pytest

from sane.dll.answers import MOST_BODY, Answer, Answers
from sane.errors import Misbehaved

DEVICE = b"device\0=one\0=Acme\0=S1\0=flatbed scanner\0"
LISTED = [("one", "Acme", "S1", "flatbed scanner")]


def record(
    number: int = 0, outcome: str = "done", code: int = 0, said: bytes = b"end\0", printed: int = 0
) -> bytes:
    return f"{number} {outcome} {code} 12 {printed} {len(said)}\n".encode() + said


def listed(answer: Answer) -> list[tuple[str, str, str, str]] | None:
    if answer.devices is None:
        return None
    return [(d.name, d.vendor, d.model, d.type) for d in answer.devices]


def single(data: bytes) -> Answer:
    (answer,) = Answers(1).feed(data)
    return answer


STREAM = (
    record(1, said=b"load\0init\0list\0" + DEVICE + b"end\0")
    + record(0, "signal", 11, b"load\0init\0")
    + record(2)
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_answers_come_whole_from_any_pieces(size: int) -> None:
    answers = Answers(3)
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    found = [answer for piece in pieces for answer in answers.feed(piece)]
    assert [(answer.number, listed(answer)) for answer in found] == [
        (1, LISTED),
        (0, None),
        (2, []),
    ]


@pytest.mark.parametrize(
    ("outcome", "code", "said", "text"),
    [
        ("signal", 11, b"", "it crashed before it was loaded, with signal 11"),
        ("signal", 6, b"load\0", "it crashed while it was loaded, with signal 6"),
        ("exit", 3, b"load\0init\0", "it called exit(3) in init"),
        ("late", 0, b"load\0init\0list\0", "it was ended after 0.0 s in get_devices"),
        ("toomuch", 0, b"load\0init\0list\0", "get_devices lists without an end"),
        ("nofork", 0, b"", "there is no process to ask it in"),
    ],
)
def test_a_failure_is_told_in_words(outcome: str, code: int, said: bytes, text: str) -> None:
    answer = single(record(0, outcome, code, said))
    assert answer.devices is None
    assert answer.notes == [(0, text)]


def test_a_reason_is_passed_on_and_costs_the_list() -> None:
    answer = single(record(said=b"load\0list\0" + DEVICE + b"error\0no good\0end\0"))
    assert answer.devices is None
    assert (1, "no good") in answer.notes


def test_null_texts_get_words_and_a_device_without_a_name_is_told() -> None:
    said = b"device\0=a\0-\0=\0-\0device\0-\0=V\0=M\0=T\0end\0"
    answer = single(record(said=said))
    assert listed(answer) == [("a", "Noname", "scanner", "scanner")]
    assert (0, "get_devices lists a device without a name") in answer.notes


def test_bytes_of_any_encoding_survive() -> None:
    answer = single(record(said="device\0=fü\0=V\0=".encode() + b"\xfc\0=T\0end\0"))
    assert listed(answer) == [("fü", "V", "\udcfc", "T")]


def test_what_was_printed_is_told() -> None:
    assert (1, "it wrote 7 bytes to stdout in get_devices") in single(record(printed=7)).notes


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"x" * 200,
        b"0 done 0 1 0\n",
        b"0 done zero 1 0 4\nend\0",
        b"0 done 0 1 0 4 5\nend\0",
        b"0 \xff\xfe 0 1 0 4\nend\0",
        b"3 done 0 1 0 4\nend\0",
        b"-1 done 0 1 0 4\nend\0",
        b"0 done 0 1 0 -4\nend\0",
        f"0 done 0 1 0 {MOST_BODY + 1}\n".encode(),
        b"0 done 0 1 0 " + b"9" * 100 + b"\n",
    ],
)
def test_what_is_no_answer_is_one_named_error(data: bytes) -> None:
    with pytest.raises(Misbehaved, match=r"^probe: "):
        Answers(3).feed(data)


def test_any_garbage_ends_in_an_answer_or_the_named_error() -> None:
    rng = random.Random(3)
    for _ in range(500):
        data = bytearray(STREAM)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        answers = Answers(3)
        try:
            found = answers.feed(bytes(data[: rng.randint(0, len(data))]))
        except Misbehaved:
            continue
        for answer in found:
            assert 0 <= answer.number < 3
            assert all(text for device in listed(answer) or [] for text in device)
