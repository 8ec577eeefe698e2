"""The Usb handle on a scripted link: transfers, outcomes, recovery, cancel."""

from __future__ import annotations

import pytest

from sane import errors
from sane.cancel import Cancel
from sane.usb import link
from sane.usb.handle import Overflowed, Stalled, TimedOut, Unplugged, Usb, UsbError
from tests.fakes.usb import FakeLink, descriptor_bytes, fake_usb, interface_bytes

IN, OUT = 0x81, 0x02


class Owner:
    """Stands for the Device that a handle belongs to."""

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
