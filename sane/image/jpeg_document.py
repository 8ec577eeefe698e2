"""A JPEG of a device, row by row: what libjpeg does not do stands here, before and behind it.

The frame's head is read before libjpeg sees it, so that sizes meet the limits. Feeders that do not
know a sheet's length write 0 or 65535 lines into it and the real number behind the first scan
(DNL), which libjpeg does not take: it then gets the greatest height, and the picture ends where its
data do. Source: ITU-T T.81, B.2.2 and B.2.5; specification escl 4.3.
"""

from __future__ import annotations

from ..errors import DeviceIOError, NoMemory
from .picture import Picture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .jpeg import Decoder
    from .picture import Limits

LIBRARY_LINES = 65500  # the greatest height of libjpeg, JPEG_MAX_DIMENSION
HEAD_BYTES = 16 << 20  # before the first scan: profiles and thumbnails
SOF = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
SEQUENTIAL = (0xC0, 0xC1, 0xC9)
SOS, DNL = 0xDA, b"\xff\xdc\x00\x04"
ALONE = (0x01, *range(0xD0, 0xDA))  # markers without a segment
HELD_LINES = 32  # of a block row, at most: the last one may be filled up behind the picture
BLOCK_LINES = 64  # that are decoded at a time, where rows are held back


class Head:
    """The segments before the first scan, read as they come.

    is_whole: they have come, or what came is none; libjpeg says so then. frame: where the frame's
    head is, behind its marker, -1 without one. needs_whole: the picture comes in several scans.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.frame = -1
        self.is_whole = self.needs_whole = False
        self._at = 2  # behind SOI

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self.data += data
        while not self.is_whole and self._read_segment():
            pass
        if not self.is_whole and len(self.data) > HEAD_BYTES:
            raise DeviceIOError(f"JPEG: no picture within {HEAD_BYTES} bytes")

    def _read_segment(self) -> bool:
        """Read the next marker, with its segment; tell whether it has come."""
        data = self.data
        at = data.find(0xFF, self._at)
        self._at = at if at >= 0 else len(data)
        while 0 <= at < len(data) and data[at] == 0xFF:
            at += 1
        if at < 0 or at >= len(data):
            return False
        marker = data[at]
        if marker == 0 or marker in ALONE:
            self._at = at + 1
            return True
        if len(data) < at + 3:
            return False
        end = at + 1 + int.from_bytes(data[at + 1 : at + 3], "big")
        if len(data) < max(end, at + 3):
            return False
        if marker in SOF and self.frame < 0 and end >= at + 9:
            self.frame = at + 1
            self.needs_whole = marker not in SEQUENTIAL
        if marker == SOS:
            self.is_whole = True
            if self.frame >= 0 and end > at + 3:  # fewer colours in the scan than in the frame
                self.needs_whole |= data[at + 3] < data[self.frame + 7]
        self._at = max(end, at + 3)
        return True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as they stand there."""
        at = self.frame + 3
        return (
            int.from_bytes(self.data[at + 2 : at + 4], "big"),
            int.from_bytes(self.data[at : at + 2], "big"),
        )

    def set_lines(self, lines: int) -> None:
        """Change the height for libjpeg."""
        self.data[self.frame + 3 : self.frame + 5] = lines.to_bytes(2, "big")


class JpegPicture(Picture):
    """A JPEG; *channels* 1 or 3 are wanted, 0: those of the file."""

    def __init__(self, limits: Limits, channels: int) -> None:
        super().__init__(limits)
        self._want = channels
        self._head = Head()
        self._decoder: Decoder | None = None
        self._told = 0  # lines in the frame's head; 0 where the data tell
        self._waits = False  # for the end, since only that tells the height of what is read whole
        self._has_ended = self._is_over = False
        self._held = bytearray()  # rows that may lie behind the picture
        self._ready = 0  # bytes of them that do not
        self._taken = 0

    def feed(self, data: bytes | memoryview) -> None:
        if self._is_over:
            return
        if self._decoder is not None:
            try:
                self._decoder.feed(data)
            except ValueError as exc:
                self._damaged(exc)
        elif self._waits:
            self._head.data += data
            if len(self._head.data) > self.limits.held_bytes:
                raise NoMemory(f"JPEG: more than {self.limits.held_bytes} bytes in several scans")
        else:
            self._head.feed(data)
            if self._head.is_whole:
                self._begin()

    def end(self) -> None:
        self._has_ended = True
        if self._waits:
            self._begin_whole()
        if self._decoder is None:
            raise DeviceIOError("JPEG: it ends before the picture begins")
        self._decoder.end()

    def _begin(self) -> None:
        """Check the size, and let libjpeg begin."""
        head = self._head
        if head.frame >= 0:
            width, lines = head.size
            self._told = lines if 0 < lines <= LIBRARY_LINES else 0
            pixel_bytes = self._want or (1 if head.data[head.frame + 7] == 1 else 3)
            self.limits.check_width("JPEG", width, lines)
            self.limits.check("JPEG", width, self._told or 1, pixel_bytes)
            if head.needs_whole and not self._told:
                self._waits = True
                return
            if head.needs_whole:
                self.limits.check_whole("JPEG", width, lines)
            if not self._told:
                head.set_lines(LIBRARY_LINES)
        self._start()

    def _begin_whole(self) -> None:
        """Begin with a picture of several scans whose height stands behind the first one."""
        head = self._head
        self._waits = False
        at = head.data.find(DNL, head.frame)
        self._told = int.from_bytes(head.data[at + 4 : at + 6], "big") if at >= 0 else 0
        width, _ = head.size
        lines = self._told or LIBRARY_LINES
        self.limits.check("JPEG", width, self._told or 1, self._want or 3)
        self.limits.check_whole("JPEG", width, lines)
        head.set_lines(lines)
        self._start()

    def _start(self) -> None:
        from .jpeg import Decoder

        head = self._head
        width, lines = head.size if head.frame >= 0 else (1, 1)
        self._decoder = Decoder(width * lines, self._want)
        data, self._head.data = self._head.data, bytearray()
        self._decoder.feed(data)

    def prepare(self) -> bool:
        decoder = self._decoder
        if decoder is None:
            return False
        if not self.width:
            try:
                decoder.prepare()
            except ValueError as exc:
                raise DeviceIOError(str(exc)) from exc
            if not decoder.width:
                if self._has_ended:
                    raise DeviceIOError("JPEG: it ends before the picture begins")
                return False
            self.width, self.channels, self.depth = decoder.width, decoder.channels, 8
            self.lines = self._told or -1
        return True

    def read_into(self, view: memoryview) -> int:
        decoder = self._decoder
        if decoder is None or self._is_over:
            return 0
        n = self._read_held(decoder, view) if self.lines < 0 or self._held else 0
        if not n and self.lines > 0:
            n = self._read(decoder, view[: self.lines * self.row_bytes - self._taken])
        self._taken += n
        if not n and self._has_ended and len(view):
            self._is_over = True
            self.lines = self.lines if self.lines > 0 else self._taken // self.row_bytes
            self.is_cut |= self._taken < self.lines * self.row_bytes
            if not self._taken:
                raise DeviceIOError("JPEG: it ends before the first row")
        elif self._taken == self.lines * self.row_bytes:
            self._is_over = True
        if self._is_over and self._head.needs_whole:  # of the last scans something is missing
            self.is_cut |= decoder.is_cut_off
        return n

    @property
    def is_done(self) -> bool:
        return self._is_over

    def _read(self, decoder: Decoder, view: memoryview) -> int:
        """Decode rows into *view*, those that libjpeg has made up left out."""
        try:
            n = decoder.read_into(view)
        except ValueError as exc:
            self._damaged(exc)
            return 0
        if decoder.good_lines >= 0:
            n = max(0, min(n, decoder.good_lines * self.row_bytes - self._taken))
            self._has_ended |= not n
        return n

    def _damaged(self, exc: ValueError) -> None:
        """Take note that libjpeg has given up: what came before stays."""
        if not self._taken:
            raise DeviceIOError(str(exc)) from exc
        self.is_cut = self._has_ended = True

    def _read_held(self, decoder: Decoder, view: memoryview) -> int:
        """Read rows of a picture of unknown height: the last ones wait until its end is known."""
        while not self._ready and self.lines < 0:
            n = self._decode_held(decoder)
            self._settle(decoder, is_last=not n and self._has_ended)
            if self.lines < 0:
                self._ready = max(0, len(self._held) - HELD_LINES * self.row_bytes)
            if not n:
                break
        n = min(len(view), self._ready)
        view[:n] = self._held[:n]
        del self._held[:n]
        self._ready -= n
        return n

    def _decode_held(self, decoder: Decoder) -> int:
        """Decode a block of rows; return how many bytes, 0 also once the data have ended."""
        if decoder.good_lines >= 0:
            return 0
        block = memoryview(bytearray(BLOCK_LINES * self.row_bytes))
        try:
            n = decoder.read_into(block)
        except ValueError as exc:
            self._damaged(exc)
            return 0
        self._held += block[:n]
        come = self._taken + len(self._held)
        if come > self.limits.bytes_for(self.channels):
            raise NoMemory(f"JPEG: {self.width} x {come // self.row_bytes} pixels and more")
        return n

    def _settle(self, decoder: Decoder, *, is_last: bool) -> None:
        """Find out the height once the data have ended."""
        size, good = self.row_bytes, decoder.good_lines
        if good < 0:
            if is_last:
                self.lines, self.is_cut = (self._taken + len(self._held)) // size, True
                self._ready = len(self._held)
            return
        del self._held[max(0, good * size - self._taken) :]
        told = decoder.told_lines()
        if told < 0 and not self._has_ended:
            return  # the number has not come yet
        self.lines = told if told > 0 else good
        self.is_cut = good < self.lines or decoder.is_cut_off
        if not min(good, self.lines):
            raise DeviceIOError("JPEG: it ends before the first row")
        del self._held[max(0, self.lines * size - self._taken) :]
        self._ready = len(self._held)
