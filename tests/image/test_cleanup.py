"""Cleaning of pages: the pictures of the original fujitsu driver, bit for bit, and odd pictures.

The digests are of what scanimage wrote with the original (1.2.1) from the emulated scanner, whose
pages are the same here.
"""

from __future__ import annotations

import hashlib
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.image import cleanup, edges, retouch
from sane.image.cleanup import Picture
from sane.image.memory import pages
from sane.testing.esci.page import bits
from sane.testing.fujitsu import Slanted, alike
from sane.testing.fujitsu.window import Piece

WIDTH, LINES, DPI = 472, 432, 100
GROUNDS = {0: (0, 255), 1: (0xD6, 0), 3: (0xD6, 0)}  # by samples: beside white and black paper


def picture(samples: int, slope: float, specks: int = 0, *, blank: bool = False) -> Picture:
    """Return a page with a sheet that lies askew."""
    piece = Piece((DPI, DPI), (0, 0, WIDTH, LINES), 3 if samples == 3 else 1)
    piece.side, piece.bits = 0, 8 if samples else 1
    image = b"".join(Slanted(slope=slope, specks=specks, is_blank=blank)(piece))
    if not samples:
        image = bytes(255 - value for value in bits(image, 128))
    return Picture(bytearray(image), WIDTH, LINES, samples)


def digest(found: Picture) -> tuple[tuple[int, int], str]:
    size = found.width_px, found.lines
    rows = memoryview(found.image)[: found.pitch * found.lines]
    return size, hashlib.sha256(rows).hexdigest()[:16]


@pytest.mark.parametrize(
    ("samples", "slope", "is_black", "wanted"),
    [
        (1, 0.05, False, "f373ec10368276b4"),
        (1, -0.03, False, "eb9bc33e4ee0275d"),
        (1, 0.2, False, "ab3fd0063ee9d004"),
        (1, 0.05, True, "61325b424a2d68d7"),
        (3, 0.05, False, "e8cd5bfb3d338d58"),
        (3, -0.05, True, "463631d1a50ac890"),
        (0, 0.05, False, "a07b240dd451cccf"),
        (0, -0.03, False, "f6e14058ff48f773"),
        (0, -0.05, True, "2964f93ef15dc789"),
    ],
)
def test_sheets_are_straightened(samples: int, slope: float, is_black: bool, wanted: str) -> None:
    found = picture(samples, slope)
    skew = cleanup.skew_of(found, DPI)
    assert skew is not None
    made = cleanup.deskew(found, skew, GROUNDS[samples][is_black])
    assert digest(made) == ((WIDTH, LINES), wanted)


@pytest.mark.parametrize(
    ("left", "top", "width", "length", "slope", "wanted"),
    [
        (1.0, 1.0, 1.2, 1.3, 0.101, "f47c37966f27ca4d"),
        (0.3, 0.6, 2.1, 3.4, -0.01, "7d4f4cfe2d9b84ff"),
        (0.2, 0.8, 2.5, 3.5, 0.089, "cae96e69b80e3eed"),
    ],
)
def test_edges_are_found_as_the_original_weighs_them(
    left: float, top: float, width: float, length: float, slope: float, wanted: str
) -> None:
    """Edges that lie as far from the top as is looked, and slopes at the limits of bins."""
    sheet = Slanted(left, top, width, length, slope, is_blank=True)
    piece = Piece((75, 75), (0, 0, 360, 300), 1)
    piece.side, piece.bits = 0, 8
    found = Picture(bytearray(b"".join(sheet(piece))), 360, 300, 1)
    skew = cleanup.skew_of(found, 75)
    made = found if skew is None else cleanup.deskew(found, skew, GROUNDS[1][False])
    assert digest(made)[1] == wanted


def test_a_run_of_less_than_six_columns_is_no_left_edge() -> None:
    """The lower edge of this picture is seen in columns 0 to 2, and from 4 on."""
    piece = Piece((DPI, DPI), (0, 0, 112, 136), 1)
    piece.side, piece.bits = 1, 8
    skew = cleanup.skew_of(Picture(bytearray(b"".join(alike(piece))), 112, 136, 1), DPI)
    assert skew is not None
    assert (skew.x, skew.y) == (78, 94)  # as the original turns it


def test_a_sheet_that_lies_straight_is_left_alone() -> None:
    assert cleanup.skew_of(picture(1, 0.0), DPI) is None


@pytest.mark.parametrize(
    ("samples", "slope", "size", "wanted"),
    [
        (1, 0.05, (411, 316), "67c51e01cfe5f229"),
        (1, 0.2, (429, 369), "f54bc0ad9c15235f"),
        (3, -0.03, (390, 288), "7ba75d6abf6293ea"),
        (0, 0.05, (416, 316), "e2e7208ba4d10c79"),
        (0, 0.0, (400, 297), "2e26cf9264b57b54"),
    ],
)
def test_pictures_are_cut_to_the_sheet(
    samples: int, slope: float, size: tuple[int, int], wanted: str
) -> None:
    assert digest(cleanup.crop(picture(samples, slope), DPI)) == (size, wanted)


def test_the_width_may_be_cut_to_whole_bytes() -> None:
    assert cleanup.crop(picture(1, 0.05), DPI, 8).width_px == 408


@pytest.mark.parametrize(
    ("samples", "slope", "specks", "size", "wanted"),
    [
        (1, 0.05, 40, 2, "ef6d5ee5639f12b7"),
        (3, 0.0, 90, 3, "a58b421c0a371c32"),
        (0, 0.05, 40, 2, "10a305c774ba43cd"),
    ],
)
def test_specks_are_removed(
    samples: int, slope: float, specks: int, size: int, wanted: str
) -> None:
    found = picture(samples, slope, specks)
    cleanup.despeckle(found, size)
    assert digest(found) == ((WIDTH, LINES), wanted)


@pytest.mark.parametrize("samples", [0, 1, 3])
def test_blank_pages_are_known(samples: int) -> None:
    """Squares of 48 pixels, from 24 on: what lies outside of them is not looked at."""
    row = WIDTH * samples if samples else WIDTH // 8
    white = bytearray(bytes((255 if samples else 0,)) * (row * LINES))
    page = Picture(white, WIDTH, LINES, samples)
    assert cleanup.is_blank(page, DPI, 1)
    size = max(1, samples)
    at = 3 if not samples else 24 * samples
    dark = bytes((0 if samples else 255,)) * (6 if not samples else 48 * size)
    white[23 * row + at : 23 * row + at + len(dark)] = dark
    assert cleanup.is_blank(page, DPI, 1)
    white[24 * row + at : 24 * row + at + len(dark)] = dark
    assert not cleanup.is_blank(page, DPI, 2)  # one row of 48
    assert cleanup.is_blank(page, DPI, 2.1)


def test_a_page_smaller_than_a_square_is_blank() -> None:
    assert cleanup.is_blank(Picture(bytearray(40 * 40), 40, 40, 1), DPI, 0)
    assert not cleanup.is_blank(Picture(bytearray(40 * 40), 40, 40, 1), 20, 0)


def test_a_side_lies_as_the_other_does_mirrored() -> None:
    skew = cleanup.Skew(10, 20, 0.5).mirrored(100)
    assert (skew.x, skew.y, skew.slope) == (90, 20, -0.5)


@settings(max_examples=40)
@given(st.data())
def test_any_picture_goes_through_all_steps(data: st.DataObject) -> None:
    samples = data.draw(st.sampled_from((0, 1, 3)))
    width, lines = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 30))
    row = width * samples if samples else (width + 7) // 8
    image = data.draw(st.binary(min_size=row * lines, max_size=row * lines))
    page = Picture(bytearray(image), width, lines, samples)
    skew = cleanup.skew_of(page, DPI)
    if skew is not None:
        page = cleanup.deskew(page, skew, 0)
    page = cleanup.crop(page, DPI)
    assert 1 <= page.lines <= lines
    cleanup.despeckle(page, data.draw(st.integers(1, 9)))
    cleanup.is_blank(page, data.draw(st.sampled_from((1, 32, 100))), 5)
    assert len(page.image) >= page.pitch * page.lines


def test_what_is_no_picture() -> None:
    with pytest.raises(ValueError, match="11 bytes for 3 rows of 4"):
        Picture(bytearray(11), 4, 3, 1)
    found = memoryview(array("i", bytes(16)))
    with pytest.raises(ValueError, match="5 x 3 pixels of 1 samples, 4 bytes a row"):
        edges.row_profile(memoryview(bytearray(12)), 4, 5, 3, 1, 0, found, found)
    with pytest.raises(ValueError, match="12 bytes for 4 rows of 4"):
        edges.row_profile(memoryview(bytearray(12)), 4, 4, 4, 1, 0, found, found)


def test_what_would_lead_out_of_the_arrays() -> None:
    """The kernels are compiled without bounds checks."""
    image = memoryview(bytearray(16))
    few, some = memoryview(array("i", bytes(8))), memoryview(array("i", bytes(16)))
    with pytest.raises(ValueError, match="2 places and 4 sums for 4 rows"):
        edges.row_profile(image, 4, 4, 4, 1, 0, few, some)
    with pytest.raises(ValueError, match="4 places and 2 sums for 4 rows"):
        edges.row_profile(image, 4, 4, 4, 1, 0, some, few)
    with pytest.raises(ValueError, match="4 places and 4 sums for 4 columns"):
        edges.column_profile(image, 4, 4, 4, 1, 0, some, some)
    with pytest.raises(ValueError, match="4 votes"):
        edges.vote(some, 9, -1.0, 1.0, 0.0, -9, 9, 0, some)
    with pytest.raises(ValueError, match="2 sums for 4 columns"):
        retouch.despeckle(image, 4, 4, 4, 1, 1, few)
    for corner in ((1, 0), (0, 1), (-1, 0)):
        with pytest.raises(ValueError, match="4 pixels at"):
            retouch.darkness(image, 4, *corner, 1, 4)


@pytest.mark.parametrize("slope", [0.05, -0.05])
def test_a_picture_is_given_back_while_it_is_turned(slope: float) -> None:
    """In strips, out of memory that is gone behind them, as out of memory that stays."""
    lying = picture(3, slope)
    given = pages(len(lying.image))
    given[:] = bytes(lying.image)
    skew = cleanup.skew_of(lying, DPI)
    assert skew is not None
    turned = cleanup.deskew(Picture(given, WIDTH, LINES, 3), skew, 0xD6)
    assert digest(turned) == digest(cleanup.deskew(lying, skew, 0xD6))
    assert not any(given[: len(given) // 2])
    assert any(lying.image[: len(given) // 2])
