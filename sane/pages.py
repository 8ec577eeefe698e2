"""Frames to rows: padding cut off, three colour frames joined.

It needs no NumPy. Rows of a page are those of a frame without padding, as the encoders of
sane.image take them.
"""

from __future__ import annotations

from .const import FRAME_BLUE, FRAME_GREEN, FRAME_RED
from .errors import DeviceIOError
from .param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .param import Parameters

    Rows = TypeVar("Rows", bytearray, bytearray | memoryview)


COLORS = (FRAME_RED, FRAME_GREEN, FRAME_BLUE)
READ_BYTES = 1 << 18  # at a time, so that a cancel meets a short read
DOCUMENT_BYTES = 1 << 30  # of one page as it is sent: an A3 photograph has a tenth of it
MAPPED_FROM, MAPPED_BYTES = 1 << 20, 1 << 34  # smaller frames are not worth a map of their own
FIRST_BYTES = 1 << 30  # of a page's memory, at most, that is set aside before any of it has come


def whole_rows(params: Parameters, data: Rows) -> Rows:
    """Return the whole rows of *data*, a frame, without padding: itself if that is all it has."""
    row_bytes = line_bytes(params.pixels_per_line, params.channels, params.depth)
    pitch = params.bytes_per_line
    if not 0 < row_bytes <= pitch:
        raise DeviceIOError(f"a frame that cannot be: {params}")
    lines = len(data) // pitch
    if pitch > row_bytes:
        rows = range(0, lines * pitch, pitch)
        return bytearray().join([data[at : at + row_bytes] for at in rows])
    return data[: lines * pitch] if len(data) % pitch else data


def read_bytes(read_into: Callable[[memoryview], int], expected: int) -> bytearray:
    """Return all bytes until *read_into* gives 0; expected: how many, -1 if nobody knows."""
    data = bytearray(min(max(expected, 0), FIRST_BYTES))
    used = 0
    with memoryview(data) as view:
        while used < len(view):
            with view[used : used + READ_BYTES] as part:
                n = read_into(part)
            if not n:
                break
            used += n
    if used < len(data):
        try:
            del data[used:]
        except BufferError:  # a driver has kept a view of it
            return data[:used]
        return data
    more = memoryview(bytearray(READ_BYTES))
    while n := read_into(more):
        data += more[:n]
    return data


def read_memory(read_into: Callable[[memoryview], int], expected: int) -> bytearray | memoryview:
    """As read_bytes, into memory that nobody has filled before, where much is expected.

    What does not come takes no memory either: it was never touched.
    """
    if not MAPPED_FROM <= expected <= MAPPED_BYTES:
        return read_bytes(read_into, expected)
    import mmap
    from contextlib import suppress

    memory = mmap.mmap(-1, expected, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without: it only takes longer
            memory.madvise(mmap.MADV_HUGEPAGE)
    view = memoryview(memory)
    used = 0
    while used < expected:
        with view[used : used + READ_BYTES] as part:
            n = read_into(part)
        if not n:
            return view[:used]
        used += n
    rest = read_bytes(read_into, -1)
    return view if not rest else bytearray(view) + rest


def read_document(read_into: Callable[[memoryview], int]) -> bytes:
    """Return all bytes until *read_into* gives 0; raises DeviceIOError for none and too many."""
    data = bytearray()
    piece = memoryview(bytearray(READ_BYTES))
    while n := read_into(piece):
        data += piece[:n]
        if len(data) > DOCUMENT_BYTES:
            raise DeviceIOError(f"a document of more than {DOCUMENT_BYTES} bytes")
    if not data:
        raise DeviceIOError("the device has sent an empty document")
    return bytes(data)


def joined_planes(planes: list[bytearray], size: int) -> bytearray:
    """Return red, green and blue as pixels; size: bytes of a sample, of packed bits too."""
    out = bytearray(len(planes) * len(planes[0]))
    for i, plane in enumerate(planes):
        for byte in range(size):
            out[i * size + byte :: 3 * size] = plane[byte::size]
    return out
