"""The emulated document scanner: framing, refusals, hopper, sides, status and faults."""

from __future__ import annotations

import pytest

from sane.testing.esci2 import turbojpeg
from sane.testing.fujitsu import MODELS, Answer, Scanner, Sheet
from sane.testing.fujitsu.commands import Cdb
from sane.testing.fujitsu.sense import sense

SIMPLEX = bytes.fromhex(
    "0000000000000040"
    "000000C800C800000000000000000000127200000B1000008002080000000000"
    "00000000000000000000000000000000000000000000C00000127500000B1380"
).ljust(72, b"\0")[:72]
INQUIRY, SENSE = "120000006000", "030000001200"
FEED, SCAN_FRONT, SCAN_BOTH = "31010000000000000000", "1B0000000100", "1B0000000200"
WINDOW, WINDOWS = "24000000000000004800", "24000000000000008800"
PIXEL_SIZE = "28008000000000002000"
LINE = 787
STATUS_AT = 9


def send(scanner: Scanner, cdb: str, data: bytes = b"") -> list[bytes]:
    """Send one command; return the transfers that answer it."""
    scanner.take((b"\x43".ljust(0x13, b"\0") + bytes.fromhex(cdb)).ljust(31, b"\0"))
    if data:
        scanner.take(data)
    answers = list(scanner.replies)
    scanner.replies.clear()
    return answers


def check(scanner: Scanner, cdb: str, data: bytes = b"") -> tuple[int, ...]:
    """Send a command that fails; return key, ASC and ASCQ of its sense data."""
    assert send(scanner, cdb, data)[-1][STATUS_AT] == 0x02
    told = send(scanner, SENSE)[0]
    return told[2] & 0x0F, told[12], told[13]


def read_image(side: int, size: int) -> str:
    """Return the CDB that reads *size* bytes of a side."""
    return f"28000000{0:02X}{side:02X}{size:06X}00"


def fed(sheets: int = 1, model: str = "fi-7260") -> Scanner:
    """Return a scanner with its first sheet fed and its front scanned."""
    scanner = Scanner(model, sheets)
    assert send(scanner, WINDOW, SIMPLEX)[-1][STATUS_AT] == 0
    assert send(scanner, FEED)[-1][STATUS_AT] == 0
    assert send(scanner, SCAN_FRONT, b"\x00")[-1][STATUS_AT] == 0
    return scanner


@pytest.mark.parametrize("name", MODELS)
def test_every_model_tells_what_it_is(name: str) -> None:
    scanner = Scanner(name)
    standard, status = send(scanner, INQUIRY)
    assert (len(standard), len(status)) == (96, 13)
    assert standard[8:32].split() == [b"FUJITSU", *MODELS[name].name.encode().split()]
    page, _status = send(scanner, "1201F000CC00")
    assert len(page) == MODELS[name].size == page[4] + 5


def test_an_unknown_model_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no model 'fi-1'; there are fi-7260, "):
        Scanner("fi-1")


def test_a_sheet_is_read_to_its_end() -> None:
    scanner = fed()
    size = send(scanner, PIXEL_SIZE)[0]
    assert (size[0:4], size[4:8]) == (LINE.to_bytes(4, "big"), (472).to_bytes(4, "big"))
    first, status = send(scanner, read_image(0, 400 * LINE))
    assert (len(first), status[STATUS_AT]) == (400 * LINE, 0)
    assert first[0] == 255 - 7  # gray is inverted on the wire
    rest, status = send(scanner, read_image(0, 100 * LINE))
    assert (len(rest), status[STATUS_AT]) == (72 * LINE, 0x02)
    assert send(scanner, SENSE)[0] == sense((0, 0, 0), 0x60, 28 * LINE)
    assert check(scanner, FEED) == (3, 0x80, 3)


def test_both_sides_differ_and_may_be_read_in_turns() -> None:
    scanner = Scanner("fi-7260", 1)
    head, window = SIMPLEX[:8], SIMPLEX[8:]
    send(scanner, WINDOWS, head + window + b"\x80" + window[1:])
    send(scanner, FEED)
    send(scanner, SCAN_BOTH, b"\x00\x80")
    front, back = (send(scanner, read_image(side, LINE))[0] for side in (0x00, 0x80))
    assert [255 - front[0], 255 - back[0]] == [7, 7 + 13]
    assert 255 - send(scanner, read_image(0, LINE))[0][0] == 7 + 3


def test_padded_reads_are_as_long_as_asked_for() -> None:
    scanner = fed()
    scanner.pads = True
    data, status = send(scanner, read_image(0, 500 * LINE))
    assert (len(data), status[STATUS_AT]) == (500 * LINE, 0x02)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0x02, 0x00), (0x0E, 0xFF), (0x19, 0x04), (0x1A, 0x01), (0x20, 0x81), (0x28, 0xC1)],
)
def test_a_window_that_cannot_be_is_refused_with_the_place(offset: int, value: int) -> None:
    scanner = Scanner()
    wrong = bytearray(SIMPLEX)
    wrong[8 + offset] = value
    wrong[8 + 3] = 10 if offset == 0x02 else wrong[8 + 3]
    assert check(scanner, WINDOW, bytes(wrong)) == (5, 0x26, 0)
    assert check(scanner, SCAN_FRONT, b"\x00") == (5, 0x2C, 0)


def test_a_failing_command_has_a_data_phase_all_the_same() -> None:
    scanner = Scanner(MODELS["fi-7260"].changed(pages=()))
    assert send(scanner, "1A0033001400")[0] == b""
    assert check(scanner, "1A0033001400") == (5, 0x24, 0)


def test_a_new_command_drops_what_was_not_read() -> None:
    scanner = Scanner()
    scanner.take((b"\x43".ljust(0x13, b"\0") + bytes.fromhex(INQUIRY)).ljust(31, b"\0"))
    assert [len(answer) for answer in send(scanner, "000000000000")] == [13]


def test_injected_answers_come_in_their_turn() -> None:
    scanner = Scanner("fi-7260", 5)
    scanner.inject("feed", Answer((3, 0x80, 1)), None, Answer(status=0x08), after=1)
    assert send(scanner, FEED)[-1][STATUS_AT] == 0
    assert check(scanner, FEED) == (3, 0x80, 1)
    assert send(scanner, FEED)[-1][STATUS_AT] == 0
    assert send(scanner, FEED)[-1][STATUS_AT] == 0x08
    assert len(scanner.hopper.sheets) == 3
    scanner.inject("inquiry", Answer(size=95), Answer(data=b"x"), Answer(status_data=b"12345"))
    assert [len(answer) for answer in send(scanner, INQUIRY)] == [95, 13]
    assert send(scanner, INQUIRY)[0] == b"x"
    assert send(scanner, INQUIRY)[1] == b"12345"


@pytest.mark.parametrize(("action", "refused"), [(0x00, False), (0x80, True), (0xC0, False)])
def test_a_double_feed_ends_the_batch_if_the_host_says_so(action: int, refused: bool) -> None:
    scanner = Scanner()
    scanner.load(1, Sheet(is_double=True))
    send(scanner, "151000000C00", bytes((0, 0, 0, 0, 0x38, 6, action, 0, 0, 0, 0, 0)))
    assert send(scanner, FEED)[-1][STATUS_AT] == (0x02 if refused else 0)
    assert send(scanner, "C2000000000000000C00")[0][6] & 1


@pytest.mark.parametrize("after", [0, 400])
def test_a_sheet_may_jam_while_it_is_read(after: int) -> None:
    scanner = Scanner()
    scanner.load(1, Sheet(error=(3, 0x80, 2), jams_after=after))
    send(scanner, WINDOW, SIMPLEX)
    assert send(scanner, FEED)[-1][STATUS_AT] == 0
    send(scanner, SCAN_FRONT, b"\x00")
    if after:
        assert send(scanner, read_image(0, 500))[-1][STATUS_AT] == 0
    assert check(scanner, read_image(0, 500)) == (3, 0x80, 2)


@pytest.mark.parametrize(("width", "length", "size"), [(0, 0, (787, 472)), (1, 1, (100, 50))])
def test_a_scanner_that_finds_the_paper_tells_its_size(
    width: int, length: int, size: tuple[int, int]
) -> None:
    scanner = Scanner()
    scanner.load(1, Sheet(size=(600, 300), crop_bits=0x81))
    mode = bytes((0, 0, 0, 0, 0x3C, 6, 0x80 * width, 0x80 * length, 0, 0, 0, 0))
    send(scanner, "151000000C00", mode)
    send(scanner, WINDOW, SIMPLEX)
    send(scanner, FEED)
    send(scanner, SCAN_FRONT, b"\x00")
    told = send(scanner, PIXEL_SIZE)[0]
    numbers = [int.from_bytes(told[at : at + 4], "big") for at in (0, 4, 8, 12)]
    assert (numbers, told[16]) == ([787, 472, *size], 0x81)
    data, _status = send(scanner, read_image(0, 787 * 472))
    assert len(data) == size[0] * size[1]


@pytest.mark.parametrize(("joins", "width"), [(True, 2 * 784), (False, 784)])
def test_jpeg_of_both_sides(joins: bool, width: int) -> None:
    """In one file of double width, each half of a row of blocks an interval, or in two."""
    if not turbojpeg.is_there():
        pytest.skip("peer absent: libturbojpeg0")
    scanner = Scanner(MODELS["fi-7260"].changed({0x5A: 0x08}, joins_jpeg=joins), 1)
    window = bytearray(SIMPLEX[8:])
    window[0x0E:0x12] = (784 * 6).to_bytes(4, "big")
    window[0x20] = 0x81
    send(scanner, WINDOWS, SIMPLEX[:8] + window + b"\x80" + window[1:])
    send(scanner, FEED)
    send(scanner, SCAN_BOTH, b"\x00\x80")
    data, status = send(scanner, read_image(0, 1 << 22))
    assert (data[:2], data[-2:], status[STATUS_AT]) == (b"\xff\xd8", b"\xff\xd9", 0x02)
    at = data.index(b"\xff\xc0") + 7
    assert int.from_bytes(data[at : at + 2], "big") == width
    assert (b"\xff\xdd\x00\x04" + (784 // 8).to_bytes(2, "big") in data) == joins
    if joins:
        assert check(scanner, read_image(0x80, 100)) == (5, 0x2C, 0)
    else:
        assert send(scanner, read_image(0x80, 1 << 22))[0][:2] == b"\xff\xd8"


def test_a_button_is_seen_once_and_an_empty_hopper_always() -> None:
    scanner = Scanner("iX500")
    scanner.press("scan")
    scanner.sensors = {"cover-open": 1, "function": 3}
    blocks = [send(scanner, "C2000000000000000C00")[0] for _ in range(2)]
    assert [block[4] for block in blocks] == [0x01, 0]
    assert [(block[3], block[5]) for block in blocks] == [(0xA0, 3)] * 2


def test_the_old_command_set_tells_its_sensors_as_sense_data() -> None:
    scanner = Scanner("M3091", 1)
    scanner.sensors = {"duplex": 1, "density": 5, "function": 2}
    told = send(scanner, SENSE)[0]
    assert (told[2], told[12], told[13], told[15]) == (0, 0x80, 0x05, 2 << 3 | 5)


@pytest.mark.parametrize(
    ("cdb", "name", "sizes"),
    [
        ("F10F0200000000000000", "card", (0, 0)),
        ("F110800000000064F200", "ready for read", (0, 0)),
        ("2A008300000000010A00", "lut", (266, 0)),
        ("C1000000000000000600", "endorser", (6, 0)),
        ("31040000000000000000", "halt", (0, 0)),
        ("28008000008000002000", "pixel size", (0, 32)),
    ],
)
def test_commands_have_names_and_lengths(cdb: str, name: str, sizes: tuple[int, int]) -> None:
    read = Cdb(bytes.fromhex(cdb).ljust(12, b"\0"))
    assert (read.name, read.out_bytes, read.in_bytes) == (name, *sizes)
