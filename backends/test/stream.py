"""The bytes of one frame in order, copied out of a Picture in pieces as long as they come.

Compiled, stream.pxd adds a reader that needs no GIL; the choice of pieces below serves both.
"""

from __future__ import annotations

from ... import errors
from ...const import STATUS_EOF, STATUS_GOOD  # noqa: F401  # what the reader in stream.pxd says

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Picture

_Size = int  # an alias, so that the type in stream.pxd decides when compiled


class PictureStream:
    """Delivers the first *frame_bytes* bytes of *picture*, line after line.

    limit: the most bytes that one read returns; 0 or less is none.
    """

    def __init__(self, picture: Picture, frame_bytes: int, limit: int) -> None:
        if frame_bytes < 0:
            raise errors.Invalid(f"a frame of {frame_bytes} bytes")
        _check(picture)
        tile: bytes = picture.tile
        row_index: bytes = picture.row_index
        self._owned = tile, row_index  # compiled, the next two are only pointers into them
        self._tile = tile
        self._row_index = row_index
        self._view = memoryview(tile)
        self._row_period = picture.row_period
        self._body_bytes = picture.body_bytes
        self._line_bytes = picture.line_bytes
        self._tail_start = picture.tail_start
        self._lines = len(row_index) // 2
        self._fill = picture.fill
        self._limit = limit
        self._left = frame_bytes
        # Where the next byte lies: line modulo T, byte in the line, byte in the row. _start is
        # its place in the tile, valid after _next_piece.
        self._line = self._column = self._phase = self._start = 0

    @property
    def left_bytes(self) -> int:
        """How many bytes of the frame were not read yet."""
        return self._left

    def read_into(self, view: memoryview) -> int:
        """Fill *view*, up to the limit and the end of the frame, and return the number of bytes.

        0 is the end of the frame. An empty view ends it, whatever is left (specification 5.2).
        """
        total = self._take(len(view))
        done = 0
        while done < total:
            size = self._next_piece(total - done)
            view[done : done + size] = self._view[self._start : self._start + size]
            done += size
        return done

    def capsule(self) -> object | None:
        """Return the frame as a reader without GIL (sane/reader.pxd), None when uncompiled.

        The capsule, called "pysane.reader", keeps this stream alive. Both deliver from the same
        place, so reads may be mixed but not run at once.
        """
        if __file__.endswith((".py", ".pyc")):
            return None
        # stream.pxd defines it, where neither tool looks.
        return new_capsule(self)  # type: ignore[name-defined, no-any-return]  # noqa: F821

    def _take(self, room: _Size) -> _Size:
        """Return how many bytes a read into *room* bytes gets, and count them as read."""
        size = room
        if size <= 0:
            self._left = size = 0
        if 0 < self._limit < size:
            size = self._limit
        size = min(size, self._left)
        self._left -= size
        return size

    def _next_piece(self, room: _Size) -> _Size:
        """Set _start to the next bytes' place in the tile; return how many can be copied at once.

        That is at most *room*, which is not 0. The stream then stands behind them.
        """
        if self._column < self._body_bytes:
            i = 2 * self._line
            row = self._row_index[i] + 256 * self._row_index[i + 1]
            self._start = row * self._row_period + self._phase
            size = min(self._row_period - self._phase, self._body_bytes - self._column)
        else:
            size = self._line_bytes - self._column
            tail_end = (self._line + 1) * (self._line_bytes - self._body_bytes)
            self._start = self._tail_start + tail_end - size
        size = min(size, room)
        self._phase += size
        if self._phase == self._row_period:
            self._phase = 0
        self._column += size
        if self._column == self._line_bytes:
            self._column = self._phase = 0
            self._line += 1
            if self._line == self._lines:
                self._line = 0
        return size


def _check(picture: Picture) -> None:
    """Raise ValueError unless all of *picture* lies inside its tile: the copying relies on it."""
    index = picture.row_index
    lines = len(index) // 2
    body_bytes = picture.body_bytes
    tail_bytes = picture.line_bytes - body_bytes
    if lines < 1 or body_bytes < 0 or tail_bytes < 0 or body_bytes + tail_bytes == 0:
        raise ValueError(f"{lines} lines of {body_bytes} and {tail_bytes} bytes")
    if body_bytes:
        rows = 1 + max(low + 256 * high for low, high in zip(index[::2], index[1::2], strict=True))
        if picture.row_period < 1 or rows * picture.row_period > picture.tail_start:
            raise ValueError(f"{rows} rows of {picture.row_period} in {picture.tail_start} bytes")
    if picture.tail_start + lines * tail_bytes > len(picture.tile):
        raise ValueError(f"{lines} tails of {tail_bytes} bytes end behind the tile")
