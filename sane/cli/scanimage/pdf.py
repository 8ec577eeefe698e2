"""PDF files of JPEG pages, written from front to back. Source: PDF 1.3 (Adobe, 2000).

It does no I/O. The form is the original's; its places of objects are always 0, ours are counted.
"""

from __future__ import annotations

import time

from ...image.encoder import Encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...image.encoder import Rows

CATALOG, PAGES, INFO = 1, 2, 3
PER_PAGE = 5  # objects
POINTS = 72.0
USUAL_DPI = 300.0  # where the device does not tell


class Pdf:
    """A file that grows page by page; state() and restore() take back a page that failed."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}  # of the objects, by their numbers
        self._written = 0
        self._pages: list[int] = []

    def count(self, data: bytes) -> bytes:
        """Note that *data* is written next, and return it."""
        self._written += len(data)
        return data

    def begin(self) -> bytes:
        """Return the file's first bytes."""
        return self.count(b"%PDF-1.3\n")

    def object(self, number: int, body: str) -> bytes:
        """Return one object."""
        return self.open_object(number, f"{body}\nendobj\n")

    def open_object(self, number: int, body: str) -> bytes:
        """Return the beginning of one object, which the caller ends."""
        self._places[number] = self._written
        return self.count(f"{number} 0 obj\n{body}".encode("ascii"))

    def new_page(self) -> tuple[int, int]:
        """Return the number of the page, from 1 on, and of its object."""
        number = INFO + 1 + PER_PAGE * len(self._pages)
        self._pages.append(number)
        return len(self._pages), number

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def state(self) -> tuple[int, int]:
        """Return where the file is: its bytes and pages."""
        return self._written, len(self._pages)

    def restore(self, state: tuple[int, int]) -> int:
        """Forget what came after *state*; return the bytes that the file has then."""
        self._written, pages = state
        del self._pages[pages:]
        last = INFO + PER_PAGE * pages
        self._places = {key: place for key, place in self._places.items() if key <= last}
        return self._written

    def end(self) -> bytes:
        """Return the file's last bytes."""
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        out = self.object(
            PAGES, f"<<\n/Type /Pages\n/Kids [ {kids} ]\n/Count {len(self._pages)}\n>>"
        )
        out += self.object(CATALOG, f"<<\n/Type /Catalog\n/Pages {PAGES} 0 R\n>>")
        date = time.strftime("%Y%m%d%H%M%S%z")
        date = f"{date[:-2]}'{date[-2:]}'"
        out += self.object(
            INFO, f"<<\n/Creator (sane)\n/Producer (sane)\n/CreationDate (D:{date})\n>>"
        )
        size = len(self._places) + 1
        lines = ["xref", f"0 {size}", "0000000000 65535 f "]
        lines += [f"{self._places[number]:010} 00000 n " for number in range(1, size)]
        lines += ["trailer", "<<", f"/Size {size}", f"/Root {CATALOG} 0 R", f"/Info {INFO} 0 R"]
        lines += [">>", "startxref", f"{self._written}", "%%EOF", ""]
        return out + "\n".join(lines).encode("ascii")


class PdfPage(Encoder):
    """One page of *pdf*: a JPEG picture in whole points, cut as the original cuts them."""

    def __init__(
        self,
        width_px: int,
        lines: int,
        channels: int = 1,
        depth: int = 8,
        *,
        dpi: float = 0,
        pdf: Pdf,
        quality: int = 75,
    ) -> None:
        super().__init__(width_px, lines, channels, depth, dpi=dpi)
        from ...image.jpeg_encoder import JpegEncoder

        self._pdf = pdf
        self._jpeg = JpegEncoder(width_px, lines, channels, depth, dpi=dpi, quality=quality)
        self._picture_bytes = 0
        self._object = 0

    def head(self) -> bytes:
        pdf = self._pdf
        page, number = pdf.new_page()
        self._object = number
        dpi = self.dpi or USUAL_DPI
        width, height = (int(POINTS * side / dpi) for side in (self.width_px, self.lines))
        out = pdf.object(
            number,
            f"<<\n/Type /Page\n/Parent {PAGES} 0 R\n/Resources\n<<\n"
            f"/XObject << /Im{page} {number + 1} 0 R >>\n/ProcSet [ /PDF /ImageC ]\n>>\n"
            f"/MediaBox [ 0 0 {width} {height} ]\n/Contents {number + 3} 0 R\n>>",
        )
        drawn = f"q\n{width} 0 0 {height} 0 0 cm\n/Im{page} Do\nQ\n"
        out += pdf.object(number + 3, f"<< /Length {number + 4} 0 R >>\nstream\n{drawn}\nendstream")
        out += pdf.object(number + 4, str(len(drawn)))
        space = "/DeviceRGB" if self.channels == 3 else "/DeviceGray"
        return out + pdf.open_object(
            number + 1,
            f"<<\n/Length {number + 2} 0 R\n/Type /XObject\n/Subtype /Image\n"
            f"/Width {self.width_px} /Height {self.lines}\n/ColorSpace {space}\n"
            "/BitsPerComponent 8\n/Filter /DCTDecode\n>>\nstream\n",
        )

    def encode(self, rows: Rows) -> bytes:
        return self._picture(self._jpeg.feed(rows))

    def _picture(self, data: bytes) -> bytes:
        self._picture_bytes += len(data)
        return self._pdf.count(data)

    def tail(self) -> bytes:
        out = self._picture(self._jpeg.end())
        out += self._pdf.count(b"\nendstream\nendobj\n")
        return out + self._pdf.object(self._object + 2, str(self._picture_bytes))
