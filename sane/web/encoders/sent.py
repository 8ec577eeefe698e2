"""A page that is the device's own JPEG, untouched, as a file or in a PDF.

Feeders that do not know a sheet's length write 0 or 65535 lines into the JPEG's head and the real
number behind the picture (DNL): clients need it in the head, so such a page waits for its end.
Source: ITU-T T.81, B.2.5; specification escl 4.3 and 7.6.
"""

from __future__ import annotations

from dataclasses import replace

from ...image.jpeg_document import DNL, Head
from .form import Form, PageEncoder
from .pdf import HEAD, Pdf

UNKNOWN = (0, 0xFFFF)
LINES_AT, CHANNELS_AT = 3, 7  # behind the frame's marker


class SentJpeg(PageEncoder):
    """A JPEG of the device. form: as the JPEG's head has it, once that has come.

    Raises ValueError for what is no JPEG.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self._head: Head | None = Head()
        self._lines_at = -1  # where the height is to be corrected
        self._last = b""  # bytes in which a DNL may begin

    @property
    def waits(self) -> bool:  # type: ignore[override]  # here it depends on the data
        """The height stands behind the picture."""
        return self._lines_at >= 0

    def feed(self, rows: bytes | memoryview) -> bytes:
        if self._head is None:
            return self._searched(bytes(rows))
        self._head.feed(rows)
        return self._begun() if self._head.is_whole else b""

    def _begun(self) -> bytes:
        assert self._head is not None
        head, self._head = self._head, None
        if head.frame < 0:
            raise ValueError("what the device sent is no JPEG")
        width, lines = head.size
        channels = 3 if head.data[head.frame + CHANNELS_AT] == 3 else 1
        if lines in UNKNOWN:
            self._lines_at = head.frame + LINES_AT
            lines = self.form.lines
        self.form = replace(self.form, width=width, lines=lines, channels=channels, depth=8)
        return self._searched(bytes(head.data))

    def _searched(self, data: bytes) -> bytes:
        if self._lines_at >= 0:
            around = self._last + data
            at = around.find(DNL)
            if 0 <= at <= len(around) - len(DNL) - 2:
                lines = int.from_bytes(around[at + len(DNL) :][:2], "big")
                self.form = self.form.of_lines(lines)
            self._last = around[-(len(DNL) + 1) :]
        return data

    def end(self) -> bytes:
        return self._begun() if self._head is not None else b""

    def corrected(self) -> list[tuple[int, bytes]]:
        if self._lines_at < 0:
            return []
        if not 0 < self.form.lines < 0xFFFF:
            raise ValueError("the device's JPEG does not say how many lines it has")
        return [(self._lines_at, self.form.lines.to_bytes(2, "big"))]


class PdfOfSent(PageEncoder):
    """A PDF of one page that is the device's JPEG."""

    def __init__(self, form: Form) -> None:
        self._sent = SentJpeg(form)
        self._pdf: Pdf | None = None
        self._at = self._lines_at = 0  # where JPEG and height are in the PDF

    @property
    def form(self) -> Form:
        """The picture, as the JPEG's head has it."""
        return self._sent.form

    @property
    def waits(self) -> bool:  # type: ignore[override]  # as the JPEG does
        """The height stands behind the picture."""
        return self._sent.waits

    def feed(self, rows: bytes | memoryview) -> bytes:
        return self._put(self._sent.feed(rows))

    def end(self) -> bytes:
        out = self._put(self._sent.end())
        if self._pdf is None:
            raise ValueError("the device sent nothing")
        self._pdf.strips[0].lines = self._sent.form.lines
        return out + self._pdf.close_image() + self._pdf.tail()

    def _put(self, data: bytes) -> bytes:
        """Return *data* as the PDF's next bytes; its head comes with the first of them."""
        if self._pdf is not None:
            return self._pdf.count(data)
        if not data:
            return b""
        pdf = self._pdf = Pdf(self._sent.form)
        out = pdf.count(HEAD) + pdf.open_image(self._sent.form.lines)
        self._at, self._lines_at = pdf.data_at, pdf.lines_at
        return out + pdf.count(data)

    def corrected(self) -> list[tuple[int, bytes]]:
        found = [(self._at + offset, data) for offset, data in self._sent.corrected()]
        if found:
            found.append((self._lines_at, b"%05d" % self._sent.form.lines))
        return found
