"""Pages as PDF by pikepdf: compressed pictures go in as they are in the spool.

It knows pictures and what a document is called; where it is written is writers.py's. Pages are put
together in a file beside the spool's, so that memory does not grow with them. Source: ISO 32000-1,
7.4, 7.5 and 8.9; ISO 19005-2; specification python-api-and-cli 12.8, 12.9.
"""

from __future__ import annotations

import io
from struct import unpack_from

from .libraries import require
from .newfile import remove
from .problem import OUTPUT, PROCESSING, USAGE, PageWorkError, output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO, Any

    from .spool import SpooledPage

    Text = Callable[[SpooledPage], bytes | None]

POINTS = 72.0  # an inch
TAIL_BYTES = 64  # of a saved document, in which it says where its table of objects begins
LONGEST = 14_400  # points of a page's side. Source: ISO 32000-1, annex C
PROGRAM = "PySANE"
SRGB = "sRGB IEC61966-2.1"


class NoRoom(PageWorkError):
    """There is no room where the pages would be put together. reason: what the system says."""

    reason = ""

    @classmethod
    def of(cls, path: str, reason: str, errno: int, doing: str = "cannot write") -> NoRoom:
        """Return the error for the file at *path*."""
        made = cls(f"{doing} {path}: {reason}", exit_code=OUTPUT, errno=errno)
        made.reason = reason
        return made


class Document:
    """What a PDF is, beside its pages.

    password: who opens it must know it (AES-256). append: the pages go behind those of the file
    that is there. pdfa: PDF/A-2b. Raises PageWorkError for PDF/A with a password.
    """

    __slots__ = ("append", "author", "keywords", "password", "pdfa", "title")

    def __init__(
        self,
        *,
        title: str = "",
        author: str = "",
        keywords: str = "",
        pdfa: bool = False,
        password: str = "",
        append: bool = False,
    ) -> None:
        if pdfa and password:
            raise PageWorkError("PDF/A cannot be encrypted", exit_code=USAGE)
        self.title, self.author, self.keywords = title, author, keywords
        self.pdfa = pdfa
        self.password = password
        self.append = append


def write_pdf(
    file: IO[bytes],
    pages: Sequence[SpooledPage],
    document: Document,
    *,
    scratch: str,
    existing: str = "",
    text: Text | None = None,
    encrypts: bool = True,
) -> None:
    """Write *pages* as a PDF to *file*.

    scratch: a path for a file while the pages are put together. existing: a PDF whose pages come
    first. text: returns a PDF of one page of invisible text for a page, or None. encrypts: the
    document's password counts; not for a file in between, which programs must be able to open.

    Raises NoRoom where *scratch* cannot be written: nothing is in *file* then.
    """
    pikepdf = require("pikepdf", "PDF output")
    try:
        with open(scratch, "w+b") as whole:
            numbers = _store_images(whole, pages, document, existing)
    except OSError as exc:
        remove(scratch)
        reason = exc.strerror or str(exc)
        doing = "cannot put the pages together in"
        raise NoRoom.of(scratch, reason, exc.errno or 0, doing) from exc
    with pikepdf.open(scratch) as pdf:
        for page, number in zip(pages, numbers, strict=True):
            layer = text(page) if text is not None else None
            _add_page(pdf, page, pdf.get_object(number, 0), layer)
        _describe(pdf, document, is_new=not existing)
        if document.pdfa:
            _add_output_intent(pdf)
        encryption = {}
        password = document.password
        if password and encrypts:
            encryption = {"encryption": pikepdf.Encryption(owner=password, user=password)}
        pdf.save(file, min_version="1.7", **encryption)


def _store_images(
    file: IO[bytes], pages: Sequence[SpooledPage], document: Document, existing: str
) -> list[int]:
    """Write a PDF, empty or *existing*, with the pages' images in it; return their numbers.

    pikepdf holds whatever is added to a document in memory until it is saved, and nothing of what
    it has opened. So the images come to a saved document by an incremental update, one after the
    other. Source: ISO 32000-1, 7.5.4 to 7.5.6.
    """
    pikepdf = require("pikepdf", "PDF output")
    with _opened(existing, document) if existing else pikepdf.new() as pdf:
        # A plain table of its objects and no password: what is added is as plain.
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pikepdf.open(file) as pdf:
        first, (root, generation) = int(pdf.trailer.Size), pdf.Root.objgen
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    previous = int(file.read().rpartition(b"startxref")[2].split()[0])
    offsets = []
    for number, page in enumerate(pages, first):
        offsets.append(file.seek(0, io.SEEK_END))
        form, data = _image(page)
        head = pikepdf.Dictionary(**form, Length=len(data)).unparse()
        file.write(b"%d 0 obj\n%s\nstream\n" % (number, head))
        file.write(data)
        file.write(b"\nendstream\nendobj\n")
    table = file.tell()
    file.write(b"xref\n%d %d\n" % (first, len(pages)))
    file.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    ends = first + len(pages), root, generation, previous, table
    file.write(b"trailer\n<< /Size %d /Root %d %d R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % ends)
    return list(range(first, first + len(pages)))


def _opened(path: str, document: Document) -> Any:
    """Return the PDF that is there, to be appended to."""
    pikepdf = require("pikepdf", "PDF output")
    if document.pdfa:
        raise PageWorkError(
            f"PDF/A cannot be promised for the pages that are in {path} already",
            hint="append without PDF/A, or write a new file",
            exit_code=USAGE,
        )
    try:
        return pikepdf.open(path, password=document.password)
    except pikepdf.PasswordError as exc:
        message = f"{path} is encrypted, and the password is not the right one"
        raise PageWorkError(message, exit_code=OUTPUT) from exc
    except pikepdf.PdfError as exc:
        raise PageWorkError(f"cannot append to {path}: {exc}", exit_code=OUTPUT) from exc
    except OSError as exc:
        raise output_error(path, exc, "cannot append to") from exc


# Pages


def _add_page(pdf: Any, page: SpooledPage, image: Any, text: bytes | None) -> None:
    """Add a page that is as large as its picture's resolution says, with text over it."""
    pikepdf = require("pikepdf", "PDF output")
    width, height = (
        min(LONGEST, pixels / dots * POINTS)
        for pixels, dots in zip((page.width, page.height), page.dpi, strict=True)
    )
    pdf.add_blank_page(page_size=(width, height))
    added = pdf.pages[-1]
    added.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    content = f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Im0 Do Q\n".encode()
    added.obj.Contents = pikepdf.Stream(pdf, content)
    if text is not None:
        with pikepdf.open(io.BytesIO(text)) as layer:
            added.add_overlay(layer.pages[0], pikepdf.Rectangle(0, 0, width, height))


def _image(page: SpooledPage) -> tuple[dict[str, Any], bytes]:
    """Return a picture as an image of a PDF: what it is, and its compressed bytes untouched."""
    pikepdf = require("pikepdf", "PDF output")
    name, data = pikepdf.Name, page.read()
    form = {
        "Type": name.XObject,
        "Subtype": name.Image,
        "Width": page.width,
        "Height": page.height,
        "ColorSpace": name.DeviceRGB if page.channels == 3 else name.DeviceGray,
        "BitsPerComponent": page.depth,
    }
    if page.kind == "jpeg":
        form["Filter"] = name.DCTDecode
    elif page.kind == "g4":
        data, black_is_1 = _strip(data)
        form["Filter"] = name.CCITTFaxDecode
        form["DecodeParms"] = pikepdf.Dictionary(
            K=-1, Columns=page.width, Rows=page.height, BlackIs1=black_is_1
        )
    elif page.kind == "png":
        data = b"".join(_idat(data))
        form["Filter"] = name.FlateDecode
        form["DecodeParms"] = pikepdf.Dictionary(
            Predictor=15, Colors=page.channels, BitsPerComponent=page.depth, Columns=page.width
        )
    else:
        raise PageWorkError(f"a page as {page.kind} does not go into a PDF", exit_code=PROCESSING)
    return form, data


def _strip(tiff: bytes) -> tuple[bytes, bool]:
    """Return the G4 data of a TIFF of ours, and whether a run of "black" stands for ones."""
    from PIL.TiffImagePlugin import TiffImageFile

    offsets, counts, photometric = 273, 279, 262
    tags = TiffImageFile(io.BytesIO(tiff)).tag_v2
    (start,), (size,) = tags[offsets], tags[counts]
    return tiff[start : start + size], tags[photometric] == 1


def _idat(png: bytes) -> Iterator[bytes]:
    """Yield the compressed data of a PNG of ours. Source: RFC 2083, 3.2."""
    at = 8
    while at < len(png):
        size, kind = unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            yield png[at + 8 : at + 8 + size]
        at += 12 + size


# What the document says of itself


def _describe(pdf: Any, document: Document, *, is_new: bool) -> None:
    """Set title, author and keywords where they are given; a new file gets dates as well."""
    from datetime import datetime, timezone

    now = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
    with pdf.open_metadata(set_pikepdf_as_editor=False) as meta:
        if document.title:
            meta["dc:title"] = document.title
        if document.author:
            meta["dc:creator"] = [document.author]
        if document.keywords:
            meta["pdf:Keywords"] = document.keywords
        if is_new:
            meta["xmp:CreatorTool"] = PROGRAM
            meta["pdf:Producer"] = PROGRAM
            meta["xmp:CreateDate"] = now
        meta["xmp:ModifyDate"] = now
        if document.pdfa:
            meta["pdfaid:part"] = "2"
            meta["pdfaid:conformance"] = "B"


def _add_output_intent(pdf: Any) -> None:
    """Say that colours are sRGB's; gray is then defined, too. Source: ISO 19005-2, 6.2.3, 6.2.4."""
    pikepdf = require("pikepdf", "PDF/A")
    cms = require("PIL.ImageCms", "PDF/A")
    profile = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    intent = pikepdf.Dictionary(
        Type=pikepdf.Name.OutputIntent,
        S=pikepdf.Name.GTS_PDFA1,
        OutputConditionIdentifier=SRGB,
        Info=SRGB,
        DestOutputProfile=pikepdf.Stream(pdf, profile, N=3),
    )
    pdf.Root.OutputIntents = pikepdf.Array([pdf.make_indirect(intent)])


def encrypt(source: str, file: IO[bytes], password: str) -> None:
    """Write the PDF *source* to *file* with a password."""
    pikepdf = require("pikepdf", "PDF output")
    with pikepdf.open(source) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner=password, user=password))
