"""The parts behind REST and the page, put together: documents, jobs, deliveries, people.

One per server; everything is used on its loop. It starts and ends them in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil

from .accounts import Accounts
from .api.problem import not_found, starting
from .buttons import Buttons
from .delivery.queue import Deliveries
from .jobs.job import Job
from .jobs.jobs import Jobs
from .lasting import repeated
from .profiles import Profiles
from .store.documents import Documents
from .store.files import make_folder
from .views import Views
from .work.client import PageWork, WorkFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .context import ShareContext
    from .delivery.record import Delivery
    from .events import Events
    from .store.records import Document

RESERVE_BYTES = 64 << 20  # that stay free on the disk, for records and for others
HOUSEKEEPING_SECONDS = 3600.0
END_SECONDS = 5.0  # that a part may take to end before it is told again


class Parts:
    """What REST is made of; context.parts["api"]."""

    def __init__(self, context: ShareContext) -> None:
        settings = context.settings
        state = str(context.state)
        self.context = context
        self.log = context.log
        self.events: Events = context.events
        self.reserve_bytes = RESERVE_BYTES
        self.scratch = os.path.join(state, "scratch")
        self.documents = Documents(
            os.path.join(state, "documents"),
            most_bytes=settings.documents.max_mib << 20,
            days=settings.documents.keep_days,
            note=self.log.warning,
        )
        self.work = PageWork(self.log)  # what people wait for
        self.exports = PageWork(self.log)  # what may take minutes
        self.views = Views(self.documents, self.work, self.log)
        self.jobs = Jobs(self)
        self.deliveries = Deliveries(self, os.path.join(state, "deliveries"))
        self.accounts = Accounts(settings.user, settings.token)
        self.profiles = Profiles(os.path.join(state, "profiles.toml"), settings.profile)
        self.buttons = Buttons(self)
        self._settings = settings
        self._later: set[asyncio.Task[None]] = set()
        self.is_ready = False  # once what is on the disk was found

    # Life

    async def run(self) -> None:
        """Serve until cancelled; then end what is under way, and keep what is not done."""
        try:
            await asyncio.to_thread(self._load)
        except OSError as exc:
            self.log.error("no document can be used or kept: %s", exc)
            return
        self.context.scanners.subscribe(self._scanner_changed)
        self.is_ready = True
        house = repeated(self._keep_house, "housekeeping", self.log)
        tasks = [
            asyncio.create_task(self.deliveries.run(), name="deliveries"),
            asyncio.create_task(self.buttons.run(), name="buttons"),
            asyncio.create_task(house, name="housekeeping"),
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            await asyncio.wait(tasks)  # one's end is not the others'
        finally:
            await self._end(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.log.error(
                "%s: this part of the server has ended", task.get_name(), exc_info=failure
            )

    def _load(self) -> None:
        os.umask(0o077)
        self.documents.load()
        self.deliveries.load()
        shutil.rmtree(self.scratch, ignore_errors=True)
        make_folder(self.scratch)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        self.events.close()
        await self.jobs.close()
        left = {*tasks, *self._later}
        while left:  # asyncio.wait_for loses a cancel now and then, before Python 3.12
            for task in left:
                task.cancel()
            done, left = await asyncio.wait(left, timeout=END_SECONDS)
            await asyncio.gather(*done, return_exceptions=True)
        await self.views.close()
        await asyncio.gather(self.work.close(), self.exports.close())

    async def _keep_house(self) -> float:
        """Forget what is old; return the seconds until that is due again."""
        kept = {delivery.document for delivery in self.deliveries.open()}
        for id in await asyncio.to_thread(self.documents.expire, kept):
            self.log.info("document %s was kept for its time and is removed", id)
            self.events.publish("document", {"id": id, "deleted": True})
        await self.deliveries.expire()
        self.accounts.expire()
        return HOUSEKEEPING_SECONDS

    def look(self) -> None:
        """Take over the settings if the configuration was read again."""
        settings = self.context.settings
        if settings is self._settings:
            return
        self._settings = settings
        self.documents.days = settings.documents.keep_days
        self.documents.most_bytes = settings.documents.max_mib << 20
        self.accounts.adopt(settings.user, settings.token)
        self.profiles.adopt(settings.profile)
        self.deliveries.adopt(settings.destination)

    # What several parts need

    def scanner(self, id: str) -> Any:
        """Return a scanner; raises ApiError."""
        try:
            return self.context.scanners.find(id)
        except KeyError:
            raise not_found("scanner") from None

    async def awaited_scanner(self, id: str) -> Any:
        """Return a scanner, which the first list may still have to find; raises ApiError."""
        scanners = self.context.scanners
        with contextlib.suppress(KeyError):
            return scanners.find(id)
        is_listed = await scanners.looked()
        try:
            return scanners.find(id)
        except KeyError:
            if is_listed and id not in [each.id for each in scanners.unopened()]:
                raise not_found("scanner") from None
            raise starting() from None

    def told_scanner(self, scanner: Any) -> dict[str, Any]:
        """Return what is told of a scanner."""
        status = scanner.status
        return {
            "id": scanner.id,
            "title": scanner.title,
            "vendor": scanner.vendor,
            "model": scanner.model,
            "type": scanner.type,
            "state": status.state,
            "holder": status.holder,
            "problem": status.problem,
            "feeder": status.feeder,
        }

    def told_document(self, id: str) -> dict[str, Any]:
        """Return what is told of a document; raises KeyError."""
        return self._told(self.documents.find(id), self.deliveries.of(id))

    async def told_documents(self, most: int) -> bytes:
        """Return as JSON what is told of the *most* last documents; a thread makes it."""
        deliveries = self.deliveries.by_document()

        def made() -> bytes:
            found = self.documents.all()[:most]
            told = [self._told(each, deliveries.get(each.id, [])) for each in found]
            return json.dumps({"documents": told}, separators=(",", ":")).encode()

        return await asyncio.to_thread(made)

    def _told(self, document: Document, deliveries: list[Delivery]) -> dict[str, Any]:
        return {**document.to_dict(), "deliveries": [each.to_dict() for each in deliveries]}

    def tell_document(self, id: str) -> None:
        """Publish how a document is now."""
        with contextlib.suppress(KeyError):
            self.events.publish("document", self.told_document(id))

    def show_later(self, document: str, page: str) -> None:
        """Make the small views of a page before somebody asks."""
        task = asyncio.create_task(self._show(document, page))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _show(self, document: str, page: str) -> None:
        try:
            for size in ("thumb", "screen"):
                found = self.documents.find(document).page(page)
                await self.views.path(document, found, size)
        except KeyError:
            pass  # it is gone again
        except (WorkFailed, OSError) as exc:
            self.log.warning("page %s cannot be shown: %s", page, exc)

    async def deliver(self, document: str, **wish: Any) -> Any:
        """Send a document to a destination; returns the delivery. Raises ApiError."""
        try:
            return await self.deliveries.add(document, **wish)
        except KeyError:
            raise not_found("document") from None

    def start(self, job: Job) -> Job:
        """Begin a job; raises ApiError."""
        self.jobs.start(job)
        return job

    def _scanner_changed(self, kind: str, scanner: Any) -> None:
        told = self.told_scanner(scanner)
        self.events.publish("scanner", {**told, "removed": True} if kind == "removed" else told)
