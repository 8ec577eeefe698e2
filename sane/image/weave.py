# cython: boundscheck=False, wraparound=False
"""The two loops that most scans spend their time in: samples of 8 bits into rows.

Compiled without bounds checks: weave writes 4.3 GB/s in the cache, with them 1.2, and a row must
cost little beside the copy that brought its bytes (memcpy: 20). So both check beforehand where they
will read and write, and raise ValueError. Uncompiled they are the same, slowly.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in weave.pxd decide when compiled
_Size = int


def copy(
    src: _View,
    src_pitch: _Size,
    dst: _View,
    dst_pitch: _Size,
    rows: _Size,
    size: _Size,
    mask: _Size,
) -> None:
    """Copy *rows* pieces of *size* bytes, *_pitch* bytes from one to the next.

    src, dst: uint8, from the first piece on. mask: XORed into each byte.
    """
    _check(len(src), src_pitch, rows, size)
    _check(len(dst), dst_pitch, rows, size)
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        if mask:
            for i in range(size):
                dst[at + i] = src[start + i] ^ mask
        else:
            dst[at : at + size] = src[start : start + size]


def weave(
    red: _View,
    green: _View,
    blue: _View,
    src_pitch: _Size,
    src_step: _Size,
    dst: _View,
    dst_pitch: _Size,
    rows: _Size,
    width: _Size,
    mask: _Size,
) -> None:
    """Bring the colours of pixels together.

    red, green, blue: uint8, from the first sample of each on, *src_step* bytes to the next and
    *src_pitch* to the next line. A row has *width* pixels of three bytes. mask: XORed into each.
    """
    last = (width - 1) * src_step + 1
    _check(min(len(red), len(green), len(blue)), src_pitch, rows, last)
    _check(len(dst), dst_pitch, rows, 3 * width)
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        if src_step == 1:  # a loop of its own: a sixth faster
            for i in range(width):
                dst[at + 3 * i] = red[start + i]
                dst[at + 3 * i + 1] = green[start + i]
                dst[at + 3 * i + 2] = blue[start + i]
        else:
            for i in range(width):
                dst[at + 3 * i] = red[start + i * src_step]
                dst[at + 3 * i + 1] = green[start + i * src_step]
                dst[at + 3 * i + 2] = blue[start + i * src_step]
        if mask:
            for i in range(at, at + 3 * width):
                dst[i] ^= mask


def _check(size: _Size, pitch: _Size, rows: _Size, length: _Size) -> None:
    """Raise ValueError unless all *rows* pieces of *length* bytes lie inside *size* bytes."""
    is_senseless = pitch < 0 or rows < 0 or length < 0
    if is_senseless or (rows and (rows - 1) * pitch + length > size):
        raise ValueError(f"{rows} pieces of {length} bytes, {pitch} apart, in {size}")
