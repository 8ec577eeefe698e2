"""Both sides of a sheet out of one JPEG: markers, in pieces of any size."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane.errors import DeviceIOError
from sane.image.jpegsides import JpegSides

WIDTH = 16


def head(width: int) -> bytes:
    """Return what comes before the data: tables, a frame, the restart interval, a scan."""
    table = b"\xff\xdb" + struct.pack(">H", 5) + b"\x00\xff\xd9"  # with what looks like a marker
    frame = b"\xff\xc0" + struct.pack(">HBHH", 11, 8, 32, width) + b"\x01\x01\x11\x00"
    restart = b"\xff\xdd" + struct.pack(">HH", 4, 2)
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8" + table + frame + restart + scan


INTERVALS = [b"f0\xff\x00", b"b0", b"f1", b"b1\xff\x00\xff\x00", *(b"%d" % i for i in range(4, 24))]


def picture(width: int = 2 * WIDTH) -> bytes:
    data = b""
    for number, interval in enumerate(INTERVALS):
        data += interval + bytes((0xFF, 0xD0 + number % 8))
    return head(width) + data[:-2] + b"\xff\xd9"


def side(first: int) -> bytes:
    data = b""
    for number, interval in enumerate(INTERVALS[first::2]):
        data += interval + bytes((0xFF, 0xD0 + number % 8))
    return head(WIDTH) + data[:-2] + b"\xff\xd9"


class Sides:
    """Notes what each side gets."""

    def __init__(self) -> None:
        self.front, self.back = bytearray(), bytearray()
        self.dealt = JpegSides(self.front.extend, self.back.extend, WIDTH)

    def feed(self, data: bytes, piece: int = 0) -> None:
        for start in range(0, len(data), piece or len(data) or 1):
            self.dealt.feed(memoryview(data[start : start + (piece or len(data))]))
        self.dealt.end()


@pytest.mark.parametrize("piece", [0, 1, 2, 3, 7])
def test_intervals_go_to_both_sides_in_turns(piece: int) -> None:
    sides = Sides()
    sides.feed(picture(), piece)
    assert sides.dealt.is_dealt
    assert (bytes(sides.front), bytes(sides.back)) == (side(0), side(1))


@pytest.mark.parametrize("data", [picture(WIDTH), b"no JPEG at all", b"\xff", b""])
@pytest.mark.parametrize("piece", [0, 1, 5])
def test_anything_else_goes_to_the_front(data: bytes, piece: int) -> None:
    sides = Sides()
    sides.feed(data, piece)
    assert (sides.dealt.is_dealt, bytes(sides.front), bytes(sides.back)) == (False, data, b"")


def test_a_picture_that_is_cut_off_is_dealt_out_as_far_as_it_goes() -> None:
    sides = Sides()
    sides.feed(picture()[:-30])
    assert sides.dealt.is_dealt
    assert side(0).startswith(bytes(sides.front))
    assert side(1).startswith(bytes(sides.back))


def test_filling_before_a_marker_is_left_out() -> None:
    sides = Sides()
    sides.feed(picture().replace(b"f1\xff", b"f1\xff\xff\xff"))
    assert bytes(sides.back) == side(1)


def test_a_head_that_never_ends_is_an_error() -> None:
    sides = Sides()
    with pytest.raises(DeviceIOError, match="no JPEG marker but 00 00"):
        sides.feed(picture().replace(b"\xff\xdd", b"\x00\x00"))


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_end_in_sides_or_an_error(data: bytes, piece: int) -> None:
    for start in (b"", head(2 * WIDTH), head(2 * WIDTH)[:-9]):
        whole, pieces = Sides(), Sides()
        try:
            whole.feed(start + data)
        except DeviceIOError:
            continue
        pieces.feed(start + data, piece)
        assert (whole.front, whole.back) == (pieces.front, pieces.back)
