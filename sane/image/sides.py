"""Both sides of a sheet out of one stream, in which their lines take turns.

Source: specification fujitsu 7.5 (M3091). Where one line of the stream has both sides beside each
other, feed two Lines with all of it and let their layouts' `left` choose.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .lines import Lines


class Sides:
    """Deals a stream out: *lead* lines of *front*, then one of each in turn, then the rest.

    The turns begin with *front* and last while both sides have lines; what is left of the back
    follows in one piece. lines: of each side in the stream, those for the stagger of colours too.
    line_bytes: of a line of all colours, with its padding. Too much: what comes behind the last
    line of both is fed to *back*, which counts it as surplus. Too little: end() tells both that
    nothing more comes, and what is missing becomes white.
    """

    def __init__(
        self, front: Lines, back: Lines, line_bytes: int, lines: int, lead: int = 0
    ) -> None:
        if line_bytes < 1 or not 0 <= lead <= lines:
            raise ValueError(
                f"{lines} lines of {line_bytes} bytes, {lead} before those of the back"
            )
        self.sides = (front, back)
        self._line_bytes = line_bytes
        self._left = [lines, lines]  # lines of each side that are still to come
        self._lead = lead
        self._turn = 1  # who had the last one
        self._side = front  # whose line comes
        self._run = 0  # bytes of it that are still to come
        self._next_run()

    def _next_run(self) -> None:
        """Decide whose lines come now, and how many bytes of them in a row."""
        left = self._left
        if self._lead:
            turn, lines, self._lead = 0, self._lead, 0
        elif all(left):
            turn = self._turn = 1 - self._turn
            lines = 1
        else:
            turn = 0 if left[0] else 1
            lines = left[turn]
        left[turn] -= lines
        self._side = self.sides[turn]
        self._run = lines * self._line_bytes

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the device, as many as there are."""
        with memoryview(data) as view:
            at = 0
            while at < len(view):
                size = min(self._run, len(view) - at) if self._run else len(view) - at
                self._side.feed(view[at : at + size])
                at += size
                if self._run:
                    self._run -= size
                    if not self._run:
                        self._next_run()

    def end(self) -> None:
        """Tell both sides that nothing more comes."""
        for side in self.sides:
            side.end()
