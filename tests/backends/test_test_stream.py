"""The test backend's stream: every way to cut a frame into reads gives the same bytes.

The compiled reader (sane/reader.pxd) is called the way the C side does: by its pointer, no GIL.
"""

from __future__ import annotations

import ctypes
import gc
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane import errors
from sane.backends.test.picture import SOLID_BYTES, Picture, make_picture
from sane.backends.test.stream import PictureStream
from sane.const import FRAME_GRAY, FRAME_RGB, STATUS_EOF, STATUS_GOOD
from sane.param import Parameters

# name, format, depth, width, pixels lost per line: rows longer and shorter than a period, tails
# beside and instead of a body, and no lines at all.
PICTURES = {
    "solid": ("Solid white", FRAME_RGB, 8, 157, 0),
    "periodic": ("Color pattern", FRAME_RGB, 8, 3000, 0),
    "deep": ("Color pattern", FRAME_RGB, 16, 1000, 0),
    "narrow": ("Color pattern", FRAME_GRAY, 8, 1, 0),
    "grid": ("Grid", FRAME_GRAY, 8, 157, 0),
    "tails": ("Grid", FRAME_RGB, 16, 157, 5),
    "bits": ("Grid", FRAME_RGB, 1, 157, 0),
    "all tail": ("Grid", FRAME_GRAY, 1, 7, 0),
}
EVERY_PICTURE = pytest.mark.parametrize("kind", PICTURES)


class ReaderStruct(ctypes.Structure):
    """struct pysane_reader; calls through CFUNCTYPE release the GIL."""

    _fields_ = (
        (
            "read",
            ctypes.CFUNCTYPE(
                ctypes.c_int,
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_ssize_t,
                ctypes.POINTER(ctypes.c_ssize_t),
            ),
        ),
        ("ctx", ctypes.c_void_p),
    )


class Reader:
    """Calls what a stream's capsule holds, as C does; owns the capsule and nothing else."""

    def __init__(self, stream: PictureStream) -> None:
        self.capsule = stream.capsule()
        if self.capsule is None:
            pytest.skip("uncompiled tree")
        pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
        pointer_of.argtypes = (ctypes.py_object, ctypes.c_char_p)
        pointer_of.restype = ctypes.c_void_p
        address = pointer_of(self.capsule, b"pysane.reader")
        self.struct = ReaderStruct.from_address(address)

    def read(self, room: int) -> tuple[int, bytes]:
        """Return the status and the bytes of one call with *room* bytes."""
        guard = b"\xa5" * 64
        buf = bytearray(max(room, 0)) + guard
        target = (ctypes.c_char * len(buf)).from_buffer(buf)
        n = ctypes.c_ssize_t(-1)
        status = self.struct.read(self.struct.ctx, ctypes.addressof(target), room, n)
        assert buf.endswith(guard)
        return status, bytes(buf[: n.value])


def picture_of(kind: str) -> tuple[Picture, int]:
    """Return a picture and the size of a frame of it: some periods and half a line."""
    name, format, depth, width, loss = PICTURES[kind]
    row = (width + 7) // 8 if depth == 1 else width * depth // 8
    line = row * (3 if format == FRAME_RGB else 1)
    params = Parameters(format, max(1, width - loss), 1, depth, bytes_per_line=line)
    picture = make_picture(name, params, 40, swap_bytes=False)
    return picture, 70 * line + line // 2


def expand(picture: Picture, size: int) -> bytes:
    """Return the frame as Picture's description says, line by line."""
    body, tail = picture.body_bytes, picture.line_bytes - picture.body_bytes
    lines = []
    for m in range(len(picture.row_index) // 2):
        number = int.from_bytes(picture.row_index[2 * m : 2 * m + 2], "little")
        start = number * picture.row_period
        row = picture.tile[start : start + picture.row_period]
        copies = -(-body // picture.row_period) if body else 0
        end = picture.tail_start + (m + 1) * tail
        lines.append((row * copies)[:body] + picture.tile[end - tail : end])
    block = b"".join(lines)
    return (block * (size // len(block) + 1))[:size]


def read(stream: PictureStream, room: int) -> bytes:
    data = bytearray(room)
    n = stream.read_into(memoryview(data))
    assert 0 <= n <= room
    return bytes(data[:n])


def read_all(stream: PictureStream, room: int) -> bytes:
    parts = []
    while part := read(stream, room):
        parts.append(part)
    return b"".join(parts)


@EVERY_PICTURE
def test_stream_delivers_the_described_frame(kind: str) -> None:
    picture, size = picture_of(kind)
    assert read_all(PictureStream(picture, size, -1), size) == expand(picture, size)


@EVERY_PICTURE
def test_stream_read_byte_by_byte_is_the_same_frame(kind: str) -> None:
    picture, size = picture_of(kind)
    size = min(size, 20000)
    assert read_all(PictureStream(picture, size, 0), 1) == expand(picture, size)


@EVERY_PICTURE
@settings(max_examples=30)
@given(rooms=st.lists(st.one_of(st.integers(1, 40), st.integers(1, 99999)), max_size=30))
def test_stream_resumes_at_any_offset(kind: str, rooms: list[int]) -> None:
    picture, size = picture_of(kind)
    stream = PictureStream(picture, size, -1)
    parts = [read(stream, room) for room in rooms]
    assert b"".join([*parts, read_all(stream, size)]) == expand(picture, size)


def test_solid_stream_is_longer_than_its_tile() -> None:
    picture, _ = picture_of("solid")
    size = 3 * SOLID_BYTES + 1
    assert read_all(PictureStream(picture, size, -1), size) == b"\xff" * size


@pytest.mark.parametrize(
    ("limit", "room", "expected"), [(10, 100, 10), (10, 7, 7), (0, 100, 100), (-1, 100, 100)]
)
def test_stream_limits_each_read(limit: int, room: int, expected: int) -> None:
    picture, size = picture_of("grid")
    assert len(read(PictureStream(picture, size, limit), room)) == expected


def test_stream_counts_what_is_left() -> None:
    picture, _ = picture_of("grid")
    stream = PictureStream(picture, 150, -1)
    left = []
    for _ in range(3):
        read(stream, 100)
        left.append(stream.left_bytes)
    assert left == [50, 0, 0]


def test_stream_counts_frames_beyond_4_gib() -> None:
    picture, _ = picture_of("periodic")
    stream = PictureStream(picture, (5 << 30) + 7, -1)
    read(stream, 8)
    assert stream.left_bytes == (5 << 30) - 1


def test_stream_leaves_the_rest_of_the_view_alone() -> None:
    picture, _ = picture_of("solid")
    data = bytearray(12)
    assert PictureStream(picture, 9, -1).read_into(memoryview(data)) == 9
    assert data == b"\xff" * 9 + b"\0" * 3


def test_empty_view_ends_the_frame() -> None:
    picture, size = picture_of("grid")
    stream = PictureStream(picture, size, -1)
    assert stream.read_into(memoryview(bytearray())) == 0
    assert stream.left_bytes == 0


def test_empty_frame_ends_at_once() -> None:
    picture, _ = picture_of("grid")
    assert read(PictureStream(picture, 0, -1), 100) == b""


def test_negative_frame_is_refused() -> None:
    picture, _ = picture_of("grid")
    with pytest.raises(errors.Invalid, match="frame of -157 bytes"):
        PictureStream(picture, -157, -1)


@pytest.mark.parametrize(
    ("row_index", "sizes"),
    [
        (b"", (4, 4, 4)),
        (b"\0\0", (0, 4, 0)),
        (b"\0\0", (4, 4, 5)),
        (b"\0\0", (4, 0, 4)),
        (b"\0\0", (4, 4, -1)),
        (b"\1\0", (4, 4, 4)),
        (b"\0\1", (4, 4, 4)),
        (b"\0\0", (9, 4, 4)),
        (b"\0\0\0\0\0\0", (6, 4, 4)),
    ],
)
def test_picture_outside_its_tile_is_refused(row_index: bytes, sizes: tuple[int, int, int]) -> None:
    line, period, body = sizes
    picture = Picture(
        b"rows", row_index, line_bytes=line, row_period=period, body_bytes=body, tails=b"tail"
    )
    with pytest.raises(ValueError, match="bytes"):
        PictureStream(picture, 1, -1)


@EVERY_PICTURE
@pytest.mark.parametrize("room", [1, 77, 32768, 1 << 20])
def test_reader_delivers_the_described_frame(kind: str, room: int) -> None:
    picture, size = picture_of(kind)
    size = min(size, 3000) if room == 1 else size
    reader = Reader(PictureStream(picture, size, -1))
    parts = []
    status = STATUS_GOOD
    while status == STATUS_GOOD:
        status, part = reader.read(room)
        assert part
        parts.append(part)
    assert status == STATUS_EOF
    assert b"".join(parts) == expand(picture, size)


@pytest.mark.parametrize("kind", ["solid", "grid"])
def test_reader_says_eof_with_the_last_bytes(kind: str) -> None:
    picture, _ = picture_of(kind)
    reader = Reader(PictureStream(picture, 25, -1))
    answers = [reader.read(10) for _ in range(4)]
    assert [(status, len(part)) for status, part in answers] == [
        (STATUS_GOOD, 10),
        (STATUS_GOOD, 10),
        (STATUS_EOF, 5),
        (STATUS_EOF, 0),
    ]


@pytest.mark.parametrize("room", [0, -1])
def test_reader_without_room_ends_the_frame(room: int) -> None:
    picture, size = picture_of("grid")
    stream = PictureStream(picture, size, -1)
    assert Reader(stream).read(room) == (STATUS_EOF, b"")
    assert stream.left_bytes == 0


def test_reader_keeps_to_the_limit() -> None:
    picture, size = picture_of("tails")
    status, part = Reader(PictureStream(picture, size, 10)).read(100)
    assert (status, part) == (STATUS_GOOD, expand(picture, 10))


@EVERY_PICTURE
def test_reader_and_read_into_share_their_place(kind: str) -> None:
    picture, size = picture_of(kind)
    stream = PictureStream(picture, size, -1)
    reader = Reader(stream)
    parts = [reader.read(333)[1], read(stream, 5), reader.read(7)[1], read_all(stream, 4096)]
    assert b"".join(parts) == expand(picture, size)


def test_capsule_keeps_the_stream_alive() -> None:
    picture, size = picture_of("deep")
    expected = expand(picture, size)
    reader = Reader(PictureStream(picture, size, -1))
    del picture
    gc.collect()
    assert reader.read(size) == (STATUS_EOF, expected)


def test_capsule_lets_go_of_the_stream() -> None:
    picture, size = picture_of("grid")
    stream = PictureStream(picture, size, -1)
    before = sys.getrefcount(stream)
    capsules = [Reader(stream).capsule, stream.capsule()]
    assert sys.getrefcount(stream) == before + 2
    capsules.clear()
    assert sys.getrefcount(stream) == before
