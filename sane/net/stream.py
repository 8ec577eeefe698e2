"""The image data of one frame, taken off the data connection record by record.

It knows records, the end marker and the order of bytes in samples; it knows neither options nor
the control connection, but for noticing that it is gone. Compiled, stream.pxd adds a reader that
needs no GIL and receives into the frontend's own buffer; what follows below serves both.
Source: net-protocol 5 and 7.11.
"""

from __future__ import annotations

import os
import select

from ..const import STATUS_CANCELLED, STATUS_EOF, STATUS_GOOD, STATUS_IO_ERROR
from ..errors import BY_STATUS, Cancelled, DeviceIOError

_Size = int  # aliases, so that the types in stream.pxd decide when compiled
_Word = int

HEAD_BYTES = 4
END = 0xFFFFFFFF  # the length that announces the status byte

# Statuses, as C numbers when compiled.
RUNNING = -1
GOOD = STATUS_GOOD
CANCELLED = STATUS_CANCELLED
EOF = STATUS_EOF
IO_ERROR = STATUS_IO_ERROR

# Why a frame ended with an I/O error that the server did not announce.
CAUSES = (
    "the server reported an error",
    "the data connection was closed before the end of the frame",
    "receiving failed",
    "the control connection was lost during the frame",
    "the frame ended with a status that is none",
    "the server sends empty records and no data",
)
CLOSED = 1
FAILED = 2
LOST = 3
NO_STATUS = 4
EMPTY = 5

# So many records without data in a row are no scanner that is slow, but a server that plays.
MOST_EMPTY = 4096


class FrameStream:
    """Delivers the bytes of one frame.

    fd: the data connection, non-blocking, owned by the caller. cancel_fd: readable as soon as the
    frontend cancels. control_fd: the control connection: when it is gone, so is the frame. Either
    is -1 for none. swap: exchange the two bytes of each 16-bit sample.

    At most one byte of a sample waits for its partner (_held), and at most one that is exchanged
    already waits for room (_spare).
    """

    def __init__(self, fd: int, cancel_fd: int, control_fd: int, swap: bool) -> None:
        head = bytearray(HEAD_BYTES)
        self._owned = head  # compiled, the next is only a pointer into it
        self._head = head
        self._head_bytes = 0  # how many of the next head have come
        self._left = 0  # bytes of this record that have not
        self.received = 0  # bytes of the image so far
        self._empty = 0  # records without data, since the last data
        self._is_marked = False  # the end was announced: its status byte is next
        self._status = RUNNING
        self._cause = 0
        self._fd = fd
        self._cancel_fd = cancel_fd
        self._control_fd = control_fd
        self._swap = swap
        self._held = self._spare = -1
        self._non_blocking = False

    def set_non_blocking(self, non_blocking: bool) -> None:
        """Let reads return at once when nothing is there."""
        self._non_blocking = non_blocking

    def explain(self) -> str:
        """Return why the frame ended with an I/O error."""
        return CAUSES[self._cause]

    def read_into(self, view: memoryview) -> int | None:
        """Write bytes of the frame into *view*: how many, 0 at its end, None for nothing yet.

        Waits for the first byte unless non-blocking. Raises what the server announced,
        Cancelled, or DeviceIOError.
        """
        status, n = self._deliver(view)
        if n or status == EOF:
            return n
        if status == GOOD:
            return None
        if status == CANCELLED:
            raise Cancelled
        raise BY_STATUS.get(status, DeviceIOError)(self.explain() if status == IO_ERROR else "")

    def capsule(self) -> object | None:
        """Return the frame as a reader without GIL (sane/reader.pxd), None when uncompiled.

        It may also say GOOD with no byte: nothing yet, in non-blocking mode. The capsule keeps
        this stream alive; both deliver from the same place, so reads may be mixed.
        """
        if __file__.endswith((".py", ".pyc")):
            return None
        # stream.pxd defines it, where neither tool looks.
        return new_capsule(self)  # type: ignore[name-defined, no-any-return]  # noqa: F821

    # What has come, counted: the same for both readers.

    def _wanted(self, room: _Size) -> _Size:
        """Return how many bytes of image data to ask for, when *room* are free."""
        return min(room, self._left)

    def _head_room(self, wanted: _Size) -> _Size:
        """Return how many bytes to ask for behind *wanted* of data: of the next head, or status."""
        if wanted < self._left:
            return 0
        if self._is_marked:
            return 1
        return HEAD_BYTES - self._head_bytes

    def _count(self, n: _Size, wanted: _Size) -> _Size:
        """Account for *n* received bytes, *wanted* were asked for; return how many are data."""
        data = min(n, wanted)
        self._left -= data
        self.received += data
        if n == data:
            return data
        if self._is_marked:
            self._status = self._head[0]
            if self._status == GOOD:
                self._end(NO_STATUS)
            return data
        self._head_bytes += n - data
        if self._head_bytes == HEAD_BYTES:
            self._head_bytes = 0
            self._left = 0
            for i in range(HEAD_BYTES):
                self._left = self._left * 256 + self._head[i]
            if self._left == END:
                self._left = 0
                self._is_marked = True
            elif self._left:
                self._empty = 0
            else:
                self._empty += 1
                if self._empty > MOST_EMPTY:
                    self._end(EMPTY)
        return data

    def _end(self, cause: _Word) -> None:
        """End the frame with an I/O error."""
        self._status = IO_ERROR
        self._cause = cause

    # The reader for Python; stream.pxd has its twin.

    def _deliver(self, view: memoryview) -> tuple[int, int]:
        """Fill *view*; return the status and how many bytes, with GOOD if any."""
        if not self._swap:
            return self._take(view, not self._non_blocking)
        total = 0
        if self._spare >= 0 and len(view):
            view[0] = self._spare
            self._spare = -1
            total = 1
        status = GOOD
        while total < len(view):
            block = not total and not self._non_blocking
            offset = 1 if self._held >= 0 and len(view) - total > 1 else 0
            single = memoryview(bytearray(1))
            place = single if len(view) - total == 1 else view[total + offset :]
            status, n = self._take(place, block)
            if not n:
                break
            if len(view) - total == 1:
                total += self._pair(view, total, single[0])
            else:
                total += self._exchange(view, total, offset, n)
        if status == EOF and self._held >= 0 and total < len(view):
            view[total] = self._held
            self._held = -1
            total += 1
        return (GOOD if total else status), total

    def _pair(self, view: memoryview, place: int, byte: int) -> int:
        """Take one byte of a sample when there is room for one; return how many were written."""
        if self._held < 0:
            self._held = byte
            return 0
        view[place] = byte
        self._spare = self._held
        self._held = -1
        return 1

    def _exchange(self, view: memoryview, start: int, offset: int, n: int) -> int:
        """Exchange the samples of *n* bytes behind the held one, if any; return their bytes."""
        if offset:
            view[start] = self._held
        total = offset + n
        even = total - total % 2
        self._held = view[start + even] if total % 2 else -1
        pairs = bytes(view[start : start + even])
        view[start : start + even : 2] = pairs[1::2]
        view[start + 1 : start + even : 2] = pairs[::2]
        return even

    def _take(self, view: memoryview, block: bool) -> tuple[int, int]:
        """Fill *view* with data as it comes, without waiting if some has come."""
        total = 0
        head = memoryview(self._owned)
        while total < len(view) and self._status == RUNNING:
            wanted = self._wanted(len(view) - total)
            start = self._head_bytes
            room = self._head_room(wanted)
            places = (view[total : total + wanted], head[start : start + room])
            try:
                n = os.readv(self._fd, places)
            except BlockingIOError:
                if total or not block:
                    return GOOD, total
                if self._wait(-1):
                    return CANCELLED, 0
                continue
            except OSError:
                n = -1
            if n <= 0:
                if not total:
                    self._end(CLOSED if n == 0 else FAILED)
                break
            total += self._count(n, wanted)
            if n < wanted + room and total:
                break
            if not total and self._status == RUNNING and self._wait(0):
                return CANCELLED, 0
        return (GOOD if total or self._status == RUNNING else self._status), total

    def _wait(self, timeout_ms: int) -> bool:
        """Wait for data, -1 without end, 0 not at all; return whether the frontend cancelled."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if self._cancel_fd >= 0:
            poll.register(self._cancel_fd, select.POLLIN)
        if self._control_fd >= 0:
            poll.register(self._control_fd, select.POLLRDHUP)
        ready = dict(poll.poll(timeout_ms))
        if self._cancel_fd in ready:
            return True
        if self._control_fd in ready and self._fd not in ready:
            self._end(LOST)
        return False
