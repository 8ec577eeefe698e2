"""The paper's way through an emulated document scanner: hopper, the sheet in work, its images.

    hopper --feed--> sheet in work --SCAN--> images of its sides --READ--> host; cancel drops them

Source: specification fujitsu 2.4 to 2.8 and 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from .image import Stream, interleaved, side_rows
from .jpeg import jpeg_chunks
from .model import UNITS, Model
from .paper import Page, Sheet
from .sense import DOUBLE_FEED, EMPTY, END, JAM, NO_SENSE, SEQUENCE, SHORT, Refused, sense
from .window import BACK, FRONT, Piece, Window

DOUBLE_FEED_PAGE, AUTOMATIC_PAGE = 0x38, 0x3C  # of MODE SELECT
DETECTS, CONTINUES = 0x80, 0x40  # of the former
FINDS_WIDTH, FINDS_LENGTH = 0x80, 0x80  # of the latter: bytes 0 and 1
NOTHING = bytes(6)
PIXEL_SIZE_BYTES = 32


class Image:
    """One side, as it is read: its size in pixels, and the bytes."""

    def __init__(self, window: Window, sheet: int, size: tuple[int, int]) -> None:
        self.window = window
        self.pixels, self.lines = size
        self.piece = window.on_page(sheet)
        self.piece.width, self.piece.lines = size
        self.stream = Stream(iter(()))


class Feeder:
    """The hopper, and what became of its sheets.

    sheets: those still to come. is_double: the last one was two.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.sheets: deque[Sheet] = deque()
        self.is_double = False
        self.images: dict[int, Image] = {}
        self._count = 0  # of sheets fed
        self._read = 0  # bytes of the sheet in work
        self._sheet: Sheet | None = None

    def load(self, sheets: Iterable[Sheet]) -> None:
        """Fill the hopper anew."""
        self.sheets = deque(sheets)
        self._count = 0

    def feed(self, modes: Mapping[int, bytes]) -> None:
        """Take the next sheet; raises Refused if there is none, or it will not come."""
        self.discharge()
        if not self.sheets:
            raise Refused(EMPTY)
        sheet = self.sheets.popleft()
        if sheet.error is not None and sheet.jams_after is None:
            raise Refused(sheet.error)
        self._count += 1
        self._read = 0
        self.is_double = sheet.is_double
        action = modes.get(DOUBLE_FEED_PAGE, NOTHING)[0]
        if sheet.is_double and action & DETECTS and not action & CONTINUES:
            raise Refused(DOUBLE_FEED)
        self._sheet = sheet

    def discharge(self) -> None:
        """Drop the sheet in work and its images."""
        self._sheet = None
        self.images = {}

    def scan(self, windows: Sequence[Window], modes: Mapping[int, bytes]) -> None:
        """Make the images of the sheet in work; raises Refused if none was fed."""
        if self._sheet is None:
            raise Refused(SEQUENCE)
        sheet = self._sheet
        automatic = modes.get(AUTOMATIC_PAGE, NOTHING)
        self.images = {}
        for window in windows:
            size = self._size(window, sheet, automatic)
            image = Image(window, self._count - 1, size)
            self.images[window.side] = image
        self._fill({FRONT: sheet.front, BACK: sheet.back})

    def scan_glass(self, windows: Sequence[Window], page: Page) -> None:
        """Make the image of what lies on the glass."""
        window = windows[0]
        self.images = {window.side: Image(window, 0, self._size(window, Sheet(), NOTHING))}
        self._fill({window.side: page})

    def _size(self, window: Window, sheet: Sheet, automatic: bytes) -> tuple[int, int]:
        """Return pixels and lines of an image, less if the scanner looks for the paper's edges."""
        width, lines = window.pixels, max(0, window.lines + sheet.more_lines)
        if sheet.size is not None:
            if automatic[0] & FINDS_WIDTH:
                width = min(width, sheet.size[0] * window.x_dpi // UNITS)
            if automatic[1] & FINDS_LENGTH:
                lines = min(lines, sheet.size[1] * window.y_dpi // UNITS)
        return width, lines

    def _fill(self, pages: Mapping[int, Page]) -> None:
        """Put the lines behind the images."""
        rows = {
            side: side_rows(image.window, image.piece, pages[side], self.model)
            for side, image in self.images.items()
        }
        image = next(iter(self.images.values()))
        is_duplex = len(rows) == len((FRONT, BACK))
        if image.window.is_jpeg:
            self._compress(pages, is_duplex)
            return
        if self.model.is_old and is_duplex:
            image = self.images[FRONT]
            ahead = self.model.raster[1] * image.window.y_dpi // 300
            image.stream = Stream(interleaved(rows[FRONT], rows[BACK], ahead))
            return
        for side, lines in rows.items():
            self.images[side].stream = Stream(lines)

    def _compress(self, pages: Mapping[int, Page], is_duplex: bool) -> None:
        """Put JPEG files behind the images: one each, or one of double width for both."""
        sides = [(image.piece, pages[side]) for side, image in self.images.items()]
        quality = self.images[next(iter(self.images))].window.quality
        if is_duplex and self.model.joins_jpeg:
            del self.images[BACK]
            self.images[FRONT].stream = Stream(jpeg_chunks(sides, quality))
            return
        for image, side in zip(self.images.values(), sides, strict=True):
            image.stream = Stream(jpeg_chunks([side], quality))

    def _image(self, side: int) -> Image:
        if side not in self.images:
            raise Refused(SEQUENCE)
        return self.images[side]

    def pixel_size(self, side: int) -> bytes:
        """Return the 32 bytes of READ type 80."""
        image = self._image(side)
        numbers = (image.window.pixels, image.window.lines, image.pixels, image.lines)
        crop_bits = self._sheet.crop_bits if self._sheet else 0
        data = b"".join(number.to_bytes(4, "big") for number in numbers) + bytes((crop_bits,))
        return data.ljust(PIXEL_SIZE_BYTES, b"\0")

    def read(self, side: int, size: int) -> tuple[bytes, bytes]:
        """Return the next *size* bytes of a side and sense data, which tell what is missing."""
        image, sheet = self._image(side), self._sheet
        if sheet and sheet.jams_after is not None and self._read >= sheet.jams_after:
            self.discharge()
            raise Refused(sheet.error or JAM)
        data = image.stream.read(size)
        self._read += len(data)
        missing = size - len(data)
        if not missing:
            return data, b""
        return data, sense(NO_SENSE, END | SHORT, missing)


__all__ = ["Feeder", "Image", "Piece"]
