"""Pages of frames: padding, three colour frames, heights nobody knows, frames that make no page."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sane import const, errors
from sane.image.png import PngEncoder
from sane.pages import PageStream, read_page, read_pages
from sane.param import Parameters
from sane.scanner import to_array

GRAY, RGB = const.FRAME_GRAY, const.FRAME_RGB
RED, GREEN, BLUE = const.FRAME_RED, const.FRAME_GREEN, const.FRAME_BLUE

Frame = tuple[Parameters, bytes]


class Source:
    """Frames that are there, read in pieces of at most *piece* bytes."""

    def __init__(self, *frames: Frame, piece: int = 7) -> None:
        self.frames = list(frames)
        self.data = b""
        self.piece = piece

    def start(self) -> Parameters:
        if not self.frames:
            raise errors.NoDocs
        params, self.data = self.frames.pop(0)
        return params

    def read_into(self, view: memoryview) -> int:
        n = min(self.piece, len(view), len(self.data))
        view[:n] = self.data[:n]
        self.data = self.data[n:]
        return n


def streamed(source: Source, room: int, *, fills: bool = False) -> bytes:
    stream = PageStream(source, fills=fills)
    view, out = memoryview(bytearray(room)), b""
    while n := stream.read_into(view):
        out += view[:n]
    assert stream.read_into(view) == 0
    assert not source.data, "the frame was read to its end"
    return out


# Form -> parameters of frames, their bytes, channels of the page, its rows.
FORMS: dict[str, tuple[list[Frame], int, bytes]] = {
    "gray": ([(Parameters(GRAY, 3, 2), b"abcdef")], 1, b"abcdef"),
    "padding": (
        [(Parameters(GRAY, 3, 2, bytes_per_line=5), b"abc..def..")],
        1,
        b"abcdef",
    ),
    "colour": ([(Parameters(RGB, 1, 2), b"rgbRGB")], 3, b"rgbRGB"),
    "words, padding": (
        [(Parameters(RGB, 1, 1, 16, bytes_per_line=7), b"rrggbb.")],
        3,
        b"rrggbb",
    ),
    "line art": ([(Parameters(GRAY, 8, 2, 1), b"\x0f\xf0")], 1, b"\x0f\xf0"),
    "line art, padding": (
        [(Parameters(GRAY, 8, 2, 1, bytes_per_line=2), b"\x0f.\xf0.")],
        1,
        b"\x0f\xf0",
    ),
    "colour of one bit": ([(Parameters(RGB, 9, 1, 1), b"RGBrgb")], 3, b"RGBrgb"),
    "nobody knows the height": ([(Parameters(GRAY, 3, -1), b"abcdef")], 1, b"abcdef"),
    "three frames": (
        [
            (Parameters(GREEN, 2, 2, last_frame=False), b"gGhH"),
            (Parameters(RED, 2, 2, last_frame=False), b"rRsS"),
            (Parameters(BLUE, 2, 2), b"bBcC"),
        ],
        3,
        b"rgbRGBshcSHC",
    ),
    "three frames of words, padding": (
        [
            (Parameters(RED, 1, 2, 16, last_frame=False, bytes_per_line=3), b"rr.RR."),
            (Parameters(GREEN, 1, 2, 16, last_frame=False), b"ggGG"),
            (Parameters(BLUE, 1, 2, 16), b"bbBB"),
        ],
        3,
        b"rrggbbRRGGBB",
    ),
    "three frames of one bit": (
        [
            (Parameters(RED, 9, 1, 1, last_frame=False), b"Rr"),
            (Parameters(GREEN, 9, 1, 1, last_frame=False), b"Gg"),
            (Parameters(BLUE, 9, 1, 1), b"Bb"),
        ],
        3,
        b"RGBrgb",
    ),
    "three frames of different heights": (
        [
            (Parameters(RED, 1, -1, last_frame=False), b"rR"),
            (Parameters(GREEN, 1, -1, last_frame=False), b"gGG"),
            (Parameters(BLUE, 1, -1), b"bBBB"),
        ],
        3,
        b"rgbRGB",
    ),
}


@pytest.mark.parametrize("piece", [1, 2, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_has_the_rows_of_its_frames(form: str, piece: int) -> None:
    frames, channels, rows = FORMS[form]
    page = read_page(Source(*frames, piece=piece))
    assert (page.channels, page.depth) == (channels, frames[-1][0].depth)
    assert page.data == rows
    assert page.lines * page.row_bytes == len(rows)
    assert not page.is_cut
    assert page.encoded == {}


@pytest.mark.parametrize("room", [1, 4, 1000])
@pytest.mark.parametrize("fills", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_may_be_read_as_it_comes(form: str, fills: bool, room: int) -> None:
    frames, _channels, rows = FORMS[form]
    assert streamed(Source(*frames), room, fills=fills) == rows


def test_the_rows_come_with_the_frame() -> None:
    source = Source((Parameters(RGB, 2, 3), b"rgbRGB"))
    stream = PageStream(source)
    assert (stream.width_px, stream.lines, stream.channels, stream.depth) == (2, 3, 3, 8)
    view = memoryview(bytearray(100))
    assert stream.read_into(view) == 6
    source.data = b"sh"
    assert stream.read_into(view) == 2
    assert stream.read_into(view) == 0


@pytest.mark.parametrize(
    ("params", "data", "filled"),
    [
        (Parameters(GRAY, 3, 3), b"abcd", b"abcd\xff\xff\xff\xff\xff"),
        (Parameters(GRAY, 3, 2), b"abcdefgh", b"abcdef"),
        (Parameters(GRAY, 3, 2, bytes_per_line=4), b"abc.d", b"abcd\xff\xff"),
        (Parameters(GRAY, 3, 1, bytes_per_line=4), b"abc.def.", b"abc"),
        (Parameters(GRAY, 8, 3, 1), b"\x11", b"\x11\0\0"),
        (Parameters(RGB, 8, 2, 1), b"RGB", b"RGB\xff\xff\xff"),
        (Parameters(RGB, 1, 2, 16), b"rrgg", b"rrgg" + b"\xff" * 8),
        (Parameters(GRAY, 3, -1), b"abcd", b"abcd"),
        (Parameters(GRAY, 3, 0), b"abcd", b""),
    ],
)
def test_a_page_with_the_rows_that_were_promised(
    params: Parameters, data: bytes, filled: bytes
) -> None:
    for room in (1, 2, 100):
        assert streamed(Source((params, data)), room, fills=True) == filled


def test_a_page_of_three_frames_with_the_rows_that_were_promised() -> None:
    frames = [
        (Parameters(color, 1, 3, last_frame=color == BLUE), bytes(range(color, color + 2)))
        for color in (RED, GREEN, BLUE)
    ]
    page = streamed(Source(*frames), 5, fills=True)
    assert page == bytes((2, 3, 4, 3, 4, 5)) + b"\xff" * 3


def test_an_unfinished_row_is_left_out() -> None:
    page = read_page(Source((Parameters(GRAY, 10, 4), bytes(39))))
    assert (page.lines, page.is_cut, len(page.data)) == (3, True, 30)
    assert to_array(page).shape == (3, 10)


@pytest.mark.parametrize("frame", [GRAY, RGB])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_lines_may_end_in_padding(frame: int, depth: int) -> None:
    """bytes_per_line may be anything from the minimum on (standard 3.2.1)."""
    params = Parameters(frame, 10, 2, depth)
    minimum = params.bytes_per_line
    params.bytes_per_line += 5
    data = b"".join(bytes(minimum) + b"\xff" * 5 for _ in range(2))
    page = to_array(read_page(Source((params, data))))
    assert page.shape[:2] == (2, 10)
    assert np.all(page == (255 if (frame, depth) == (GRAY, 1) else 0))


def test_an_array_owns_the_rows_of_its_page() -> None:
    page = read_page(Source((Parameters(RGB, 2, 2), bytes(12))))
    pixels = to_array(page)
    pixels[0, 0, 0] = 7
    assert page.data[0] == 7


@pytest.mark.parametrize("missing", [0, 1, 10])
def test_a_driver_that_keeps_its_view_cannot_break_a_page(missing: int) -> None:
    kept: list[memoryview] = []

    class Keeping(Source):
        def read_into(self, view: memoryview) -> int:
            kept.append(view[:])
            return super().read_into(view)

    page = read_page(Keeping((Parameters(GRAY, 10, 4), bytes(40 - missing))))
    assert page.lines == (40 - missing) // 10
    kept.clear()


# Many pages


def test_pages_until_the_feeder_is_empty() -> None:
    frames = [(Parameters(GRAY, 2, 1), data) for data in (b"ab", b"cd", b"ef")]
    assert [page.data for page in read_pages(Source(*frames))] == [b"ab", b"cd", b"ef"]
    assert list(read_pages(Source())) == []


def test_no_page() -> None:
    with pytest.raises(errors.NoDocs):
        read_page(Source())


# Frames that make no page


@pytest.mark.parametrize(
    ("params", "data"),
    [
        (Parameters(GRAY, 10, 4), b""),
        (Parameters(GRAY, 10, 4), bytes(9)),
        (Parameters(GRAY, 10, 0), b""),
        (Parameters(GRAY, 0, 4), bytes(40)),
        (Parameters(GRAY, -5, 4), bytes(40)),
        (Parameters(GRAY, 10, 4, bytes_per_line=9), bytes(40)),
        (Parameters(GRAY, 10, 4, bytes_per_line=0), bytes(40)),
        (Parameters(GRAY, 10, 4, bytes_per_line=1 << 30), bytes(40)),
        (Parameters(GRAY, 1 << 30, 4), bytes(40)),
        (Parameters(RED, 10, 4, bytes_per_line=0), bytes(40)),
    ],
)
def test_frames_that_make_no_page(params: Parameters, data: bytes) -> None:
    with pytest.raises(errors.DeviceIOError, match=r"no whole row|cannot be"):
        read_page(Source((params, data)))


@pytest.mark.parametrize("promised", [1 << 31, 1 << 62])
def test_a_promise_is_not_believed(promised: int) -> None:
    page = read_page(Source((Parameters(GRAY, 1 << 10, promised), bytes(1 << 10)), piece=1 << 20))
    assert (page.lines, page.is_cut) == (1, True)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([], "only 1 of three"),
        ([(Parameters(GREEN, 2, 1), b"gg")], "only 2 of three"),
        ([(Parameters(RED, 2, 1), b"rr")], "only 1 of three"),
        ([(Parameters(GRAY, 2, 1), b"kk")], "after 1 of three colour frames came"),
        ([(Parameters(GREEN, 3, 1, last_frame=False), b"ggg")], "the frames of one page differ"),
        (
            [(Parameters(GREEN, 2, 1, 16, last_frame=False), b"gggg")],
            "the frames of one page differ",
        ),
    ],
)
def test_three_frames_that_make_no_page(second: list[Frame], message: str) -> None:
    source = Source((Parameters(RED, 2, 1, last_frame=False), b"rr"), *second)
    with pytest.raises(errors.DeviceIOError, match=message):
        list(read_pages(source))


# Files


def test_a_page_as_a_file() -> None:
    page = read_page(Source((Parameters(GRAY, 1, 2, 16), (0x1234).to_bytes(2, sys.byteorder) * 2)))
    assert page.to_bytes("pnm") == b"P5\n1 2\n65535\n" + b"\x12\x34" * 2
    maker = PngEncoder(1, 2, 1, 16, dpi=100)
    assert page.to_bytes(dpi=100) == maker.feed(page.data) + maker.end()
    with pytest.raises(ValueError, match="no format 'tiff'"):
        page.to_bytes("tiff")
