"""usb.exchange on a scripted link: phases, what is no answer, busy devices, getting in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.cancel import Cancel
from sane.usb import exchange, link
from sane.usb.failures import Garbled, Overflowed, Stalled, TimedOut, Unplugged
from tests.fakes.usb import FakeLink, fake_usb

if TYPE_CHECKING:
    from sane.usb.handle import Usb

IN, OUT = 0x81, 0x02


class Owner:
    """Stands for the Device that a handle belongs to."""

    is_live = True
    waits_in_c = False

    def __init__(self) -> None:
        self.cancel_request = Cancel()


READY, BUSY, NO_PAPER = b"\x00\x01", b"\x01\x01", b"\x02\x01"


def judge(status: bytes) -> None:
    """Take a status of two bytes: what is the matter, then always 1."""
    if status[1:] != b"\x01":
        raise Garbled(f"status {status.hex(' ')}")
    if status[0]:
        raise (errors.DeviceBusy if status[0] == 1 else errors.NoDocs)("not now")


def ask(usb: Usb, command: bytes = b"C", **words: object) -> bytes:
    given: dict[str, object] = {"status": 2, "judge": judge, **words}
    return bytes(usb.exchange(command, **given))  # type: ignore[arg-type]


def sent(fake: FakeLink) -> list[object]:
    return [item[2] for item in fake.sent if item[0] == "out"]


def test_command_data_and_status_come_in_their_order() -> None:
    fake = FakeLink(b"page", READY, READY)
    usb = fake_usb(fake)
    assert ask(usb, want=4) == b"page"
    assert ask(usb, b"D", out=b"data") == b""
    assert [item[:3] for item in fake.sent] == [
        *(("out", OUT, b"C"), ("in", IN, 4), ("in", IN, 2)),
        *(("out", OUT, b"D"), ("out", OUT, b"data"), ("in", IN, 2)),
    ]


def test_without_a_status_the_data_are_judged() -> None:
    usb = fake_usb(FakeLink(READY, NO_PAPER))
    assert ask(usb, status=0, want=2) == READY
    with pytest.raises(errors.NoDocs):
        ask(usb, status=0, want=2)
    assert not usb.is_out_of_step


def test_each_phase_has_the_time_it_is_given() -> None:
    fake = FakeLink(b"page", READY)
    ask(fake_usb(fake), want=4, seconds=3)
    assert [item[3] for item in fake.sent if item[0] == "in"] == [3, 3]


def test_a_verdict_of_the_device_leaves_the_two_in_step() -> None:
    fake = FakeLink(NO_PAPER, READY)
    usb = fake_usb(fake)
    with pytest.raises(errors.NoDocs):
        ask(usb)
    ask(usb)
    assert len(fake.sent) == 4


# Busy


def test_a_busy_device_is_asked_again() -> None:
    fake = FakeLink(BUSY, BUSY, READY)
    ask(fake_usb(fake), patience=60, every=0.001)
    assert sent(fake) == [b"C"] * 3


def test_patience_has_an_end() -> None:
    fake = FakeLink(*[BUSY] * 1000)
    with pytest.raises(errors.DeviceBusy):
        ask(fake_usb(fake), patience=0.05, every=0.01)
    assert 1 < len(sent(fake)) < 10


def test_without_patience_a_busy_device_is_asked_once() -> None:
    fake = FakeLink(BUSY)
    with pytest.raises(errors.DeviceBusy):
        ask(fake_usb(fake))
    assert sent(fake) == [b"C"]


def test_cancel_ends_the_wait_for_a_busy_device() -> None:
    owner = Owner()

    def cancelling(status: bytes) -> None:
        owner.cancel_request.set()
        judge(status)

    usb = fake_usb(FakeLink(BUSY))
    usb.belongs_to(owner)
    with pytest.raises(errors.Cancelled):
        ask(usb, judge=cancelling, patience=100, every=60)
    owner.cancel_request.close()


# What is no answer


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        ((link.TIMEOUT,), TimedOut, "no answer within 30 s"),
        ((link.STALL,), Stalled, "refused"),
        ((link.BABBLE,), Overflowed, "sent more"),
        (("error: broken",), errors.DeviceIOError, "broken"),
        ((b"page", link.TIMEOUT), TimedOut, "read 0x81: 0 of 2 bytes"),
        ((b"page", b""), Garbled, r"43: 0 of 2 bytes of status came \(none\)"),
        ((b"page", b"\x00"), Garbled, r"1 of 2 bytes of status came \(00\)"),
        ((b"page", b"!!"), Garbled, "status 21 21"),
        ((b"pag", READY), Garbled, r"3 of 4 bytes of data came \(70 61 67\)"),
        ((b"", READY), Garbled, "0 of 4 bytes of data came"),
    ],
)
def test_what_is_no_answer_is_told_and_dropped_before_the_next_command(
    answers: tuple[bytes | str, ...], kind: type[errors.SaneError], text: str
) -> None:
    fake = FakeLink(*answers, b"late", link.TIMEOUT, b"page", READY)
    usb = fake_usb(fake)
    with pytest.raises(kind, match=text):
        ask(usb, want=4)
    assert usb.is_out_of_step
    fake.sent.clear()
    assert ask(usb, want=4) == b"page"
    assert not usb.is_out_of_step
    assert [item[0] for item in fake.sent] == ["in", "in", "out", "in", "in"]
    assert fake.sent[0][3] == exchange.QUIET_SECONDS


def test_the_verdict_says_why_there_are_no_data() -> None:
    with pytest.raises(errors.NoDocs):
        ask(fake_usb(FakeLink(b"", NO_PAPER)), want=4)


def test_short_data_are_right_where_they_may_be_short() -> None:
    usb = fake_usb(FakeLink(b"pag", READY))
    assert ask(usb, want=4, short=True) == b"pag"
    assert not usb.is_out_of_step


def test_a_cancel_leaves_an_answer_that_is_dropped() -> None:
    fake = FakeLink(link.CANCELLED, b"page", READY, link.TIMEOUT, b"next", READY)
    usb = fake_usb(fake)
    with pytest.raises(errors.Cancelled):
        ask(usb, want=4)
    assert ask(usb, want=4) == b"next"


def test_a_harmless_command_is_repeated_until_its_answer_is_whole() -> None:
    broken = (b"old!", b"??", link.TIMEOUT, b"page", link.TIMEOUT, link.TIMEOUT)
    fake = FakeLink(*broken, b"page", READY)
    assert ask(fake_usb(fake), want=4, tries=3) == b"page"
    fake = FakeLink(*broken[:3] * 3)
    with pytest.raises(Garbled):
        ask(fake_usb(fake), want=4, tries=3)
    assert sent(fake) == [b"C"] * 3


def test_getting_in_step_is_done_once() -> None:
    fake = FakeLink(link.TIMEOUT, b"late", link.TIMEOUT)
    usb = fake_usb(fake)
    with pytest.raises(TimedOut):
        ask(usb)
    usb.get_in_step()
    usb.get_in_step()
    assert not usb.is_out_of_step
    assert not fake.answers


def test_data_as_long_as_a_status_are_data_where_so_many_are_due() -> None:
    fake = FakeLink(READY, READY)
    assert ask(fake_usb(fake), want=2, is_status=lambda data: True) == READY
    assert fake.sent[-1][3] == 30


def test_a_device_that_is_gone_is_not_asked_again() -> None:
    fake = FakeLink(link.UNPLUGGED)
    with pytest.raises(Unplugged):
        ask(fake_usb(fake), tries=3)
    assert sent(fake) == [b"C"]


def test_a_status_in_place_of_the_data_is_recognised() -> None:
    fake = FakeLink(NO_PAPER, link.TIMEOUT, READY, link.TIMEOUT, b"\x00\x01", READY)
    usb = fake_usb(fake)

    def is_status(data: bytes) -> bool:
        return data.endswith(b"\x01")

    with pytest.raises(errors.NoDocs):
        ask(usb, want=4, is_status=is_status)
    assert fake.sent[-1][3] == exchange.BRIEF_SECONDS
    assert ask(usb, want=4, is_status=is_status, short=True) == b""
    assert ask(usb, want=4, is_status=is_status, short=True) == b"\x00\x01"  # data after all


def test_large_data_come_in_several_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_TRANSFER", 8)
    assert ask(fake_usb(FakeLink(b"12345678", b"abcdefgh", b"!", READY)), want=17) == (
        b"12345678abcdefgh!"
    )
    fake = FakeLink(b"12345678", b"abc", READY)
    assert ask(fake_usb(fake), want=17, short=True) == b"12345678abc"
