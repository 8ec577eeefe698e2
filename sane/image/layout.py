"""How a device sends the samples of a frame: which byte of the stream belongs where.

Arithmetic only; lines.py moves the bytes. Source: SANE standard 3.2 (frames); the orders are those
of Canon, Epson, Fujitsu, Plustek and Genesys scanners.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Table = Sequence[int]

MOST_PIXELS = 1 << 20  # of a line: 2400 dpi on four metres
MOST_PADDING = 1 << 20  # bytes behind a line
MOST_DISTANCE = 1 << 16  # lines between colours, or to be skipped
MANY = 1 << 40  # rows: more than a frame has
DEPTHS = (1, 8, 16)

# How a row is put together: the functions of weave.py and rows.py that lines.py calls.
COPY, WEAVE, BYTES, WORDS, SHIFT, BITS = range(6)


class Strand:
    """The samples of a row that lie in one line of the stream: of one colour, mostly.

    channel: of the frame. place: of its colour among those of the stream. line: how many lines
    later than the row's own it comes. sources, targets: columns of the line, and of the row.
    """

    __slots__ = ("channel", "line", "place", "sources", "targets")

    def __init__(self, channel: int, place: int, line: int, sources: Table, targets: Table) -> None:
        self.channel = channel
        self.place = place
        self.line = line
        self.sources = sources
        self.targets = targets


class Layout:
    """The samples of a frame, and where in the device's stream they are.

    The frame has *width_px* pixels a row, of *channels* samples (1 or 3) of *depth* bits: 1 (one
    channel; 1 is black), 8 or 16 (native order). The rest is about the stream:

    colors: its samples in order, one letter each: "RGB" (default), "BGR", "RGBI", "K" for gray.
    pick: those that the frame gets, where it is not R, G and B, or the only one: "G" makes gray
    of green. plane_lines: 0, the samples of a pixel lie together; 1, a line holds one colour, and
    the lines of all colours follow one another; n, n lines of each colour follow one another.
    stagger: for each channel of the frame, how many lines later than row k its line k comes.

    wire_width: pixels of a line, left + width_px by default. left: those before the frame's. Where
    fewer than width_px are left behind them, the rest of each row is white.
    padding: bytes behind each line (of each colour). skip_bytes, skip_lines: before the frame
    begins. row_ratio: (m, n), m lines of the stream become n rows, n <= m.
    columns: for each pixel of a line as it should be, which pixel of the stream it is: made by
    interleaved(), or [*range(0, 99), *range(110, 209)] for sensors side by side with a gap.
    column_lines: for each such pixel, how many lines later it comes; repeats itself, so (0, 4)
    says that odd pixels come four lines later.

    byteorder: of samples of 16 bits, "little" or "big". bits: how many of them count; fewer than
    16 are the low ones, and are spread over all. invert: the device's 0 is white (8 and 16 bits),
    or its 1 (depth 1).

    Raises ValueError for what cannot be.
    """

    def __init__(
        self,
        width_px: int,
        channels: int = 1,
        depth: int = 8,
        *,
        colors: str = "",
        pick: str = "",
        plane_lines: int = 0,
        stagger: Sequence[int] = (),
        wire_width: int = 0,
        left: int = 0,
        padding: int = 0,
        skip_bytes: int = 0,
        skip_lines: int = 0,
        row_ratio: tuple[int, int] = (1, 1),
        columns: Sequence[int] | None = None,
        column_lines: Sequence[int] = (0,),
        byteorder: str = "little",
        bits: int = 16,
        invert: bool = False,
    ) -> None:
        self.width_px, self.channels, self.depth = width_px, channels, depth
        self.colors = colors or ("RGB" if channels == 3 else "K")
        self.pick = pick or ("RGB" if channels == 3 else self.colors[0])
        self.plane_lines = plane_lines
        self.stagger = tuple(stagger) or (0,) * channels
        self.left, self.columns, self.column_lines = left, columns, tuple(column_lines)
        self.wire_width = wire_width or left + width_px
        self.padding, self.skip_bytes, self.skip_lines = padding, skip_bytes, skip_lines
        self.row_ratio = row_ratio
        self.byteorder, self.bits, self.invert = byteorder, bits, invert
        self._derive()

    # Derived values

    def _derive(self) -> None:
        """Check what is given and work out the rest."""
        self._check()
        self._measure()
        self.kind = self._kind()
        self.strands = self._strands()

    def _measure(self) -> None:
        """Work out sizes in bytes; a line is one of one colour where colours come in planes."""
        have = self.wire_width if self.columns is None else len(self.columns)
        self.used_px = min(self.width_px, have - self.left)  # the others of a row are white
        self.sample_bytes = 2 if self.depth == 16 else 1
        self.planes = len(self.colors) if self.plane_lines else 1
        together = 1 if self.plane_lines else len(self.colors)
        self.step = together * self.sample_bytes  # from a pixel to the next, in the stream
        if self.depth == 1:
            self.row_bytes, self.used_bytes = (self.width_px + 7) // 8, (self.used_px + 7) // 8
            self.line_bytes = (self.wire_width + 7) // 8
        else:
            pixel_bytes = self.channels * self.sample_bytes
            self.row_bytes = self.width_px * pixel_bytes
            self.used_bytes = self.used_px * pixel_bytes
            self.line_bytes = self.wire_width * self.step
        self.pitch = self.line_bytes + self.padding
        self.left_bytes = self.left // 8 if self.depth == 1 else self.left * self.step
        self.period = self.pitch * (self.planes if self.plane_lines == 1 else 1)
        self.white = 0 if self.depth == 1 else 0xFF
        self.mask = 0xFF if self.invert else 0
        # Where rows lie evenly, the places of row 0 say where all are.
        self.is_even = self.plane_lines <= 1 and self.row_ratio[0] == self.row_ratio[1]

    @property
    def is_swapped(self) -> bool:
        """The two bytes of a sample come in the order that this machine does not use."""
        return self.depth == 16 and self.byteorder != sys.byteorder

    @property
    def is_flat(self) -> bool:
        """The frame's bytes are the stream's, perhaps inverted, one after the other."""
        return (
            self.kind == COPY
            and self.is_even
            and self.pitch == self.row_bytes
            and self.used_px == self.width_px
            and not any(self.stagger)
        )

    def _kind(self) -> int:
        """Choose the function that puts rows together: the fastest that can."""
        is_plain = self.columns is None and not any(self.column_lines)
        if self.depth == 1:
            if not is_plain:
                return BITS
            return SHIFT if self.left % 8 or self.used_px % 8 else COPY
        if self.depth == 16 and (self.is_swapped or self.bits < 16):
            return WORDS
        is_one_line = not any(self.stagger) and (self.channels == 1 or not self.plane_lines)
        if is_plain and is_one_line and self.pick == self.colors:
            return COPY
        if self.depth == 16:
            return WORDS
        return WEAVE if is_plain and self.channels == 3 else BYTES

    def _strands(self) -> list[Strand]:
        """Sort the samples of a row by the line of the stream in which they lie."""
        simple = self.kind in (COPY, WEAVE, SHIFT)
        tables = {offset: self._tables(offset) for offset in sorted(set(self.column_lines))}
        return [
            Strand(channel, self.colors.index(color), self.stagger[channel] + offset, *columns)
            for channel, color in enumerate(self.pick)
            for offset, columns in tables.items()
            if simple or columns[0]
        ]

    def _tables(self, offset: int) -> tuple[Table, Table]:
        """Return which columns of a line become which of the row; none where all simply follow."""
        from array import array

        if self.kind in (COPY, WEAVE, SHIFT):
            return (), ()
        columns: Sequence[int] = range(self.left, self.left + self.used_px)
        pattern = self.column_lines
        if len(set(pattern)) > 1:
            columns = [x for x in columns if pattern[x % len(pattern)] == offset]
        order = self.columns
        sources = columns if order is None else [order[x] for x in columns]
        return array("i", sources), array("i", [x - self.left for x in columns])

    # Places in the stream

    def place(self, row: int) -> tuple[int, int, int, list[int]]:
        """Return where the samples of *row* are, in bytes from the start of the stream.

        First byte that this row or a later one needs; byte behind the last one that it needs; how
        many rows from this one on lie *period* bytes apart; the start of each strand's line, or
        where samples of a pixel lie together, of the strand's first sample in it.
        """
        m, n = self.row_ratio
        line = self.skip_lines - (-row * m // n)
        lines = [line + strand.line for strand in self.strands]
        starts = [self._line(k, s.place) for k, s in zip(lines, self.strands, strict=True)]
        end = max(starts) + self.line_bytes
        count = 1 if m != n else MANY
        if self.plane_lines > 1:
            count = min(count, self.plane_lines - max(k % self.plane_lines for k in lines))
        first = min(starts)
        if not self.plane_lines:
            starts = [
                at + strand.place * self.sample_bytes
                for at, strand in zip(starts, self.strands, strict=True)
            ]
        return first, end, count, starts

    def _line(self, line: int, place: int) -> int:
        """Return where a line begins: *line* of the colour at *place*."""
        n = self.plane_lines
        if n:
            group, k = divmod(line, n)
            line = (group * self.planes + place) * n + k
        return self.skip_bytes + line * self.pitch

    def stream_bytes(self, lines: int) -> int:
        """Return how much of the stream *lines* rows take, with the padding behind the last."""
        return self.place(lines - 1)[1] + self.padding if lines > 0 else 0

    def changed(self, **values: Any) -> Layout:
        """Return a layout like this with other *values*: arguments that were given or implied."""
        other = Layout.__new__(Layout)
        other.__dict__.update(self.__dict__)
        other.__dict__.update(values)
        other._derive()
        return other

    # Sense

    def _check(self) -> None:
        """Raise ValueError for what cannot be, so that all places lie inside the lines."""
        if self.depth not in DEPTHS or self.channels not in (1, 3):
            raise ValueError(f"{self.channels} channels of {self.depth} bits")
        if self.depth == 1 and len(self.colors) != 1:
            raise ValueError(f"colours {self.colors} of 1 bit")
        if not 1 <= self.width_px <= MOST_PIXELS or not 1 <= self.wire_width <= MOST_PIXELS:
            raise ValueError(f"{self.width_px} of {self.wire_width} pixels a line")
        if len(set(self.colors)) != len(self.colors):
            raise ValueError(f"colours {self.colors}: one twice")
        if len(self.pick) != self.channels or not set(self.pick) <= set(self.colors):
            raise ValueError(f"{self.channels} channels {self.pick} of colours {self.colors}")
        if self.byteorder not in ("little", "big") or not 8 < self.bits <= 16:
            raise ValueError(f"samples of {self.bits} bits, {self.byteorder} end first")
        m, n = self.row_ratio
        if not 1 <= n <= m <= MOST_DISTANCE:
            raise ValueError(f"{m} lines for {n} rows")
        self._check_distances()
        self._check_columns()

    def _check_distances(self) -> None:
        if len(self.stagger) != self.channels or not self.column_lines:
            raise ValueError(f"stagger {self.stagger}, column lines {self.column_lines}")
        distances = (*self.stagger, *self.column_lines, self.skip_lines)
        if min(distances) < 0 or max(distances) > MOST_DISTANCE:
            raise ValueError(f"a distance of {min(distances)} or {max(distances)} lines")
        bytes_between = self.padding, self.skip_bytes
        if min(bytes_between) < 0 or max(bytes_between) > MOST_PADDING:
            raise ValueError(f"{self.padding} bytes behind lines, {self.skip_bytes} before all")
        if not 0 <= self.plane_lines <= 1 << 31:
            raise ValueError(f"planes of {self.plane_lines} lines")

    def _check_columns(self) -> None:
        have = self.wire_width if self.columns is None else len(self.columns)
        right = min(self.left + self.width_px, have)
        if not 0 <= self.left < have:
            raise ValueError(f"pixels from {self.left} on of {have}")
        if self.columns is not None:
            used = self.columns[self.left : right]
            if min(used) < 0 or max(used) >= self.wire_width:
                raise ValueError(f"columns {min(used)} to {max(used)} of {self.wire_width}")


def interleaved(width: int, phases: int, order: Sequence[int] = (), distance: int = 0) -> list[int]:
    """Return Layout's columns for a line that comes in segments: each has every phases-th pixel.

    width: pixels of the whole line, a multiple of *phases*. order: order[i] is the segment of
    pixels i, i + phases and so on; by default the i-th. distance: pixels from the start of one
    segment to that of the next, width / phases by default. Raises ValueError for what cannot be.
    """
    order = tuple(order) or tuple(range(phases))
    if phases < 1 or width % phases or sorted(order) != list(range(phases)):
        raise ValueError(f"{width} pixels in {phases} segments in the order {order}")
    distance = distance or width // phases
    return [i // phases + distance * order[i % phases] for i in range(width)]
