"""Pages of frames: padding, three colour frames, heights nobody knows, frames that make no page."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from sane import const, errors
from sane.api.page import Page
from sane.api.reading import read_frames
from sane.image.png import PngEncoder
from sane.param import Parameters

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


def read_page(source: Source) -> Page:
    frames: Any = source
    return Page(list(read_frames(frames)))


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
    assert page.rows() == rows
    assert page.height * page.row_bytes == len(rows)
    assert not page.truncated
    assert page.encoded == {}


def test_an_unfinished_row_is_left_out() -> None:
    page = read_page(Source((Parameters(GRAY, 10, 4), bytes(39))))
    assert (page.height, page.truncated, page.rows().nbytes) == (3, True, 30)
    assert page.array.shape == (3, 10)


@pytest.mark.parametrize("frame", [GRAY, RGB])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_lines_may_end_in_padding(frame: int, depth: int) -> None:
    """bytes_per_line may be anything from the minimum on (standard 3.2.1)."""
    params = Parameters(frame, 10, 2, depth)
    minimum = params.bytes_per_line
    params.bytes_per_line += 5
    data = b"".join(bytes(minimum) + b"\xff" * 5 for _ in range(2))
    page = read_page(Source((params, data))).array
    assert page.shape[:2] == (2, 10)
    assert np.all(page == (255 if (frame, depth) == (GRAY, 1) else 0))


def test_an_array_owns_the_rows_of_its_page() -> None:
    page = read_page(Source((Parameters(RGB, 2, 2), bytes(12))))
    pixels = page.array
    pixels[0, 0, 0] = 7
    assert page.rows()[0] == 7


@pytest.mark.parametrize("missing", [0, 1, 10])
def test_a_driver_that_keeps_its_view_cannot_break_a_page(missing: int) -> None:
    kept: list[memoryview] = []

    class Keeping(Source):
        def read_into(self, view: memoryview) -> int:
            kept.append(view[:])
            return super().read_into(view)

    page = read_page(Keeping((Parameters(GRAY, 10, 4), bytes(40 - missing))))
    assert page.height == (40 - missing) // 10
    kept.clear()


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
    ],
)
def test_frames_that_make_no_page(params: Parameters, data: bytes) -> None:
    with pytest.raises(errors.DeviceIOError, match=r"no whole row|cannot be"):
        read_page(Source((params, data)))


@pytest.mark.parametrize("promised", [1 << 31, 1 << 62])
def test_a_promise_is_not_believed(promised: int) -> None:
    page = read_page(Source((Parameters(GRAY, 1 << 10, promised), bytes(1 << 10)), piece=1 << 20))
    assert (page.height, page.truncated) == (1, True)


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
        read_page(source)


# Files


def test_a_page_as_a_file() -> None:
    page = read_page(Source((Parameters(GRAY, 1, 2, 16), (0x1234).to_bytes(2, sys.byteorder) * 2)))
    assert page.to_bytes("pnm") == b"P5\n1 2\n65535\n" + b"\x12\x34" * 2
    maker = PngEncoder(1, 2, 1, 16, dpi=100)
    assert page.to_bytes(dpi=100) == maker.feed(page.rows()) + maker.end()
    with pytest.raises(ValueError, match="no format 'sepia'"):
        page.to_bytes("sepia")
