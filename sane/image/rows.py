"""Pixel kernels over whole blocks of 8-bit samples.

Compiled with rows.pxd they run without the GIL; uncompiled they are the same, slowly.
"""

from __future__ import annotations

_View = memoryview  # an alias, so that the type in rows.pxd decides when compiled


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
