"""Light and dark of pages: specks, white paper, brightness, contrast, threshold."""

from __future__ import annotations

import numpy as np
import pytest

from sane.pagework.sheet import Sheet
from sane.pagework.tone import adjust, despeckle, threshold, white_background

from .drawn import blank, dusty, photograph, printed, sheet_of

A5 = 148.0, 210.0


def test_specks_that_stand_alone_go_and_print_stays() -> None:
    clean = printed(300, A5, points=8, lines=20)
    specks = dusty(clean, 300, 3)
    lower = slice(clean.shape[0] // 2, None)  # no print is near
    assert np.count_nonzero(specks[lower] < 128) > 300
    after = despeckle(sheet_of(specks, dpi=300)).array
    assert not np.count_nonzero(after[lower] < 128)
    assert np.array_equal(despeckle(sheet_of(clean, dpi=300)).array, clean)
    ink = clean < 100
    assert (after[ink] < 128).all()


def test_line_art_and_colour_lose_specks_as_well() -> None:
    page = dusty(blank(300, A5), 100, 3)
    bits = sheet_of(np.where(page < 128, np.uint8(0), np.uint8(255)), "lineart", 300)
    assert despeckle(bits).array.min() == 255
    color = np.stack([page, page, page // 2], axis=2)
    after = despeckle(sheet_of(color, dpi=300)).array
    assert after[..., 0].min() > 200
    assert after[..., 2].min() > 100


def test_a_tinted_and_shaded_page_becomes_white_and_keeps_its_print() -> None:
    page = np.stack([printed()] * 3, axis=2).astype(np.float32)
    page *= np.array([1.0, 0.93, 0.8])
    page *= np.linspace(0.75, 1.0, page.shape[1])[None, :, None]
    after = white_background(sheet_of(page.astype(np.uint8))).array
    assert np.median(after, axis=(0, 1)).min() >= 252
    assert np.percentile(after, 20) >= 235
    ink = printed() < 60
    assert np.median(after[ink]) < 70


def test_pictures_on_the_page_stay_pictures() -> None:
    page = np.stack([blank()] * 3, axis=2)
    photo = (photograph(size=(80.0, 60.0)) * 0.5).astype(np.uint8)
    page[300 : 300 + photo.shape[0], 300 : 300 + photo.shape[1]] = photo
    after = white_background(sheet_of(page)).array[300:600, 300:700]
    assert np.median(after) < 200


def test_brightness_and_contrast_go_through_the_middle() -> None:
    page = sheet_of(np.array([[0, 64, 128, 192, 255]], np.uint8))
    assert adjust(page).array is page.array
    assert adjust(page, 20).array.tolist() == [[51, 115, 179, 243, 255]]
    assert adjust(page, -20).array.tolist() == [[0, 13, 77, 141, 204]]
    assert adjust(page, contrast=50).array.tolist() == [[0, 0, 128, 255, 255]]
    assert set(adjust(page, contrast=-100).array.ravel()) == {128}
    assert set(adjust(page, contrast=100).array.ravel()) == {0, 255}
    assert adjust(page, 100).array.min() == 255
    deep = adjust(sheet_of(np.array([[0, 32768, 65535]], np.uint16)), 20).array
    assert deep.tolist() == [[13107, 45875, 65535]]
    for wrong in ({"brightness": 101}, {"contrast": -101}):
        with pytest.raises(ValueError, match="101"):
            adjust(page, **wrong)


def test_threshold_makes_line_art_at_a_light() -> None:
    page = threshold(sheet_of(np.array([[0, 99, 100, 255]], np.uint8)), 100)
    assert (page.mode, page.depth) == ("lineart", 1)
    assert page.bits is not None
    assert bytes(page.bits) == b"\xc0"
    assert threshold(page, 5) is page
    red = threshold(sheet_of(np.array([[[255, 0, 0]]], np.uint8)), 80)  # its light is 76
    assert red.array.tolist() == [[0]]
    deep = threshold(sheet_of(np.array([[99 * 256 + 255, 100 * 256]], np.uint16)), 100)
    assert deep.array.tolist() == [[0, 255]]
    with pytest.raises(ValueError, match="256"):
        threshold(sheet_of(blank(75)), 256)


def test_bits_and_arrays_are_the_same_page() -> None:
    sheet = Sheet(None, mode="lineart", bits=b"\xa0\x80\x00\x00", size=(9, 2))
    assert sheet.array.tolist() == [[0, 255, 0] + [255] * 5 + [0], [255] * 9]
    again = Sheet(sheet.array, mode="lineart")
    assert again.bits is not None
    assert bytes(again.bits) == b"\xa0\x80\x00\x00"
    assert sheet.size_mm == (9 / 300 * 25.4, 2 / 300 * 25.4)
    with pytest.raises(ValueError, match="size"):
        Sheet(None, mode="lineart", bits=b"\0")
