"""What the decoders of documents have in common, and what a picture may be at most.

Source: specification escl 4.2.
"""

from __future__ import annotations

from ..errors import DeviceIOError, NoMemory

WHOLE_PIXELS = 64 << 20  # of a picture that must be in memory whole
SPARE_PIXELS, SPARE_BYTES = 4096, 64 << 20  # beyond four times what was asked for
LONGEST = 1 << 30  # bytes of a page of unknown length
MOST_SIDE = 65535  # pixels; also what JPEG can express


class Limits:
    """What a picture may be at most, given what was asked for; *lines* may be -1, unknown."""

    def __init__(self, width_px: int, lines: int, most_pixels: int = WHOLE_PIXELS) -> None:
        self._width = min(MOST_SIDE, 4 * width_px + SPARE_PIXELS)
        self._area = 4 * width_px * lines
        self._most_pixels = most_pixels
        self.held_bytes = self.bytes_for(6)  # of a document that is read when it is whole

    def bytes_for(self, pixel_bytes: int) -> int:
        """Return how many bytes of pixels a picture may have."""
        return self._area * pixel_bytes + SPARE_BYTES if self._area >= 0 else LONGEST

    def check_width(self, name: str, width: int, lines: int) -> None:
        """Raise DeviceIOError for no width and NoMemory for one that is too large."""
        if width < 1:
            raise DeviceIOError(f"{name}: a picture of {width} x {lines} pixels")
        if width > self._width:
            raise NoMemory(f"{name}: {width} x {lines} pixels, at most {self._width} in a line")

    def check(self, name: str, width: int, lines: int, pixel_bytes: int) -> None:
        """Raise DeviceIOError for no size and NoMemory for one that is too large."""
        self.check_width(name, width, lines)
        if lines < 1:
            raise DeviceIOError(f"{name}: a picture of {width} x {lines} pixels")
        most = self.bytes_for(pixel_bytes)
        if width * lines * pixel_bytes > most:
            raise NoMemory(f"{name}: {width} x {lines} pixels, at most {most} bytes for them")

    def check_whole(self, name: str, width: int, lines: int) -> None:
        """Raise NoMemory for a picture that is too large to be in memory."""
        if width * lines > self._most_pixels:
            raise NoMemory(
                f"{name}: {width} x {lines} pixels, at most {self._most_pixels} of a picture "
                "that is in memory whole"
            )


class Picture:
    """What the kinds of documents have in common; Document says what is meant.

    channels is 1 or 3, and all four numbers are 0 until the head is known; lines is -1 while only
    the data tell.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.width = self.lines = self.channels = self.depth = 0
        self.is_cut = False

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return row_bytes(self.width, self.channels, self.depth)

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the document."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell that no more bytes come."""
        raise NotImplementedError

    def prepare(self) -> bool:
        """Tell whether the size is known."""
        raise NotImplementedError

    def read_into(self, view: memoryview) -> int:
        """Write rows; after end() 0 is the end of the picture."""
        raise NotImplementedError

    @property
    def is_done(self) -> bool:
        """All rows that there are were read."""
        raise NotImplementedError

    def next_picture(self) -> bool:
        """Go on to the next picture, if there is one."""
        return False


def row_bytes(width: int, channels: int, depth: int) -> int:
    """Return the bytes of a packed row."""
    return (width * channels + 7) // 8 if depth == 1 else width * channels * depth // 8
