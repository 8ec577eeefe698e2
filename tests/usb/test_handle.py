"""The Usb handle on a scripted link: transfers, outcomes, recovery, cancel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.cancel import Cancel
from sane.usb import link
from sane.usb.handle import Overflowed, Stalled, TimedOut, Unplugged, Usb, UsbError
from tests.fakes.usb import FakeLink, descriptor_bytes, fake_usb, interface_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.usb.descriptors import Endpoint
    from sane.usb.link import Cancels, Result

IN, OUT = 0x81, 0x02


class Owner:
    """Stands for the Device that a handle belongs to."""

    is_live = True
    waits_in_c = False

    def __init__(self) -> None:
        self.cancel_request = Cancel()


def test_write_sends_one_transfer() -> None:
    fake = FakeLink()
    fake_usb(fake).write(OUT, b"\x1b@")
    assert fake.sent == [("out", OUT, b"\x1b@")]


def test_write_of_nothing_sends_an_empty_packet() -> None:
    fake = FakeLink()
    fake_usb(fake).write(OUT, b"")
    assert fake.sent == [("out", OUT, b"")]


@pytest.mark.parametrize(("size", "transfers"), [(512, 2), (511, 1), (1024, 2), (0, 1)])
def test_a_zero_packet_follows_a_full_one_when_asked_for(size: int, transfers: int) -> None:
    fake = FakeLink()
    fake_usb(fake).write(OUT, bytes(size), zero_packet=True)
    assert len(fake.sent) == transfers


def test_a_long_write_is_cut_where_no_short_packet_arises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "LARGEST_TRANSFER", 1024)
    fake = FakeLink()
    fake_usb(fake).write(OUT, bytes(2500))
    assert [len(item[2]) for item in fake.sent] == [1024, 1024, 452]  # type: ignore[arg-type]


def test_read_returns_what_one_transfer_brought() -> None:
    fake = FakeLink(b"\x06", b"", b"abc")
    usb = fake_usb(fake)
    assert [usb.read(IN, 1), usb.read(IN, 64), usb.read(IN, 3, 0.5)] == [b"\x06", b"", b"abc"]
    assert fake.sent[-1] == ("in", IN, 3, 0.5)


def test_read_into_fills_the_callers_buffer() -> None:
    buffer = bytearray(8)
    assert fake_usb(FakeLink(b"abcd")).read_into(IN, memoryview(buffer)[2:]) == 4
    assert buffer == b"\0\0abcd\0\0"


@pytest.mark.parametrize(
    ("outcome", "kind", "text"),
    [
        (link.TIMEOUT, TimedOut, "no answer within 30 s"),
        (link.STALL, Stalled, "refused"),
        (link.BABBLE, Overflowed, "sent more"),
        (link.UNPLUGGED, Unplugged, "unplugged"),
        ("error: no memory", UsbError, "error: no memory"),
        ("never heard of", UsbError, "never heard of"),
    ],
)
def test_outcomes_become_errors_that_name_the_device(
    outcome: str, kind: type[UsbError], text: str
) -> None:
    with pytest.raises(kind, match=f"libusb:001:002: read 0x81: 0 of 64 bytes, .*{text}") as info:
        fake_usb(FakeLink(outcome)).read(IN, 64)
    assert errors.status_of(info.value) == 9


def test_a_part_that_came_before_the_timeout_is_a_short_read() -> None:
    assert fake_usb(FakeLink((link.TIMEOUT, b"ab"))).read(IN, 64) == b"ab"


def test_a_part_that_came_before_an_error_hangs_on_the_error() -> None:
    with pytest.raises(Stalled) as info:
        fake_usb(FakeLink((link.STALL, b"ab"))).read(IN, 64)
    assert info.value.partial == b"ab"


def test_a_part_that_came_before_cancel_is_for_the_next_read() -> None:
    fake = FakeLink((link.CANCELLED, b"abcde"), b"fg")
    usb = fake_usb(fake)
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 64)
    assert [usb.read(IN, 2), usb.read(IN, 64), usb.read(IN, 64)] == [b"ab", b"cde", b"fg"]


def test_a_stall_is_cleared_before_it_is_raised() -> None:
    fake = FakeLink(link.STALL, b"ok")
    usb = fake_usb(fake)
    with pytest.raises(Stalled):
        usb.read(IN, 64)
    assert fake.sent[-1] == ("clear halt", IN)
    assert usb.read(IN, 64) == b"ok"


def test_a_halt_that_cannot_be_cleared_ends_in_a_reset() -> None:
    fake = FakeLink(link.STALL)
    fake.halt_outcome = link.ERROR
    with pytest.raises(Stalled):
        fake_usb(fake).read(IN, 64)
    assert fake.sent[-1] == ("reset",)


def test_an_unplugged_device_is_not_asked_again() -> None:
    fake = FakeLink(link.UNPLUGGED)
    usb = fake_usb(fake)
    with pytest.raises(Unplugged):
        usb.read(IN, 1)
    with pytest.raises(Unplugged):
        usb.write(OUT, b"x")
    with pytest.raises(Unplugged):
        usb.reset()
    assert len(fake.sent) == 1


def test_a_write_that_ends_early_says_how_far_it_came() -> None:
    fake = FakeLink()
    fake.outcomes = [(link.TIMEOUT, 512)]
    with pytest.raises(TimedOut, match="write 0x02: 512 of 600 bytes, no answer within 2 s"):
        fake_usb(fake).write(OUT, bytes(600), 2)


@pytest.mark.parametrize("address", [0x85, OUT])
def test_an_endpoint_that_is_not_there_is_named_with_those_that_are(address: int) -> None:
    with pytest.raises(errors.DeviceIOError, match=r"no IN endpoint .*0x81, 0x02, 0x83"):
        fake_usb(FakeLink()).read(address, 1)


def test_the_first_endpoints_are_found() -> None:
    usb = fake_usb(FakeLink())
    assert (usb.bulk_in, usb.bulk_out, usb.interrupt_in) == (0x81, 0x02, 0x83)


def test_a_missing_kind_of_endpoint_is_an_error() -> None:
    usb = fake_usb(FakeLink(), descriptor_bytes(interfaces=interface_bytes(0, 0xFF, b"")))
    with pytest.raises(errors.DeviceIOError, match="no bulk in endpoint"):
        print(usb.bulk_in)


def test_control_goes_both_ways() -> None:
    fake = FakeLink(b"\x01\x02")
    usb = fake_usb(fake)
    assert usb.control(0xC0, 4, 0x1234, 1, 8) == b"\x01\x02"
    assert usb.control(0x40, 5, 0, 0, b"data") == b""
    assert usb.control(0x40, 6, 0, 0) == b""
    assert fake.sent == [
        ("control", (0xC0, 4, 0x1234, 1), bytes(8)),
        ("control", (0x40, 5, 0, 0), b"data"),
        ("control", (0x40, 6, 0, 0), b""),
    ]


@pytest.mark.parametrize(("request_type", "data"), [(0xC0, b"data"), (0x40, 8)])
def test_control_data_in_the_wrong_direction_is_refused(
    request_type: int, data: bytes | int
) -> None:
    with pytest.raises(ValueError, match="data is for OUT"):
        fake_usb(FakeLink()).control(request_type, 1, 0, 0, data)


def test_cancel_of_the_owner_ends_a_wait() -> None:
    usb = fake_usb(FakeLink(b"abc"))
    owner = Owner()
    usb.belongs_to(owner)
    assert usb.cancel is owner.cancel_request
    owner.cancel_request.set()
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 3)
    owner.cancel_request.close()


def test_the_handle_does_not_keep_its_owner_alive() -> None:
    usb = fake_usb(FakeLink())
    owner = Owner()
    usb.belongs_to(owner)
    owner.cancel_request.close()
    del owner
    assert not usb.cancel.is_set()


def test_a_stream_delivers_and_leaves_the_rest_to_reads() -> None:
    fake = FakeLink(b"abc", b"", b"rest")
    usb = fake_usb(fake)
    buffer = memoryview(bytearray(8))
    with usb.stream(IN, 1024, 3, 100) as stream:
        assert [stream.read_into(buffer), stream.read_into(buffer)] == [3, 0]
    assert usb.read(IN, 8) == b"rest"
    assert fake.sent == [("stream", IN, 1024, 3, 100)]


def test_a_stream_clears_a_stall_too() -> None:
    fake = FakeLink(link.STALL)
    with fake_usb(fake).stream(IN, 512) as stream, pytest.raises(Stalled):
        stream.read_into(memoryview(bytearray(8)))
    assert fake.sent[-1] == ("clear halt", IN)


@pytest.mark.parametrize(("size", "depth"), [(0, 1), (100, 1), (1 << 23, 1), (512, 0)])
def test_a_stream_of_impossible_transfers_is_refused(size: int, depth: int) -> None:
    with pytest.raises(ValueError, match="a size is a multiple of 512"):
        fake_usb(FakeLink()).stream(IN, size, depth)


def test_a_closed_handle_says_so_and_closes_once() -> None:
    fake = FakeLink()
    usb: Usb = fake_usb(fake)
    usb.close()
    usb.close()
    assert fake.closed == 1
    with pytest.raises(errors.DeviceIOError, match="is closed"):
        usb.read(IN, 1)
    with pytest.raises(errors.DeviceIOError, match="is closed"):
        usb.control(0xC0, 1, 0, 0, 1)


def test_a_reset_forgets_what_was_kept() -> None:
    fake = FakeLink((link.CANCELLED, b"old"), b"new")
    usb = fake_usb(fake)
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 64)
    usb.reset()
    assert usb.read(IN, 64) == b"new"


def test_drain_drops_what_is_left() -> None:
    fake = FakeLink((link.CANCELLED, b"old"), b"more", b"", link.TIMEOUT, b"new")
    usb = fake_usb(fake)
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 64)
    assert usb.drain(IN) == 7
    assert usb.read(IN, 64) == b"new"


def test_drain_gives_up_on_a_device_that_never_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.usb.handle.DRAINED_BYTES", 10)
    usb = fake_usb(FakeLink(*[b"abc"] * 9))
    assert usb.drain(IN) == 12


def test_drain_reports_what_is_no_timeout() -> None:
    with pytest.raises(Unplugged):
        fake_usb(FakeLink(link.UNPLUGGED)).drain(IN)


class Endless(FakeLink):
    """Sends the same in every IN transfer, at once and for ever; something happens at the nth."""

    def __init__(self, data: bytes, at: int = -1, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.data, self.at, self.then = data, at, then
        self.count = 0

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        self.count += 1
        if self.count == self.at:
            self.then()
        self.answers = [self.data]
        return self._answer(data, cancel)


@pytest.mark.parametrize("at_once", ["drain", "read"])
def test_nothing_but_empty_transfers_is_an_error(at_once: str) -> None:
    fake = Endless(b"")
    usb = fake_usb(fake)
    with pytest.raises(UsbError, match="nothing but empty transfers comes"):
        while not (usb.drain(IN) if at_once == "drain" else usb.read(IN, 64)):
            pass
    assert fake.count == link.MOST_EMPTY


@pytest.mark.parametrize("question", ["write", "control", "data"])
def test_empty_answers_to_questions_are_no_run(
    question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_EMPTY", 10)
    fake = FakeLink(*[b"", b"data"] * 20) if question == "data" else Endless(b"")
    usb = fake_usb(fake)
    for _ in range(20):
        if question == "write":
            usb.write(OUT, b"?")
        elif question == "control":
            usb.control(0x40, 1, 0, 0)
        else:
            assert usb.read(IN, 64) == b""
        usb.read(IN, 64)


@pytest.mark.parametrize("data", [b"", b"more"])
def test_cancel_ends_a_drain(data: bytes) -> None:
    owner = Owner()
    fake = Endless(data, 100, owner.cancel_request.set)
    usb = fake_usb(fake)
    usb.belongs_to(owner)
    with pytest.raises(errors.Cancelled):
        usb.drain(IN)
    assert fake.count == 100
    owner.cancel_request.close()


def test_a_drain_takes_no_longer_than_any_other_call() -> None:
    usb = fake_usb(Endless(b"drip"))
    usb.timeout = 0.05
    begin = time.monotonic()
    assert usb.drain(IN) > 0
    assert time.monotonic() - begin < 5


# Silence


def seconds_asked(fake: FakeLink) -> list[float]:
    return [item[3] for item in fake.sent if item[0] == "in"]  # type: ignore[misc]


def test_a_device_that_went_silent_is_asked_briefly_until_it_answers() -> None:
    fake = FakeLink(link.TIMEOUT, link.TIMEOUT, link.TIMEOUT, b"!", b"!")
    usb = fake_usb(fake)
    for _ in range(2):
        with pytest.raises(TimedOut):
            usb.read(IN, 8)
    with pytest.raises(TimedOut, match=r"no answer within 0.5 s"):
        usb.read(IN, 8, 0.5)
    assert usb.is_silent
    assert usb.read(IN, 8, 60) == b"!"
    assert usb.read(IN, 8, 60) == b"!"
    assert seconds_asked(fake) == [30, 2, 0.5, 2, 60]


def test_a_short_wait_that_passes_is_no_silence() -> None:
    fake = FakeLink(link.TIMEOUT, b"!")
    usb = fake_usb(fake)
    usb.drain(IN)
    assert usb.read(IN, 8) == b"!"
    assert seconds_asked(fake) == [0.2, 30]


def test_a_write_that_is_taken_is_no_answer_and_a_control_transfer_is() -> None:
    fake = FakeLink(link.TIMEOUT, b"\0", b"!")
    usb = fake_usb(fake)
    with pytest.raises(TimedOut):
        usb.read(IN, 8)
    usb.write(OUT, b"?")
    assert usb.is_silent
    usb.control(0xC0, 1, 0, 0, 1)
    assert not usb.is_silent
    assert usb.read(IN, 8) == b"!"


def test_a_part_of_an_answer_is_no_silence() -> None:
    fake = FakeLink((link.TIMEOUT, b"a"))
    usb = fake_usb(fake)
    assert usb.read(IN, 8) == b"a"
    assert not usb.is_silent
    fake.outcomes = [(link.TIMEOUT, 512)]
    with pytest.raises(TimedOut):
        usb.write(OUT, bytes(600))
    assert not usb.is_silent


def test_a_stream_ends_the_silence() -> None:
    usb = fake_usb(FakeLink(link.TIMEOUT, b"page", b""))
    with pytest.raises(TimedOut):
        usb.read(IN, 8)
    with usb.stream(IN, 512) as stream:
        assert stream.read_into(memoryview(bytearray(8))) == 4
    assert not usb.is_silent


# What was kept


def cancelled(usb: Usb, size: int = 64) -> None:
    with pytest.raises(errors.Cancelled):
        usb.read(IN, size)


def test_what_two_streams_leave_is_kept_in_its_order() -> None:
    usb = fake_usb(FakeLink(b"b", b"a"))
    for _ in range(2):  # what the fake gives when it is closed is its last answer
        usb.stream(IN, 512).close()
    assert usb.read(IN, 64) == b"ab"


def test_what_a_stream_leaves_of_its_total_stands_before_what_is_beyond_it() -> None:
    usb = fake_usb(FakeLink((link.CANCELLED, b"abcdef")))
    cancelled(usb)
    with usb.stream(IN, 512, 3, 4) as stream:
        assert stream.read_into(memoryview(bytearray(2))) == 2
    assert usb.read(IN, 64) == b"cdef"


def test_what_is_kept_stays_on_its_endpoint() -> None:
    usb = fake_usb(FakeLink((link.CANCELLED, b"kept"), b"event"))
    cancelled(usb)
    assert usb.read(0x83, 8) == b"event"
    assert usb.read(IN, 64) == b"kept"


def test_a_stream_begins_with_what_was_kept() -> None:
    fake = FakeLink((link.CANCELLED, b"abc"), b"defg", b"")
    usb = fake_usb(fake)
    cancelled(usb)
    view = memoryview(bytearray(8))
    with usb.stream(IN, 512, 3, 7) as stream:
        assert stream.reader() is None
        assert [stream.read_into(view[:2]), stream.read_into(view[2:])] == [2, 1]
        assert stream.read_into(view[3:]) == 4
    assert bytes(view[:7]) == b"abcdefg"
    assert fake.sent[-1] == ("stream", IN, 512, 3, 4)


def test_a_stream_takes_no_more_than_its_total_of_what_was_kept() -> None:
    usb = fake_usb(FakeLink((link.CANCELLED, b"abcdef"), b""))
    cancelled(usb)
    view = memoryview(bytearray(8))
    with usb.stream(IN, 512, 3, 4) as stream:
        assert stream.read_into(view) == 4
    assert usb.read(IN, 8) == b"ef"


def test_what_a_stream_did_not_read_of_it_is_kept_on() -> None:
    usb = fake_usb(FakeLink((link.CANCELLED, b"abcdef"), b"ghi"))
    cancelled(usb)
    with usb.stream(IN, 512) as stream:
        assert stream.read_into(memoryview(bytearray(2))) == 2
    assert usb.read(IN, 64) == b"cdefghi"


def test_a_wait_lets_time_pass_and_ends_with_cancel() -> None:
    usb = fake_usb(FakeLink())
    begin = time.monotonic()
    usb.wait(0.02)
    assert time.monotonic() - begin >= 0.015
    owner = Owner()
    usb.belongs_to(owner)
    owner.cancel_request.set()
    with pytest.raises(errors.Cancelled):
        usb.wait(60)
    owner.cancel_request.close()
