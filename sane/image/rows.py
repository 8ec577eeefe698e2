"""Pixel kernels over whole blocks of 8-bit samples.

Compiled with rows.pxd they run without the GIL; uncompiled they are the same, slowly.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in rows.pxd decide when compiled
_Size = int


def mean_from_rgb(rgb: _View, gray: _View) -> None:
    """Write the mean of red, green and blue of each pixel, rounded down, into *gray*.

    rgb: (3 * n,) uint8, pixel-interleaved. gray: (n,) uint8, written in full.
    Raises ValueError when the sizes disagree. Source: test-backend 7.6 (grayify).
    """
    n = len(gray)
    if len(rgb) != 3 * n:
        raise ValueError(f"rgb holds {len(rgb)} bytes, expected {3 * n}")
    for i in range(n):
        gray[i] = (rgb[3 * i] + rgb[3 * i + 1] + rgb[3 * i + 2]) // 3


def bits_from_gray(gray: _View, bits: _View, width: _Size, threshold: _Size) -> None:
    """Write rows of gray samples as bits, 1 for black: below *threshold*; the last byte ends white.

    gray: (rows * width,) uint8. bits: (rows * ceil(width / 8),) uint8, written in full.
    Raises ValueError when the sizes disagree. Source: SANE standard 3.2.1 (bit depth 1).
    """
    row_bytes = (width + 7) // 8
    rows = len(gray) // width if width > 0 else 0
    if width <= 0 or len(gray) != rows * width or len(bits) != rows * row_bytes:
        raise ValueError(f"{len(gray)} samples in rows of {width} do not make {len(bits)} bytes")
    for row in range(rows):
        for column in range(row_bytes):
            byte = 0
            start = row * width + 8 * column
            for i in range(min(8, width - 8 * column)):
                if gray[start + i] < threshold:
                    byte |= 128 >> i
            bits[row * row_bytes + column] = byte
