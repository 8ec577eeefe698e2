"""A page as PDF, written from the first row on: image first, what refers to it behind.

Of known height it is one image, whose /Length stands behind it; of unknown height, or of one that
no JPEG has, it is a pile of strips, as in PDF/raster. Colour and gray are JPEG, bits are Flate, as
is everything without libjpeg. No library writes a PDF whose page is not there yet.
Source: ISO 32000-1, 7.3.8.2, 7.5 and 8.9.5; specification escl 7.6.
"""

from __future__ import annotations

import zlib

from ...image.encoder import Encoder
from .form import JPEG_SIDE, Form, PageEncoder, Picture, has_jpeg, jpeg

HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
PROGRAM = b"PySANE"
POINTS = 72.0  # an inch
STRIP_BYTES = 1 << 19  # of rows in a strip
STRIP_LINES = 16  # it has a multiple of these: JPEG's blocks of halved colour
LEVEL = 6  # of zlib, for bits
CATALOG, PAGES, PAGE, CONTENT, INFO = 1, 2, 3, 4, 5  # numbers of objects; images come behind


class Flate(PageEncoder):
    """Rows compressed for /FlateDecode."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(LEVEL)

    def feed(self, rows: bytes | memoryview) -> bytes:
        return self._compressor.compress(rows)

    def flush(self) -> bytes:
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compressor.flush()


class Samples(Picture):
    """Samples of 8 bits for /FlateDecode, whatever they were: a PNG's data without the PNG."""

    def __init__(self, form: Form) -> None:
        super().__init__(_Samples(form.width, form.lines, form.channels, form.depth))


class _Samples(Encoder):
    def __init__(self, width_px: int, lines: int, channels: int, depth: int) -> None:
        super().__init__(width_px, lines, channels, depth)
        self._flate = Flate()

    def head(self) -> bytes:
        return b""

    def encode(self, rows: bytes | bytearray | memoryview) -> bytes:
        return self._flate.feed(memoryview(self.as_bytes(rows)))

    def held_back(self) -> bytes:
        return self._flate.flush()

    def tail(self) -> bytes:
        return self._flate.end()


class Strip:
    """An image of the page: its object's number, and its lines."""

    __slots__ = ("lines", "number")

    def __init__(self, number: int, lines: int) -> None:
        self.number = number
        self.lines = lines


class Pdf:
    """The frame of a PDF of one page: objects, and where they are."""

    def __init__(self, form: Form, *, is_jpeg: bool = True) -> None:
        self.form = form
        self.is_jpeg = is_jpeg  # what is not line art
        self.strips: list[Strip] = []
        self.data_at = self.lines_at = 0  # where the open image's data and height are
        self._at = 0
        self._offsets: dict[int, int] = {}
        self._last = INFO
        self._length = 0  # the object with the open image's length

    def count(self, data: bytes) -> bytes:
        """Take note of *data*, which are the file's next bytes."""
        self._at += len(data)
        return data

    def object(self, number: int, body: bytes) -> bytes:
        """Return a whole object."""
        self._offsets[number] = self._at
        return self.count(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def open_image(self, lines: int, size: int = -1) -> bytes:
        """Return the head of an image of *lines*; size: of its data, if it is known."""
        form = self.form
        number = self._last = self._last + 1
        if size < 0:
            self._length = self._last = self._last + 1
        length = b"%d" % size if size >= 0 else b"%d 0 R" % self._length
        self.strips.append(Strip(number, lines))
        color = b"/DeviceRGB" if form.channels == 3 else b"/DeviceGray"
        coding = b"/BitsPerComponent 8 /Filter /DCTDecode"
        if is_bits(form):
            coding = b"/BitsPerComponent 1 /Decode [1 0] /Filter /FlateDecode"  # 1 is black
        elif not self.is_jpeg:
            coding = b"/BitsPerComponent 8 /Filter /FlateDecode"
        self._offsets[number] = self._at
        out = b"%d 0 obj\n<< /Type /XObject /Subtype /Image /Width %d /Height "
        out %= (number, form.width)
        self.lines_at = self._at + len(out)
        rest = (max(0, lines), color, coding, length)
        out = self.count(out + b"%05d /ColorSpace %s %s /Length %s >>\nstream\n" % rest)
        self.data_at = self._at
        return out

    def close_image(self) -> bytes:
        """Return what stands behind an image's data."""
        size = self._at - self.data_at
        out = self.count(b"\nendstream\nendobj\n")
        if self._length:
            out += self.object(self._length, b"%d" % size)
            self._length = 0
        return out

    def tail(self) -> bytes:
        """Return page, table and trailer."""
        form = self.form
        lines = sum(strip.lines for strip in self.strips)
        width = form.width / form.dpi_x * POINTS
        height = lines / form.dpi_y * POINTS
        names = b" ".join(b"/Im%d %d 0 R" % (s.number, s.number) for s in self.strips)
        content = b"\n".join(self._drawn(lines, width, height))
        page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.4f %.4f] "
        page = page % (PAGES, width, height) + b"/Contents %d 0 R /Resources << " % CONTENT
        parts = [
            self.object(
                CONTENT, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
            ),
            self.object(PAGE, page + b"/XObject << %s >> >> >>" % names),
            self.object(PAGES, b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % PAGE),
            self.object(CATALOG, b"<< /Type /Catalog /Pages %d 0 R >>" % PAGES),
            self.object(INFO, b"<< /Creator (%s) /Producer (%s) >>" % (PROGRAM, PROGRAM)),
        ]
        table_at = self._at
        count = self._last + 1
        rows = [b"xref\n0 %d\n0000000000 65535 f \n" % count]
        rows += [b"%010d 00000 n \n" % self._offsets[number] for number in range(1, count)]
        rows.append(b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n" % (count, CATALOG, INFO))
        rows.append(b"startxref\n%d\n%%%%EOF\n" % table_at)
        return b"".join(parts + rows)

    def _drawn(self, lines: int, width: float, height: float) -> list[bytes]:
        """Return the commands that put each strip in its place, from the top down."""
        done = 0
        drawn = []
        for strip in self.strips:
            done += strip.lines
            bottom = height * (lines - done) / lines
            place = (width, height * strip.lines / lines, bottom, strip.number)
            drawn.append(b"q %.4f 0 0 %.4f 0 %.4f cm /Im%d Do Q" % place)
        return drawn


def is_bits(form: Form) -> bool:
    """Tell whether the image is line art; colour of one bit becomes colour of eight."""
    return form.depth == 1 and form.channels == 1


class PdfPage(PageEncoder):
    """A PDF of one page of rows."""

    def __init__(self, form: Form, quality: int) -> None:
        self._form = form
        self._quality = quality
        self._pdf = Pdf(form, is_jpeg=has_jpeg() and form.width <= JPEG_SIDE)
        self._has_begun = False
        self._open: PageEncoder | None = None
        size = form.row_bytes
        lines = min(STRIP_BYTES // size, JPEG_SIDE) // STRIP_LINES * STRIP_LINES
        lines = max(STRIP_LINES, lines)
        self._strip_bytes = lines * size
        self._rows = bytearray()  # of the strip that is not whole

    def feed(self, rows: bytes | memoryview) -> bytes:
        out = self._begun()
        if self._open is not None:
            return out + self._pdf.count(self._open.feed(rows))
        self._rows += rows
        while len(self._rows) >= self._strip_bytes:
            out += self._strip(bytes(self._rows[: self._strip_bytes]))
            del self._rows[: self._strip_bytes]
        return out

    def flush(self) -> bytes:
        out = self._begun()
        return out + self._pdf.count(self._open.flush()) if self._open is not None else out

    def end(self) -> bytes:
        out = self._begun()
        if self._open is not None:
            out += self._pdf.count(self._open.end()) + self._pdf.close_image()
        elif self._rows:
            out += self._strip(bytes(self._rows))
        if not self._pdf.strips:
            raise ValueError("a page without rows")
        return out + self._pdf.tail()

    def _begun(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        out = self._pdf.count(HEAD)
        is_jpeg = self._pdf.is_jpeg and not is_bits(self._form)
        if self._form.lines > 0 and not (is_jpeg and self._form.lines > JPEG_SIDE):
            self._open = self._coder(self._form)
            out += self._pdf.open_image(self._form.lines)
        return out

    def _strip(self, rows: bytes) -> bytes:
        """Return a strip of the page: an image of its own."""
        lines = len(rows) // self._form.row_bytes
        if not lines:
            return b""
        coder = self._coder(self._form.of_lines(lines))
        data = coder.feed(rows[: lines * self._form.row_bytes]) + coder.end()
        out = self._pdf.open_image(lines, len(data)) + self._pdf.count(data)
        return out + self._pdf.close_image()

    def _coder(self, form: Form) -> PageEncoder:
        if is_bits(form):
            return Flate()
        return Picture(jpeg(form, self._quality)) if self._pdf.is_jpeg else Samples(form)
