"""Rows of a frame and arrays of NumPy, one made from the other.

It knows how pixels lie in memory, and nothing of pages or devices. Rows are those of a frame
without padding: depth 1 packed, 1 is black in gray and full colour in RGB; 16 in native words.
"""

from __future__ import annotations

from ..param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    Array = np.ndarray[Any, Any]
    Rows = bytes | bytearray | memoryview

WHITE = 255


def array_of(rows: Rows, width_px: int, lines: int, channels: int, depth: int) -> Array:
    """Return the pixels: (lines, width) for gray, (lines, width, 3) for colour.

    With 8 and 16 bits the array lies over the memory of *rows*; bits become bytes, 0 for black.
    """
    import numpy as np

    if depth == 1:
        packed = np.frombuffer(rows, np.uint8).reshape(lines, -1)
        pixels = _from_bits(packed, width_px, channels)
    else:
        kind = np.uint16 if depth > 8 else np.uint8
        pixels = np.frombuffer(rows, kind).reshape(lines, width_px, channels)
    return pixels[:, :, 0] if channels == 1 else pixels


def _from_bits(packed: Array, width_px: int, channels: int) -> Array:
    """Return packed rows as (lines, width, channels) of 0 and 255 (standard 3.2.1)."""
    import numpy as np

    groups = packed.reshape(packed.shape[0], -1, channels).transpose(0, 2, 1)
    bits: Array = np.unpackbits(groups, axis=2, count=width_px).transpose(0, 2, 1)
    if channels == 1:
        bits ^= 1
    return np.ascontiguousarray(bits * np.uint8(WHITE))


def native(array: Any) -> Array:
    """Return *array* with its words in this machine's order, itself where they are."""
    import numpy as np

    found = np.asarray(array)
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def rows_of(array: Array, depth: int) -> memoryview:
    """Return the rows of *array*: over its memory where the pixels lie like that already.

    With depth 1 what is darker than the middle becomes black in gray, off in colour.
    """
    import numpy as np

    if depth > 1:
        return _bytes_of(np.ascontiguousarray(array))
    is_gray = array.ndim == 2
    bits = array < 128 if is_gray else array >= 128
    lines, width_px = array.shape[:2]
    planes = np.packbits(bits.reshape(lines, width_px, -1).transpose(0, 2, 1), axis=2)
    packed = np.ascontiguousarray(planes.transpose(0, 2, 1))
    assert packed.nbytes == lines * line_bytes(width_px, 1 if is_gray else 3, 1)
    return _bytes_of(packed)


def _bytes_of(array: Any) -> memoryview:  # NumPy's type does not say that it is a buffer
    return memoryview(array).cast("B")


def thinned(array: Array, max_side: int) -> Array:
    """Return every n-th pixel of *array*, so that no side is longer than *max_side*."""
    step = max(1, -(-max(array.shape[:2]) // max_side))
    return array[::step, ::step]
