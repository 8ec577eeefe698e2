"""One page on its way from a worker: records to bytes, and three colour frames to one.

It knows the data stream of SANE's network protocol and parameters; what the bytes become is others'
business. Source: net-protocol 5.2 and 5.3.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from typing import IO, TYPE_CHECKING

from .. import const
from ..wire.protocol import END, LONGEST_RECORD
from .problems import ScannerProblem, Unreachable
from .process import readable

if TYPE_CHECKING:
    import socket

RECEIVE_BYTES = 1 << 18
HEAD_BYTES = 4
READ_SECONDS = 300.0  # a scanner may be slow, or calibrate between lines
SPOOL_BYTES = 1 << 22  # of a colour that is kept until the others come; the rest is in a file
COLORS = (const.FRAME_RED, const.FRAME_GREEN, const.FRAME_BLUE)


class FrameReader:
    """Reads one frame from *sock*, which it then owns. status: what ended it, None before."""

    def __init__(self, sock: socket.socket) -> None:
        self.status: int | None = None
        self._sock = sock
        self._lock = threading.Lock()  # a number that is closed may be another file's at once
        self._room = memoryview(bytearray(RECEIVE_BYTES))
        self._head = b""  # of a record, as far as it has come
        self._left = 0  # bytes of the record under way

    async def read(self) -> bytes | memoryview:
        """Return the next bytes, b"" at the frame's end; raises Unreachable if it breaks off.

        They are lent until more are read.
        """
        await asyncio.sleep(0)  # others have their turn, however fast the scanner is
        while not (data := self.at_hand()) and self.status is None:
            coming = readable(asyncio.get_running_loop(), self._sock)
            try:
                await asyncio.wait_for(coming, READ_SECONDS)
            except (asyncio.TimeoutError, TimeoutError):
                raise Unreachable(f"no data came for {READ_SECONDS:g} s") from None
        return data

    def at_hand(self) -> bytes | memoryview:
        """Return bytes that have come already, b"" if there are none; lends, raises as read() does.

        It may be called in any thread, but not beside read().
        """
        with self._lock:
            while self.status is None:
                try:
                    got = self._sock.recv_into(self._room)
                except BlockingIOError:
                    break
                except OSError as exc:
                    raise Unreachable(f"the data broke off: {exc.strerror}") from exc
                if not got:
                    raise Unreachable("the data broke off")
                if size := self._unpack(got):
                    return self._room[:size]
        return b""

    def _unpack(self, got: int) -> int:
        """Move what the first *got* bytes have of data to the front; return how much that is."""
        room = self._room
        at = end = 0
        while at < got:
            if self._left:
                size = min(self._left, got - at)
                if end < at:
                    room[end : end + size] = room[at : at + size]
                at, end = at + size, end + size
                self._left -= size
                continue
            more = min(got - at, HEAD_BYTES - len(self._head))
            self._head += room[at : at + more]
            at += more
            size = int.from_bytes(self._head, "big")
            if len(self._head) < HEAD_BYTES or (size > LONGEST_RECORD and at == got):
                break
            if size > LONGEST_RECORD:
                self.status = room[at]
                break
            self._head, self._left = b"", size
        return end

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._sock.close()


class Planes:
    """The frames of two colours, kept until the third comes; then rows of RGB.

    sample_bytes: of one sample; of depth 1, one byte of eight pixels.
    """

    def __init__(self, sample_bytes: int) -> None:
        self._size = sample_bytes
        self._kept: dict[int, IO[bytes]] = {}
        self._rest = b""

    def keep(self, color: int) -> IO[bytes]:
        """Return the file in which a colour is kept."""
        file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - closed by close
        self._kept[color] = file
        return file

    def rewind(self) -> None:
        """Go to the first row of what is kept."""
        for file in self._kept.values():
            file.seek(0)

    def joined(self, color: int, data: bytes | memoryview) -> bytes:
        """Return pixels of RGB from the next *data* of the last colour; b"" if none is whole."""
        data = self._rest + data
        size = self._size
        whole = len(data) // size * size
        self._rest, data = data[whole:], data[:whole]
        out = bytearray(3 * whole)
        for number, each in enumerate(COLORS):
            plane = data if each == color else self._kept[each].read(whole).ljust(whole, b"\0")
            for byte in range(size):
                out[number * size + byte :: 3 * size] = plane[byte::size]
        return bytes(out)

    def close(self) -> None:
        """Give the files up."""
        for file in self._kept.values():
            file.close()
        self._kept.clear()


def check_colors(formats: list[int]) -> None:
    """Raise ScannerProblem unless three frames are one of each colour."""
    if sorted(formats) != sorted(COLORS):
        raise ScannerProblem(f"the scanner sent frames {formats}, not one of each colour")


assert END == LONGEST_RECORD + 1
