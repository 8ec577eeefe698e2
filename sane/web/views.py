"""Pages as they are looked at: three sizes, made by page work and kept beside the page.

It knows documents and page work. A view's name says what it was made from, so that one that is
there is right.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from hashlib import sha256

from .store.files import PART, remove
from .store.records import KINDS, Page
from .work.client import WorkFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import IO, Any

    from .store.documents import Documents
    from .work.client import PageWork

SIZES = ("thumb", "screen", "full")
VIEW_SECONDS, WORK_SECONDS = 60.0, 120.0


class Making:
    """A view that is being made. Who waits gets its file, whoever takes the name away meanwhile."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Future[IO[bytes]]) -> None:
        self.task = task
        self.waiting = 0

    def settle(self) -> None:
        """Close the file once it is made and nobody waits for it any more."""
        is_over = self.task.done() and not self.waiting
        if is_over and not self.task.cancelled() and self.task.exception() is None:
            self.task.result().close()


class Views:
    """The views of all pages."""

    def __init__(self, documents: Documents, work: PageWork, log: logging.Logger) -> None:
        self._documents = documents
        self._work = work
        self._log = log
        self._making: dict[str, Making] = {}

    async def path(self, document: str, page: Page, size: str) -> str:
        """Return the file of a view, which is made if it is not there; raises as opened() does."""
        file, _ = await self.opened(document, page, size)
        file.close()
        return self._place(document, page, size)[0]

    async def opened(self, document: str, page: Page, size: str) -> tuple[IO[bytes], str]:
        """Return the file of a view, opened, and its kind; others may have its offset.

        Raises WorkFailed, OSError, and KeyError if the page is gone.
        """
        source = self._documents.page_path(document, page)
        target, kind = self._place(document, page, size)
        if target == source:
            return open(source, "rb"), kind
        with suppress(FileNotFoundError):
            return open(target, "rb"), kind
        making = self._making.get(target)
        if making is None:  # two that want the same wait for one
            making = Making(asyncio.ensure_future(self._make(document, target, page, size)))
            self._making[target] = making
            making.task.add_done_callback(partial(self._made, target))
        making.waiting += 1
        try:
            made = await asyncio.shield(making.task)
            return os.fdopen(os.dup(made.fileno()), "rb"), kind
        finally:
            making.waiting -= 1
            making.settle()

    def _place(self, document: str, page: Page, size: str) -> tuple[str, str]:
        """Return where a view lies, and its kind; the page itself is a view as well."""
        source = self._documents.page_path(document, page)
        if size == "full" and not page.rotate and page.crop is None:
            return source, page.kind
        digest = sha256(f"{page.rotate} {page.crop}".encode()).hexdigest()[:12]
        kind = "png" if size == "full" and page.kind == "png" else "jpeg"
        return f"{os.path.splitext(source)[0]}.{size}.{digest}.{KINDS[kind]}", kind

    def _made(self, target: str, made: asyncio.Future[IO[bytes]]) -> None:
        self._making.pop(target).settle()  # perhaps nobody waits for it any more

    async def close(self) -> None:
        """End what is being made."""
        making = [each.task for each in self._making.values()]
        for made in making:
            made.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    async def _make(self, document: str, target: str, page: Page, size: str) -> IO[bytes]:
        part = f"{target}{PART}"  # a change of the page removes views, and leaves this
        try:
            await self._work.ask(
                "view",
                VIEW_SECONDS,
                path=self._documents.page_path(document, page),
                target=part,
                size=size,
                dpi=page.dpi,
                rotate=page.rotate,
                crop=page.crop,
                png=page.kind == "png",
            )
            made = open(part, "rb")  # noqa: SIM115 - who waits for it closes it
        except BaseException:
            remove(part)
            raise
        try:
            keep = self._documents.keep_view
            if not await asyncio.to_thread(keep, document, page.id, part, target):
                raise KeyError(page.id)  # it was removed meanwhile, with its views
        except BaseException:
            made.close()
            raise
        return made

    async def prepare(self, page: Page, path: str, steps: dict[str, Any]) -> tuple[Page, bool]:
        """Do the steps on a page at *path* that is in no document yet; tell whether it is blank."""
        facts = {"kind": page.kind, "dpi": page.dpi, "mode": page.mode}
        try:
            done = await self._work.ask("prepare", WORK_SECONDS, path=path, page=facts, work=steps)
        except (WorkFailed, OSError) as exc:
            remove(f"{path}.work{PART}")  # of a process that was killed before it could tell
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
