"""A document as a file: PDF (searchable, PDF/A), TIFF, or pictures, several of them in a ZIP.

It puts the server's pages through the writers of page work.
"""

from __future__ import annotations

import errno
import os
import zipfile

from ...pagework.ocr import find_ocr
from ...pagework.pdf import Document
from ...pagework.pipeline import Pipeline
from ...pagework.spool import Spool
from ...pagework.writers import check_format, write
from ..store.files import free_bytes
from ..store.names import ENDINGS
from .pages import FilePage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...pagework.spool import SpooledPage

QUALITY = 80


def export(
    *,
    pages: list[dict[str, Any]],
    target: str,
    scratch: str,
    reserve: int,
    format: str,
    title: str,
    ocr: str = "",
    pdfa: bool = False,
) -> dict[str, Any]:
    """Write *pages* to *target*; ocr: the languages to read, "" for no text.

    scratch: a folder. reserve: bytes that stay free on its disk; raises OSError (ENOSPC) before a
    page, or the file, that would not leave them.

    Returns "kind", of the file, "bytes", and "notes": sentences on what is not as it was wanted.
    """
    check_format(format, pdfa=pdfa)
    reader = find_ocr(ocr) if ocr and format == "pdf" else None
    with Spool(scratch) as spool:
        with Pipeline(spool, format=format, quality=QUALITY, workers=1) as line:
            for number, page in enumerate(pages, 1):
                _check_room(scratch, reserve)
                line.put(FilePage(number=number, **page).sheet())
            spooled = line.end()
        copies = 2 if format == "pdf" else 1  # it is put together beside the file
        _check_room(scratch, reserve, copies * sum(page.size for page in spooled))
        notes = [str(page.problem) for page in spooled if page.problem is not None]
        if format in ("jpeg", "png") and len(spooled) > 1:
            kind = "zip"
            _write_zip(spooled, target, format)
        else:
            kind = format
            document = Document(title=title, pdfa=pdfa)
            how: dict[str, Any] = {"document": document, "ocr": reader}
            written = write(spooled, target, format, force=True, keeps=False, **how)
            notes += [str(problem) for problem in written.problems]
    os.chmod(target, 0o600)
    return {"kind": kind, "bytes": os.path.getsize(target), "notes": notes}


def _check_room(folder: str, reserve: int, needed: int = 0) -> None:
    """Raise OSError if fewer than *reserve* bytes would be free after *needed* more."""
    if free_bytes(folder) - needed < reserve:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_zip(pages: Sequence[SpooledPage], target: str, format: str) -> None:
    """Write a ZIP of one picture a page; they are compressed already."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for number, page in enumerate(pages, 1):
            path = f"{page.spool.file(f'zip-{number}')}.{ENDINGS[format]}"
            write([page], path, format, force=True, quality=QUALITY, keeps=False)
            archive.write(path, f"page-{number:03}.{ENDINGS[format]}")
            os.unlink(path)
