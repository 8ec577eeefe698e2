"""A page on its way to the disk: rows become a PNG, a device's JPEG stays as it is.

It is fed in pieces by a thread while the scanner runs, and needs memory for one piece. The height
may be unknown until the end. Source: RFC 2083, 4.1.1 (IHDR); ITU-T T.81, B.2.5 (DNL).
"""

from __future__ import annotations

import os
from struct import pack

from ...image.png import GRAY, RGB, SIGNATURE, PngEncoder, chunk
from ...pagework.encode import FAST, jpeg_form
from ...wholefile import sync_folder
from .files import PART, create, free_bytes, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Head(Protocol):
        """What a scanner says of a page before its first byte; lines is -1 if it cannot."""

        @property
        def width(self) -> int: ...
        @property
        def lines(self) -> int: ...
        @property
        def depth(self) -> int: ...
        @property
        def channels(self) -> int: ...
        @property
        def bytes_per_line(self) -> int: ...
        @property
        def dpi_x(self) -> float: ...
        @property
        def encoded(self) -> str: ...


MOST_LINES = 1 << 20  # of a page whose height is unknown: 44 m at 600 dpi
MOST_BYTES = 2 << 30  # of a page's file
LOOK_BYTES = 8 << 20  # so often the room on the disk is looked at
DNL = b"\xff\xdc\x00\x04"


class PageTooLarge(Exception):
    """A page is larger than any sheet."""


class PageFile:
    """A page that is being written to *path*; reserve: bytes that must stay free on the disk.

    feed() and end() raise OSError for a disk that is full, and PageTooLarge. Then, or when the page
    is not wanted any more, abort() leaves nothing behind.
    """

    def __init__(self, path: str, head: Head, reserve: int = 0) -> None:
        self.path = path
        self.head = head
        self.rows = 0
        self._reserve = reserve
        self._size = self._looked = self._taken = 0
        self._encoder: PngEncoder | None = None
        self._row = b""
        if not head.encoded:
            lines = head.lines if head.lines > 0 else MOST_LINES
            self._encoder = PngEncoder(
                head.width, lines, head.channels, head.depth, dpi=head.dpi_x, level=FAST
            )
        self._look()
        self._file = open(create(path + PART), "w+b")  # noqa: SIM115 - end() and abort() close it

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the page."""
        if self._encoder is None:
            return self._write(data)
        whole = self._whole_rows(data)
        self.rows = self._taken // self._encoder.row_bytes
        if self.rows >= MOST_LINES:
            raise PageTooLarge(f"the page has more than {MOST_LINES} lines")
        return self._write(self._encoder.feed(whole))

    def end(self) -> tuple[int, int, int]:
        """Finish the file; return width and height in pixels and its size.

        Raises ValueError for a page without a line, or a JPEG that is none.
        """
        if self._encoder is not None:
            if not self.rows:
                raise ValueError("the scanner sent no line")
            self._write(self._encoder.tail())
            width, height = self._encoder.width_px, self.rows
            if self.rows != self._encoder.lines:
                self._put_head()
        else:
            width, height = self._jpeg_size()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self.path + PART, self.path)
        sync_folder(os.path.dirname(self.path))
        return width, height, self._size

    def abort(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        remove(self.path + PART)

    def _whole_rows(self, data: bytes) -> bytes:
        """Return the rows that are complete now, without what pads them."""
        assert self._encoder is not None
        wanted, given = self._encoder.row_bytes, self.head.bytes_per_line
        data = self._row + data
        count = len(data) // given
        self._row = data[count * given :]
        self._taken += count * wanted
        room = self._encoder.lines * wanted - (self._taken - count * wanted)
        if given == wanted:
            return data[: min(count * given, room)]
        rows = (data[at * given : at * given + wanted] for at in range(count))
        return b"".join(rows)[:room]

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise PageTooLarge(f"the page has more than {MOST_BYTES >> 30} GiB")
        if self._size - self._looked > LOOK_BYTES:
            self._look()
        self._file.write(data)

    def _look(self) -> None:
        """Leave room on the disk for others, and for the records of what is there."""
        self._looked = self._size
        if self._reserve and free_bytes(os.path.dirname(self.path)) < self._reserve:
            raise OSError(28, "No space left on device")

    def _put_head(self) -> None:
        """Write the height that the page has into the head of the PNG."""
        encoder = self._encoder
        assert encoder is not None
        depth = 8 if encoder.depth == 1 and encoder.channels == 3 else encoder.depth
        color = RGB if encoder.channels == 3 else GRAY
        head = pack(">IIBBBBB", encoder.width_px, self.rows, depth, color, 0, 0, 0)
        self._file.seek(len(SIGNATURE))
        self._file.write(chunk(b"IHDR", head))

    def _jpeg_size(self) -> tuple[int, int]:
        """Return the size of the JPEG, after its head was given the height if its end has it."""
        self._file.flush()
        self._file.seek(0)
        head = self._file.read(1 << 16)
        form = jpeg_form(head)
        if form is None:
            raise ValueError("the scanner sent no JPEG")
        width, height, _ = form
        if not height:
            height = self._height_at_end()
            at = _frame_of(head)
            self._file.seek(at + 5)
            self._file.write(height.to_bytes(2, "big"))
        if not width or not height:
            raise ValueError("the scanner sent a JPEG without a size")
        return width, height

    def _height_at_end(self) -> int:
        self._file.seek(max(0, self._size - 4096))
        tail = self._file.read()
        at = tail.rfind(DNL)
        return int.from_bytes(tail[at + 4 : at + 6], "big") if at >= 0 else max(0, self.head.lines)


def _frame_of(head: bytes) -> int:
    """Return where a JPEG's frame header is; its height stands five bytes behind."""
    at = 2
    while not (head[at] == 0xFF and 0xC0 <= head[at + 1] <= 0xCF and head[at + 1] != 0xC4):
        at += 1 if head[at + 1] == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return at


def picture_facts(path: str) -> tuple[str, int, int, float, str]:
    """Return kind, width, height, dpi (0 unknown) and mode of a whole picture of ours.

    Raises ValueError if it is damaged, and OSError. For what a killed server left without a record.
    """
    with open(path, "rb") as file:
        head = file.read(1 << 16)
        file.seek(-12, os.SEEK_END)
        tail = file.read()
    if head.startswith(SIGNATURE) and tail[4:8] == b"IEND":
        width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
        at = head.find(b"pHYs", 0, 256)
        dots = int.from_bytes(head[at + 4 : at + 8], "big") * 0.0254 if at > 0 else 0.0
        mode = "color" if head[25] == RGB else "lineart" if head[24] == 1 else "gray"
        return "png", width, height, float(round(dots)), mode
    form = jpeg_form(head)
    if form is not None and form[0] and form[1]:
        has_dots = head[6:10] == b"JFIF" and head[13] == 1
        dots = int.from_bytes(head[14:16], "big") if has_dots else 0
        return "jpeg", form[0], form[1], float(dots), "color" if form[2] == 3 else "gray"
    raise ValueError(f"{path} is no whole picture")
