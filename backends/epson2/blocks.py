"""The image blocks of an extended scan over the network, received into the frontend's buffer.

    head of a packet, samples, status byte --> acknowledged --> head of the next packet ...

It knows packets, status bytes and acknowledgements; what the samples are is its caller's. Compiled,
blocks.pxd adds a reader that needs no GIL; the counting below serves both.
Source: specification esci 1.2 (packets), 2.9 (blocks).
"""

from __future__ import annotations

import os
import select

from ...const import STATUS_CANCELLED, STATUS_EOF, STATUS_GOOD, STATUS_IO_ERROR
from ...errors import Cancelled, DeviceIOError
from ...transport.sockets import Deadline
from .._epson.network import pass_packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...transport.streams import ByteStream

_Size = int  # aliases, so that the types in blocks.pxd decide when compiled
_Word = int

HEAD_BYTES = 12
TAIL_BYTES = 13  # a head and a status byte
ACK_BYTES = 21
EXPECTED_AT, SIZE_AT = 16, 6  # in an acknowledgement, and in a head
MAGIC_I, MAGIC_S = 0x49, 0x53

FAILED_BITS, CANCEL_BIT = 0xC0, 0x10

# Statuses, as C numbers when compiled.
RUNNING = -1
GOOD = STATUS_GOOD
CANCELLED = STATUS_CANCELLED
EOF = STATUS_EOF
IO_ERROR = STATUS_IO_ERROR

# Why a scan ended with an I/O error.
CAUSES = (
    "",
    "closed the connection in the middle of a block",
    "receiving failed",
    "sent nothing for too long",
    "sent what is no head of a block",
    "sent a block of another size",
    "",
    "could not be sent an acknowledgement",
)
CLOSED, FAILED, SILENT = 1, 2, 3
NO_HEAD, OTHER_SIZE, BAD_STATUS, UNSENT = 4, 5, 6, 7


class NetBlocks:
    """The samples of one scan, block by block.

    fd: the connection, non-blocking, owned by the caller; the first block was asked for. cancel_fd:
    readable as soon as the frontend cancels. sizes: bytes of a block, how many there are, bytes of
    one more at the end or 0. mask: the bits of a status byte that mean something. flip: 255 to
    turn all bits over, else 0. send: sends to the connection, for the reader in Python. stream:
    receives, where the bytes do not come over the descriptor as they are.
    """

    def __init__(
        self, fd: int, cancel_fd: int, sizes: tuple[int, int, int], mask: int, flip: int
    ) -> None:
        tail = bytearray(TAIL_BYTES)
        self._owned = tail  # compiled, the next is only a pointer into it
        self._tail = tail
        acknowledgement = bytearray(pass_packet(b"\x06", 0))
        self._owned_ack = acknowledgement
        self._ack = acknowledgement
        self.send: Callable[[bytes], None] | None = None
        self.stream: ByteStream | None = None
        self._fd = fd
        self._cancel_fd = cancel_fd
        self._size, self._full, self._last = sizes
        self._count = self._full + (1 if self._last else 0)
        self._mask = mask
        self._flip = flip
        self._answer_ms = self._stall_ms = -1
        self._done = 0  # blocks that came whole
        self._head_bytes = 0  # of the head of the block that comes
        self._left = self._block_bytes()  # samples of it that have not come
        self._status = RUNNING
        self._cause = 0
        self._is_asked = True  # a block is under way

    def set_limits(self, answer_seconds: float, stall_seconds: float) -> None:
        """Say how long a block may take to begin, and pause; without limits it waits for ever."""
        self._answer_ms = int(answer_seconds * 1000)
        self._stall_ms = int(stall_seconds * 1000)

    @property
    def status(self) -> int:
        """How it ended: RUNNING, EOF, CANCELLED at the device, or IO_ERROR."""
        return self._status

    @property
    def is_over(self) -> bool:
        """Whether the last block has come, or none will any more."""
        return self._done >= self._count or self._cause == BAD_STATUS

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows any more what the connection brings."""
        return self._cause not in (0, OTHER_SIZE, BAD_STATUS)

    def explain(self) -> str:
        """Return why the scan ended with an I/O error, with the bytes that say so."""
        if self._cause == BAD_STATUS:
            return f"block {self._done} has status {self._owned[HEAD_BYTES]:02x}"
        head = self._owned[: self._head_bytes].hex(" ") or "nothing"
        return f"{CAUSES[self._cause]} (block {self._done + 1} of {self._count}; head {head})"

    def capsule(self) -> object | None:
        """Return a reader without GIL (sane/reader.pxd), None when uncompiled or with a stream.

        It keeps this object alive; both deliver from the same place, so reads may be mixed.
        """
        if __file__.endswith((".py", ".pyc")) or self.stream is not None:
            return None
        # blocks.pxd defines it, where neither tool looks.
        return new_capsule(self)  # type: ignore[name-defined, no-any-return]  # noqa: F821

    def rest(self) -> tuple[bytes | None, int] | None:
        """Return what is still to come of the block under way, None when there is none.

        That is what has come of its head, None when all of it has, and how many bytes the caller
        has to receive behind the head. The block then counts as done.
        """
        if not self._is_asked:
            return None
        self._is_asked = False
        head = bytes(self._owned[: self._head_bytes]) if self._head_bytes < HEAD_BYTES else None
        self._done += 1
        return head, self._left + 1

    # What has come, counted: the same for both readers.

    def _block_bytes(self) -> _Size:
        """Return the samples of the block that comes."""
        return self._size if self._done < self._full else self._last

    def _arrived(self, n: _Size, wanted: _Size) -> _Size:
        """Account for *n* received bytes, *wanted* samples asked for; return how many are."""
        part = min(n, HEAD_BYTES - self._head_bytes)
        if part:
            self._head_bytes += part
            n -= part
            if self._head_bytes == HEAD_BYTES:
                self._check_head(n)
        if self._status == IO_ERROR:
            return 0
        data = min(n, wanted)
        self._left -= data
        if n > data:
            self._check_status()
        return 0 if self._status == IO_ERROR else data

    def _check_head(self, n: _Size) -> None:
        """Fail where the head is none, or announces fewer bytes than a block; *n* came with it."""
        tail = self._tail
        size = 0
        for i in range(SIZE_AT, SIZE_AT + 4):
            size = size * 256 + tail[i]
        if tail[0] != MAGIC_I or tail[1] != MAGIC_S or size < n or size > self._left + 1:
            self._end(NO_HEAD)
        elif size != self._left + 1:
            self._end(OTHER_SIZE)
            self._left = size - n - 1

    def _check_status(self) -> None:
        """Note that a block is there; decide by its status what comes next."""
        status = self._tail[HEAD_BYTES] & self._mask
        self._is_asked = False
        self._done += 1
        self._head_bytes = 0
        if status & FAILED_BITS:
            self._end(BAD_STATUS)
        elif status & CANCEL_BIT:
            self._status = CANCELLED
        elif self._done == self._count:
            self._status = EOF
        else:
            self._left = self._block_bytes()
            expected = self._left + 1
            for i in range(4):
                self._ack[EXPECTED_AT + 3 - i] = expected % 256
                expected //= 256

    def _end(self, cause: _Word) -> None:
        """End the scan with an I/O error."""
        self._status = IO_ERROR
        self._cause = cause

    # The reader for Python; blocks.pxd has its twin.

    def take(self, view: memoryview) -> tuple[int, int]:
        """Write samples into *view*; return GOOD and how many, or the status that it ended with.

        Waits for the first. CANCELLED: by the frontend, or at the scanner.
        """
        total = 0
        tail = memoryview(self._owned)
        while not total and self._status == RUNNING:
            wanted = min(len(view), self._left)
            room = 1 if wanted == self._left else 0
            places = (
                tail[self._head_bytes : HEAD_BYTES],
                view[:wanted],
                tail[HEAD_BYTES : HEAD_BYTES + room],
            )
            try:
                n = self._receive(places)
            except BlockingIOError:
                if self._wait():
                    return CANCELLED, 0
                continue
            except (OSError, DeviceIOError):
                n = -1
            if n <= 0:
                self._end(CLOSED if n == 0 else FAILED)
                break
            total = self._arrived(n, wanted)
            if not self._is_asked and self._status == RUNNING:
                self._acknowledge()
        if self._flip:
            view[:total] = bytes(view[:total]).translate(bytes(range(255, -1, -1)))
        return (GOOD if total else self._status), total

    def _receive(self, places: tuple[memoryview, ...]) -> int:
        """Receive what is there into *places*; raises BlockingIOError for nothing yet."""
        if self.stream is None:
            return os.readv(self._fd, places)
        n = self.stream.receive_now(next(place for place in places if len(place)))
        if n < 0:
            raise BlockingIOError
        return n

    def _acknowledge(self) -> None:
        """Ask for the next block."""
        assert self.send is not None
        self.send(bytes(self._owned_ack))
        self._is_asked = True

    def _wait(self) -> bool:
        """Wait for data; return whether the frontend cancelled."""
        limit_ms = self._stall_ms if self._head_bytes else self._answer_ms
        if self.stream is not None:
            return self._wait_for(self.stream, limit_ms)
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if self._cancel_fd >= 0:
            poll.register(self._cancel_fd, select.POLLIN)
        ready = dict(poll.poll(limit_ms))
        if self._cancel_fd in ready:
            return True
        if not ready:
            self._end(SILENT)
        return False

    def _wait_for(self, stream: ByteStream, limit_ms: int) -> bool:
        """Do the same on a stream."""
        deadline = Deadline(None if limit_ms < 0 else limit_ms / 1000)
        try:
            stream.wait(select.POLLIN, deadline, "receive")
        except Cancelled:
            return True
        except DeviceIOError:
            self._end(SILENT)
        return False
