"""usb.scsi on a scripted link: framing, status, sense data and what they mean."""

from __future__ import annotations

import pytest

from sane import errors
from sane.usb import link
from sane.usb.failures import Garbled, TimedOut
from sane.usb.scsi import Begun, ScsiRules
from tests.fakes.usb import FakeLink, fake_usb

IN, OUT = 0x81, 0x02
INQUIRY = bytes.fromhex("120000006000")
READ = bytes.fromhex("28000000000000001000")
FEED = bytes.fromhex("31010000000000000000")
READY = bytes(6)


def status(code: int = 0) -> bytes:
    return b"\x53" + bytes(8) + bytes((code,)) + bytes(3)


def sense(key: int, asc: int = 0, ascq: int = 0, *, flags: int = 0, information: int = 0) -> bytes:
    raw = bytearray(18)
    raw[0], raw[2], raw[7] = 0xF0, key | flags, 10
    raw[3:7] = information.to_bytes(4, "big")
    raw[12], raw[13] = asc, ascq
    return bytes(raw)


class Family(ScsiRules):
    senses = {
        (3, 0x80, 1): (errors.Jammed, "paper jam"),
        (3, 0x80, 3): (errors.NoDocs, "hopper empty"),
        (3, 0x80, None): (errors.CoverOpen, "something with the paper"),
        (0, 0x80, None): (None, "status bits"),
    }


def test_a_command_is_framed_as_the_family_has_it() -> None:
    fake = FakeLink(b"EPSON", status(), status())
    usb = fake_usb(fake)
    answer = usb.scsi(INQUIRY, want=96)
    assert (answer.data, answer.sense, answer.is_end) == (b"EPSON", None, False)
    frame = b"\x43" + bytes(18) + INQUIRY + bytes(6)
    assert len(frame) == 31
    assert fake.sent == [("out", OUT, frame), ("in", IN, 96, 30.0), ("in", IN, 13, 30.0)]
    fake.sent.clear()
    usb.scsi(bytes.fromhex("2a000000000000000300"), out=b"lut")
    assert [item[2] for item in fake.sent[1:]] == [b"lut", 13]


def test_another_family_has_another_frame() -> None:
    class Plain(ScsiRules):
        head, at, size = b"", 0, 10
        status, status_at, tag = 1, 0, b""

    fake = FakeLink(b"\x00")
    usb = fake_usb(fake)
    usb.scsi_rules = Plain()
    usb.scsi(INQUIRY)
    assert fake.sent[0] == ("out", OUT, INQUIRY + bytes(4))
    with pytest.raises(ValueError, match="a CDB of 12 bytes"):
        usb.scsi(bytes(12))


@pytest.mark.parametrize("cdb", [b"", b"\x12", bytes(7), bytes(20)])
def test_what_is_no_cdb_is_refused(cdb: bytes) -> None:
    with pytest.raises(ValueError, match="a CDB of"):
        fake_usb(FakeLink()).scsi(cdb)


def test_data_go_one_way() -> None:
    with pytest.raises(ValueError, match="one way"):
        fake_usb(FakeLink()).scsi(INQUIRY, out=b"a", want=1)


@pytest.mark.parametrize(
    ("codes", "kind", "text"),
    [
        ((3, 0x80, 1), errors.Jammed, r"paper jam \(sense 3/80/01\)"),
        ((3, 0x80, 3), errors.NoDocs, "hopper empty"),
        ((3, 0x80, 9), errors.CoverOpen, r"something with the paper \(sense 3/80/09\)"),
        ((2, 0, 0), errors.DeviceBusy, "not ready"),
        ((3, 0x11, 0), errors.DeviceIOError, "medium error"),
        ((4, 0x44, 0), errors.DeviceIOError, "hardware error"),
        ((5, 0x24, 0), errors.Invalid, "illegal request"),
        ((0xB, 0x47, 0), errors.DeviceIOError, "aborted"),
        ((7, 0, 0), errors.DeviceIOError, r"unknown sense key \(sense 7/00/00\)"),
    ],
)
def test_sense_data_become_errors(
    codes: tuple[int, int, int], kind: type[errors.SaneError], text: str
) -> None:
    fake = FakeLink(status(2), sense(*codes), status())
    usb = fake_usb(fake)
    usb.scsi_rules = Family()
    with pytest.raises(kind, match=text) as info:
        usb.scsi(FEED)
    assert type(info.value) is kind
    assert fake.sent[2][2] == ScsiRules().command(bytes.fromhex("030000001200"))
    assert not usb.is_out_of_step


@pytest.mark.parametrize("codes", [(0, 0, 0), (0, 0x80, 5), (1, 0x17, 1)])
def test_sense_data_may_mean_that_all_is_well(codes: tuple[int, int, int]) -> None:
    usb = fake_usb(FakeLink(status(2), sense(*codes), status()))
    answer = usb.scsi(FEED, rules=Family())
    assert answer.sense is not None
    assert (answer.sense.key, answer.sense.asc, answer.sense.ascq) == codes


@pytest.mark.parametrize("came", [16, 10])
def test_what_sense_data_call_missing_is_cut_off(came: int) -> None:
    """Some devices pad the data to what was asked for, others send less."""
    raw = sense(0, flags=0x60, information=6)
    usb = fake_usb(FakeLink(bytes(range(came)), status(2), raw, status()))
    answer = usb.scsi(READ, want=16)
    assert answer.data == bytes(range(10))
    assert answer.is_end


@pytest.mark.parametrize("missing", [17, 20, 0xFFFFFFFF])
def test_nonsense_in_the_information_is_no_length(missing: int) -> None:
    raw = sense(0, flags=0x20, information=missing)
    usb = fake_usb(FakeLink(bytes(16), status(2), raw, status()))
    assert usb.scsi(READ, want=16).data == b""
    usb = fake_usb(FakeLink(bytes(16), status(2), b"\x70" + raw[1:], status()))
    assert usb.scsi(READ, want=16).data == bytes(16)  # not valid


def test_short_data_are_returned_as_they_are() -> None:
    assert fake_usb(FakeLink(b"abc", status())).scsi(READ, want=16).data == b"abc"
    assert fake_usb(FakeLink(b"", status())).scsi(READ, want=16).data == b""


def test_a_unit_attention_is_taken_note_of_and_the_command_repeated() -> None:
    fake = FakeLink(status(2), sense(6, 0x29), status(), b"data", status())
    fake.answers.insert(0, b"")
    answer = fake_usb(fake).scsi(READ, want=16)
    assert (answer.data, answer.sense) == (b"data", None)
    commands = [item[2] for item in fake.sent if item[0] == "out"]
    assert commands[0] == commands[2] == ScsiRules().command(READ)


def test_a_busy_device_is_asked_again() -> None:
    fake = FakeLink(status(8), status(2), sense(2), status(), status())
    fake_usb(fake).scsi(FEED, patience=60, every=0.001)
    commands = [item[2] for item in fake.sent if item[0] == "out"]
    assert commands.count(ScsiRules().command(FEED)) == 3
    with pytest.raises(errors.DeviceBusy, match="busy"):
        fake_usb(FakeLink(status(8))).scsi(FEED)


def test_nobody_asks_why_the_unit_is_not_ready() -> None:
    fake = FakeLink(status(2))
    with pytest.raises(errors.DeviceIOError, match="SCSI 00 00 00 00 00 00: status 02"):
        fake_usb(fake).scsi(READY)
    assert len(fake.sent) == 2
    assert fake.sent[1][3] == 0.5


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        ((sense(5)[:12], status()), Garbled, "12 of 18 bytes of sense data"),
        ((b"", status()), Garbled, "0 of 18 bytes of sense data"),
        ((b"", status(2)), errors.DeviceIOError, "SCSI 03 00 00 00 12 00: status 02"),
        ((link.TIMEOUT,), TimedOut, "no answer"),
        ((sense(5), b"short"), Garbled, "5 of 13 bytes of status"),
    ],
)
def test_sense_data_that_do_not_come_are_an_error_of_their_own(
    answers: tuple[bytes | str, ...], kind: type[errors.SaneError], text: str
) -> None:
    with pytest.raises(kind, match=text):
        fake_usb(FakeLink(status(2), *answers)).scsi(FEED)


@pytest.mark.parametrize("answer", [b"", b"\x53" * 5, link.TIMEOUT])
def test_a_status_that_does_not_come_is_an_error(answer: bytes | str) -> None:
    fake = FakeLink(answer, b"late", link.TIMEOUT, status())
    usb = fake_usb(fake)
    with pytest.raises(errors.DeviceIOError):
        usb.scsi(FEED)
    usb.scsi(FEED)


def test_a_device_that_leaves_out_the_data_is_understood() -> None:
    fake = FakeLink(status(2), link.TIMEOUT, b"", status(2))
    fake.answers[2:] = [sense(3, 0x80, 3), status()]
    with pytest.raises(errors.NoDocs):
        fake_usb(fake).scsi(READ, want=16, rules=Family())


def test_a_command_that_has_begun_is_ended_later() -> None:
    fake = FakeLink(status(), status(2), sense(3, 0x80, 1), status())
    usb = fake_usb(fake)
    begun = Begun(usb, FEED, Family())
    assert usb.is_out_of_step
    assert [item[0] for item in fake.sent] == ["out"]
    assert begun.finish().sense is None
    begun = Begun(usb, FEED, Family())
    with pytest.raises(errors.Jammed, match="paper jam"):
        begun.finish()
    assert not usb.is_out_of_step


@pytest.mark.parametrize("answer", [b"short", link.TIMEOUT])
def test_a_command_that_has_begun_and_does_not_end_is_an_error(answer: bytes | str) -> None:
    fake = FakeLink(answer, link.TIMEOUT, status())
    usb = fake_usb(fake)
    begun = Begun(usb, FEED)
    with pytest.raises(errors.DeviceIOError):
        begun.finish()
    usb.scsi(READY)
    assert not fake.answers


def test_a_command_that_has_begun_is_repeated_after_a_unit_attention() -> None:
    fake = FakeLink(status(2), sense(6), status(), status())
    Begun(fake_usb(fake), FEED).finish()
    assert [item[2] for item in fake.sent if item[0] == "out"].count(ScsiRules().command(FEED)) == 2


def test_data_may_be_received_where_they_are_wanted() -> None:
    """The answer's data are the beginning of the view, without what sense data call missing."""
    raw = sense(0, flags=0x60, information=6)
    room = memoryview(bytearray(16))
    usb = fake_usb(FakeLink(bytes(range(16)), status(2), raw, status(), b"ab", status()))
    answer = usb.scsi(READ, want=16, into=room)
    assert (bytes(answer.data), answer.is_end) == (bytes(range(10)), True)
    assert bytes(room[:10]) == bytes(range(10))
    assert bytes(usb.scsi(READ, want=16, into=room).data) == b"ab"
