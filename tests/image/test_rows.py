"""Pixel kernels: gray to bits."""

from __future__ import annotations

import pytest

from sane.image.rows import bits_from_gray


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
