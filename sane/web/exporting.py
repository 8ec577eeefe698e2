"""A document as a file, for whoever asked for it: made in a folder of its own, which goes with it.

What page work leaves there, also a process that was killed, is removed at the end of the request.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Any

from .finishing import finished
from .store.files import make_folder, remove_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .parts import Parts
    from .work.client import PageWork

SECONDS, PAGE_SECONDS, OCR_SECONDS = 120.0, 5.0, 180.0  # for a file, and for each of its pages
TARGET = "file"
DOING = "cannot make the file in"


@contextlib.asynccontextmanager
async def exported(
    work: PageWork,
    parts: Parts,
    pages: Sequence[dict[str, Any]],
    *,
    ocr: str,
    who: str = "",
    **wish: Any,
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Give the path of the file that *work* makes of *pages*, and what is to be told of it.

    ocr: the languages to read, "" for no text. who: the client, see PageWork.ask. wish: format,
    title and pdfa, as work.export has them. Whoever leaves the block has moved or opened the file.
    Raises WorkFailed, OSError and TooManyWait.
    """
    folder = os.path.join(parts.scratch, secrets.token_hex(8))
    try:
        await finished(asyncio.to_thread(make_folder, folder))
        target = os.path.join(folder, TARGET)
        done = await work.ask(
            "export",
            SECONDS + (OCR_SECONDS if ocr else PAGE_SECONDS) * len(pages),
            who=who,
            pages=pages,
            target=target,
            scratch=folder,
            reserve=parts.reserve_bytes,
            ocr=ocr,
            **wish,
        )
        yield target, done
    finally:
        await finished(asyncio.to_thread(remove_folder, folder))
