"""What has to be done to the samples of ESC/I scanners, whole blocks at a time.

Compiled with decode.pxd, or uncompiled and slow: the same.
Source: specification esci 2.8 (colour order, line distance), 2.9 (bits).
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in decode.pxd decide when compiled
_Int = int


def invert(bits: _View) -> None:
    """Turn each bit of *bits* (uint8, in place) over: scanners say 1 for white, SANE for black."""
    n = len(bits)
    for i in range(n):
        bits[i] = 255 - bits[i]


def swap_samples(pixels: _View, size: _Int) -> None:
    """Exchange the first two of three samples of each pixel, in place.

    pixels: uint8, whole pixels. size: bytes of a sample, 1 or 2. Raises ValueError for a part of
    a pixel.
    """
    n = len(pixels) // (3 * size)
    if len(pixels) != 3 * size * n:
        raise ValueError(f"{len(pixels)} bytes are no whole pixels of {3 * size}")
    for pixel in range(n):
        for byte in range(size):
            i = 3 * size * pixel + byte
            sample = pixels[i]
            pixels[i] = pixels[i + size]
            pixels[i + size] = sample


def join_lines(lines: _View, joined: _View, line_bytes: _Int, distance: _Int) -> None:
    """Bring together the colours of a sensor whose lines are *distance* lines apart.

    lines: whole lines of *line_bytes*, three bytes a pixel. joined: 2 * distance lines fewer; its
    line k gets the first samples of line k, the second of k + distance, the third of
    k + 2 * distance. Raises ValueError when the sizes disagree.
    """
    n = len(joined) // 3
    shift = distance * line_bytes
    if line_bytes % 3 or len(joined) != 3 * n or len(lines) < 3 * n + 2 * shift:
        raise ValueError(f"{len(lines)} bytes of lines cannot become {len(joined)}")
    for pixel in range(n):
        i = 3 * pixel
        joined[i] = lines[i]
        joined[i + 1] = lines[i + 1 + shift]
        joined[i + 2] = lines[i + 2 + 2 * shift]
