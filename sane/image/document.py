"""Documents of devices as rows of pixels: JPEG, PNG, TIFF, BMP and PDF, told by their first bytes.

A Document is fed bytes as they come and read from as rows are ready; it does no I/O. Everything in
it is hostile: sizes meet limits before memory is taken. Source: specification escl 4.
"""

from __future__ import annotations

from ..errors import DeviceIOError, Unsupported
from .picture import WHOLE_PIXELS, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .picture import Picture

HEAD_BYTES, BLANK_BYTES = 1024, 16  # in which a document tells what it is, and before it begins

JPEG, PNG, TIFF, BMP = "image/jpeg", "image/png", "image/tiff", "image/bmp"
PDF = "application/pdf"
SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"BM", BMP),
)
# The modules that a type needs, by the names under which they are imported.
PACKAGES = {
    JPEG: (".jpeg",),
    PNG: ("zlib",),
    TIFF: ("PIL",),
    BMP: ("PIL",),
    PDF: ("pikepdf", "PIL"),
}
CALLED = {"PIL": "package Pillow", "pikepdf": "package pikepdf", ".jpeg": "compiled PySANE"}


def start_of(head: bytes | bytearray) -> int:
    """Return where the document begins: behind blanks that some devices send first."""
    return len(head) - len(bytes(head[:BLANK_BYTES]).lstrip(b"\r\n ") + head[BLANK_BYTES:])


def kind_of(head: bytes | bytearray) -> str:
    """Return the MIME type that the first bytes tell, "" for none. Source: specification 4.1."""
    start = start_of(head)
    for signature, kind in SIGNATURES:
        if head.startswith(signature, start):
            return kind
    return PDF if b"%PDF" in head[:HEAD_BYTES] else ""


def missing_part(kind: str) -> str:
    """Return what *kind* needs and this Python does not have, "" if it can be read."""
    from importlib.util import find_spec

    for name in PACKAGES[kind]:
        if find_spec(name, __package__) is None:
            return CALLED.get(name, name)
    return ""


def readable(types: Iterable[str]) -> list[str]:
    """Return those of the MIME *types* that can be read here, in their order."""
    kinds = {kind: not missing_part(kind) for kind in PACKAGES}
    kinds["image/jpg"] = kinds[JPEG]
    return [text for text in types if kinds.get(text.partition(";")[0].strip().lower())]


class Document:
    """The pictures of one document: feed() it bytes as they come, and take rows by read_into().

    width_px, lines: what the device was asked for, -1 lines if that is open; more than four times
    as much is refused. channels: 1 or 3 to have a JPEG's pixels made so, which is faster than doing
    it later; 0 for what the file has. most_pixels: of a picture that cannot be read row by row.

    kind: MIME type, "" until its first bytes have come. width, lines, channels, depth: of the
    picture as prepare() has found it; lines is -1 for a JPEG whose height stands behind its data.
    A row is packed: depth 1 has one channel and 1 is black, 16 is native. Palettes are expanded,
    transparency lies on white, CMYK becomes RGB. taken: bytes that were read. is_cut: the data end
    before the picture does, or are damaged so that rows are missing.

    Raises DeviceIOError for what is damaged from the start, NoMemory for what is too large (the
    text has the size), Unsupported where a package is missing or a PDF is no scan.
    """

    def __init__(
        self, width_px: int, lines: int, *, channels: int = 0, most_pixels: int = WHOLE_PIXELS
    ) -> None:
        self._limits = Limits(width_px, lines, most_pixels)
        self._channels = channels
        self._head = bytearray()  # while they do not tell the kind
        self._picture: Picture | None = None
        self._has_ended = False
        self.kind = ""
        self.taken = 0

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the document."""
        if self._picture is not None:
            self._picture.feed(data)
            return
        self._head += data
        self.kind = kind_of(self._head)
        if self.kind:
            self._begin()
        elif len(self._head) >= HEAD_BYTES:
            raise self._unknown()

    def end(self) -> None:
        """Tell that no more bytes come: from now on nothing waits."""
        self._has_ended = True
        if self._picture is None:
            raise self._unknown()
        self._picture.end()

    def _unknown(self) -> DeviceIOError:
        if not self._head:
            return DeviceIOError("the device has sent an empty document")
        start = bytes(self._head[:8])
        return DeviceIOError(f"a document that is no picture: it begins with {start!r}")

    def _begin(self) -> None:
        """Make the decoder and feed it what has come."""
        name = missing_part(self.kind)
        if name:
            raise Unsupported(f"{self.kind}: reading it needs the {name}, which is missing")
        self._picture = self._made()
        head, self._head = self._head, bytearray()
        self._picture.feed(bytes(head[start_of(head) :]))

    def _made(self) -> Picture:
        """Return the decoder for the kind."""
        if self.kind == JPEG:
            from .jpeg_document import JpegPicture

            return JpegPicture(self._limits, self._channels)
        if self.kind == PNG:
            from .png_document import PngPicture

            return PngPicture(self._limits)
        if self.kind == PDF:
            from .pdf_document import PdfPictures

            return PdfPictures(self._limits)
        from .pillow_document import PillowPictures

        return PillowPictures(self._limits, "BMP" if self.kind == BMP else "TIFF")

    # What there is to read

    def prepare(self) -> bool:
        """Tell whether the picture's size is known."""
        return self._picture is not None and self._picture.prepare()

    def read_into(self, view: memoryview) -> int:
        """Write the next bytes of rows into *view*; return how many, 0: feed more, or is_done.

        Whole rows come where *view* has room for whole ones; a row may be read in parts.
        """
        if self._picture is None or not self._picture.prepare():
            return 0
        n = self._picture.read_into(view)
        self.taken += n
        return n

    @property
    def is_done(self) -> bool:
        """All rows that there are were read."""
        return self._picture is not None and self._picture.is_done

    def next_picture(self) -> bool:
        """Go on to the next picture, of a TIFF or a PDF; False if there is none."""
        if self._picture is None or not self._picture.next_picture():
            return False
        self.taken = 0
        return True

    @property
    def width(self) -> int:
        """Pixels of a row, 0 until they are known."""
        return self._picture.width if self._picture else 0

    @property
    def lines(self) -> int:
        """Rows, 0 until they are known, -1 while only the data tell."""
        return self._picture.lines if self._picture else 0

    @property
    def channels(self) -> int:
        """Samples of a pixel: 1 or 3."""
        return self._picture.channels if self._picture else 0

    @property
    def depth(self) -> int:
        """Bits of a sample: 1, 8 or 16."""
        return self._picture.depth if self._picture else 0

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self._picture.row_bytes if self._picture else 0

    @property
    def is_cut(self) -> bool:
        """Rows are missing, as far as is known."""
        return self._picture is not None and self._picture.is_cut
