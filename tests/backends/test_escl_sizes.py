"""eSCL on an emulated scanner: sizes, depths, adjustments; rows of specification escl 10."""

from __future__ import annotations

from typing import Any

import pytest

from sane.const import FRAME_GRAY, FRAME_RGB
from sane.testing.escl import Range, Scanner
from tests.support.escl import LINES, WIDTH, Desk, png_model, sent, value, without_pauses
from tests.support.handles import page, put, read


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


# Sizes


def test_row_27_a_small_window_is_cut_out_of_a_larger_one() -> None:
    scanner = Scanner(png_model())
    scanner.model.platen.min_width = scanner.model.platen.min_height = 1200  # type: ignore[union-attr]
    with Desk(scanner) as desk:
        whole = desk.open(mode="Gray", br_x=215.0, br_y=290.0)
        whole.start()
        width = whole.parameters().pixels_per_line
        rows = read(whole)
        handle = desk.open(mode="Gray")
        put(handle, "br_x", 215.9)
        put(handle, "tl_x", 200.0)
        handle.start()
        assert value(sent(desk, 1), "Width") == value(sent(desk, 1), "Height") == "1200"
        assert value(sent(desk, 1), "XOffset") == "1350"
        small = handle.parameters().pixels_per_line
        data = read(handle)
        left = round((1350 + 1012) * 75 / 300)
        for line in (0, 20):
            assert (
                data[line * small : line * small + 40]
                == rows[line * width + left : line * width + left + 40]
            )


@pytest.mark.parametrize(("more_px", "more_lines"), [(-1, -1), (3, 7), (0, -60)])
def test_row_29_a_page_has_the_promised_size(more_px: int, more_lines: int) -> None:
    size: dict[str, Any] = {"mode": "Gray", "br_x": 61.0, "br_y": 61.0}
    with Desk() as desk:
        exact = page(desk.open(**size))
        desk.scanner.pages.more_px, desk.scanner.pages.more_lines = more_px, more_lines
        handle = desk.open(**size)
        handle.start()
        width, lines = handle.parameters().pixels_per_line, handle.parameters().lines
        data = read(handle)
        assert len(data) == len(exact) == width * lines
        if more_px < 0:
            assert set(data[width - 1 :: width]) == {255}
        if more_lines < -1:
            assert set(data[width * (lines - 59) :]) == {255}


def test_row_29_another_resolution_than_asked_is_scaled() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.pages.scale = 0.5
        data = page(desk.open(mode="Gray", resolution=150, br_x=60.0, br_y=60.0))
        assert len(data) == 355 * 355
        assert set(data[-355:]) != {255}


def test_row_30_line_art_is_made_of_gray_and_black_is_1() -> None:
    with Desk() as desk:
        gray = page(desk.open(mode="Gray"))
        handle = desk.open(mode="Lineart")
        handle.start()
        params = handle.parameters()
        assert (params.format, params.depth, params.bytes_per_line) == (FRAME_GRAY, 1, 12)
        bits = read(handle)
        for line in range(LINES):
            for x in range(WIDTH):
                bit = bits[12 * line + x // 8] >> (7 - x % 8) & 1
                assert bit == (gray[WIDTH * line + x] < 128)


def test_row_30_color_is_rgb() -> None:
    with Desk() as desk:
        handle = desk.open()
        handle.start()
        assert handle.parameters().format == FRAME_RGB
        assert len(read(handle)) == WIDTH * LINES * 3


def test_row_31_sixteen_bits() -> None:
    scanner = Scanner(png_model(("RGB24", "RGB48", "Grayscale8", "Grayscale16")))
    with Desk(scanner) as desk:
        handle = desk.open(mode="Gray", depth=16)
        handle.start()
        assert handle.parameters().depth == 16
        assert len(read(handle)) == 2 * WIDTH * LINES
        assert value(sent(desk), "ColorMode") == "Grayscale16"


# Adjustments


def test_adjustments_are_the_scanners_where_it_has_them_and_ours_else() -> None:
    scanner = Scanner(png_model(ranges={"Brightness": Range(0, 10, 5), "Sharpen": Range(-3, 3, 0)}))
    with Desk(scanner) as desk:
        plain = page(desk.open(mode="Gray"))
        assert "Brightness" not in sent(desk) and "Sharpen" not in sent(desk)
        handle = desk.open(mode="Gray", brightness=100, sharpen=2, contrast=-100)
        data = page(handle)
        assert (value(sent(desk, 1), "Brightness"), value(sent(desk, 1), "Sharpen")) == ("10", "2")
        assert "Contrast" not in sent(desk, 1)
        assert set(data) <= {127, 128, 255} and data != plain
        negative = page(desk.open(mode="Gray", negative=True))
        assert bytes(255 - sample for sample in negative) == plain


def test_a_preview_is_coarse() -> None:
    with Desk() as desk:
        handle = desk.open(resolution=300, preview=True)
        handle.start()
        assert handle.parameters().pixels_per_line == WIDTH
        read(handle)
        assert value(sent(desk), "XResolution") == "75" and value(sent(desk), "Intent") == "Preview"
