"""Pixel kernels over whole rows: gray, bits, and samples put in their places.

Compiled with rows.pxd, or uncompiled and slow: the same.

The gather_ functions put *rows* rows together. src: uint8, from the first line on, *src_pitch*
bytes from one line to the next; dst: the same for the rows. sources, targets: int32 tables of the
same length; the pixel at column sources[i] of a line becomes the one at column targets[i] of the
row. _step: bytes from one pixel to the next. mask: XORed into every byte (0, or 255 to invert).
Whatever lies outside *src* or *dst* raises IndexError, what came before it is then written.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Table = Sequence[int]

MOST_WEIGHT = 1 << 15  # of all colours together: 16 bits times it are 32 without a sign
HIGH_BYTE = 1 if sys.byteorder == "little" else 0  # of a native sample of 16 bits

_View = memoryview  # aliases, so that the types in rows.pxd decide when compiled
_Size = int


def gray_from_rgb(
    rgb: memoryview, gray: memoryview, weights: tuple[int, int, int] = (1, 1, 1), depth: int = 8
) -> None:
    """Write the weighted mean of red, green and blue of each pixel, rounded down, into *gray*.

    rgb: pixel-interleaved samples of *depth* bits, 8 or native 16, as uint8. gray: a third of its
    size, written in full. weights: of red, green and blue, at most 32768 together; (2126, 7152,
    722) is the luma of ITU-R BT.709. Raises ValueError when the sizes disagree, and for weights
    that are no such.
    """
    red, green, blue = weights
    if min(weights) < 0 or not 0 < sum(weights) <= MOST_WEIGHT or depth not in (8, 16):
        raise ValueError(f"weights {weights} of {depth} bits")
    if len(rgb) != 3 * len(gray) or len(gray) % (depth // 8):
        raise ValueError(f"rgb holds {len(rgb)} bytes, expected {3 * len(gray)}")
    if depth == 8:
        mix_bytes(rgb, gray, red, green, blue)
    else:
        mix_words(rgb.cast("B").cast("H"), gray.cast("B").cast("H"), red, green, blue)


def mix_bytes(rgb: _View, gray: _View, red: _Size, green: _Size, blue: _Size) -> None:
    """Do it for samples of 8 bits; rgb: (3 * n,) uint8. gray: (n,) uint8."""
    whole = red + green + blue
    for i in range(len(gray)):
        value = red * rgb[3 * i] + green * rgb[3 * i + 1] + blue * rgb[3 * i + 2]
        gray[i] = value // whole


def mix_words(rgb: _View, gray: _View, red: _Size, green: _Size, blue: _Size) -> None:
    """Do it for samples of 16 bits; rgb: (3 * n,) uint16. gray: (n,) uint16."""
    whole = red + green + blue
    for i in range(len(gray)):
        value = red * rgb[3 * i] + green * rgb[3 * i + 1] + blue * rgb[3 * i + 2]
        gray[i] = value // whole


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


def bytes_from_bits(bits: _View, samples: _View, width: _Size, channels: _Size) -> None:
    """Write rows of bits as samples of 0 and 255: black and white for gray, colour for RGB.

    bits: (rows * channels * ceil(width / 8),) uint8; in gray 1 is black, in RGB it is full colour
    and a byte of red is followed by one of green and one of blue. samples: (rows * width *
    channels,) uint8, written in full. Raises ValueError when the sizes disagree.
    Source: SANE standard 3.2.1 (bit depth 1).
    """
    row_bytes = channels * ((width + 7) // 8)
    row_samples = width * channels
    rows = len(bits) // row_bytes if row_bytes > 0 else 0
    if rows * row_bytes != len(bits) or rows * row_samples != len(samples) or row_bytes <= 0:
        raise ValueError(f"{len(bits)} bytes in rows of {width} do not make {len(samples)} samples")
    flip = 255 if channels == 1 else 0
    for row in range(rows):
        start = row * row_bytes
        at = row * row_samples
        for column in range(width):
            for channel in range(channels):
                byte = bits[start + column // 8 * channels + channel]
                value = 255 if byte >> (7 - column % 8) & 1 else 0
                samples[at + column * channels + channel] = value ^ flip


def smooth_words(src: _View, dst: _View, columns: Table, channels: _Size, shift: _Size) -> None:
    """Write one row of 16 bits, each sample the sum of two neighbours of 8 bits, *shift* bits up.

    src: uint8, whole pixels. dst: (len(columns) * channels,) uint16. columns: int32, which pixel
    of *src* each becomes; it is added to the one before it, the first one to itself. Raises
    ValueError when the sizes disagree, IndexError for a column that *src* does not have.
    """
    if channels < 1 or len(dst) != len(columns) * channels or not 0 <= shift <= 7:
        raise ValueError(f"{len(columns)} columns of {channels} samples for {len(dst)}")
    for i in range(len(columns)):
        at = columns[i] * channels
        before = at - channels if at else 0
        if at < 0 or at + channels > len(src):
            raise IndexError(f"pixel {columns[i]} of {len(src) // channels}")
        for k in range(channels):
            dst[i * channels + k] = (src[before + k] + src[at + k]) << shift


def gather_bytes(
    src: _View,
    src_pitch: _Size,
    src_step: _Size,
    dst: _View,
    dst_pitch: _Size,
    dst_step: _Size,
    rows: _Size,
    sources: Table,
    targets: Table,
    mask: _Size,
) -> None:
    """Put samples of 8 bits in their places; see the head of this file."""
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        for i in range(len(sources)):
            dst[at + targets[i] * dst_step] = src[start + sources[i] * src_step] ^ mask


def gather_words(
    src: _View,
    src_pitch: _Size,
    src_step: _Size,
    dst: _View,
    dst_pitch: _Size,
    dst_step: _Size,
    rows: _Size,
    sources: Table,
    targets: Table,
    mask: _Size,
    bits: _Size,
    high: _Size,
) -> None:
    """Put samples of 16 bits in their places, in native order; see the head of this file.

    bits: those that count, 9 to 16, the lowest ones; the highest of them are repeated below, so
    that 0 and the greatest value stay what they are. high: which byte of a sample in *src* is the
    high one, 0 or 1.
    """
    native_high = HIGH_BYTE
    up, down = 16 - bits, 2 * bits - 16
    most = (1 << bits) - 1
    flip = mask * 257
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        for i in range(len(sources)):
            j = start + sources[i] * src_step
            value = (src[j + high] << 8 | src[j + 1 - high]) & most
            value = (value << up | value >> down) ^ flip
            j = at + targets[i] * dst_step
            dst[j + native_high] = value >> 8
            dst[j + 1 - native_high] = value & 255


def shift_bits(
    src: _View,
    src_pitch: _Size,
    dst: _View,
    dst_pitch: _Size,
    rows: _Size,
    width: _Size,
    left: _Size,
    mask: _Size,
) -> None:
    """Copy *rows* lines of *width* bits, the first of them bit *left* of its byte (0 the highest).

    What the last byte of a row holds behind them becomes 0, white. Pitches and mask as above.
    """
    size = (width + 7) // 8
    unused = 8 * size - width
    end = (left + width + 7) // 8
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        for i in range(size):
            value = src[start + i] << 8
            if i + 1 < end:
                value |= src[start + i + 1]
            dst[at + i] = (value >> (8 - left) & 255) ^ mask
        at += size - 1
        dst[at] = dst[at] >> unused << unused


def gather_bits(
    src: _View,
    src_pitch: _Size,
    dst: _View,
    dst_pitch: _Size,
    rows: _Size,
    sources: Table,
    targets: Table,
    mask: _Size,
) -> None:
    """Set the bits of rows that were all 0 (white); see the head of this file."""
    for row in range(rows):
        start = row * src_pitch
        at = row * dst_pitch
        for i in range(len(sources)):
            x = sources[i]
            bit = (src[start + x // 8] ^ mask) >> (7 - x % 8) & 1
            x = targets[i]
            dst[at + x // 8] |= bit << (7 - x % 8)
