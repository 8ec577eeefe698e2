# cython: boundscheck=False, wraparound=False, cdivision=True
"""Where the paper is in a picture: profiles of its edges, and lines along the upper one.

A profile tells for each column or row where the picture first changes, seen from one of its edges.
Compiled with edges.pxd, or uncompiled and slow: the same, to the bit. Compiled without bounds
checks: a profile of A4 in colour at 300 dpi takes 0.010 s, with them 0.020. So what is
read and written is checked beforehand, and ValueError raised. Source: specification fujitsu 8
(transitions, edge search).

image: uint8, rows of *pitch* bytes. samples: of a pixel, 1 or 3 of 8 bits; 0: one bit, 1 is black.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in edges.pxd decide when compiled
_Ints = memoryview
_Size = int
_Real = float

SPAN = 9  # pixels that are compared with as many before them
STEP_LEVEL, DARK_PART = 450, 40  # how much they have to differ; less where it is bright
NEIGHBOURS, ENOUGH = 7, 2  # of so many, so many must lie near
BINS = 31


def column_profile(
    image: _View,
    pitch: _Size,
    width: _Size,
    height: _Size,
    samples: _Size,
    is_up: _Size,
    found: _Ints,
    sums: _Ints,
) -> None:
    """Write into *found* where each column first changes, seen from above or from below (*is_up*).

    found: (width,) int32; height, or with is_up -1, where nothing changes. sums: (21 * width,)
    int32, scratch: of the pixels near and far, and the pixels of the last 19 rows. Row after row,
    since columns lie far apart in memory.
    """
    _check(len(image), pitch, width, height, samples)
    kept = 2 * SPAN + 1
    if len(found) < width or len(sums) < (2 + kept) * width:
        raise ValueError(f"{len(found)} places and {len(sums)} sums for {width} columns")
    span, level, part = SPAN, STEP_LEVEL * max(1, samples), DARK_PART  # not Python's, when compiled
    nothing = -1 if is_up else height
    first = height - 1 if is_up else 0
    step = -1 if is_up else 1
    for x in range(width):
        found[x] = nothing
        value = _pixel(image, first * pitch, x, samples)
        sums[2 * x] = span * value
        sums[2 * x + 1] = span * value
        sums[2 * width + x] = value
    left = width  # columns without a change
    for j in range(1, height):
        if left == 0:
            break
        start = (first + step * j) * pitch
        here = (2 + j % kept) * width
        before = (2 + max(0, j - span) % kept) * width
        far = (2 + max(0, j - 2 * span) % kept) * width
        for x in range(width):
            if found[x] != nothing:
                continue
            value = _pixel(image, start, x, samples)
            if samples == 0:
                is_change = value * span != sums[2 * x]
            else:
                sums[here + x] = value
                middle = sums[before + x]
                sums[2 * x + 1] += middle - sums[far + x]
                sums[2 * x] += value - middle
                is_change = _differ(sums[2 * x], sums[2 * x + 1], level, part)
            if is_change:
                found[x] = first + step * j
                left -= 1


def row_profile(
    image: _View,
    pitch: _Size,
    width: _Size,
    height: _Size,
    samples: _Size,
    is_left: _Size,
    found: _Ints,
    sums: _Ints,
) -> None:
    """Write into *found* where each row first changes, seen from the left or the right (*is_left*).

    found: (height,) int32; width, or with is_left -1, where nothing changes. sums: (width,) int32,
    scratch.
    """
    _check(len(image), pitch, width, height, samples)
    if len(found) < height or len(sums) < width:
        raise ValueError(f"{len(found)} places and {len(sums)} sums for {height} rows")
    span, level, part = SPAN, STEP_LEVEL * max(1, samples), DARK_PART  # not Python's, when compiled
    nothing = -1 if is_left else width
    first = width - 1 if is_left else 0
    step = -1 if is_left else 1
    for y in range(height):
        start = y * pitch
        found[y] = nothing
        edge = _pixel(image, start, first, samples)
        sums[0] = edge
        near = span * _pixel(image, start, 0, samples)  # the left one's, from either side
        far = near
        for j in range(1, width):
            x = first + step * j
            value = _pixel(image, start, x, samples)
            if samples == 0:
                is_change = value != edge
            else:
                sums[j] = value
                middle = sums[max(0, j - span)]
                far += middle - sums[max(0, j - 2 * span)]
                near += value - middle
                is_change = _differ(near, far, level, part)
            if is_change:
                found[y] = x
                break


def _pixel(image: _View, start: _Size, x: _Size, samples: _Size) -> _Size:
    """Return the sum of a pixel's samples, or its bit."""
    if samples == 1:
        return image[start + x]
    if samples == 3:
        at = start + 3 * x
        return image[at] + image[at + 1] + image[at + 2]
    return image[start + x // 8] >> (7 - x % 8) & 1


def _differ(near: _Size, far: _Size, level: _Size, part: _Size) -> bool:
    """Tell whether two sums differ by more than noise: *level*, and less where it is bright."""
    if near == far:  # most pixels; the level is never reached
        return False
    bright = near * part
    bright = bright // 255 if bright >= 0 else -(-bright // 255)
    return abs(near - far) > level - bright


def smooth(found: _Ints, nothing: _Size, near: _Size) -> None:
    """Write *nothing* in place of what few of its neighbours lie *near*; the last ones stay."""
    most, enough = NEIGHBOURS, ENOUGH
    for i in range(len(found) - most):
        count = 0
        for k in range(1, most + 1):
            if abs(found[i + k] - found[i]) < near:
                count += 1
        if count < enough:
            found[i] = nothing


def vote(
    profile: _Ints,
    nothing: _Size,
    first_slope: _Real,
    last_slope: _Real,
    slope_shift: _Real,
    first_offset: _Size,
    last_offset: _Size,
    offset_shift: _Size,
    votes: _Ints,
) -> None:
    """Count in *votes* the lines through all pairs of points that are not far apart.

    profile: of the upper edge. slopes and offsets (heights at mid-width): the limits of those that
    count, the upper ones excluded. In four grids of bins: as given, with offsets shifted, with
    slopes shifted, with both.
    votes: (4 * 31 * 31,) int32, grid after grid, slope after slope.
    """
    width, bins = len(profile), BINS
    if len(votes) < 4 * bins * bins:
        raise ValueError(f"{len(votes)} votes for four grids")
    offsets = max(1, last_offset - first_offset)
    middle = width // 2
    reach = width // 3
    for i in range(4 * bins * bins):
        votes[i] = 0
    for i in range(width):
        here = profile[i]
        if here == nothing:
            continue
        for j in range(i + 1, min(width, i + reach)):
            if profile[j] == nothing:
                continue
            slope = _ratio(profile[j] - here, j - i)
            if not first_slope <= slope < last_slope + slope_shift:
                continue
            offset = int(slope * middle + here - slope * i)
            if not first_offset <= offset < last_offset + offset_shift:
                continue
            for grid in range(4):
                low = first_slope + slope_shift if grid >= 2 else first_slope
                high = last_slope + slope_shift if grid >= 2 else last_slope
                bottom = first_offset + offset_shift * (grid % 2)
                if not low <= slope < high or not bottom <= offset < bottom + offsets:
                    continue
                row = min(int((slope - low) * bins / (high - low)), bins - 1)  # it may round up
                column = (offset - bottom) * bins // offsets
                votes[(grid * bins + row) * bins + column] += 1


def _ratio(rise: _Size, run: _Size) -> _Real:
    """Return a slope."""
    return rise / run


def _check(size: _Size, pitch: _Size, width: _Size, height: _Size, samples: _Size) -> None:
    """Raise ValueError unless the picture lies inside *size* bytes."""
    row = width * samples if samples else (width + 7) // 8
    if samples not in (0, 1, 3) or min(width, height) < 1 or pitch < row:
        raise ValueError(f"{width} x {height} pixels of {samples} samples, {pitch} bytes a row")
    if size < pitch * height:
        raise ValueError(f"{size} bytes for {height} rows of {pitch}")
