"""A preview: one small page, kept in memory as JPEG, or PNG where that encoder is not compiled."""

from __future__ import annotations

import asyncio

from ...pagework.encode import FAST
from ..store.pagefile import PageTooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..facts import PageHead

MOST_BYTES = 64 << 20  # A3 at 150 dpi in colour has 13 MB
QUALITY = 80


async def take_preview(held: Any, progress: Callable[[float | None], object]) -> bytes:
    """Scan with what the scanner is set to; return a picture."""
    head: PageHead = await held.start()
    rows = bytearray()
    total = max(head.lines, 0) * head.bytes_per_line
    while data := await held.read():
        rows += data
        if len(rows) > MOST_BYTES:
            raise PageTooLarge(f"the preview has more than {MOST_BYTES >> 20} MB")
        progress(len(rows) / total if total else None)
    if head.encoded:
        return bytes(rows)
    return await asyncio.to_thread(_picture, head, rows)


def _picture(head: PageHead, rows: bytearray) -> bytes:
    from ...image.formats import encoder

    lines = len(rows) // head.bytes_per_line
    if not lines:
        raise ValueError("the scanner sent no line")
    form = head.width, lines, head.channels, head.depth
    try:
        made = encoder("jpeg")(*form, quality=QUALITY, dpi=head.dpi_x)
    except ImportError:
        made = encoder("png")(*form, level=FAST, dpi=head.dpi_x)
    size = made.row_bytes
    with memoryview(rows) as view:
        starts = range(0, lines * head.bytes_per_line, head.bytes_per_line)
        parts = [made.feed(view[at : at + size]) for at in starts]
    return b"".join([*parts, made.end()])
