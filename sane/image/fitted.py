"""A document's picture as the frame that was promised: its size, its colours, its resolution.

Devices send other sizes than they were asked for, other colours, and other resolutions. Source:
specification escl 3.4, 4.6 and 4.7.
"""

from __future__ import annotations

import sys

from .layout import Layout
from .lines import Lines
from .picture import row_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .document import Document

    Rows = memoryview
    Step = Callable[[Rows], Rows]

LUMA = (299, 587, 114)  # of red, green and blue; ITU-R BT.601
TOLERANCE = 50  # sizes that differ by no more than a fiftieth are no other resolution
BLOCK_BYTES = 1 << 17  # of rows of the picture that are made at a time, but at least a row


class Fitted:
    """The frame: *lines* rows (-1: as many as come) of *width_px* pixels of *channels* x *depth*.

    sent: width and height in pixels that the device was asked for; the height may be -1. left,
    top: those before the frame. is_feeder: only the width tells the resolution. threshold: gray
    from which on a pixel of line art is white. tone: changes rows of samples (8 or native 16 bits)
    in place, before they become line art; it sees neither padding nor the device's own line art.

    What is beyond the frame is dropped, what is missing white. Raises what *document* does, and
    ValueError for a frame that cannot be.
    """

    def __init__(
        self,
        document: Document,
        width_px: int,
        lines: int,
        channels: int,
        depth: int,
        *,
        sent: tuple[int, int],
        left: int = 0,
        top: int = 0,
        is_feeder: bool = False,
        threshold: int = 128,
        tone: Callable[[memoryview], None] | None = None,
    ) -> None:
        self.layout = Layout(width_px, channels, depth)
        self.document = document
        self.lines = lines
        self.received = (0, 0)
        self.is_rescaled = False
        self._sent = sent
        self._left, self._top = left, top
        self._is_feeder = is_feeder
        self._threshold = threshold
        self._tone = tone
        self._rows: Lines | None = None
        self._steps: list[Step] = []
        self._last: Callable[[], bytes] | None = None  # rows that the scaler still has
        self._after: list[Step] = []  # what is to be done with these
        self._block = memoryview(b"")

    # The device's side

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the document."""
        self.document.feed(data)

    def end(self) -> None:
        """Tell that no more bytes of the document come."""
        self.document.end()

    # The frontend's side

    def read_into(self, view: memoryview) -> int:
        """Write the frame's next bytes into *view*; return how many, 0: feed more, or is_done."""
        if self._rows is None:
            if not self.document.prepare():
                return 0
            self._rows = self._prepared()
        rows = self._rows
        n = 0
        while not n and len(view) and not rows.is_done:
            if rows.is_direct and not self._steps and not self.document.is_done:
                left = rows.left_bytes
                n = self.document.read_into(view[:left] if left >= 0 else view)
                rows.passed(n)
            else:
                n = rows.read_into(view)
            if not n and not self._read_more(rows):
                return rows.read_into(view)
        return n

    @property
    def is_done(self) -> bool:
        """All of the frame was read."""
        return self._rows is not None and self._rows.is_done

    def _read_more(self, rows: Lines) -> bool:
        """Feed *rows* from the document; tell whether there was something to do."""
        document = self.document
        if rows.is_direct and not self._steps and not document.is_done:
            return False
        n = document.read_into(self._block) if not document.is_done else 0
        if n:
            self._pass(rows, self._block[:n], self._steps)
        elif document.is_done:
            self._end(rows)
        return n > 0

    def _pass(self, rows: Lines, block: Rows, steps: list[Step]) -> None:
        for step in steps:
            block = step(block)
        rows.feed(block)

    def _end(self, rows: Lines) -> None:
        """Complete the frame: the picture has ended."""
        if self._last is not None:
            self._pass(rows, memoryview(bytearray(self._last())), self._after)
            self._last = None
        rows.end()
        self.lines = rows.lines
        document = self.document
        self.received = document.width, document.taken // document.row_bytes

    # How the picture becomes the frame

    def _prepared(self) -> Lines:
        """Choose the steps, and return what puts the frame together."""
        document, layout = self.document, self.layout
        self.received = document.width, document.lines
        self._block = memoryview(
            bytearray(max(1, BLOCK_BYTES // document.row_bytes) * document.row_bytes)
        )
        width, form = document.width, (document.channels, document.depth)
        target = layout.channels, layout.depth
        is_art = target == (1, 1)  # by us, where the device has sent samples
        if form != target:
            self._add_conversion(form, (1, 8) if is_art else target)
            form = (1, 8) if is_art else target
        ratios = self._ratios()
        if ratios is not None:
            self.is_rescaled = True
            self._add_scaler(width, form, ratios[1])
            width = self._sent[0]
        tone = self._tone
        if tone is not None and form[1] > 1:
            self._add(lambda rows: _toned(rows, tone))
        if form != target:
            self._add(lambda rows: _bits(rows, width, self._threshold))
        return self._frame(width)

    def _add(self, step: Step) -> None:
        """Let *step* follow the others, behind the scaler if there is one."""
        self._steps.append(step)
        if self._last is not None:
            self._after.append(step)

    def _frame(self, width: int) -> Lines:
        """Return the frame for rows of *width* pixels."""
        form = self.layout.width_px, self.layout.channels, self.layout.depth
        if self._left >= width:  # nothing of the picture is in it
            self._add(lambda rows: rows[:0])
            return Lines(Layout(*form), self.lines)
        layout = Layout(
            *form,
            wire_width=width,
            left=self._left,
            skip_lines=self._top,
            byteorder=sys.byteorder,
        )
        return Lines(layout, self.lines)

    def _ratios(self) -> tuple[float, float] | None:
        """Return pixels that came for one that was asked for, across and down.

        None: they differ by no more than margins do. Source: specification escl 4.6 (a).
        """
        width, lines = self.document.width, self.document.lines
        sent_width, sent_lines = self._sent
        if _are_close(width, sent_width):
            return None
        across = width / sent_width
        if self._is_feeder or lines < 0 or sent_lines <= 0:
            return across, across
        is_same = _are_close(lines * sent_width, width * sent_lines)
        return (across, lines / sent_lines) if is_same else None

    def _add_scaler(self, width: int, form: tuple[int, int], ratio: float) -> None:
        from .scaling import Scaler

        scaler = Scaler(width, self._sent[0], *form, ratio, self.document.lines)
        self._steps.append(lambda rows: memoryview(bytearray(scaler.feed(rows))))
        self._last = scaler.end

    def _add_conversion(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Add what makes rows of one form those of another one, both channels and depth."""
        (channels, depth), (new_channels, new_depth) = old, new
        width = self.document.width
        if depth == 1:
            self._add(lambda rows: _bytes_of_bits(rows, width))
            depth = 8
        if depth == 16 and new_depth == 8:
            self._add(_high_bytes)
            depth = 8
        if channels == 3 and new_channels == 1:
            self._add(lambda rows: _gray(rows, depth))
        elif channels < new_channels:
            self._add(lambda rows: _colour(rows, depth // 8))
        if depth < new_depth:
            self._add(_words)


def _are_close(one: int, due: int) -> bool:
    return TOLERANCE * abs(one - due) <= due


def _toned(rows: Rows, tone: Callable[[Rows], None]) -> Rows:
    tone(rows)
    return rows


def _bits(rows: Rows, width: int, threshold: int) -> Rows:
    """Return line art made of gray."""
    from .rows import bits_from_gray

    bits = memoryview(bytearray(len(rows) // width * row_bytes(width, 1, 1)))
    bits_from_gray(rows, bits, width, threshold)
    return bits


def _bytes_of_bits(rows: Rows, width: int) -> Rows:
    """Return gray made of line art."""
    from .rows import bytes_from_bits

    samples = memoryview(bytearray(len(rows) // row_bytes(width, 1, 1) * width))
    bytes_from_bits(rows, samples, width, 1)
    return samples


def _high_bytes(rows: Rows) -> Rows:
    """Return samples of 16 bits as such of 8."""
    from .rows import HIGH_BYTE

    return memoryview(bytearray(bytes(rows)[HIGH_BYTE::2]))


def _words(rows: Rows) -> Rows:
    """Return samples of 8 bits as such of 16: 255 becomes 65535."""
    words = bytearray(2 * len(rows))
    words[0::2] = words[1::2] = rows
    return memoryview(words)


def _gray(rows: Rows, depth: int) -> Rows:
    """Return the luma of RGB."""
    from .rows import gray_from_rgb

    gray = memoryview(bytearray(len(rows) // 3))
    gray_from_rgb(rows, gray, LUMA, depth)
    return gray


def _colour(rows: Rows, size: int) -> Rows:
    """Return gray samples of *size* bytes as RGB."""
    pixels = bytearray(3 * len(rows))
    for channel in range(3):
        for byte in range(size):
            pixels[channel * size + byte :: 3 * size] = rows[byte::size]
    return memoryview(pixels)
