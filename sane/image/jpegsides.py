"""Two sides of a sheet out of one JPEG of double width, whose restart intervals take turns.

Markers only: nothing is decoded. Source: specification fujitsu 7.6; ITU-T T.81 B (markers).
"""

from __future__ import annotations

from ..errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Feed = Callable[[memoryview], object]

MARK = 0xFF
STUFFED, SOI, EOI, SOS, RST0, RST7 = 0x00, 0xD8, 0xD9, 0xDA, 0xD0, 0xD7
FRAMES = frozenset((*range(0xC0, 0xD0),)) - {0xC4, 0xC8, 0xCC}
WIDTH_AT, FRAME_BYTES = 7, 9  # of a frame's segment, with its marker
MOST_HEAD = 1 << 20  # bytes before the picture


class JpegSides:
    """Deals a JPEG out to *front* and *back*, which take bytes.

    A JPEG of 2 * *width_px* pixels a line has both sides: all segments go to both, with half the
    width; the intervals go to front and back in turns, and their markers are counted anew. Any
    other is passed to the front as it is. is_dealt: which it is, None until its width is known.
    """

    def __init__(self, front: Feed, back: Feed, width_px: int) -> None:
        self.is_dealt: bool | None = None
        self._feeds = (front, back)
        self._width_px = width_px
        self._rest = bytearray()
        self._head = bytearray()  # what came before the width is known
        self._in_data = False
        self._side = 0
        self._counts = [0, -1]  # intervals' markers of each side; the back's first one has none

    def feed(self, data: memoryview) -> None:
        """Take the next bytes, as many as there are."""
        if self.is_dealt is False:
            self._feeds[0](data)
            return
        self._rest += data
        while self._step():
            pass
        if len(self._rest) > MOST_HEAD and not self._in_data:
            raise DeviceIOError(f"a JPEG whose head has more than {MOST_HEAD} bytes")

    def end(self) -> None:
        """Note that nothing more comes; what is left is no whole marker."""
        if self.is_dealt is None:
            self.is_dealt = False
            self._give(0, bytes(self._head + self._rest))
        elif self.is_dealt and self._in_data:
            self._give(self._side, bytes(self._rest))
        self._rest.clear()

    def _give(self, side: int, data: bytes) -> None:
        if data:
            self._feeds[side](memoryview(data))

    def _step(self) -> bool:
        """Deal out one piece; return whether there may be another."""
        if self.is_dealt is False:
            return False
        return self._deal_data() if self._in_data else self._deal_segment()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        return taken

    def _deal_segment(self) -> bool:
        rest = self._rest
        if len(rest) < 2:
            return False
        if rest[0] != MARK:
            self._pass_on()
            return False
        marker = rest[1]
        if marker in (SOI, EOI) or RST0 <= marker <= RST7:
            self._to_both(self._take(2))
            return True
        size = 2 + int.from_bytes(rest[2:4], "big")
        if len(rest) < max(4, size):
            return False
        segment = self._take(size)
        if marker in FRAMES:
            segment = self._with_half_width(segment)
        self._to_both(segment)
        self._in_data = marker == SOS
        return self.is_dealt is not False

    def _with_half_width(self, segment: bytes) -> bytes:
        """Decide what the JPEG is; return the frame's segment for one side."""
        width = int.from_bytes(segment[WIDTH_AT:FRAME_BYTES], "big")
        if len(segment) < FRAME_BYTES or width != 2 * self._width_px:
            self._rest[:0] = segment
            self._pass_on()
            return b""
        self.is_dealt = True
        half = self._width_px.to_bytes(2, "big")
        return segment[:WIDTH_AT] + half + segment[FRAME_BYTES:]

    def _pass_on(self) -> None:
        """Pass all that has come to the front: there is one side only."""
        if self.is_dealt:
            raise DeviceIOError(f"no JPEG marker but {bytes(self._rest[:8]).hex(' ')}")
        self.is_dealt = False
        self._give(0, bytes(self._head + self._rest))
        self._head.clear()
        self._rest.clear()

    def _to_both(self, segment: bytes) -> None:
        if self.is_dealt is None:
            self._head += segment
        elif self.is_dealt:
            segment = bytes(self._head) + segment
            self._head.clear()
            self._give(0, segment)
            self._give(1, segment)

    def _deal_data(self) -> bool:
        """Give data up to the next marker to the side whose turn it is; then take the marker."""
        rest = self._rest
        at = rest.find(MARK)
        while 0 <= at < len(rest) - 1 and rest[at + 1] == STUFFED:
            at = rest.find(MARK, at + 2)
        end = at if at >= 0 else len(rest)
        self._give(self._side, self._take(end))
        if len(rest) < 2:
            return False
        marker = rest[1]
        if marker == MARK:  # filling
            self._take(1)
        elif RST0 <= marker <= RST7:
            self._take(2)
            self._turn(marker - RST0)
        else:
            self._in_data = False
        return True

    def _turn(self, number: int) -> None:
        """Begin an interval: after an even marker the back's, after an odd one the front's."""
        side = self._side = 1 - number % 2
        count = self._counts[side]
        self._counts[side] += 1
        if count >= 0:
            self._give(side, bytes((MARK, RST0 + count % 8)))
