"""Pixel kernels: gray to bits, samples to their places."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest

from sane.image.rows import (
    bits_from_gray,
    gather_bits,
    gather_bytes,
    gather_words,
    gray_from_rgb,
    shift_bits,
    smooth_words,
)
from sane.image.weave import copy, weave

LUMA = (2126, 7152, 722)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("weights", [(1, 1, 1), LUMA, (0, 1, 0), (32768, 0, 0), (1, 2, 1)])
def test_gray_is_the_weighted_mean(weights: tuple[int, int, int], depth: int) -> None:
    most, source = (1 << depth) - 1, random.Random(depth)
    pixels = [(0, 0, 0), (most, most, most), (most, 0, 1)]
    pixels += [tuple(source.randint(0, most) for _ in "rgb") for _ in range(40)]  # type: ignore[misc]
    kind: Any = "H" if depth == 16 else "B"
    rgb = array(kind, [value for pixel in pixels for value in pixel]).tobytes()
    gray = memoryview(bytearray(len(rgb) // 3))
    gray_from_rgb(memoryview(rgb), gray, weights, depth)
    whole = sum(weights)
    assert list(gray.cast(kind)) == [
        sum(weight * value for weight, value in zip(weights, pixel, strict=True)) // whole
        for pixel in pixels
    ]


@pytest.mark.parametrize(
    ("rgb", "gray", "form"),
    [
        (7, 2, {}),
        (6, 3, {}),
        (9, 3, {"depth": 16}),
        (6, 2, {"depth": 12}),
        (6, 2, {"weights": (0, 0, 0)}),
        (6, 2, {"weights": (-1, 2, 3)}),
        (6, 2, {"weights": (1 << 15, 1, 0)}),
    ],
)
def test_gray_that_cannot_be(rgb: int, gray: int, form: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rgb holds|weights"):
        gray_from_rgb(view(rgb), view(gray), **form)


@pytest.mark.parametrize(
    ("gray", "width", "threshold", "bits"),
    [
        ([0] * 8, 8, 128, [0xFF]),
        ([255] * 8, 8, 128, [0x00]),
        ([109, 110, 111, 0, 255, 200, 110, 109], 8, 110, [0b10010001]),
        ([0, 255, 0], 3, 128, [0b10100000]),
        ([0] * 9 + [255] * 9, 9, 1, [0xFF, 0x80, 0x00, 0x00]),
        ([], 5, 128, []),
        ([255, 0], 1, 256, [0x80, 0x80]),
        ([255, 0], 1, 0, [0x00, 0x00]),
    ],
)
def test_bits_are_one_for_black(
    gray: list[int], width: int, threshold: int, bits: list[int]
) -> None:
    target = bytearray(b"\xaa" * len(bits))
    bits_from_gray(memoryview(bytes(gray)), memoryview(target), width, threshold)
    assert list(target) == bits


@pytest.mark.parametrize(
    ("samples", "width", "size"), [(8, 8, 2), (9, 8, 2), (8, 0, 1), (8, -8, 1)]
)
def test_sizes_that_disagree(samples: int, width: int, size: int) -> None:
    with pytest.raises(ValueError, match="rows of"):
        bits_from_gray(memoryview(bytes(samples)), memoryview(bytearray(size)), width, 100)


# Kernels that put rows together: what they are told must lie inside


TABLE = array("i", [0, 1])


def view(size: int) -> memoryview:
    return memoryview(bytearray(size))


@pytest.mark.parametrize(
    ("src", "pitch", "dst", "out_pitch", "rows", "size"),
    [(9, 5, 10, 5, 2, 5), (10, 5, 9, 5, 2, 5), (10, 5, 10, 6, 2, 5), (10, 6, 10, 5, 2, 5)],
)
def test_copies_beyond_the_end(
    src: int, pitch: int, dst: int, out_pitch: int, rows: int, size: int
) -> None:
    with pytest.raises(ValueError, match="2 pieces of 5 bytes"):
        copy(view(src), pitch, view(dst), out_pitch, rows, size, 0)
    copy(view(10), 5, view(10), 5, rows, size, 0)


@pytest.mark.parametrize("wrong", [(-1, 5, 2, 5), (5, -1, 2, 5), (5, 5, -1, 5), (5, 5, 2, -1)])
def test_copies_of_negative_sizes(wrong: tuple[int, int, int, int]) -> None:
    pitch, out_pitch, rows, size = wrong
    with pytest.raises(ValueError, match="apart, in"):
        copy(view(99), pitch, view(99), out_pitch, rows, size, 0)


@pytest.mark.parametrize(
    ("red", "green", "blue", "dst"), [(3, 4, 4, 12), (4, 4, 3, 12), (4, 4, 4, 11)]
)
def test_colors_beyond_the_end(red: int, green: int, blue: int, dst: int) -> None:
    with pytest.raises(ValueError, match="2 pieces of"):
        weave(view(red), view(green), view(blue), 2, 1, view(dst), 6, 2, 2, 0)


def test_samples_beyond_the_end() -> None:
    for src, dst in ((3, 4), (4, 3)):
        with pytest.raises(IndexError):
            gather_bytes(view(src), 2, 1, view(dst), 2, 1, 2, TABLE, TABLE, 0)
        with pytest.raises(IndexError):
            gather_words(view(2 * src), 4, 2, view(2 * dst), 4, 2, 2, TABLE, TABLE, 0, 16, 0)
    for src, dst in ((1, 2), (2, 1)):
        with pytest.raises(IndexError):
            gather_bits(view(src), 1, view(dst), 1, 2, TABLE, TABLE, 0)
        with pytest.raises(IndexError):
            shift_bits(view(src), 1, view(dst), 1, 2, 8, 0, 0)


def test_samples_of_8_bits_become_sums_of_neighbours() -> None:
    columns = memoryview(array("i", [0, 0, 1, 3]))
    words = memoryview(array("H", bytes(8)))
    smooth_words(memoryview(b"\x01\x02\x04\xff"), words, columns, 1, 7)
    assert list(words) == [2 << 7, 2 << 7, 3 << 7, (4 + 255) << 7]
    pixels = memoryview(array("H", bytes(6)))
    smooth_words(memoryview(b"abcdef"), pixels, memoryview(array("i", [1])), 3, 0)
    assert list(pixels) == [97 + 100, 98 + 101, 99 + 102]
    with pytest.raises(IndexError):
        smooth_words(memoryview(b"ab"), pixels, memoryview(array("i", [1])), 3, 0)
    with pytest.raises(ValueError, match="for 3"):
        smooth_words(memoryview(b"abcdef"), pixels, columns, 3, 0)
