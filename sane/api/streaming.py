"""One page row by row, while it is scanned: two blocks of memory, whatever the page.

It knows frames and blocks of rows; it knows neither options nor backends.
"""

from __future__ import annotations

import sys

from ..errors import DeviceIOError, NoDocs, Unsupported
from ..pages import COLORS, whole_rows
from ..param import line_bytes
from ..scanner import CLOSE_SECONDS
from ..threads import start_thread
from .arguments import check_count
from .jobs import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np

    from ..param import Parameters
    from ..scanner import Frames
    from .machine import Machine
    from .meter import Meter, Progress
    from .scanner import Scanner

    Array = np.ndarray[Any, Any]

BLOCK_BYTES = 1 << 18
BUFFERS = 2  # one is with the consumer while the other is filled
PREVIEW_SIDE = 1024  # pixels, at most, of what a preview is made from


class RowBlock:
    """Rows of a page, or of a frame: *rows* as Page.array has them, *first* is their number.

    parameters: of the frame that they belong to.
    """

    __slots__ = ("first", "parameters", "rows")

    def __init__(self, first: int, rows: Array, parameters: Parameters) -> None:
        self.first = first
        self.rows = rows
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"<sane.RowBlock {self.first} to {self.first + len(self.rows) - 1}>"


class Filled:
    """A buffer with whole rows, as the driver has sent them."""

    __slots__ = ("buffer", "first", "parameters", "size")

    def __init__(self, buffer: bytearray, size: int, first: int, parameters: Parameters) -> None:
        self.buffer = buffer
        self.size = size
        self.first = first
        self.parameters = parameters


class Reader:
    """A thread that reads a page into one buffer while the other is in use.

    end() ends the job: it is called once, in the thread. takes_frames: all frames of the page are
    read, one after the other, else its first, which must be a whole page. start(run) starts the
    thread. told() is called in it whenever something has changed.
    """

    def __init__(
        self,
        source: Frames,
        end: Callable[[], None],
        meter: Meter,
        chunk_rows: int | None,
        *,
        takes_frames: bool,
        start: Callable[[Callable[[], None]], object] = start_thread,
        told: Callable[[], None] | None = None,
    ) -> None:
        import threading

        self.parameters: Parameters | None = None  # of the frame that is being read
        self._source = source
        self._end = end
        self._meter = meter
        self._chunk_rows = chunk_rows
        self._takes_frames = takes_frames
        self._told = told
        self._error: BaseException | None = None
        self.has_ended = self._is_stopped = False
        self._made = 0
        self._free: list[bytearray] = []
        self._ready: list[Filled] = []
        self._changed = threading.Condition()  # guards all this
        start(self._run)

    def _tell(self) -> None:
        """Let everybody look who waits; for the holder of the lock."""
        self._changed.notify_all()
        if self._told is not None:
            self._told()

    @property
    def has_news(self) -> bool:
        """next() and wait_begun() would not wait."""
        return bool(self._ready) or self.has_ended

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._meter.begin(1)
            while self._read_frame():
                pass
            self._meter.end()
        except BaseException as exc:
            error = exc
        try:
            self._end()
        except BaseException as exc:
            error = error or exc
        with self._changed:
            self._error = error
            self.has_ended = True
            self._tell()

    def _read_frame(self) -> bool:
        """Read the next frame; tell whether another one is to follow."""
        try:
            params = self._source.start()
        except NoDocs as exc:
            if self.parameters is None:
                raise
            raise DeviceIOError("the last frame of the page has not come") from exc
        if params.format in COLORS and not self._takes_frames:
            raise Unsupported(
                "the device sends a page in three frames, one for each colour: "
                "stream(frames=True) gives them one after the other"
            )
        if self.parameters is None:
            self._meter.expect(params)
        with self._changed:
            self.parameters = params
            self._tell()
        pitch = params.bytes_per_line
        chunk = self._chunk_rows or max(1, BLOCK_BYTES // pitch)
        first = 0
        while (filled := self._fill(params, chunk * pitch, first)) is not None:
            first += filled.size // pitch
            with self._changed:
                self._ready.append(filled)
                self._tell()
        return self._takes_frames and not params.last_frame and not self._is_stopped

    def _fill(self, params: Parameters, size: int, first: int) -> Filled | None:
        """Read the next rows of the frame into a free buffer; None at its end."""
        buffer = self._buffer(size)
        if buffer is None:
            return None
        used = 0
        with memoryview(buffer) as view:
            while used < size:
                with view[used:size] as rest:
                    n = self._source.read_into(rest)
                if not n:
                    break
                self._meter.add(n)
                used += n
        whole = used // params.bytes_per_line * params.bytes_per_line
        if not whole:
            self.give_back(buffer)
            return None
        return Filled(buffer, whole, first, params)

    def _buffer(self, size: int) -> bytearray | None:
        """Return a buffer that nobody uses, as soon as there is one; None after stop()."""
        with self._changed:
            while not self._is_stopped:
                if self._free:
                    buffer = self._free.pop()
                    if len(buffer) == size:
                        return buffer
                    self._made -= 1
                elif self._made < BUFFERS:
                    self._made += 1
                    return bytearray(size)
                else:
                    self._changed.wait()
        return None

    def give_back(self, buffer: bytearray) -> None:
        """Let the thread fill *buffer* again."""
        with self._changed:
            self._free.append(buffer)
            self._changed.notify_all()

    def wait_begun(self) -> Parameters:
        """Return the parameters of the first frame, when it has begun; raises what hinders it."""
        with self._changed:
            while self.parameters is None and not self.has_ended:
                self._changed.wait(brief(None))
            if self.parameters is None:
                assert self._error is not None
                raise self._error
            return self.parameters

    def next(self) -> Filled | None:
        """Return the next block, None at the end; raises what the thread met."""
        with self._changed:
            while not self._ready and not self.has_ended:
                self._changed.wait(brief(None))
            if self._ready:
                return self._ready.pop(0)
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def stop(self, cancel: Callable[[], None], seconds: float = CLOSE_SECONDS) -> None:
        """End the job, with *cancel* if it has not ended; wait for that for so long."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
            if self.has_ended:
                return
        cancel()
        with self._changed:
            self._changed.wait_for(lambda: self.has_ended, seconds)


def begun(
    machine: Machine,
    chunk_rows: int | None,
    progress: Callable[[Progress], object] | None,
    takes_frames: bool,
    **rest: Any,
) -> Reader:
    """Begin a job of one page; return what reads it. rest: start and told of Reader."""
    from .meter import Meter

    if chunk_rows is not None:
        check_count("stream: chunk_rows", chunk_rows, 1)
    source = machine.frames()
    source.begin()
    try:
        meter = Meter(progress)
        return Reader(source, source.end, meter, chunk_rows, takes_frames=takes_frames, **rest)
    except BaseException:
        source.end()
        raise


class Stream:
    """A page as it comes: an iterator of RowBlock, and a context manager that ends the job.

    The rows of a block are valid until the next one is asked for, unless copy was wanted. The
    driver is read at most two blocks ahead. parameters: of the frame that is being read.
    rows_done: how many rows were handed out. total: how many the page will have, None if nobody
    knows.
    """

    def __init__(self, scanner: Scanner, machine: Machine, reader: Reader, *, copy: bool) -> None:
        """Wait until the first frame has begun; raises what hinders it."""
        self._scanner = scanner  # which is open as long as this lives
        self._machine = machine
        self._reader = reader
        self._copy = copy
        self._lent: bytearray | None = None  # the consumer has it
        self._rest = memoryview(b"")  # rows of the block that was begun, without padding
        self._is_over = False
        self.rows_done = 0
        self._first = 0
        try:
            self.parameters: Parameters = reader.wait_begun()
        except BaseException:
            reader.stop(machine.cancel)
            raise
        self._thumbnail = _Thumbnail()

    @property
    def total(self) -> int | None:
        lines = self.parameters.lines
        return lines if lines >= 0 else None

    @property
    def row_bytes(self) -> int:
        """How many bytes a row has for readinto."""
        params = self.parameters
        return line_bytes(params.pixels_per_line, params.channels, params.depth)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> RowBlock:
        from .pixels import array_of

        rows = self._next_rows()
        if not rows:
            raise StopIteration
        first, params = self._first, self.parameters
        self._took(len(rows))
        lines = len(rows) // self.row_bytes
        data = bytearray(rows) if self._copy else rows
        pixels = array_of(data, params.pixels_per_line, lines, params.channels, params.depth)
        return RowBlock(first, pixels, params)

    def readinto(self, buffer: Any) -> int:
        """Write the next rows into *buffer*, packed and without padding; return how many bytes.

        That is a multiple of row_bytes, 0 at the end of the page. Raises ValueError for a buffer
        that cannot hold a row.
        """
        with memoryview(buffer) as given, given.cast("B") as view:
            rows = self._next_rows()
            if not rows:
                return 0
            size = min(len(view), len(rows)) // self.row_bytes * self.row_bytes
            if not size:
                raise ValueError(f"a row has {self.row_bytes} bytes, the buffer {len(view)}")
            view[:size] = rows[:size]
        self._took(size)
        return size

    def preview(self, max_side: int) -> Array:
        """Return what has been handed out so far, thinned out to *max_side* pixels at most.

        What it is made from has at most 1024 pixels a side.
        """
        check_count("preview: a max_side", max_side, 1)
        return self._thumbnail.array(max_side)

    def close(self) -> None:
        """End the job, if it has not ended."""
        if not self._is_over:
            self._is_over = True
            self._reader.stop(self._machine.cancel)

    def __del__(self) -> None:
        """End the job of a stream that was left."""
        if not getattr(self, "_is_over", True) and not sys.is_finalizing():
            self.close()

    def _next_rows(self) -> memoryview:
        """Return what is left of the block that was begun, or the next block; b"" at the end."""
        if self._rest or self._is_over:
            return self._rest
        self.give_back()
        try:
            filled = self._reader.next()
        except BaseException:
            self.close()
            raise
        if filled is None:
            self.close()
            return self._rest
        if filled.parameters is not self.parameters:
            self.parameters = filled.parameters
            self._thumbnail = _Thumbnail()
        if filled.first == 0:
            self.rows_done = 0
        self._lent, self._first = filled.buffer, filled.first
        sent = memoryview(filled.buffer)[: filled.size]
        self._rest = memoryview(whole_rows(self.parameters, sent))
        self._thumbnail.add(self.parameters, self._first, self._rest)
        return self._rest

    def give_back(self) -> None:
        """Let the driver go on, if all rows of the last block were handed out: they end here."""
        if self._lent is not None and not self._rest:
            self._reader.give_back(self._lent)
            self._lent = None

    def _took(self, size: int) -> None:
        """Note that *size* bytes of the rest are handed out."""
        lines = size // self.row_bytes
        self._rest = self._rest[size:]
        self._first += lines
        self.rows_done += lines


class _Thumbnail:
    """Some rows of a page, of each some pixels: as many as a preview needs, and no more."""

    def __init__(self) -> None:
        self._rows: list[list[bytes]] = []  # of each the channels; packed bits as they are
        self._every = 1  # which rows are kept
        self._params: Parameters | None = None
        self._step = 1

    def add(self, params: Parameters, first: int, rows: memoryview) -> None:
        """Take whole rows, without padding, the first one is number *first*."""
        self._params = params
        self._step = max(1, -(-params.pixels_per_line // PREVIEW_SIDE))
        size = line_bytes(params.pixels_per_line, params.channels, params.depth)
        for row in range(-(-first // self._every) * self._every, first + len(rows) // size, 1):
            if row % self._every:
                continue
            at = (row - first) * size
            self._rows.append(self._thinned(params, rows[at : at + size]))
            if len(self._rows) > PREVIEW_SIDE:
                del self._rows[1::2]
                self._every *= 2

    def _thinned(self, params: Parameters, row: memoryview) -> list[bytes]:
        if params.depth == 1:
            return [bytes(row)]
        samples = row.cast("H") if params.depth == 16 else row
        channels = params.channels
        return [samples[c :: channels * self._step].tobytes() for c in range(channels)]

    def array(self, max_side: int) -> Array:
        """Return the rows as pixels, none if none has come."""
        import numpy as np

        from .pixels import array_of, thinned

        params = self._params
        if params is None:
            return np.zeros((0, 0), np.uint8)
        if params.depth == 1:
            packed = b"".join(row for (row,) in self._rows)
            size = params.pixels_per_line, len(self._rows), params.channels, 1
            return thinned(array_of(packed, *size)[:, :: self._step], max_side)
        kind = np.uint16 if params.depth == 16 else np.uint8
        planes = [np.frombuffer(b"".join(plane), kind) for plane in zip(*self._rows, strict=True)]
        shaped = [plane.reshape(len(self._rows), -1) for plane in planes]
        return thinned(np.stack(shaped, axis=-1) if len(shaped) > 1 else shaped[0], max_side)
