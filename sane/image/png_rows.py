"""Kernels of PNG decoding: filters undone, small samples spread, alpha laid on white.

Compiled with png_rows.pxd, or uncompiled and slow: the same. All views are uint8; outputs are
written in full, and ValueError is raised when sizes disagree. Source: RFC 2083.
"""

from __future__ import annotations

_View = memoryview  # aliases, so that the types in png_rows.pxd decide when compiled
_Size = int


def unfilter(data: _View, rows: _View, size: _Size, step: _Size) -> None:
    """Undo the filters of whole rows of *size* bytes.

    data: each row behind the byte that names its filter. rows: (n + 1 rows), the first one is the
    row before them, all 0 if there is none; the others are written. step: bytes from a pixel to
    the next, at least 1. Source: RFC 2083, section 6.
    """
    count = len(data) // (size + 1) if size > 0 else 0
    if not 1 <= step <= size or len(rows) != (count + 1) * size or len(data) != count * (size + 1):
        raise ValueError(f"{len(data)} bytes do not make {len(rows)} in rows of {size}")
    for row in range(count):
        source = row * (size + 1) + 1
        kind = data[source - 1]
        at = (row + 1) * size
        if kind > 4:
            raise ValueError(f"no filter {kind}")
        if kind == 0:
            for i in range(size):
                rows[at + i] = data[source + i]
        elif kind == 2:
            for i in range(size):
                rows[at + i] = (data[source + i] + rows[at + i - size]) & 255
        elif kind == 4:
            _undo_paeth(data, rows, source, at, size, step)
        else:
            _undo_left(data, rows, source, at, size, step, kind == 3)


def _undo_left(
    data: _View, rows: _View, source: _Size, at: _Size, size: _Size, step: _Size, mean: _Size
) -> None:
    """Undo the filters Sub and, with *mean*, Average of one row."""
    for i in range(size):
        guess = rows[at + i - step] if i >= step else 0
        if mean:
            guess = (guess + rows[at + i - size]) >> 1
        rows[at + i] = (data[source + i] + guess) & 255


def _undo_paeth(
    data: _View, rows: _View, source: _Size, at: _Size, size: _Size, step: _Size
) -> None:
    """Undo the filter Paeth of one row."""
    for i in range(step):
        rows[at + i] = (data[source + i] + rows[at + i - size]) & 255
    for i in range(step, size):
        left = rows[at + i - step]
        up = rows[at + i - size]
        corner = rows[at + i - size - step]
        by_left = abs(up - corner)
        by_up = abs(left - corner)
        by_corner = abs(left + up - 2 * corner)
        if by_left <= by_up and by_left <= by_corner:
            guess = left
        else:
            guess = up if by_up <= by_corner else corner
        rows[at + i] = (data[source + i] + guess) & 255


def spread(packed: _View, samples: _View, width: _Size, bits: _Size, factor: _Size) -> None:
    """Write rows of samples of 1, 2 or 4 bits as bytes, each times *factor*.

    packed: (rows * ceil(width * bits / 8),). samples: (rows * width,).
    """
    row_bytes = (width * bits + 7) // 8
    rows = len(samples) // width if width > 0 else 0
    if bits not in (1, 2, 4) or len(samples) != rows * width or len(packed) != rows * row_bytes:
        raise ValueError(f"{len(packed)} bytes do not make {len(samples)} samples of {bits} bits")
    most = (1 << bits) - 1
    each = 8 // bits
    for row in range(rows):
        for x in range(width):
            byte = packed[row * row_bytes + x // each]
            value = byte >> (8 - bits - x % each * bits) & most
            samples[row * width + x] = value * factor & 255


def look_up(indices: _View, table: _View, pixels: _View) -> None:
    """Write the RGB entry of *table*, (768,), for each of *indices*. pixels: (3 * n,)."""
    n = len(indices)
    if len(table) != 768 or len(pixels) != 3 * n:
        raise ValueError(f"{n} indices do not make {len(pixels)} bytes")
    for i in range(n):
        at = 3 * indices[i]
        pixels[3 * i] = table[at]
        pixels[3 * i + 1] = table[at + 1]
        pixels[3 * i + 2] = table[at + 2]


def on_white(pixels: _View, out: _View, channels: _Size) -> None:
    """Lay pixels of *channels* colours and an alpha value on white. out: without alpha."""
    count = len(out) // channels if channels > 0 else 0
    if channels < 1 or len(out) != count * channels or len(pixels) != count * (channels + 1):
        raise ValueError(f"{len(pixels)} bytes with alpha do not make {len(out)}")
    for i in range(count):
        alpha = pixels[i * (channels + 1) + channels]
        for k in range(channels):
            value = pixels[i * (channels + 1) + k] * alpha + 255 * (255 - alpha)
            out[i * channels + k] = (value + 127) // 255


def words_on_white(pixels: _View, out: _View, channels: _Size) -> None:
    """Do it with native samples of 16 bits: both views are uint16."""
    count = len(out) // channels if channels > 0 else 0
    if channels < 1 or len(out) != count * channels or len(pixels) != count * (channels + 1):
        raise ValueError(f"{len(pixels)} samples with alpha do not make {len(out)}")
    for i in range(count):
        alpha = pixels[i * (channels + 1) + channels]
        for k in range(channels):
            value = pixels[i * (channels + 1) + k] * alpha + 65535 * (65535 - alpha)
            out[i * channels + k] = (value + 32767) // 65535


def white_where(pixels: _View, key: _View) -> None:
    """Make pixels that are equal to *key*, bytes of one pixel, white in place."""
    step = len(key)
    if step < 1 or len(pixels) % step:
        raise ValueError(f"{len(pixels)} bytes are no pixels of {step}")
    for i in range(len(pixels) // step):
        same = 1
        for k in range(step):
            if pixels[i * step + k] != key[k]:
                same = 0
        if same:
            for k in range(step):
                pixels[i * step + k] = 255
