"""Spooled pages become files: PDF, TIFF of many pages, one picture a file; whole, or not at all.

It knows which format is made by whom. A failure names the path and leaves the pages in the spool's
folder, which is then kept. Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

import os

from .encode import QUALITY
from .libraries import require
from .names import STDOUT, check_target
from .newfile import PIECE_BYTES, NewFile, remove
from .pdf import Document, NoRoom, encrypt, write_pdf
from .problem import OUTPUT, USAGE, PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO, Any

    from .ocr import Ocr
    from .pdf import Text
    from .spool import Spool, SpooledPage

PILLOW_NAMES = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "pnm": "PPM", "tiff": "TIFF"}


class Written:
    """A file that was made. size: in bytes. problems: what is not as it was asked for."""

    __slots__ = ("pages", "path", "problems", "size")

    def __init__(self, path: str, pages: int, size: int, problems: list[PageWorkError]) -> None:
        self.path = path
        self.pages = pages
        self.size = size
        self.problems = problems

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line's JSON says of a file."""
        return {"path": self.path, "pages": self.pages, "bytes": self.size}


def check_format(format: str, *, pdfa: bool = False) -> None:
    """Raise PageWorkError (exit code 69) if what makes *format* is not there."""
    if format == "pdf":
        require("pikepdf", "PDF output")
        require("PIL.ImageCms" if pdfa else "PIL.Image", "PDF/A" if pdfa else "PDF output")
    elif format in ("tiff", "webp"):
        require("PIL.Image", f"{format.upper()} output")
        if format == "webp" and not require("PIL.features", "WebP output").check("webp"):
            raise PageWorkError("WebP output needs a Pillow that has WebP", exit_code=OUTPUT)
    elif format == "jpeg":
        try:
            from ..image import jpeg_encoder  # noqa: F401 - whether it is compiled
        except ImportError:
            require("PIL.Image", "JPEG output")


def write(
    pages: Sequence[SpooledPage],
    path: str,
    format: str,
    *,
    document: Document | None = None,
    ocr: Ocr | None = None,
    sidecar: str = "",
    force: bool = False,
    quality: int = QUALITY,
    keeps: bool = True,
) -> Written:
    """Write *pages*, one or more, as one file; "-" is stdout.

    document: of a PDF. ocr: makes a PDF searchable; where that fails the PDF is written without
    text, and problems tells. sidecar: the path of a file for the text. force: an existing file is
    replaced; without it that is an error, but for document.append. keeps: the pages are kept if
    they cannot be written; False for those that are elsewhere as well, as a server's.

    Raises PageWorkError (exit code 73) that names the path, and the folder where the pages are
    kept; nothing has changed at the path then.
    """
    if not pages:
        raise PageWorkError(f"{path}: there is no page to write", exit_code=OUTPUT)
    if ocr is not None and format != "pdf":
        raise PageWorkError(f"OCR makes PDF, not {format}", exit_code=USAGE)
    if len(pages) > 1 and format not in ("pdf", "tiff"):
        raise PageWorkError(f"a file of {format} has one page, not {len(pages)}", exit_code=USAGE)
    spool = pages[0].spool
    try:
        replaces = force or (document is not None and document.append)
        check_target(path, force=replaces)  # before minutes of OCR
        if sidecar:
            check_target(sidecar, force=replaces)
        if format == "pdf":
            pdf = _Pdf(pages, path, document or Document(), replaces=force)
            return pdf.read_by(ocr, sidecar) if ocr is not None else pdf.write()
        new = NewFile(path, replaces=force, scratch=spool.folder)
        with new as file:
            if format == "tiff":
                _write_tiff(file, pages)
            else:
                file.write(_file_bytes(pages[0], format, quality))
        return Written(path, len(pages), new.size, [])
    except PageWorkError as exc:
        if keeps and exc.exit_code == OUTPUT:
            _keep(spool, path, exc)
        raise


def _keep(spool: Spool, path: str, exc: PageWorkError) -> None:
    """Keep the pages that could not be written to *path*, and tell in *exc* where they are."""
    beside = "" if path == STDOUT else os.path.dirname(os.path.realpath(path))
    folders, lost = spool.keep(*([beside] if beside else []), os.path.expanduser("~"))
    exc.kept = folders[0] if folders else ""
    told = [exc.hint] if exc.hint else []
    if folders:
        told.append(f"the pages are kept in {' and '.join(folders)}")
    if lost:
        told.append(f"there was room nowhere for {lost} of them, which are lost")
    exc.hint = "; ".join(told)


# PDF


class _Pdf:
    """A PDF that is to be written, perhaps behind the pages of one that is there."""

    def __init__(
        self, pages: Sequence[SpooledPage], path: str, document: Document, *, replaces: bool
    ) -> None:
        self.pages = pages
        self.path = path
        self.document = document
        self.spool = pages[0].spool
        self.replaces = replaces or document.append
        appends = document.append and path != STDOUT and os.path.exists(path)
        self.existing = path if appends else ""
        self.file = NewFile(path, replaces=self.replaces, scratch=self.spool.folder)

    def write(self, text: Text | None = None) -> Written:
        """Write it with the text layers that *text* gives."""
        with self.file as file:
            self._assemble(file, text=text)
        return self._written([])

    def read_by(self, ocr: Ocr, sidecar: str) -> Written:
        """Write it with the text that *ocr* finds, and *sidecar*, a file of the text alone."""
        if ocr.takes_documents:
            return self._read_whole(ocr, sidecar)
        from .ocr import text_layers

        layers, texts, problems = text_layers(ocr, self.pages, self.spool.folder)
        written = self.write(layers.get)
        written.problems += problems
        if sidecar:
            self._write_text("\f".join(texts), sidecar)
        return written

    def _read_whole(self, ocr: Ocr, sidecar: str) -> Written:
        """Write it as a program makes it that takes a PDF; without text if that fails."""
        import shutil

        names = ("plain.pdf", "read.pdf", "read.txt")
        plain, made, text = (self.spool.file(name) for name in names)
        document, problems = self.document, []
        try:
            with open(plain, "w+b") as whole:
                self._assemble(whole, encrypts=False)
        except (OSError, NoRoom) as exc:  # without text it may still fit
            remove(plain)
            written = self.write()
            written.problems.append(PageWorkError(f"the PDF has no text: {exc}"))
            return written
        try:
            text = text if sidecar else ""
            ocr.make_searchable(
                plain, made, pages=len(self.pages), pdfa=document.pdfa, sidecar=text
            )
        except PageWorkError as exc:
            problems.append(PageWorkError(f"the PDF has no text: {exc}", hint=exc.hint))
            made = plain
        with self.file as file:
            if document.password:
                encrypt(made, file, document.password)
            else:
                with open(made, "rb") as whole:
                    shutil.copyfileobj(whole, file, PIECE_BYTES)
        if sidecar and not problems:
            with open(text, encoding="utf-8", errors="replace") as read:
                self._write_text(read.read(), sidecar)
        return self._written(problems)

    def _assemble(
        self, file: IO[bytes], *, text: Text | None = None, encrypts: bool = True
    ) -> None:
        form: dict[str, Any] = {"existing": self.existing, "text": text, "encrypts": encrypts}
        scratch = self.spool.file("assembly.pdf")
        try:
            return write_pdf(file, self.pages, self.document, scratch=scratch, **form)
        except NoRoom:
            scratch = self.file.beside("assembly")
            if not scratch:
                raise
        try:
            write_pdf(file, self.pages, self.document, scratch=scratch, **form)
        except NoRoom as exc:  # nobody knows this name
            raise NoRoom.of(self.path, exc.reason, exc.errno) from exc
        finally:
            remove(scratch)

    def _written(self, problems: list[PageWorkError]) -> Written:
        return Written(self.path, len(self.pages), self.file.size, problems)

    def _write_text(self, text: str, path: str) -> None:
        with NewFile(path, replaces=self.replaces) as file:
            file.write(text.encode())


# Pictures


def _write_tiff(file: IO[bytes], pages: Sequence[SpooledPage]) -> None:
    """Write a TIFF of all pages, each of which is one in the spool already, or becomes one."""
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(file, True) as out:
        for page in pages:
            out.write(_file_bytes(page, "tiff", QUALITY))
            out.newFrame()


def _file_bytes(page: SpooledPage, format: str, quality: int) -> bytes:
    """Return a page as a file: as it is in the spool, or converted by Pillow."""
    if page.kind == format or (page.kind, format) == ("g4", "tiff"):
        return page.read()
    from io import BytesIO

    out = BytesIO()
    image = _image_of(page)
    if image.mode.startswith("I") and format in ("jpeg", "webp"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    options: dict[str, Any] = {"quality": quality}
    if format == "tiff":
        options = {"compression": "group4" if image.mode == "1" else "tiff_adobe_deflate"}
    image.save(out, PILLOW_NAMES[format], dpi=page.dpi, **options)
    return out.getvalue()


def _image_of(page: SpooledPage) -> Any:
    """Return a spooled page as Pillow's image."""
    from io import BytesIO

    images = require("PIL.Image", "this format")
    image = images.open(BytesIO(page.read()))
    image.load()
    return image
