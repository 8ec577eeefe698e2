"""The emulated ESC/I-2 scanner alone: messages in, messages out."""

from __future__ import annotations

import pytest

from sane.testing.esci2 import Bed, Model, Scanner, reply
from sane.testing.esci2.scanner import cut

FEEDER = Bed(850, 1400, features=("DPLX",))
GRAY = (
    b"#FB #COLM008#FMTRAW #GMMUG18#RSMd100#RSSd100#BSZi1048576#ACQi0000000i0000000i0000016i0000004"
)


def ask(scanner: Scanner, command: str, block: bytes = b"") -> list[bytes]:
    """Send one request, with its block if there is one; return the messages of the reply."""
    scanner.take(b"%sx%07X" % (command.encode().ljust(4), len(block)))
    if block:
        assert not scanner.replies, "the reply follows the block"
        scanner.take(block)
    messages = list(scanner.replies)
    scanner.replies.clear()
    return messages


def entered(**words: object) -> Scanner:
    scanner = Scanner(Model(feeder=FEEDER, **words))  # type: ignore[arg-type]
    scanner.take(b"\x1cX")
    assert scanner.replies.popleft() == b"\x06"
    return scanner


def test_nothing_is_understood_before_fs_x() -> None:
    scanner = Scanner()
    assert ask(scanner, "INFO") == [b"\x15"]


def test_info() -> None:
    head, data = ask(entered(), "INFO")
    assert (len(head), head[:12]) == (64, b"INFOx%07X" % len(data))
    assert data.startswith(b"#PRDh006DS-EMU#VERh0041.00#S/Nh00AEMU0000001#FB AREAi0000850i0001170")
    assert data.endswith(b"#---")


@pytest.mark.parametrize("request_", [b"INFOx", b"INFOx000000G", b"INFOx7FFFFFF"])
def test_bad_requests(request_: bytes) -> None:
    scanner = entered()
    scanner.take(request_)
    assert scanner.replies[0][:4] in (b"\x15", b"INVD")


def test_an_unknown_command() -> None:
    assert ask(entered(), "WHAT")[0].startswith(b"UNKNx0000000")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"M008", b"C003"),
        (b"RAW ", b"TIFF"),
        (b"RSMd100", b"RSMd049"),
        (b"i0000016i0000004", b"i0009999i0000004"),
        (b"i0000016i0000004", b"i0000000i0000004"),
        (b"#FB ", b"#TPU"),
        (b"#FB ", b"#ADFSKEW"),
    ],
)
def test_parameters_that_are_not_offered(old: bytes, new: bytes) -> None:
    scanner = entered()
    answer = ask(scanner, "PARA", GRAY.replace(old, new) if old else GRAY)[0]
    assert answer[12:20] == (b"#parFAIL" if old else b"#parOK  ")
    assert ask(scanner, "TRDT")[0][:4] == (b"INVD" if old else b"TRDT")


def test_a_page() -> None:
    scanner = entered()
    ask(scanner, "PARA", GRAY)
    ask(scanner, "TRDT")
    replies = [ask(scanner, "IMG") for _ in range(5)]
    tokens = [messages[0][12:].partition(b"#---")[0] for messages in replies]
    assert tokens == [
        b"",
        b"#psti0000016i0000000i0000004#typIMGA",
        b"#typIMGA",
        b"#peni0000016i0000004#typIMGA",
        b"",
    ]
    assert len(replies[2][1]) == 64
    assert replies[4][0].startswith(b"INVD")


def test_an_empty_feeder() -> None:
    scanner = entered()
    assert ask(scanner, "STAT")[1] == b"#ERRADF PE  "
    ask(scanner, "PARA", GRAY.replace(b"#FB ", b"#ADF"))
    ask(scanner, "TRDT")
    ask(scanner, "IMG")
    assert b"#errADF PE  " in ask(scanner, "IMG")[0]


def test_cancel_ends_a_page() -> None:
    scanner = entered()
    ask(scanner, "PARA", GRAY)
    ask(scanner, "TRDT")
    assert ask(scanner, "CAN")[0].startswith(b"CAN x0000000")
    assert ask(scanner, "IMG")[0].startswith(b"INVD")


def test_faults_come_once_and_in_order() -> None:
    scanner = entered()
    scanner.inject("STAT", reply(b"UNKN"), None, [])
    assert ask(scanner, "STAT")[0].startswith(b"UNKN")
    assert ask(scanner, "STAT")[0].startswith(b"STAT")
    assert ask(scanner, "STAT") == []
    assert ask(scanner, "STAT")[0].startswith(b"STAT")


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_data_are_cut_into_pieces(size: int) -> None:
    pieces = list(cut([b"abc", b"defgh", b"i"], size))
    assert b"".join(pieces) == b"abcdefghi"
    assert {len(piece) for piece in pieces[:-1]} <= {size}
