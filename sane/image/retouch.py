# cython: boundscheck=False, wraparound=False, cdivision=True
"""What changes whole pictures: turned by a small angle, rid of specks; and how dark they are.

Compiled with retouch.pxd, or uncompiled and slow: the same, to the bit. Compiled without bounds
checks: turning A4 in colour at 300 dpi takes 0.045 s, with them 0.057; specks 0.10 and 0.15. So
what is read and written is checked beforehand, and ValueError raised. Source: specification fujitsu
8 (rotation, despeckle, blank).

image: uint8, rows of *pitch* bytes. samples: of a pixel, 1 or 3 of 8 bits; 0: one bit, 1 is black.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in retouch.pxd decide when compiled
_Ints = memoryview
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
    first: _Size,
    last: _Size,
) -> None:
    """Write *src* into *dst*, turned about the center; the nearest pixel, without a mean.

    dst: of the same size, filled with what is shown where *src* has nothing. first, last: its rows
    that are written, the latter excluded.
    """
    _check(min(len(src), len(dst)), pitch, width, height, samples)
    if first < 0 or last > height:
        raise ValueError(f"rows {first} to {last} of {height}")
    for y in range(first, last):
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
    image: _View,
    pitch: _Size,
    width: _Size,
    height: _Size,
    samples: _Size,
    size: _Size,
    sums: _Ints,
) -> None:
    """Fill each square of *size* pixels that is darker than all around it, in place.

    It becomes what the pixels around it are on average; a square of bits becomes white. sums:
    ((size + 2) * width,) int32, scratch: of the rows that are looked at.
    """
    _check(len(image), pitch, width, height, samples)
    if size < 1 or len(sums) < (size + 2) * width:
        raise ValueError(f"{len(sums)} sums for {width} columns and squares of {size}")
    for y in range(1, height - 1 - size):
        if samples:
            for row in range(0 if y == 1 else y + size, y + size + 1):
                _sum_up(image, row * pitch, row % (size + 2) * width, width, samples, sums)
        for x in range(1, width - 1 - size):
            if samples:
                if _is_speck(sums, y, width, x, 255 * samples, size):
                    _lighten(image, y, pitch, x, samples, size)
                    for row in range(y, y + size):
                        at = row * pitch + x * samples
                        _sum_up(image, at, row % (size + 2) * width + x, size, samples, sums)
            elif _has_speck(image, y, pitch, x, size):
                for row in range(y, y + size):
                    for column in range(x, x + size):
                        image[row * pitch + column // 8] &= 255 ^ 128 >> column % 8


def _sum_up(
    image: _View, start: _Size, at: _Size, width: _Size, samples: _Size, sums: _Ints
) -> None:
    """Write the sums of *width* pixels, which begin at *start*, from *at* on."""
    for x in range(width):
        if samples == 1:
            sums[at + x] = image[start + x]
        else:
            i = start + 3 * x
            sums[at + x] = image[i] + image[i + 1] + image[i + 2]


def _is_speck(sums: _Ints, y: _Size, width: _Size, x: _Size, white: _Size, size: _Size) -> bool:
    """Tell whether all around a square is two thirds on the way from its darkest to white."""
    darkest = white
    for row in range(y, y + size):
        at = row % (size + 2) * width
        for column in range(at + x, at + x + size):
            darkest = min(darkest, sums[column])
    if darkest == white:  # as all around it would have to be: nothing changes
        return False
    limit = (darkest + 2 * white) // 3
    for row in range(y - 1, y + size + 1):
        at = row % (size + 2) * width
        step = 1 if row in (y - 1, y + size) else size + 1
        column = at + x - 1
        while column <= at + x + size:
            if sums[column] < limit:
                return False
            column += step
    return True


def _lighten(image: _View, y: _Size, pitch: _Size, x: _Size, samples: _Size, size: _Size) -> None:
    """Let a square become what is around it."""
    for sample in range(samples):
        total = 0
        for row in range(y - 1, y + size + 1):
            step = 1 if row in (y - 1, y + size) else size + 1
            column = x - 1
            while column <= x + size:
                total += image[row * pitch + column * samples + sample]
                column += step
        mean = total // (4 * size + 4)
        for row in range(y, y + size):
            for column in range(x, x + size):
                image[row * pitch + column * samples + sample] = mean


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
