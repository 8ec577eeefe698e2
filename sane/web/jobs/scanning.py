"""Runs a job: holds the scanner, keeps page after page, hands them to page work.

It knows the server's scanners and its documents. The scanner is free again as soon as its last page
is read, whatever is still to be done with the pages.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from ..api.problem import ApiError, disk_problem
from ..finishing import finished
from ..problems import Cancelled, NoDocuments, ScannerProblem
from ..store.documents import Full
from ..store.pagefile import PageFile, PageTooLarge
from ..store.records import Page
from .preview import take_preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..facts import PageHead, ScanSettings
    from ..parts import Parts
    from .job import Job

PIECE_BYTES = 1 << 20  # that are compressed at a time
TOLD_SECONDS = 0.2  # between two events of the progress
MOST_PAGES = 1000  # of one job
CODES: dict[type[Exception], str] = {
    Full: "disk-full",
    PageTooLarge: "too-large",
    KeyError: "not-found",
    ValueError: "failed",
}


class Runner:
    """One job that runs. held: the open scanner, while there is one."""

    def __init__(self, parts: Parts, job: Job) -> None:
        self.parts = parts
        self.job = job
        self.held: Any = None
        self._tasks: list[asyncio.Task[None]] = []  # page work, in order
        self._unadded: dict[str, Page] = {}  # on the disk, and in no document yet
        self._told = 0.0
        self._has_made = False  # the document
        self.is_cancelled = False

    async def run(self) -> None:
        """Do the job; its state says how it ended. Never raises but CancelledError."""
        job = self.job
        try:
            await self._scan()
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "cancelled"
            raise
        except Cancelled:
            job.state = "cancelled"
        except Exception as exc:
            job.error = error_of(exc, self.parts).to_dict()
            job.state = "cancelled" if self.is_cancelled else "failed"
        finally:
            self.held = None
            job.progress = None
            try:
                await finished(self._rescue())
            finally:
                self.tell()

    async def cancel(self) -> None:
        """End the scan; what is on the disk stays."""
        self.is_cancelled = True
        if self.held is not None:
            await self.held.cancel()

    def tell(self) -> None:
        """Publish how far the job is."""
        self._told = time.monotonic()
        self.parts.events.publish("job", self.job.to_dict())

    async def _scan(self) -> None:
        job = self.job
        scanner = self.parts.scanner(job.scanner)
        async with await scanner.acquire(job.owner) as held:
            self.held = held
            self._look()
            real = await held.configure(job.settings)
            job.state = "scanning"
            self.tell()
            if job.kind == "preview":
                job.picture = await take_preview(held, self._progress)
            else:
                await self._read_pages(real)
        self.held = None
        if self._tasks:
            job.state = "working"
            job.progress = None
            self.tell()
            await asyncio.gather(*self._tasks)
            self._tasks = []
        if job.deliver and job.document and job.pages:
            await self.parts.deliver(job.document, **job.deliver)

    async def _rescue(self) -> None:
        """Add the pages whose work was interrupted as they were scanned."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for page in list(self._unadded.values()):
            try:
                await self._add(page)
            except (KeyError, OSError) as exc:
                self.parts.log.warning("page %s is not in its document: %s", page.id, exc)
        if self._has_made and not self.job.pages:
            await self._drop_document()

    async def _drop_document(self) -> None:
        """Remove the document that the job has made, if it is still empty."""
        id, self.job.document = str(self.job.document), None
        with suppress(KeyError):
            if not self.parts.documents.find(id).pages:
                await asyncio.to_thread(self.parts.documents.delete, id)
                self.parts.events.publish("document", {"id": id, "deleted": True})

    async def _read_pages(self, settings: ScanSettings) -> None:
        """Read one page from the glass, all that there are from the feeder."""
        job = self.job
        is_single = settings.source == "platen" or job.single or job.replace is not None
        while len(job.pages) + job.skipped < MOST_PAGES:
            job.page_number += 1
            job.progress = 0.0
            self._look()
            try:
                head = await self.held.start()
            except NoDocuments:
                job.page_number -= 1
                if not job.page_number:
                    raise
                return
            self.tell()
            await self._keep(await self._read_page(head), settings)
            if is_single:
                return

    async def _read_page(self, head: PageHead) -> tuple[str, PageFile, tuple[int, int, int]]:
        """Read one page to its file; nothing of it is left if that fails."""
        job, documents = self.job, self.parts.documents
        kind = "jpeg" if head.encoded else "png"
        if job.document is None:
            job.document = (await asyncio.to_thread(documents.create, job.title)).id
            self._has_made = True
            self.parts.tell_document(job.document)
        replaces = job.replace is not None
        id, path = documents.new_page(job.document, kind, replaces=replaces)
        reserve = self.parts.reserve_bytes
        file = await asyncio.to_thread(PageFile, path, head, reserve)
        try:
            await self._pump(file, head)
            facts = await asyncio.to_thread(file.end)
        except BaseException:
            file.abort()
            raise
        return id, file, facts

    async def _pump(self, file: PageFile, head: PageHead) -> None:
        """Compress what was read in a thread, while the next piece is read."""
        feeding: asyncio.Task[None] | None = None
        piece = bytearray()
        total = max(head.lines, 0) * head.bytes_per_line
        taken = 0
        try:
            while True:
                data = await self.held.read()
                piece += data
                taken += len(data)
                if not data or len(piece) >= PIECE_BYTES:
                    if feeding is not None:
                        await feeding
                    feeding = asyncio.create_task(asyncio.to_thread(file.feed, bytes(piece)))
                    piece.clear()
                self._progress(taken / total if total else None)
                if not data:
                    break
        finally:
            if feeding is not None:
                await asyncio.gather(feeding, return_exceptions=True)
        if feeding is not None:
            feeding.result()

    async def _keep(
        self, read: tuple[str, PageFile, tuple[int, int, int]], settings: ScanSettings
    ) -> None:
        """Add a page to the document: at once, or when page work is done with it."""
        id, file, (width, height, size) = read
        head = file.head
        mode = settings.mode
        if not head.encoded:
            gray = "lineart" if head.depth == 1 else "gray"
            mode = "color" if head.channels == 3 else gray  # type: ignore[assignment]
        kind = "jpeg" if head.encoded else "png"
        page = Page(id, kind, width, height, float(head.dpi_x or settings.dpi), mode, size)
        if not self.job.work:
            await self._add(page)
            self.parts.show_later(str(self.job.document), page.id)
            return
        self._unadded[page.id] = page
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(self._work(page, file.path, before)))

    async def _work(self, page: Page, path: str, before: asyncio.Task[None] | None) -> None:
        """Do the steps of page work; a page for which that fails stays as it was scanned."""
        job = self.job
        done, is_blank = await self.parts.views.prepare(page, path, job.work)
        if before is not None:  # pages keep their order
            await asyncio.wait([before])
        if is_blank and not job.replace:
            job.skipped += 1
            del self._unadded[page.id]
            await asyncio.to_thread(self.parts.views.discard, done, path)
            self.tell()
            return
        if done.note:
            job.notes.append(done.note)
        await self._add(done)
        self.parts.show_later(str(job.document), done.id)

    async def _add(self, page: Page) -> None:
        job = self.job
        assert job.document is not None
        self._unadded.pop(page.id, None)
        await asyncio.to_thread(self.parts.documents.add_page, job.document, page, job.replace)
        job.pages.append(page.id)
        self.parts.events.publish(
            "page", {"document": job.document, "job": job.id, "page": page.id}
        )
        self.parts.tell_document(job.document)
        self.tell()

    def _progress(self, part: float | None) -> None:
        self.job.progress = None if part is None else min(1.0, round(part, 3))
        if time.monotonic() - self._told >= TOLD_SECONDS:
            self.tell()

    def _look(self) -> None:
        if self.is_cancelled:
            raise Cancelled("the scan was cancelled")


def error_of(exc: Exception, parts: Parts) -> ApiError:
    """Return what a client is told of *exc*; what is unexpected goes to the log."""
    if isinstance(exc, ApiError):
        return exc
    if isinstance(exc, ScannerProblem):
        holder, field = getattr(exc, "holder", ""), getattr(exc, "option", "")
        return ApiError(exc.code, str(exc) or exc.code, holder=holder, field=field)
    if isinstance(exc, OSError):
        return disk_problem(parts.documents.folder, exc)
    for kind, code in CODES.items():
        if isinstance(exc, kind):
            text = "the document or page is gone" if kind is KeyError else str(exc)
            return ApiError(code, text)
    parts.log.error("a job failed unexpectedly", exc_info=exc)
    return ApiError("failed", f"{type(exc).__name__}: see the server's log")
