"""Pages as files while the scanner runs: rows in, bytes of the file out, at once.

No NumPy and no Pillow: the codecs of sane.image, which work without the GIL, and the standard
library's zlib. So an encoder may run in a thread beside the server's loop.
Source: specification escl 7.6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .form import Form, PageEncoder, Picture, has_jpeg, jpeg, made

if TYPE_CHECKING:
    from .sent import PdfOfSent, SentJpeg

JPEG, PNG, PDF, TIFF = "image/jpeg", "image/png", "application/pdf", "image/tiff"
FORMATS = (PDF, JPEG, PNG, TIFF)  # simple clients take the first that they know
PNG_LEVEL = 1  # of zlib: it must keep up with scanners


def available() -> tuple[str, ...]:
    """Return which of FORMATS this build makes: without its compiled parts it has no JPEG."""
    return FORMATS if has_jpeg() else tuple(format for format in FORMATS if format != JPEG)


def needs_lines(format: str) -> bool:
    """Tell whether the number of lines must be known before the first of them is encoded."""
    return format in (JPEG, PNG)


def encode(format: str, form: Form, quality: int) -> PageEncoder:
    """Return what makes a page of *format*, one of FORMATS; raises ValueError.

    quality: of JPEG, from 1 to 100.
    """
    if format == JPEG:
        return Picture(jpeg(form, quality))
    if format == PNG:
        from .png import ScreenPng

        return Picture(made(ScreenPng, form, level=PNG_LEVEL))
    if format == PDF:
        from .pdf import PdfPage

        return PdfPage(form, quality)
    if format == TIFF:
        from .tiff import TiffPage

        return TiffPage(form)
    raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)}")


def in_file(format: str, form: Form, lines: int) -> Form:
    """Return what a page of *format* has that was made of *form*: not all keep its depth."""
    is_less = form.depth == 16 and format in (JPEG, PDF)
    is_more = form.depth == 1 and (form.channels == 3 or format == JPEG)
    return replace(form, lines=lines, depth=8 if is_less or is_more else form.depth)


def encode_sent(format: str, form: Form) -> SentJpeg | PdfOfSent | None:
    """Return what makes a page of *format* of the device's own JPEG; None where none can."""
    from .sent import PdfOfSent, SentJpeg

    if format == JPEG:
        return SentJpeg(form)
    return PdfOfSent(form) if format == PDF else None
