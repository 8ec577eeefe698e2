"""Rows of a frame out of whatever the device sends, in pieces of any size.

A driver feeds what it receives and reads what is finished; layout.py says where samples are.
Compiled with lines.pxd, or uncompiled and slow: the same.
"""

from __future__ import annotations

from .layout import BITS, BYTES, COPY, MANY, SHIFT, WEAVE
from .memory import let_go, pages
from .rows import gather_bits, gather_bytes, gather_words, shift_bits
from .weave import copy, weave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .memory import Memory

FIRST_BYTES = 1 << 16  # of the store
FILL_BYTES = 1 << 16  # of white that is made at a time

_View = memoryview  # aliases, so that the types in lines.pxd decide when compiled
_Size = int
_Starts = list


class Lines:
    """One frame in the making: *lines* rows of *layout*'s form, -1 for as many as will come.

    Feed it the device's bytes, from the first on and cut anywhere; read_into gives the rows that
    are finished. What was fed and is still needed is kept, whatever its size: a side of a sheet
    may be fed whole and read later.

    Too much: what comes behind the last row, or after end(), is dropped and counted in `surplus`.
    Too little: read_into gives 0 while the next row is not there. end() tells that nothing more
    comes: the line that was cut is completed with white, and white rows follow up to *lines*;
    `missing` tells how many bytes of the stream did not come. With -1 lines the frame then ends
    with the last row of which all colours came.
    """

    def __init__(self, layout: Layout, lines: int = -1) -> None:
        self._pages: Memory = bytearray(FIRST_BYTES)
        self._store = memoryview(self._pages)
        self._start = self._end = 0  # in it: what was fed and is still needed
        self._origin = 0  # place in the stream of the store's first byte
        self._row = 0  # the next one to be put together
        self._part_left = 0  # bytes of a row that did not fit, still to be read
        self._has_ended = False
        self.surplus = self.missing = self.taken = 0
        self._plan(layout, lines)

    def _plan(self, layout: Layout, lines: int) -> None:
        """Take over form and size, with what the reading needs at hand."""
        self.layout = layout
        self.lines = lines
        self.row_bytes = layout.row_bytes
        self._kind, self._mask = layout.kind, layout.mask
        self._is_even, self._is_flat = layout.is_even, layout.is_flat
        self._skip = layout.skip_bytes + layout.skip_lines * layout.pitch  # where it is flat
        self._period = layout.period
        self._part = memoryview(bytearray(self.row_bytes))  # a row that did not fit
        self._left, self._step, self._width = layout.left_bytes, layout.step, layout.used_px
        self._is_narrow = layout.used_px < layout.width_px
        self._placed = -1  # the row that the next four are about
        self._first = self._last = self._count = 0
        self._starts: list[int] = []
        # Of the frame in the stream, with the padding behind it, once its height is known.
        self._stream_end = layout.stream_bytes(lines) if lines >= 0 else -1

    # Sizes

    @property
    def width_px(self) -> int:
        """Pixels of a row."""
        return self.layout.width_px

    @property
    def left_bytes(self) -> int:
        """How much of the frame was not read yet, -1 while its height is unknown."""
        return self.row_bytes * self.lines - self.taken if self.lines >= 0 else -1

    @property
    def fed(self) -> int:
        """Bytes that have come."""
        return self._origin + self._end

    @property
    def is_done(self) -> bool:
        """All of the frame was read."""
        return self.left_bytes == 0

    @property
    def is_direct(self) -> bool:
        """The device's next bytes are the frame's: they may go where they are wanted; passed()."""
        here = self._origin + self._end
        is_empty = self._start == self._end and here >= self._skip
        return self._is_flat and not self._mask and is_empty and not self._has_ended

    # From the device

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the device, as many as there are."""
        size = len(data)
        room = size
        if self._has_ended:
            room = 0
        elif self._stream_end >= 0:
            room = max(0, self._stream_end - self._origin - self._end)
        if size > room:
            self.surplus += size - room
            size = room
        if self._end + size > len(self._store):
            self._make_room(size)
        with memoryview(data) as view:
            self._store[self._end : self._end + size] = view[:size]
        self._end += size

    def reserve(self, size: int) -> None:
        """Make room for *size* bytes at once, where so many are to be kept; before any are fed.

        They take memory as they come: a side of 26 MB is not filled with zeros before.
        """
        if not self._end and size > len(self._store):
            self._pages = pages(size)
            self._store = memoryview(self._pages)

    def let_go(self) -> None:
        """Give the memory of what was read back, where it was reserved."""
        let_go(self._pages, self._start)

    def room(self, size: int) -> memoryview:
        """Return where the next *size* bytes belong, to be received there; then call filled()."""
        if self._end + size > len(self._store):
            self._make_room(size)
        return self._store[self._end : self._end + size]

    def filled(self, size: int) -> None:
        """Take the first *size* bytes of room() as fed, as many as are still wanted."""
        wanted = size
        if self._has_ended:
            wanted = 0
        elif self._stream_end >= 0:
            wanted = min(size, max(0, self._stream_end - self._origin - self._end))
        self.surplus += size - wanted
        self._end += wanted

    def _make_room(self, size: _Size) -> None:
        """Make *size* bytes free behind the end: move what is kept, or grow; both seldom."""
        old = self._store
        kept = self._end - self._start
        if 2 * (kept + size) > len(old):
            self._pages = bytearray(2 * (kept + size))
            self._store = memoryview(self._pages)
        self._store[:kept] = old[self._start : self._end]
        self._origin += self._start
        self._start, self._end = 0, kept

    def passed(self, size: int) -> None:
        """Count *size* bytes that went past from device to frontend, where is_direct allows it.

        Raises ValueError where it does not, and for more than is left of the frame.
        """
        if not self.is_direct or 0 <= self.left_bytes < size:
            raise ValueError(f"{size} bytes may not pass by, {self.left_bytes} are left")
        self._origin += size
        self.taken += size

    def fit(self, width_px: int, lines: int, wire_width: int = 0) -> None:
        """Take over the real size, from a device that tells it late: before anything is read.

        wire_width: of the lines that were fed, if that is another than was thought, too. Raises
        ValueError after reading, and for a size that no layout may have.
        """
        if self.taken:
            raise ValueError(f"{width_px} x {lines} pixels, but {self.taken} bytes were read")
        wire_width = wire_width or self.layout.wire_width
        self._plan(self.layout.changed(width_px=width_px, wire_width=wire_width), lines)

    def end(self) -> None:
        """Tell that nothing more comes; a second time it does nothing."""
        if self._has_ended:
            return
        layout = self.layout
        here = self._origin + self._end
        self.missing = max(0, self._stream_end - layout.padding - here)
        cut = max(0, here - layout.skip_bytes) % layout.pitch
        if 0 < cut < layout.line_bytes:
            white = bytes((layout.white ^ layout.mask,))
            self.feed(white * (layout.line_bytes - cut))
        self._has_ended = True
        if self.lines < 0:
            self.lines = self._finished_rows()

    def _finished_rows(self) -> int:
        """Return how many rows there are with what has come."""
        row = self._row
        n = self._ready(row, MANY)
        while n:
            row += n
            n = self._ready(row, MANY)
        return row

    # To the frontend

    def read_into(self, view: _View) -> int:
        """Write what is finished into *view*, as far as it has room; return how many bytes.

        0: the next row is not there yet, or is_done. A row may be read in parts.
        """
        room = len(view)
        done = self._read_flat(view, room) if self._is_flat else self._read_rows(view, room)
        if done < room and self._has_ended:
            size = min(room - done, self.row_bytes * self.lines - self.taken - done, FILL_BYTES)
            view[done : done + size] = bytes((self.layout.white,)) * size
            done += size
        self.taken += done
        return done

    def _read_flat(self, view: _View, room: _Size) -> _Size:
        """Read bytes as they are; the stream has nothing but rows."""
        start = max(self._start, self._skip - self._origin)
        size = min(room, self._end - start)
        if size <= 0:
            return 0
        copy(self._store[start:], 0, view, 0, 1, size, self._mask)
        self._start = start + size
        return size

    def _read_rows(self, view: _View, room: _Size) -> _Size:
        """Read rows into *view*; one that does not fit is kept for the next read."""
        row_bytes = self.row_bytes
        done = self._take_part(view, 0, room)
        while done < room:
            rows = self._ready(self._row, max(1, (room - done) // row_bytes))
            if rows == 0:
                break
            if room - done >= row_bytes:
                self._assemble(view, done, rows)
                done += rows * row_bytes
            else:
                self._assemble(self._part, 0, 1)
                self._part_left = row_bytes
                done += self._take_part(view, done, room)
        return done

    def _take_part(self, view: _View, at: _Size, room: _Size) -> _Size:
        """Read what is left of the row that did not fit."""
        size = min(room - at, self._part_left)
        if size:
            start = self.row_bytes - self._part_left
            view[at : at + size] = self._part[start : start + size]
            self._part_left -= size
        return size

    def _ready(self, row: _Size, most: _Size) -> _Size:
        """Return how many rows from *row* on can be put together at once, up to *most*."""
        if self.lines >= 0:
            most = min(most, self.lines - row)
        if most <= 0:
            return 0
        spare = self._origin + self._end - self._shift(row) - self._last
        if spare < 0:
            return 0
        return min(most, self._count, 1 + spare // self._period)

    def _shift(self, row: _Size) -> _Size:
        """Return how much later than the row that was placed last *row* comes; place it if need be.

        Where rows lie evenly, the first one is placed and the others follow from it.
        """
        if self._placed < 0 or not (self._is_even or self._placed == row):
            self._placed = 0 if self._is_even else row
            place = self.layout.place(self._placed)
            self._first, self._last, self._count, self._starts = place
        return (row - self._placed) * self._period

    def _assemble(self, dst: _View, at: _Size, rows: _Size) -> None:
        """Put *rows* rows together that _ready allowed, and forget what they alone needed."""
        layout = self.layout
        shift = self._shift(self._row) - self._origin
        starts = [start + shift for start in self._starts]
        first = starts[0] + self._left
        src, out = self._store[first:], dst[at:]
        pitch, size, mask = self._period, self.row_bytes, self._mask
        if self._is_narrow or self._kind == BITS:
            out[: rows * size] = bytes((layout.white,)) * (rows * size)
        if self._kind == COPY:
            copy(src, pitch, out, size, rows, layout.used_bytes, mask)
        elif self._kind == WEAVE:
            green, blue = (self._store[start + self._left :] for start in starts[1:])
            weave(src, green, blue, pitch, self._step, out, size, rows, self._width, mask)
        elif self._kind == SHIFT:
            shift_bits(src, pitch, out, size, rows, self._width, layout.left % 8, mask)
        else:
            self._gather(starts, out, rows)
        self._row += rows
        first = self._shift(self._row) + self._first - self._origin
        self._start = max(self._start, min(first, self._end))

    def _gather(self, starts: _Starts[int], dst: _View, rows: _Size) -> None:
        """Put rows together sample by sample."""
        layout = self.layout
        pitch, step, mask = self._period, layout.step, self._mask
        size, target_step = self.row_bytes, layout.channels * layout.sample_bytes
        for start, strand in zip(starts, layout.strands, strict=True):
            src, out = self._store[start:], dst[strand.channel * layout.sample_bytes :]
            sources, targets = strand.sources, strand.targets
            if self._kind == BITS:
                gather_bits(src, pitch, out, size, rows, sources, targets, mask)
            elif self._kind == BYTES:
                form = pitch, step, out, size, target_step, rows
                gather_bytes(src, *form, sources, targets, mask)
            else:
                high = int(layout.byteorder == "little")
                form = pitch, step, out, size, target_step, rows
                gather_words(src, *form, sources, targets, mask, layout.bits, high)
