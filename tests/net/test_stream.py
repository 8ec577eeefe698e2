"""Frames off the data connection: records, ends, byte order; in Python and by the C reader."""

from __future__ import annotations

import ctypes
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from sane import const
from sane.cancel import Cancel
from sane.errors import Cancelled, DeviceIOError, Jammed, SaneError
from sane.net.stream import FrameStream
from sane.wire.protocol import frame_end, record_head

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT = 0.05


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


class CReader:
    """Reads a stream as the C side does: by the capsule, into a bare buffer."""

    def __init__(self, stream: FrameStream) -> None:
        self.capsule = stream.capsule()
        if self.capsule is None:
            pytest.skip("uncompiled tree")
        pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
        pointer_of.argtypes = (ctypes.py_object, ctypes.c_char_p)
        pointer_of.restype = ctypes.c_void_p
        self.struct = ReaderStruct.from_address(pointer_of(self.capsule, b"pysane.reader"))

    def __call__(self, room: int) -> tuple[int, bytes]:
        guard = b"\xa5" * 64
        buf = bytearray(room) + guard
        target = (ctypes.c_char * len(buf)).from_buffer(buf)
        n = ctypes.c_ssize_t(-1)
        status = self.struct.read(self.struct.ctx, ctypes.addressof(target), room, n)
        assert buf.endswith(guard)
        assert n.value >= 0
        return status, bytes(buf[: n.value])


class PyReader:
    """Reads a stream as Python does; errors become their status."""

    def __init__(self, stream: FrameStream) -> None:
        self.stream = stream

    def __call__(self, room: int) -> tuple[int, bytes]:
        buf = bytearray(room)
        try:
            n = self.stream.read_into(memoryview(buf))
        except SaneError as exc:
            return exc.status, b""
        if n is None:
            return const.STATUS_GOOD, b""
        return (const.STATUS_GOOD if n else const.STATUS_EOF), bytes(buf[:n])


READERS = [PyReader, CReader]
Made = tuple[FrameStream, socket.socket, "Callable[[int], tuple[int, bytes]]"]


class Frame:
    """A stream, the server's end of its data connection, and a reader."""

    def __init__(
        self, kind: type[PyReader | CReader], swap: bool, cancel: int = -1, control: int = -1
    ) -> None:
        self.mine, self.peer = socket.socketpair()
        self.mine.setblocking(False)
        self.stream = FrameStream(self.mine.fileno(), cancel, control, swap)
        try:
            self.read = kind(self.stream)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.mine.close()
        self.peer.close()

    def rest(self, rooms: list[int]) -> tuple[int, bytes]:
        """Read to the end with *rooms* in turn; return the last status and all bytes."""
        data = b""
        for turn in range(100_000):
            status, piece = self.read(rooms[turn % len(rooms)])
            data += piece
            if status != const.STATUS_GOOD:
                return status, data
        raise AssertionError("no end")


@pytest.fixture(params=READERS, ids=["python", "c"])
def frames(request: pytest.FixtureRequest) -> Iterator[Callable[..., Frame]]:
    """Make frames of one kind of reader, and close them."""
    made: list[Frame] = []

    def make(swap: bool = False, **fds: int) -> Frame:
        made.append(Frame(request.param, swap, **fds))
        return made[-1]

    yield make
    for frame in made:
        frame.close()


def records(data: bytes, sizes: list[int]) -> bytes:
    """Return *data* in records of *sizes* in turn."""
    out, start, turn = b"", 0, 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        piece = data[start : start + size]
        out += record_head(len(piece)) + piece
        start += size
        turn += 1
    return out


SIZES = [[45], [1], [7, 9], [7, 5, 4], [7, 4, 5], [0, 3], [16]]
ROOMS = [[1], [2], [3], [5], [7], [100], [3, 4], [1, 4], [15, 1]]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("rooms", ROOMS, ids=str)
@pytest.mark.parametrize("swap", [False, True])
def test_stream_bytes_are_one_sequence(
    frames: Callable[..., Frame], sizes: list[int], rooms: list[int], swap: bool
) -> None:
    data = bytes(range(0x10, 0x20)) + bytes(range(100, 130))
    frame = frames(swap)
    frame.peer.sendall(records(data, sizes) + frame_end(5) + b"\0\0\x5f\xcf")
    wanted = bytearray(data)
    if swap:
        wanted[::2], wanted[1::2] = data[1::2], data[::2]
    assert frame.rest(rooms) == (const.STATUS_EOF, bytes(wanted))
    assert frame.read(8) == (const.STATUS_EOF, b"")


@pytest.mark.parametrize("rooms", [[1], [2], [100]], ids=str)
def test_stream_a_last_byte_without_a_partner_comes_as_it_is(
    frames: Callable[..., Frame], rooms: list[int]
) -> None:
    frame = frames(True)
    frame.peer.sendall(record_head(3) + b"abc" + frame_end(5))
    assert frame.rest(rooms) == (const.STATUS_EOF, b"bac")


@pytest.mark.parametrize("seed", range(20))
def test_stream_any_fragmentation(frames: Callable[..., Frame], seed: int) -> None:
    chance = random.Random(seed)
    swap = bool(seed % 2)
    frame = frames(swap)
    data = chance.randbytes(2 * chance.randrange(1, 3000))
    wire = records(data, [chance.randrange(1, 400) for _ in range(9)]) + frame_end(5) + b"tail"

    def serve() -> None:
        start = 0
        while start < len(wire):
            size = chance.randrange(1, 700)
            frame.peer.sendall(wire[start : start + size])
            start += size

    thread = threading.Thread(target=serve)
    thread.start()
    status, found = frame.rest([seed + 1, 64, 1000])
    thread.join()
    wanted = bytearray(data)
    if swap:
        wanted[::2], wanted[1::2] = data[1::2], data[::2]
    assert (status, found) == (const.STATUS_EOF, bytes(wanted))


def test_stream_a_head_in_pieces(frames: Callable[..., Frame]) -> None:
    frame = frames()
    frame.stream.set_non_blocking(True)
    for byte in record_head(2):
        assert frame.read(8) == (const.STATUS_GOOD, b"")
        frame.peer.sendall(bytes((byte,)))
    assert frame.read(8) == (const.STATUS_GOOD, b"")
    frame.peer.sendall(b"x")
    assert frame.read(8) == (const.STATUS_GOOD, b"x")
    frame.peer.sendall(b"y" + frame_end(5)[:4])
    assert frame.read(8) == (const.STATUS_GOOD, b"y")
    assert frame.read(8) == (const.STATUS_GOOD, b"")
    frame.peer.sendall(b"\5")
    assert frame.read(8) == (const.STATUS_EOF, b"")


def test_stream_a_swapped_byte_that_waits_comes_although_the_end_has(
    frames: Callable[..., Frame],
) -> None:
    frame = frames(True)
    frame.peer.sendall(record_head(2) + b"ab" + frame_end(5))
    assert frame.read(1) == (const.STATUS_GOOD, b"b")
    assert frame.read(1) == (const.STATUS_GOOD, b"a")
    assert frame.read(1) == (const.STATUS_EOF, b"")


@pytest.mark.parametrize("status", [1, 3, 4, 6, 7, 8, 9, 10, 11])
def test_stream_an_error_comes_behind_the_data(frames: Callable[..., Frame], status: int) -> None:
    frame = frames()
    frame.peer.sendall(record_head(2) + b"ab" + frame_end(status) + bytes(4000))
    assert frame.rest([100]) == (status, b"ab")


def test_stream_the_errors_are_the_statuses_in_python() -> None:
    frame = Frame(PyReader, False)
    try:
        frame.peer.sendall(frame_end(6))
        with pytest.raises(Jammed):
            frame.stream.read_into(memoryview(bytearray(1)))
    finally:
        frame.close()


@pytest.mark.parametrize("status", [0])
def test_stream_good_is_no_end(frames: Callable[..., Frame], status: int) -> None:
    frame = frames()
    frame.peer.sendall(frame_end(status))
    assert frame.rest([100]) == (const.STATUS_IO_ERROR, b"")
    assert frame.stream.explain() == "the frame ended with a status that is none"


@pytest.mark.parametrize("cut", range(12))
def test_stream_a_close_before_the_end_is_an_error(frames: Callable[..., Frame], cut: int) -> None:
    frame = frames()
    whole = record_head(3) + b"abc" + frame_end(5)
    frame.peer.sendall(whole[:cut])
    frame.peer.close()
    assert frame.rest([100]) == (const.STATUS_IO_ERROR, whole[4 : min(cut, 7)])
    assert frame.read(1)[0] == const.STATUS_IO_ERROR
    assert "closed before the end" in frame.stream.explain()


def test_stream_a_record_of_two_mebibytes(frames: Callable[..., Frame]) -> None:
    frame = frames()
    data = random.Random(1).randbytes(1 << 21)
    thread = threading.Thread(
        target=frame.peer.sendall, args=(record_head(len(data)) + data + frame_end(5),)
    )
    thread.start()
    assert frame.rest([1 << 16]) == (const.STATUS_EOF, data)
    thread.join()


def test_stream_a_record_may_be_longer_than_any_word(frames: Callable[..., Frame]) -> None:
    frame = frames()
    frame.peer.sendall(record_head(0xFFFFFFFE) + b"abc")
    assert frame.read(100) == (const.STATUS_GOOD, b"abc")
    frame.stream.set_non_blocking(True)
    assert frame.read(100) == (const.STATUS_GOOD, b"")


def test_stream_a_blocked_read_ends_with_cancel(frames: Callable[..., Frame]) -> None:
    cancel = Cancel()
    try:
        frame = frames(cancel=cancel.fd)
        frame.peer.sendall(record_head(9) + b"abc")
        assert frame.read(100) == (const.STATUS_GOOD, b"abc")
        timer = threading.Timer(SHORT, cancel.set)
        timer.start()
        assert frame.read(100) == (const.STATUS_CANCELLED, b"")
        timer.join()
    finally:
        cancel.close()


@pytest.mark.parametrize("swap", [False, True])
def test_stream_a_blocked_read_ends_with_the_control_connection(
    frames: Callable[..., Frame], swap: bool
) -> None:
    mine, peer = socket.socketpair()
    try:
        frame = frames(swap, control=mine.fileno())
        frame.peer.sendall(record_head(9) + b"ab")
        peer.sendall(b"a late reply is no end")
        assert frame.read(100)[0] == const.STATUS_GOOD
        timer = threading.Timer(SHORT, peer.close)
        timer.start()
        assert frame.read(100) == (const.STATUS_IO_ERROR, b"")
        timer.join()
        assert "control connection" in frame.stream.explain()
    finally:
        mine.close()
        peer.close()


def test_stream_what_came_is_delivered_though_the_control_connection_is_gone(
    frames: Callable[..., Frame],
) -> None:
    mine, peer = socket.socketpair()
    peer.close()
    try:
        frame = frames(control=mine.fileno())
        frame.peer.sendall(record_head(3) + b"abc" + frame_end(5))
        assert frame.rest([1]) == (const.STATUS_EOF, b"abc")
    finally:
        mine.close()


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("non_blocking", [False, True])
def test_stream_records_without_data_end(
    frames: Callable[..., Frame], swap: bool, non_blocking: bool
) -> None:
    frame = frames(swap)
    frame.stream.set_non_blocking(non_blocking)
    ended = threading.Event()

    def pour() -> None:
        with suppress(OSError):
            while not ended.is_set():
                frame.peer.sendall(bytes(1 << 12))

    thread = threading.Thread(target=pour)
    thread.start()
    assert frame.rest([100]) == (const.STATUS_IO_ERROR, b"")
    assert "empty records" in frame.stream.explain()
    ended.set()
    frame.mine.close()
    thread.join()


def test_stream_some_records_without_data_are_no_fault(frames: Callable[..., Frame]) -> None:
    frame = frames()
    wire = (record_head(0) * 4000 + record_head(1) + b"x") * 3 + frame_end(5)
    thread = threading.Thread(target=frame.peer.sendall, args=(wire,))
    thread.start()
    assert frame.rest([100]) == (const.STATUS_EOF, b"xxx")
    thread.join()


@pytest.mark.parametrize("swap", [False, True])
def test_stream_cancel_is_seen_between_records_without_data(
    frames: Callable[..., Frame], swap: bool
) -> None:
    cancel = Cancel()
    try:
        frame = frames(swap, cancel=cancel.fd)
        frame.peer.sendall(record_head(0) * 10)
        cancel.set()
        assert frame.read(100) == (const.STATUS_CANCELLED, b"")
    finally:
        cancel.close()


def test_stream_python_errors_name_their_cause() -> None:
    frame = Frame(PyReader, False)
    frame.peer.close()
    try:
        with pytest.raises(DeviceIOError, match="closed before the end"):
            frame.stream.read_into(memoryview(bytearray(1)))
    finally:
        frame.close()
    cancel = Cancel()
    cancel.set()
    frame = Frame(PyReader, False, cancel=cancel.fd)
    try:
        with pytest.raises(Cancelled):
            frame.stream.read_into(memoryview(bytearray(1)))
    finally:
        frame.close()
        cancel.close()
