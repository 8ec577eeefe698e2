"""What page work sees on drawn pages: blank or not, how they lie, where the paper is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from sane.pagework.blank import DEFAULT_PERCENT, find_blank, ink_percent
from sane.pagework.crop import crop
from sane.pagework.skew import deskew, skew_of
from sane.pagework.turn import rotate

from .drawn import (
    DPI,
    PAPER,
    blank,
    dots,
    dusty,
    on_backing,
    photograph,
    printed,
    sheet_of,
    text_image,
    turned_on_backing,
)

RECEIPT = (105.0, 148.0)


def shining_through() -> Any:
    """Return an empty page on which the print of its back is seen, mirrored and pale."""
    ink = 255 - np.asarray(text_image(DPI, (210.0, 297.0), 11)).astype(np.float32)
    return np.clip(blank() - np.fliplr(ink) * 0.12, 0, 255).astype(np.uint8)


def ruled() -> Any:
    """Return an empty form: a frame and thin lines."""
    page = blank()
    for y in range(dots(40, DPI), dots(260, DPI), dots(9, DPI)):
        page[y : y + 1, dots(20, DPI) : dots(190, DPI)] = 90
    return page


# Blank


@pytest.mark.parametrize("light", [PAPER, 215, 255])
def test_blank_paper_with_dust_is_blank(light: int) -> None:
    sheet = find_blank(sheet_of(dusty(blank(light=light), 150, 2)))
    assert sheet.facts["is_blank"], sheet.facts


def test_print_of_the_back_that_shines_through_is_blank() -> None:
    assert find_blank(sheet_of(shining_through())).facts["is_blank"]


def test_black_in_the_margin_is_blank() -> None:
    page = blank()
    page[:, :20] = page[-30:] = 20
    assert ink_percent(sheet_of(page)) == 0


@pytest.mark.parametrize("dpi", [75, 100, 150, 300])
def test_one_line_of_small_print_is_not_blank(dpi: int) -> None:
    ink = ink_percent(sheet_of(printed(dpi, points=8, lines=1), dpi=dpi))
    assert ink > DEFAULT_PERCENT, ink


def test_an_empty_form_is_not_blank() -> None:
    assert not find_blank(sheet_of(ruled())).facts["is_blank"]


@pytest.mark.parametrize("mode", ["color", "lineart", "deep"])
def test_blank_is_the_same_in_every_mode(mode: str) -> None:
    for page, is_blank in ((dusty(blank(), 100, 2), True), (printed(points=8, lines=2), False)):
        if mode == "color":
            sheet = sheet_of(np.stack([page] * 3, axis=2))
        elif mode == "deep":
            sheet = sheet_of(page.astype(np.uint16) * 257)
        else:
            sheet = sheet_of(np.where(page < 128, np.uint8(0), np.uint8(255)), "lineart")
        assert find_blank(sheet).facts["is_blank"] == is_blank, mode


def test_dark_pages_are_not_blank() -> None:
    assert not find_blank(sheet_of(blank(light=20))).facts["is_blank"]
    assert not find_blank(sheet_of(photograph())).facts["is_blank"]


def test_the_device_s_own_jpeg_outlives_a_step_that_only_looks() -> None:
    sheet = find_blank(sheet_of(blank(75), dpi=75, encoded={"image/jpeg": b"sent"}))
    assert sheet.encoded == {"image/jpeg": b"sent"}


# Deskew


@pytest.mark.parametrize("angle", [-7, -3.3, -1, -0.2, 0, 0.4, 1.25, 2.5, 5, 7])
def test_the_angle_of_print_is_found_to_a_tenth(angle: float) -> None:
    found, _ = skew_of(sheet_of(printed(angle=angle)))
    assert abs(found - angle) <= 0.1


@pytest.mark.parametrize(
    ("mode", "angle"), [("gray", -6), ("color", 3), ("lineart", -3), ("deep", 6)]
)
def test_deskew_leaves_lines_level_in_every_mode(angle: float, mode: str) -> None:
    page = printed(angle=angle)
    if mode == "color":
        page = np.stack([page] * 3, axis=2)
    elif mode == "lineart":
        page = np.where(page < 128, np.uint8(0), np.uint8(255))
    elif mode == "deep":
        page = page.astype(np.uint16) * 257
    before = sheet_of(page, "lineart" if mode == "lineart" else None)
    after = deskew(before)
    assert abs(after.facts["skew"] - angle) <= 0.1
    assert abs(skew_of(after)[0]) <= 0.1
    assert after.array.shape == before.array.shape
    assert after.array.dtype == before.array.dtype
    corner = after.array[:5, :5].astype(int) / (257 if mode == "deep" else 1)
    assert (corner > PAPER - 15).all()  # the paper's colour, not black


@pytest.mark.parametrize("lines", [1, 3])
def test_few_lines_are_enough(lines: int) -> None:
    assert abs(skew_of(sheet_of(printed(angle=-2, lines=lines)))[0] + 2) <= 0.1


def test_a_page_on_its_side_is_straightened() -> None:
    page = np.ascontiguousarray(np.rot90(printed(angle=3)))
    assert abs(skew_of(sheet_of(page))[0] - 3) <= 0.1


def test_uneven_resolutions_are_straightened_in_millimetres() -> None:
    page = np.repeat(printed(angle=4), 2, axis=0)
    sheet = sheet_of(page)
    sheet.dpi = (150, 300)
    after = deskew(sheet)
    assert abs(after.facts["skew"] - 4) <= 0.1
    assert abs(skew_of(after)[0]) <= 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_photographs_are_not_turned(seed: int) -> None:
    photo = sheet_of(photograph(seed=seed))
    assert deskew(photo).array is photo.array
    gray = np.asarray(Image.fromarray(photograph(seed=seed)).convert("L"))
    for backing in (12, 240):
        page = sheet_of(on_backing(gray, backing, (20, 30)))
        assert deskew(page).array is page.array, backing


@pytest.mark.parametrize("angle", [-30, 14, 45])
def test_what_lies_beyond_ten_degrees_is_not_turned(angle: float) -> None:
    assert deskew(sheet_of(printed(angle=angle))).facts["skew"] is None


@pytest.mark.parametrize("page", [blank(), dusty(blank(), 200, 2), blank(light=10)])
def test_pages_without_lines_are_not_turned(page: Any) -> None:
    sheet = sheet_of(page, dpi=150, encoded={"image/jpeg": b"sent"})
    after = deskew(sheet)
    assert after.facts["skew"] is None
    assert after.array is page
    assert after.encoded


# Crop


@pytest.mark.parametrize("backing", [12, 235])
@pytest.mark.parametrize("at", [(0, 0), (30, 40), (105, 149)])
def test_a_receipt_is_cut_out_of_a4(backing: int, at: tuple[float, float]) -> None:
    receipt = printed(size=RECEIPT, points=9)
    page = dusty(on_backing(receipt, backing, at), 100, 2)
    cut = crop(sheet_of(page))
    assert [abs(a - b) <= 1 for a, b in zip(cut.size_mm, RECEIPT, strict=True)] == [True, True]
    left, top, _, _ = cut.facts["cropped"]
    assert abs(left - at[0]) <= 1
    assert abs(top - at[1]) <= 1


def test_paper_that_differs_in_colour_alone_is_seen() -> None:
    page = np.stack([blank(light=240)] * 3, axis=2)
    left, top, right, bottom = (dots(mm, DPI) for mm in (30, 40, 110, 190))
    page[top:bottom, left:right, 2] -= 40  # yellow
    cut = crop(sheet_of(page))
    assert abs(cut.size_mm[0] - 80) <= 1
    assert abs(cut.size_mm[1] - 150) <= 1


def test_a_receipt_that_lay_askew_is_cut_after_deskew() -> None:
    page = turned_on_backing(printed(size=RECEIPT, points=9), 12, 4)
    cut = crop(deskew(sheet_of(page)))
    assert [abs(a - b) <= 1.5 for a, b in zip(cut.size_mm, RECEIPT, strict=True)] == [True, True]


def test_paper_as_white_as_the_backing_is_cut_to_its_print_with_a_margin() -> None:
    page = on_backing(printed(size=RECEIPT, points=9), PAPER, (30, 40))
    cut = crop(sheet_of(page))
    ink = np.argwhere(page < 128)
    height, width = (ink.max(0) - ink.min(0) + 1) / DPI * 25.4
    assert abs(cut.size_mm[0] - width - 6) <= 1
    assert abs(cut.size_mm[1] - height - 6) <= 1
    assert np.count_nonzero(cut.array < 128) == len(ink)  # not a letter is lost


def test_a_margin_is_kept_around() -> None:
    page = on_backing(printed(size=RECEIPT, points=9), 12, (30, 40))
    wide, narrow = crop(sheet_of(page), 5.0), crop(sheet_of(page), -2.0)
    assert abs(wide.size_mm[0] - RECEIPT[0] - 10) <= 1
    assert abs(narrow.size_mm[0] - RECEIPT[0] + 4) <= 1


def test_the_black_behind_a_short_page_is_cut_off() -> None:
    for page in (printed(), blank()):
        page[-150:] = 10
        cut = crop(sheet_of(page))
        assert abs(cut.size_mm[1] - 271.6) <= 1
        assert cut.width == page.shape[1]


@pytest.mark.parametrize("page", [blank(), photograph(), blank(light=10)])
def test_what_reaches_all_edges_or_is_empty_is_not_cut(page: Any) -> None:
    sheet = sheet_of(page, encoded={"image/jpeg": b"sent"})
    cut = crop(sheet)
    assert cut.array is page
    assert cut.encoded
    assert cut.facts["cropped"] is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (40, 40, 3)])
def test_tiny_pages_go_through_all_steps(shape: tuple[int, ...]) -> None:
    page = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    for step in (find_blank, deskew, crop):
        assert step(sheet_of(page)).array.size


# Turns


def test_right_angles_are_clockwise_and_take_the_resolution_along() -> None:
    page = sheet_of(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    page.dpi = (300, 600)
    turned = rotate(page, 90)
    assert turned.array.tolist() == [[4, 1], [5, 2], [6, 3]]
    assert turned.dpi == (600, 300)
    assert rotate(turned, 270).array.tolist() == page.array.tolist()
    assert rotate(page, 180).dpi == (300, 600)
    assert rotate(page, 0) is page
    with pytest.raises(ValueError, match="45"):
        rotate(page, 45)
