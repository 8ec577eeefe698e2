"""Registers and the ports that carry them, on a scripted link."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.cancel import Cancel
from sane.usb import link
from sane.usb.failures import Garbled, Overflowed, TimedOut
from sane.usb.registers import BulkPort, ControlPort, Field, Registers, runs
from tests.fakes.usb import FakeLink, fake_usb

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.usb.handle import Usb

IN, OUT = 0x81, 0x02


class Owner:
    """Stands for the Device that a handle belongs to."""

    is_live = True
    waits_in_c = False

    def __init__(self) -> None:
        self.cancel_request = Cancel()


class Chip:
    """A port that keeps what is written; *answers* come first where something is read."""

    def __init__(self) -> None:
        self.usb: Usb = fake_usb(FakeLink())
        self.memory = bytearray(0x200)
        self.written: list[tuple[int, bytes]] = []
        self.answers: list[int] = []
        self.read_more: Callable[[], None] = lambda: None

    def read(self, address: int, count: int) -> bytes:
        self.read_more()
        if self.answers:
            return bytes((self.answers.pop(0),))
        return bytes(self.memory[address : address + count])

    def write(self, address: int, data: bytes) -> None:
        self.written.append((address, data))
        self.memory[address : address + len(data)] = data

    def upload(self, address: int, data: bytes | memoryview) -> None:
        raise NotImplementedError

    def read_into(self, address: int, view: memoryview) -> None:
        raise NotImplementedError


@pytest.fixture
def chip() -> Chip:
    return Chip()


MODE = Field(0x26, 2, 3)
STEPS = Field(0x46, 16)
LINES = Field(0x25, 20)
NIBBLES = Field(0x30, 8, 4)


@pytest.mark.parametrize(
    ("field", "value", "data"),
    [
        (Field(0x10), 0xAB, b"\xab"),
        (MODE, 3, b"\x18"),
        (STEPS, 0x1234, b"\x12\x34"),
        (LINES, 0xABCDE, b"\x0a\xbc\xde"),
        (NIBBLES, 0xAB, b"\x0a\xb0"),
    ],
)
def test_a_field_is_bits_high_byte_first(chip: Chip, field: Field, value: int, data: bytes) -> None:
    registers = Registers(chip)
    registers[field] = value
    assert registers[field] == value
    registers.flush()
    assert chip.written == [(field.address, data)]


def test_a_field_leaves_its_neighbours_alone(chip: Chip) -> None:
    registers = Registers(chip)
    registers[0x26] = 0xFF
    registers[MODE] = 0
    assert registers[0x26] == 0xE7
    registers[0x46], registers[0x47] = 0xFF, 0xFF
    registers[Field(0x46, 12)] = 0x123
    assert registers[STEPS] == 0xF123


@pytest.mark.parametrize(("field", "value"), [(MODE, 4), (MODE, -1), (STEPS, 1 << 16), (7, 256)])
def test_a_value_that_does_not_fit_is_refused(chip: Chip, field: Field | int, value: int) -> None:
    registers = Registers(chip)
    with pytest.raises(ValueError, match="does not fit into <"):
        registers[field] = value
    registers.flush()
    assert chip.written == []


@pytest.mark.parametrize("what", [0x100, -1, Field(0xFF, 16)])
def test_a_register_that_is_not_there_is_named(chip: Chip, what: Field | int) -> None:
    registers = Registers(chip)
    with pytest.raises(ValueError, match="there are 100"):
        registers[what] = 1
    with pytest.raises(ValueError, match="there are 100"):
        registers.read(what)


@pytest.mark.parametrize(("bits", "shift"), [(0, 0), (8, -1)])
def test_a_field_without_bits_is_refused(bits: int, shift: int) -> None:
    with pytest.raises(ValueError, match="register 10"):
        Field(0x10, bits, shift)


def test_only_what_changed_is_written_neighbours_together(chip: Chip) -> None:
    registers = Registers(chip)
    for address in (0x12, 0x10, 0x11, 0x20):
        registers[address] = address
    registers.flush()
    assert chip.written == [(0x10, b"\x10\x11\x12"), (0x20, b"\x20")]
    chip.written.clear()
    registers[0x11], registers[0x20] = 5, 0x20  # as it is
    registers.flush()
    registers.flush()
    assert chip.written == [(0x11, b"\x05")]


def test_zero_is_written_where_nothing_was_set_before(chip: Chip) -> None:
    registers = Registers(chip)
    registers[0x08] = 0
    registers.flush()
    assert chip.written == [(0x08, b"\0")]


def test_fickle_registers_are_always_written(chip: Chip) -> None:
    registers = Registers(chip, fickle=(0x07,))
    for _ in range(2):
        registers[0x07], registers[0x08] = 3, 4
        registers.flush()
    assert chip.written == [(0x07, b"\x03\x04"), (0x07, b"\x03")]


def test_after_a_reset_all_that_is_held_is_written(chip: Chip) -> None:
    registers = Registers(chip)
    registers[0x08], registers[0x10] = 1, 2
    registers.flush()
    chip.written.clear()
    registers.forget()
    registers.flush()
    assert chip.written == [(0x08, b"\x01"), (0x10, b"\x02")]


def test_a_flush_that_fails_is_made_up_for(chip: Chip) -> None:
    registers = Registers(chip)
    registers[0x08], registers[0x10] = 1, 2
    whole = chip.write

    def failing(address: int, data: bytes) -> None:
        if address == 0x10:
            raise TimedOut("no answer")
        whole(address, data)

    chip.write = failing  # type: ignore[method-assign]
    with pytest.raises(TimedOut):
        registers.flush()
    chip.write = whole  # type: ignore[method-assign]
    registers.flush()
    assert chip.written == [(0x08, b"\x01"), (0x10, b"\x02")]


def test_reading_takes_over_what_the_chip_has(chip: Chip) -> None:
    registers = Registers(chip)
    chip.memory[0x46:0x48] = b"\x12\x34"
    registers[0x46] = 9
    assert registers.read(STEPS) == 0x1234
    registers.flush()
    assert chip.written == []
    registers[STEPS] = 0x1234  # as it is
    registers.write(Field(0x46, 4), 0xA)
    registers.flush()
    assert chip.written == [(0x46, b"\x1a")]


def test_a_command_is_written_until_it_is_there(chip: Chip) -> None:
    registers = Registers(chip, fickle=(7,))
    chip.answers = [0, 2]
    registers.command(7, 2)
    assert chip.written == [(7, b"\x02")] * 2
    chip.answers = [0] * 3
    with pytest.raises(Garbled, match=r"libusb:001:002: <8 bits of register 07 .* stays 0"):
        registers.command(7, 2, tries=3)


def test_a_poll_waits_for_a_value(chip: Chip) -> None:
    registers = Registers(chip)
    chip.answers = [0, 0x40, 0x42]
    assert registers.poll(2, lambda value: value & 2, 60, 0.001) == 0x42
    chip.answers = [0, 8]
    assert registers.poll(Field(2, 1, 3), 1, 60, 0.001) == 1


def test_a_poll_has_an_end_and_says_what_it_saw(chip: Chip) -> None:
    chip.memory[2] = 0x40
    with pytest.raises(TimedOut, match=r"register 02 from bit 0> is still 0x40 after 0.03 s"):
        Registers(chip).poll(2, 1, 0.03, 0.001)


def test_cancel_ends_a_poll(chip: Chip) -> None:
    owner = Owner()
    chip.usb.belongs_to(owner)
    chip.read_more = owner.cancel_request.set
    begin = time.monotonic()
    with pytest.raises(errors.Cancelled):
        Registers(chip).poll(2, 1, 60, 60)
    assert time.monotonic() - begin < 5
    owner.cancel_request.close()


def test_too_few_registers_are_no_answer(chip: Chip) -> None:
    chip.answers = [1]
    with pytest.raises(Garbled, match="1 of 2 registers from 46 on came"):
        Registers(chip).read(STEPS)


def test_runs() -> None:
    assert list(runs([])) == []
    assert list(runs([3])) == [(3, 1)]
    assert list(runs([0, 1, 2, 5, 7, 8])) == [(0, 3), (5, 1), (7, 2)]


# In bulk transfers


def test_bulk_registers_have_a_header() -> None:
    fake = FakeLink(b"\x01\x02")
    port = BulkPort(fake_usb(fake))
    port.write(0x08, b"\x0a\x0b")
    assert port.read(0x46, 2) == b"\x01\x02"
    assert fake.sent == [
        ("out", OUT, b"\x02\x08\x00\x02\x0a\x0b"),
        ("out", OUT, b"\x03\x46\x00\x02"),
        ("in", IN, 2, 30.0),
    ]


def test_what_a_cancelled_read_is_owed_is_no_answer_to_the_next() -> None:
    """Image data come when the chip has made them, be it long after the cancel."""
    fake = FakeLink((link.CANCELLED, b"abc"), b"defgh", b"\x05")
    port = BulkPort(fake_usb(fake))
    with pytest.raises(errors.Cancelled):
        port.read_into(0, memoryview(bytearray(8)))
    assert port.read(0x07, 1) == b"\x05"


def test_after_a_cancel_a_chip_may_fall_silent() -> None:
    fake = FakeLink((link.CANCELLED, b"abc"), link.TIMEOUT, link.TIMEOUT, b"\x05")
    port = BulkPort(fake_usb(fake))
    with pytest.raises(errors.Cancelled):
        port.read_into(0, memoryview(bytearray(8)))
    assert port.read(0x07, 1) == b"\x05"


def test_a_long_write_goes_on_at_its_register_and_an_upload_stays_there() -> None:
    fake = FakeLink()
    port = BulkPort(fake_usb(fake))
    data = bytes(range(70))
    port.write(0x08, data)
    port.upload(0x06, memoryview(data))
    assert [item[2] for item in fake.sent] == [
        *(b"\x02\x08\x00\x3c" + data[:60], b"\x02\x44\x00\x0a" + data[60:]),
        *(b"\x00\x06\x00\x3c" + data[:60], b"\x00\x06\x00\x0a" + data[60:]),
    ]


def test_a_long_read_is_several_commands_and_an_early_end_is_no_end() -> None:
    fake = FakeLink(bytes(40000), bytes(25535), b"abcde")
    view = memoryview(bytearray(65540))
    BulkPort(fake_usb(fake)).read_into(0, view)
    assert bytes(view[-5:]) == b"abcde"
    assert [item[2] for item in fake.sent] == [
        *(b"\x01\x00\xff\xff", 65535, 25535),
        *(b"\x01\x00\x00\x05", 5),
    ]


def test_the_rest_of_a_read_is_asked_for_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.usb.registers.PIECE_SECONDS", 0.02)
    begin = time.monotonic()
    assert BulkPort(fake_usb(FakeLink(b"a", b"b", b"c"))).read(0x46, 3) == b"abc"
    assert time.monotonic() - begin >= 0.04


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        ((b"",), Garbled, "0 of 2 bytes of register 46 came"),
        ((b"a", b""), Garbled, "1 of 2 bytes"),
        ((link.TIMEOUT,), TimedOut, "no answer"),
        ((link.BABBLE,), Overflowed, "more than was asked"),
    ],
)
def test_bulk_registers_that_do_not_come(
    answers: tuple[bytes | str, ...], kind: type[errors.SaneError], text: str
) -> None:
    with pytest.raises(kind, match=text):
        BulkPort(fake_usb(FakeLink(*answers))).read(0x46, 2)


# In vendor requests


def test_control_registers_are_pairs_and_single_values() -> None:
    fake = FakeLink(b"\x07\x55", b"\x08\x55")
    port = ControlPort(fake_usb(fake))
    port.write(0x01, b"\x0a\x0b")
    assert port.read(0xFF, 2) == b"\x07\x08"
    assert fake.sent == [
        ("control", (0x40, 0x04, 0x83, 0), b"\x01\x0a"),
        ("control", (0x40, 0x04, 0x83, 0), b"\x02\x0b"),
        ("control", (0xC0, 0x04, 0x8E, 0xFF22), bytes(2)),
        ("control", (0xC0, 0x04, 0x18E, 0x0022), bytes(2)),
    ]


def test_several_pairs_go_in_one_request_of_one_page() -> None:
    fake = FakeLink()
    ControlPort(fake_usb(fake), pairs=32).write(0xFD, bytes(range(40)))
    assert [(item[1][2], len(item[2])) for item in fake.sent] == [  # type: ignore[index, arg-type]
        (0x83, 6),
        (0x183, 64),
        (0x183, 10),
    ]


@pytest.mark.parametrize("answer", [b"", b"\x07", b"\x07\x00"])
def test_a_register_without_its_mark_is_no_answer(answer: bytes) -> None:
    with pytest.raises(Garbled, match="register 41 answered with"):
        ControlPort(fake_usb(FakeLink(answer))).read(0x41, 1)


def test_bulk_data_are_announced() -> None:
    fake = FakeLink(b"abcdefgh", b"ij")
    port = ControlPort(fake_usb(fake), most=8)
    port.upload(0x10004000, bytes(10))
    view = memoryview(bytearray(10))
    port.read_into(0x10000000, view)
    assert bytes(view) == b"abcdefghij"
    to, out_of = (0x40, 0x04, 0x82, 1), (0x40, 0x04, 0x82, 0)
    assert [item[:3] for item in fake.sent] == [
        ("control", to, bytes.fromhex("00400010 0a000000")),
        *(("out", OUT, bytes(8)), ("out", OUT, bytes(2))),
        ("control", out_of, bytes.fromhex("00000010 08000000")),
        ("in", IN, 8),
        ("control", out_of, bytes.fromhex("00000010 02000000")),
        ("in", IN, 2),
    ]
    with pytest.raises(Garbled, match="3 of 10 bytes of data came"):
        ControlPort(fake_usb(FakeLink(b"abc"))).read_into(0, view)


def test_registers_are_noted_together_and_sent_as_a_block(chip: Chip) -> None:
    registers = Registers(chip)
    registers.note(0x20, b"\x01\x02\x03")
    assert registers.held(0x1F, 5) == b"\0\x01\x02\x03\0"
    registers.send(0x1F, 5)
    registers.send(0x1F, 5)
    assert chip.written == [(0x1F, b"\0\x01\x02\x03\0")] * 2
    registers.flush()
    assert len(chip.written) == 2
    with pytest.raises(ValueError, match="register"):
        registers.held(0xFF, 2)
