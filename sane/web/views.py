"""Pages as they are looked at: three sizes, made by page work and kept beside the page.

It knows documents and page work. A view's name says what it was made from, so that one that is
there is right.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from hashlib import sha256

from .store.files import PART, remove
from .store.records import KINDS, Page
from .work.client import WorkFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

    from .store.documents import Documents
    from .work.client import PageWork

SIZES = ("thumb", "screen", "full")
VIEW_SECONDS, WORK_SECONDS = 60.0, 120.0


class Views:
    """The views of all pages."""

    def __init__(self, documents: Documents, work: PageWork, log: logging.Logger) -> None:
        self._documents = documents
        self._work = work
        self._log = log
        self._making: dict[str, asyncio.Future[str]] = {}

    async def path(self, document: str, page: Page, size: str) -> str:
        """Return the file of a view; raises WorkFailed, OSError, and KeyError if it is gone."""
        source = self._documents.page_path(document, page)
        if size == "full" and not page.rotate and page.crop is None:
            return source
        digest = sha256(f"{page.rotate} {page.crop}".encode()).hexdigest()[:12]
        ending = "png" if size == "full" and page.kind == "png" else "jpg"
        target = f"{os.path.splitext(source)[0]}.{size}.{digest}.{ending}"
        if os.path.exists(target):
            return target
        if target not in self._making:  # two that want the same wait for one
            made = asyncio.ensure_future(self._make(document, source, target, page, size))
            self._making[target] = made
            made.add_done_callback(partial(self._made, target))
        return await asyncio.shield(self._making[target])

    def _made(self, target: str, made: asyncio.Future[str]) -> None:
        del self._making[target]
        if not made.cancelled():
            made.exception()  # who waits for it has it; perhaps nobody does any more

    async def close(self) -> None:
        """End what is being made."""
        making = list(self._making.values())
        for made in making:
            made.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    async def _make(self, document: str, source: str, target: str, page: Page, size: str) -> str:
        await self._work.ask(
            "view",
            VIEW_SECONDS,
            path=source,
            target=target,
            size=size,
            rotate=page.rotate,
            crop=page.crop,
            png=page.kind == "png",
        )
        if not await asyncio.to_thread(self._documents.has_page, document, page.id):
            await asyncio.to_thread(remove, target)  # it was removed meanwhile, with its views
            raise KeyError(page.id)
        return target

    async def prepare(self, page: Page, path: str, steps: dict[str, Any]) -> tuple[Page, bool]:
        """Do the steps on a page at *path* that is in no document yet; tell whether it is blank."""
        facts = {"kind": page.kind, "dpi": page.dpi, "mode": page.mode}
        try:
            done = await self._work.ask("prepare", WORK_SECONDS, path=path, page=facts, work=steps)
        except (WorkFailed, OSError) as exc:
            note = f"the page is kept as it was scanned: {exc}"
            self._log.warning("%s: %s", path, note)
            return Page(**{**page.to_dict(), "note": note}), False
        values: dict[str, Any] = {"note": " ".join(done["notes"])}
        if done["changed"]:
            names = ("kind", "width", "height", "dpi", "mode", "bytes")
            values |= {name: done[name] for name in names}
            target = f"{os.path.splitext(path)[0]}.{KINDS[values['kind']]}"
            os.replace(f"{path}.work{PART}", target)
            if target != path:
                remove(path)
        return Page(**{**page.to_dict(), **values}), bool(done["blank"])

    def discard(self, page: Page, path: str) -> None:
        """Remove a page that does not come into its document."""
        remove(os.path.join(os.path.dirname(path), page.file))
