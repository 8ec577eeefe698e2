"""Frames to images as python-sane gives them: rows of 8 bit samples, or of 16 where allowed.

It knows what each kind of frame becomes (python-api 5.1) and when progress is told; it knows
neither devices nor jobs.
"""

from __future__ import annotations

from .. import const
from ..api.images import image_of_bytes
from ..errors import error
from ..image.rows import HIGH_BYTE, bytes_from_bits
from ..pages import COLORS, FIRST_BYTES, READ_BYTES
from ..param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    import numpy as np
    from PIL.Image import Image

    from ..param import Parameters

    Array = np.ndarray[Any, Any]
    Progress = Callable[[int, int], object]
    Convert = Callable[[memoryview], bytes | bytearray]

    class Source(Protocol):
        """The frames of a job."""

        def parameters(self) -> Parameters:
            """Return what the frame that was started looks like."""

        def start(self) -> None:
            """Begin the next frame of the image."""

        def is_over(self, has_all_rows: bool) -> bool:
            """Tell whether the job is over; raise what a read would, if a row is missing."""

        def read_into(self, view: memoryview) -> int:
            """Write the frame's next bytes into *view*; return how many, 0 at its end."""


INVERTED = bytes(255 - sample for sample in range(256))


class Picture:
    """The image that begins with the frame that was started.

    is_last: no frame follows it in the job, as far as the driver has said. progress(row, rows) is
    called for each row; rows is what the driver promises, -1 if it does not.
    """

    def __init__(self, source: Source, progress: Progress | None) -> None:
        self._source = source
        self._progress = progress
        self._params = params = self._checked(source.parameters())
        self._ended = False
        self._row = 0
        self.is_last = True
        self.channels = 1 if params.format == const.FRAME_GRAY else 3
        frames = 3 if params.format in COLORS else 1
        self._rows = params.lines * frames if params.lines >= 0 else -1

    @staticmethod
    def _checked(params: Parameters) -> Parameters:
        """Return *params*, or raise error for a frame that is no image."""
        wrong = ""
        if not const.FRAME_GRAY <= params.format <= const.FRAME_BLUE:
            wrong = "Invalid frame format"
        elif params.depth not in (1, 8, 16):
            wrong = "Bad pixel depth"
        if not wrong:
            least = line_bytes(params.pixels_per_line, params.channels, params.depth)
            wrong = "Error during device I/O" if not 0 < least <= params.bytes_per_line else ""
        if wrong:
            found = error(wrong)
            found.status = const.STATUS_INVAL
            raise found
        return params

    def read(self, keeps_16: bool) -> tuple[bytearray, int, int, int, int]:
        """Return the bytes, width, lines, samples of a pixel, and bytes of a sample."""
        width = self._params.pixels_per_line
        size = 2 if keeps_16 and self._params.depth == 16 else 1
        data = self._planes(size) if self._params.format in COLORS else self._frame(size)
        self.is_last = bool(self._params.last_frame)
        return data, width, len(data) // (width * self.channels * size), self.channels, size

    def array(self) -> Array | None:
        """Return the samples as (height, width, channels), None without a whole row.

        A frame that needs no change is read into the array's memory.
        """
        import numpy

        params = self._params
        size = 2 if params.depth == 16 else 1
        samples: Array | None = None
        if params.format not in COLORS and self._converter(size) is None and params.lines > 0:
            memory = numpy.empty(params.lines * params.bytes_per_line, numpy.uint8)
            used = self._fill(memory.data)
            self.is_last = bool(params.last_frame)
            more = self._rest() if used == memory.nbytes else b""
            samples = numpy.append(memory, numpy.frombuffer(more, numpy.uint8)) if more else memory
            samples = samples[: (used + len(more)) // params.bytes_per_line * params.bytes_per_line]
        else:
            samples = numpy.frombuffer(self.read(True)[0], numpy.uint8)
        if not samples.size:
            return None
        kind = numpy.uint16 if size == 2 else numpy.uint8
        return samples.view(kind).reshape((-1, params.pixels_per_line, self.channels))

    def image(self) -> Image | None:
        """Return the image as PIL's, None without a whole row; no more than it has at a time."""
        from PIL import Image

        width = self._params.pixels_per_line
        if self._params.format != const.FRAME_RGB:
            data, width, lines, _, _ = self.read(False)
            return image_of_bytes((width, lines), self.channels, data) if lines else None
        found = Image.new("RGB", (width, max(self._params.lines, 0)))
        late: list[Any] = []
        done = 0
        for rows in self._strips(1):
            lines = len(rows) // (3 * width)
            strip = image_of_bytes((width, lines), 3, rows)
            if done + lines <= found.height:
                found.paste(strip, (0, done))
                done += lines
            else:
                late.append(strip)
        self.is_last = bool(self._params.last_frame)
        lines = done + sum(strip.height for strip in late)
        if lines != found.height:
            found = found.crop((0, 0, width, lines))
        for strip in late:
            found.paste(strip, (0, done))
            done += strip.height
        return found if lines else None

    # Frames

    def _planes(self, size: int) -> bytearray:
        """Read red, green and blue; return their pixels, as many as all three have."""
        planes: dict[int, bytearray] = {}
        first = self._params
        while True:
            if self._params.format not in COLORS or self._params.format in planes:
                raise error("Invalid frame format")
            planes[self._params.format] = self._frame(size)
            if self._params.last_frame:
                break
            self._source.start()
            self._params = self._checked(self._source.parameters())
            self._ended = False
            if (self._params.pixels_per_line, self._params.depth) != (
                first.pixels_per_line,
                first.depth,
            ):
                raise error("Error during device I/O")
        least = min(map(len, planes.values()))
        data = bytearray(3 * least)
        for format, plane in planes.items():
            for byte in range(size):
                at = (format - const.FRAME_RED) * size + byte
                data[at :: 3 * size] = memoryview(plane)[:least][byte::size]
        return data

    def _frame(self, size: int) -> bytearray:
        """Return the samples of the frame, each of *size* bytes, in whole rows."""
        params = self._params
        if self._converter(size) is None:
            return self._plain_frame()
        row_bytes = params.pixels_per_line * params.channels * size
        data = bytearray(min(max(params.lines, 0) * row_bytes, FIRST_BYTES))
        used = 0
        for rows in self._strips(size):
            if used + len(rows) > len(data):
                del data[used:]
            data[used : used + len(rows)] = rows
            used += len(rows)
        del data[used:]
        return data

    def _plain_frame(self) -> bytearray:
        """Return the frame as it comes, read in its place, in whole rows."""
        pitch = self._params.bytes_per_line
        data = bytearray(min(max(self._params.lines, 0), FIRST_BYTES // pitch) * pitch)
        with memoryview(data) as view:
            used = self._fill(view)
        del data[used:]
        data += self._rest()
        del data[len(data) // pitch * pitch :]
        return data

    def _rest(self) -> bytearray:
        """Return what the frame has beyond the promised rows, or all that it has without any."""
        data = bytearray()
        more = memoryview(self._lines())
        while n := self._fill(more):
            data += more[:n]
        return data

    def _strips(self, size: int) -> Iterator[memoryview | bytes | bytearray]:
        """Yield rows of samples of *size* bytes; they are those of the next step afterwards."""
        pitch = self._params.bytes_per_line
        convert = self._converter(size)
        lines = memoryview(self._lines())
        while n := self._fill(lines) // pitch * pitch:
            yield lines[:n] if convert is None else convert(lines[:n])

    def _lines(self) -> bytearray:
        """Return memory for some whole lines, as _fill takes it."""
        pitch = self._params.bytes_per_line
        return bytearray(max(READ_BYTES // pitch, 1) * pitch)

    def _fill(self, view: memoryview) -> int:
        """Fill *view*, from the start of a line, with the frame's next bytes; return how many.

        They are fewer at its end.
        """
        pitch = self._params.bytes_per_line
        done = 0
        while done < len(view) and not self._ended:
            most = READ_BYTES if self._progress is None else pitch - done % pitch
            with view[done : done + most] as part:
                n = self._source.read_into(part)
            done += n
            self._ended = not n
            if n and self._progress is not None and done % pitch == 0:
                self._row += 1
                self._progress(self._row, self._rows)
                self._ended = self._source.is_over(self._row == self._rows)
        return done

    # Rows

    def _converter(self, size: int) -> Convert | None:
        """Return what makes samples of *size* bytes of whole lines; None: they are."""
        params = self._params
        row_bytes = line_bytes(params.pixels_per_line, params.channels, params.depth)
        if params.depth == 1:
            return self._from_bits
        if params.depth == 16 and size == 1:
            return self._high_bytes
        return None if params.bytes_per_line == row_bytes else self._without_padding

    def _without_padding(self, lines: memoryview) -> bytes | bytearray:
        params = self._params
        row_bytes = line_bytes(params.pixels_per_line, params.channels, params.depth)
        pitch = params.bytes_per_line
        if row_bytes == pitch:
            return bytes(lines)
        return b"".join([lines[at : at + row_bytes] for at in range(0, len(lines), pitch)])

    def _high_bytes(self, lines: memoryview) -> bytes | bytearray:
        return self._without_padding(lines)[HIGH_BYTE::2]

    def _from_bits(self, lines: memoryview) -> bytes | bytearray:
        """Return samples of 0 for each bit that is set, else 255: of colours as well."""
        params = self._params
        bits = self._without_padding(lines)
        row_samples = params.pixels_per_line * params.channels
        samples = bytearray(len(lines) // params.bytes_per_line * row_samples)
        with memoryview(bits) as source, memoryview(samples) as view:
            bytes_from_bits(source, view, params.pixels_per_line, params.channels)
        return samples if params.channels == 1 else samples.translate(INVERTED)
