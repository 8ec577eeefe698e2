"""One page: frames in, a file out. Padding is dropped, three passes become one picture.

It knows frames and encoders, and neither devices nor files. A picture of unknown height, or of
three passes, is kept until it is complete; others are written as they come.
"""

from __future__ import annotations

from ...const import FRAME_BLUE, FRAME_GRAY, FRAME_GREEN, FRAME_RED, FRAME_RGB
from ...param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...image.encoder import Encoder
    from ...param import Parameters

    Make = Callable[[tuple[int, int], tuple[int, int]], Encoder]  # of size and form

PASSES = (FRAME_RED, FRAME_GREEN, FRAME_BLUE)
DEPTHS = (1, 8, 16)
WHITE_BYTES = 1 << 16  # of missing rows, at a time


class BadPage(Exception):
    """The device has sent what is no picture."""


class Page:
    """A page in the making: begin() and feed() each frame, then end().

    make(size, form) makes the encoder. write(data) gets the file's bytes.
    """

    def __init__(self, make: Make, write: Callable[[bytes], None]) -> None:
        self._make = make
        self._write = write
        self._encoder: Encoder | None = None
        self._left = 0  # bytes of the picture that the encoder still gets
        self._params: Parameters | None = None
        self._row_bytes = self._pitch = 0
        self._part = bytearray()  # of a padded line whose end has not come
        self._frame = bytearray()  # one that is kept
        self._planes: dict[int, bytearray] = {}
        self.missing_lines = 0

    def begin(self, params: Parameters) -> None:
        """Begin a frame; raises BadPage for one that cannot be."""
        first = self._params
        is_pass = params.format in PASSES
        if params.depth not in DEPTHS or not (is_pass or params.format in (FRAME_GRAY, FRAME_RGB)):
            raise BadPage(f"a frame that cannot be written: {params}")
        if first is not None:
            shape = (params.pixels_per_line, params.depth)
            if not is_pass or shape != (first.pixels_per_line, first.depth):
                raise BadPage(f"the frames of one page differ: {first}, then {params}")
        self._params = params
        self._row_bytes = line_bytes(params.pixels_per_line, params.channels, params.depth)
        self._pitch = params.bytes_per_line
        if not 0 < self._row_bytes <= self._pitch:
            raise BadPage(f"a frame that cannot be: {params}")
        self._part = bytearray()
        self._frame = bytearray()
        if is_pass:
            self._planes[params.format] = self._frame
        elif params.lines >= 0:
            self._start_file(params.lines, params.channels, self._row_bytes)

    def _start_file(self, lines: int, channels: int, row_bytes: int) -> None:
        assert self._params is not None
        size = (self._params.pixels_per_line, lines)
        try:
            self._encoder = self._make(size, (channels, self._params.depth))
        except ValueError as exc:
            raise BadPage(str(exc)) from exc
        self._left = lines * row_bytes
        self._encode(b"")  # the file's head is written before the first row comes

    def feed(self, data: memoryview) -> None:
        """Take the next bytes of the frame."""
        rows = data if self._pitch == self._row_bytes else self._without_padding(data)
        if self._encoder is None:
            self._frame += rows
        else:
            self._encode(rows)

    def _encode(self, rows: memoryview | bytes) -> None:
        """Give rows to the encoder; more than were announced are dropped."""
        assert self._encoder is not None
        with memoryview(rows) as view:
            part = view[: self._left]
            self._left -= len(part)
            out = self._encoder.feed(part)
        if out:
            self._write(out)

    def _without_padding(self, data: memoryview) -> bytes:
        part, pitch, row = self._part, self._pitch, self._row_bytes
        part += data
        end = len(part) // pitch * pitch
        rows = b"".join([part[at : at + row] for at in range(0, end, pitch)])
        del part[:end]
        return rows

    def end(self) -> None:
        """Finish the file; raises BadPage when no row has come."""
        assert self._params is not None
        if self._planes:
            self._join()
        elif self._encoder is None:
            lines = len(self._frame) // self._row_bytes
            self._keep_whole(lines, self._params.channels, self._frame)
        self._fill()
        assert self._encoder is not None
        self._write(self._encoder.end())

    def _keep_whole(self, lines: int, channels: int, data: bytearray) -> None:
        if not lines:
            raise BadPage("the scanner has sent no data")
        row_bytes = self._row_bytes * (channels if self._planes else 1)
        self._start_file(lines, channels, row_bytes)
        self._encode(memoryview(data))

    def _join(self) -> None:
        """Make one picture of three passes."""
        assert self._params is not None
        if len(self._planes) != len(PASSES):
            raise BadPage(f"only {len(self._planes)} of three colour frames arrived")
        lines = min(len(plane) for plane in self._planes.values()) // self._row_bytes
        count = lines * self._row_bytes
        size = 2 if self._params.depth > 8 else 1
        out = bytearray(len(PASSES) * count)
        for number, color in enumerate(PASSES):
            plane = self._planes[color]
            for byte in range(size):
                out[number * size + byte :: 3 * size] = plane[byte:count:size]
        self._keep_whole(lines, 3, out)

    def _fill(self) -> None:
        """Complete a picture whose rows did not all come, with white."""
        assert self._params is not None and self._encoder is not None
        if not self._left:
            return
        whole = self._encoder.row_bytes * self._encoder.lines
        if self._left == whole:
            raise BadPage("the scanner has sent no data")
        self.missing_lines = -(-self._left // self._encoder.row_bytes)
        is_bitmap = self._params.depth == 1 and self._encoder.channels == 1
        white = (b"\0" if is_bitmap else b"\xff") * WHITE_BYTES
        while self._left:
            self._encode(white)
