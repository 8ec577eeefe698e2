# cython: boundscheck=False, wraparound=False, cdivision=True
"""What changes whole pictures: turned by a small angle, rid of specks; and how dark they are.

Compiled with retouch.pxd, or uncompiled and slow: the same, to the bit. Compiled without bounds
checks: turning A4 in colour at 300 dpi takes 0.06 s, with them 0.9. So what is read and written is
checked beforehand, and ValueError raised. Source: specification fujitsu 8 (rotation, despeckle,
blank).

image: uint8, rows of *pitch* bytes. samples: of a pixel, 1 or 3 of 8 bits; 0: one bit, 1 is black.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in retouch.pxd decide when compiled
_Size = int
_Real = float


def rotate(
    src: _View,
    dst: _View,
    pitch: _Size,
    width: _Size,
    height: _Size,
    samples: _Size,
    center_x: _Size,
    center_y: _Size,
    cosine: _Real,
    sine: _Real,
) -> None:
    """Write *src* into *dst*, turned about the center; the nearest pixel, without a mean.

    dst: of the same size, filled with what is shown where *src* has nothing.
    """
    _check(min(len(src), len(dst)), pitch, width, height, samples)
    for y in range(height):
        down = center_y - y
        for x in range(width):
            along = center_x - x
            from_x = int(along * cosine + down * sine)
            from_y = int(along * sine - down * cosine)
            from_x, from_y = center_x - from_x, center_y + from_y
            if from_x < 0 or from_x >= width or from_y < 0 or from_y >= height:
                continue
            at, start = y * pitch, from_y * pitch
            if samples == 1:
                dst[at + x] = src[start + from_x]
            elif samples == 3:
                at += 3 * x
                start += 3 * from_x
                dst[at] = src[start]
                dst[at + 1] = src[start + 1]
                dst[at + 2] = src[start + 2]
            else:
                mask = 128 >> x % 8
                if src[start + from_x // 8] >> (7 - from_x % 8) & 1:
                    dst[at + x // 8] |= mask
                else:
                    dst[at + x // 8] &= 255 ^ mask


def despeckle(
    image: _View, pitch: _Size, width: _Size, height: _Size, samples: _Size, size: _Size
) -> None:
    """Fill each square of *size* pixels that is darker than all around it, in place.

    It becomes what the pixels around it are on average; a square of bits becomes white.
    """
    _check(len(image), pitch, width, height, samples)
    for y in range(1, height - 1 - size):
        for x in range(1, width - 1 - size):
            if samples:
                _lighten(image, y * pitch, pitch, x, samples, size)
            elif _has_speck(image, y, pitch, x, size):
                for row in range(y, y + size):
                    for column in range(x, x + size):
                        image[row * pitch + column // 8] &= 255 ^ 128 >> column % 8


def _lighten(
    image: _View, start: _Size, pitch: _Size, x: _Size, samples: _Size, size: _Size
) -> None:
    """Do it for one square of bytes, whose first row begins at *start*."""
    darkest = 255 * samples
    for row in range(size):
        for column in range(x, x + size):
            darkest = min(darkest, _value(image, start + row * pitch + column * samples, samples))
    limit = (darkest + 2 * 255 * samples) // 3
    red = green = blue = 0
    for row in range(-1, size + 1):
        step = 1 if row in (-1, size) else size + 1
        column = x - 1
        while column <= x + size:
            at = start + row * pitch + column * samples
            if _value(image, at, samples) < limit:
                return
            red += image[at]
            if samples == 3:
                green += image[at + 1]
                blue += image[at + 2]
            column += step
    count = 4 * size + 4
    for row in range(size):
        for column in range(x, x + size):
            at = start + row * pitch + column * samples
            image[at] = red // count
            if samples == 3:
                image[at + 1] = green // count
                image[at + 2] = blue // count


def _value(image: _View, at: _Size, samples: _Size) -> _Size:
    """Return the sum of a pixel's samples."""
    if samples == 1:
        return image[at]
    return image[at] + image[at + 1] + image[at + 2]


def _has_speck(image: _View, y: _Size, pitch: _Size, x: _Size, size: _Size) -> bool:
    """Tell whether a square of bits has black, and nothing around it."""
    is_dark = False
    for row in range(y - 1, y + size + 1):
        is_edge = row in (y - 1, y + size)
        for column in range(x - 1, x + size + 1):
            if image[row * pitch + column // 8] >> (7 - column % 8) & 1:
                if is_edge or column in (x - 1, x + size):
                    return False
                is_dark = True
    return is_dark


def darkness(image: _View, pitch: _Size, x: _Size, y: _Size, samples: _Size, size: _Size) -> _Size:
    """Return how dark a square of *size* pixels is: 255 for each black sample, 1 for each bit.

    x, y: its corner.
    """
    end = (x + size) * samples if samples else (x + size + 7) // 8
    if min(x, y, size) < 0 or end > pitch or (y + size) * pitch > len(image):
        raise ValueError(f"{size} pixels at {x}, {y} in rows of {pitch} bytes")
    total = 0
    for row in range(y, y + size):
        start = row * pitch
        if samples == 0:
            for column in range(x, x + size):
                total += image[start + column // 8] >> (7 - column % 8) & 1
        else:
            for at in range(start + x * samples, start + (x + size) * samples):
                total += 255 - image[at]
    return total


def _check(size: _Size, pitch: _Size, width: _Size, height: _Size, samples: _Size) -> None:
    """Raise ValueError unless the picture lies inside *size* bytes."""
    row = width * samples if samples else (width + 7) // 8
    if samples not in (0, 1, 3) or min(width, height) < 1 or pitch < row:
        raise ValueError(f"{width} x {height} pixels of {samples} samples, {pitch} bytes a row")
    if size < pitch * height:
        raise ValueError(f"{size} bytes for {height} rows of {pitch}")
