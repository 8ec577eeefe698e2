"""A page between scanner and frontend: its stream in, rows of the frame out.

It knows layouts, and what is done to rows that are not yet the frame's: means of several, gray of
colour, line art of gray. It does no I/O. A page that ends early is white at its end, one that goes
on is cut. Source: specification pixma 3.2 to 3.9.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from ...image.lineart import Threshold
from ...image.lines import Lines
from ...image.rows import bits_from_gray, gray_from_rgb
from ...image.scaling import mean_rows
from .request import LUMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .request import Plan


BATCH_BYTES = 1 << 17  # of raw rows that are worked on at once
FILL_BYTES = 1 << 16
JPEG_WHITE = 128  # the darkest gray of a JPEG that is white in line art


class Picture:
    """The frame of one page: what comes is the frame's, once it is put in order."""

    def __init__(self, plan: Plan) -> None:
        self.lines = Lines(plan.layout, plan.lines)

    @property
    def is_done(self) -> bool:
        """All of the frame was read."""
        return self.lines.is_done

    def room(self, size: int) -> memoryview:
        """Return where the next *size* bytes may be received; then call filled()."""
        return self.lines.room(size)

    def filled(self, size: int) -> None:
        """Take the first *size* bytes of room() as come."""
        self.lines.filled(size)

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the scanner."""
        self.lines.feed(data)

    def end(self) -> None:
        """Take note that the page has ended."""
        self.lines.end()

    def read_into(self, view: memoryview) -> int:
        """Write what is ready into *view*; return how many bytes, 0 if nothing is."""
        return self.lines.read_into(view)


class WorkedPicture(Picture):
    """A page whose raw rows become rows of the frame by arithmetic."""

    def __init__(self, plan: Plan) -> None:
        self.lines = Lines(plan.layout)  # as many as come: those that are missing have no samples
        self._plan = plan
        self._raw_bytes = plan.layout.row_bytes * plan.scale  # that make one row
        self._left = plan.row_bytes * plan.lines  # of the frame, for the frontend
        self._wanted = plan.lines  # rows that are still to be made
        self._ready = memoryview(b"")
        self._has_ended = False
        self._raw = memoryview(bytearray(self._raw_bytes * self._batch()))
        self._raw_filled = 0
        self._threshold: Threshold | None = None
        if plan.is_thresholded:
            request = plan.request
            self._threshold = Threshold(request.threshold, request.curve, plan.dpi)

    def _batch(self) -> int:
        """Return how many rows are made at once."""
        return max(1, min(BATCH_BYTES // self._raw_bytes, self._plan.lines))

    @property
    def is_done(self) -> bool:
        return not self._left

    def feed(self, data: bytes | memoryview) -> None:
        if self._wanted:
            self.lines.feed(data)

    def filled(self, size: int) -> None:
        if self._wanted:
            self.lines.filled(size)

    def end(self) -> None:
        self.lines.end()
        self._has_ended = True

    def read_into(self, view: memoryview) -> int:
        done = 0
        while done < len(view) and (self._ready or self._make()):
            n = min(len(view) - done, len(self._ready))
            view[done : done + n] = self._ready[:n]
            self._ready = self._ready[n:]
            done += n
        if not done and self._has_ended:
            done = self._fill(view[: self._left])
        self._left -= done
        return done

    def _fill(self, view: memoryview) -> int:
        """Write white where rows are missing; return how many bytes."""
        n = min(len(view), FILL_BYTES)
        view[:n] = (b"\0" if self._plan.depth == 1 else b"\xff") * n
        return n

    def _make(self) -> bool:
        """Make the rows for which there is enough; tell whether there are any."""
        if not self._wanted:
            return False
        raw, size = self._raw, self._raw_bytes
        while self._raw_filled < len(raw) and (n := self._receive(raw[self._raw_filled :])):
            self._raw_filled += n
        rows = min(self._raw_filled // size, self._wanted)
        if not rows:
            return False
        self._ready = memoryview(self._worked(raw[: rows * size]))
        rest = self._raw_filled - rows * size
        raw[:rest] = raw[rows * size : self._raw_filled]
        self._raw_filled = rest
        self._wanted -= rows
        return True

    def _receive(self, view: memoryview) -> int:
        """Write raw rows into *view*; return how many bytes."""
        return self.lines.read_into(view)

    def _worked(self, raw: memoryview) -> bytes | bytearray | memoryview:
        """Return the rows of the frame that *raw* rows become."""
        plan = self._plan
        size = plan.layout.sample_bytes
        if plan.scale > 1:
            n, channels = plan.scale, plan.layout.channels
            mean = memoryview(bytearray(len(raw) // (n * n)))
            mean_rows(raw, mean, plan.width, channels, n, 8 * size)
            raw = mean
        if plan.weights is not None:
            gray = memoryview(bytearray(len(raw) // 3))
            gray_from_rgb(raw, gray, plan.weights, 8 * size)
            raw = gray
        if self._threshold is not None:
            return self._threshold.bits(raw, plan.width)
        return raw


class JpegPicture(WorkedPicture):
    """A page that comes as one JPEG, perhaps wider than the frame; with fewer lines it fails."""

    def __init__(self, plan: Plan) -> None:
        from ...image.document import Document

        super().__init__(plan)
        self._document = Document(plan.layout.wire_width, plan.lines, channels=3)
        self._is_begun = False  # its width is known
        self._scratch = memoryview(b"")
        self._decoded = memoryview(bytearray(BATCH_BYTES))

    def room(self, size: int) -> memoryview:
        if len(self._scratch) < size:
            self._scratch = memoryview(bytearray(size))
        return self._scratch[:size]

    def filled(self, size: int) -> None:
        self.feed(self._scratch[:size])

    def feed(self, data: bytes | memoryview) -> None:
        if self._wanted and len(data):
            self._document.feed(data)

    def end(self) -> None:
        if self._wanted:
            self._document.end()
        self._has_ended = True

    def _receive(self, view: memoryview) -> int:
        if not self._is_begun:
            if not self._document.prepare():
                return 0
            self._begin()
        n = self.lines.read_into(view)
        while not n and (size := self._document.read_into(self._decoded)):
            self.lines.feed(self._decoded[:size])
            n = self.lines.read_into(view)
        return n

    def _begin(self) -> None:
        """Take over the width of the JPEG: of a line, the first pixels are the frame's."""
        layout = self._plan.layout
        if self._document.width < layout.width_px:
            raise DeviceIOError(
                f"a JPEG of {self._document.width} pixels where {layout.width_px} are due"
            )
        self.lines = Lines(layout.changed(wire_width=self._document.width))
        self._is_begun = True

    def _worked(self, raw: memoryview) -> bytes | bytearray | memoryview:
        plan = self._plan
        if plan.depth != 1:
            return super()._worked(raw)
        gray = memoryview(bytearray(len(raw) // 3))
        gray_from_rgb(raw, gray, LUMA)
        bits = bytearray(len(gray) // plan.width * plan.row_bytes)
        with memoryview(bits) as view:
            bits_from_gray(gray, view, plan.width, JPEG_WHITE)
        return bits

    def _fill(self, view: memoryview) -> int:
        raise DeviceIOError(f"a JPEG with {self._wanted} lines too few")


def picture_of(plan: Plan) -> Picture:
    """Return what makes the frame of *plan*."""
    if plan.is_jpeg:
        return JpegPicture(plan)
    is_worked = plan.scale > 1 or plan.weights is not None or plan.is_thresholded
    return WorkedPicture(plan) if is_worked else Picture(plan)
