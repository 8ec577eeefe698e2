"""The deliveries that are under way: kept on the disk, sent one by one for each destination.

Each has a folder with links to the pages as they were, so that a document may be changed or removed
meanwhile. A server that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from functools import partial

from ..api.problem import ApiError
from ..exporting import DOING, exported
from ..lasting import repeated
from ..store.files import make_folder, read_record, remove, remove_folder, write_record
from ..store.names import ENDINGS, file_name
from ..store.records import DOCUMENT_ID, timestamp
from ..work.client import PageWork, WorkFailed
from . import kinds
from .attempt import Failed, attempt
from .record import PAUSES, Delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..config import DestinationSettings
    from ..parts import Parts

RECORD = "delivery.json"
LANGUAGE = "eng"  # that is read, if nobody says another one
AT_ONCE = 4  # destinations that are sent to at the same time
KEPT_SECONDS = 30 * 86_400.0  # that a delivery is told of after it is done
MOST_OPEN = 1000
IDLE_SECONDS = 3600.0


class Deliveries:
    """All deliveries under *folder*."""

    def __init__(self, parts: Parts, folder: str) -> None:
        self.folder = folder
        self._parts = parts
        self._destinations: dict[str, DestinationSettings] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self.work = PageWork(parts.log)  # nobody who takes a file makes a delivery wait
        self._wake = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}  # by destination
        self.adopt(parts.context.settings.destination)

    def adopt(self, destinations: Iterable[DestinationSettings]) -> None:
        """Take over the destinations of the configuration; what was refused is tried at once."""
        self._destinations = {each.name: each for each in destinations}
        self._settings = {each.name: kinds.check(each.kind, each.settings) for each in destinations}
        for delivery in self.open():
            if delivery.state == "failed":
                delivery.due = 0.0
        self._wake.set()

    def load(self) -> None:
        """Find what is there after a start."""
        make_folder(self.folder)
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name)
            if name.startswith((".gone-", ".new-")):
                remove_folder(path)
            elif DOCUMENT_ID.fullmatch(name):
                try:
                    self._deliveries[name] = Delivery.read(read_record(os.path.join(path, RECORD)))
                except (OSError, ValueError, TypeError) as exc:
                    self._parts.log.warning("%s is left as it is: %s", path, exc)

    # For REST

    def destinations(self) -> Iterable[DestinationSettings]:
        """Return where documents can be sent."""
        return self._destinations.values()

    def of(self, document: str) -> list[Delivery]:
        """Return the deliveries of a document, the oldest first."""
        return self.by_document().get(document, [])

    def by_document(self) -> dict[str, list[Delivery]]:
        """Return the deliveries of each document, the oldest first."""
        found: dict[str, list[Delivery]] = {}
        for each in sorted(self._deliveries.values(), key=lambda each: (each.created, each.id)):
            found.setdefault(each.document, []).append(each)
        return found

    def open(self) -> list[Delivery]:
        """Return what is not delivered yet."""
        return [each for each in self._deliveries.values() if not each.is_over]

    def find(self, id: str) -> Delivery:
        """Return a delivery; raises KeyError."""
        return self._deliveries[id]

    def check(self, destination: str) -> None:
        """Raise ApiError for a destination that is not there."""
        if destination not in self._destinations:
            known = ", ".join(self._destinations) or "none"
            text = f"there is no destination {destination!r}; there are: {known}"
            raise ApiError("invalid", text, field="destination")

    async def add(
        self,
        document: str,
        *,
        destination: str,
        format: str | None = None,
        ocr: bool | None = None,
        pdfa: bool | None = None,
    ) -> Delivery:
        """Order a delivery: it is on the disk when this returns. Raises ApiError and KeyError."""
        self.check(destination)
        if len(self.open()) >= MOST_OPEN:
            raise ApiError("too-many", f"{MOST_OPEN} deliveries are waiting already")
        usual = self._settings[destination]
        language = usual.get("ocr", "")
        if ocr is not None:
            language = (language or LANGUAGE) if ocr else ""
        made = Delivery(
            str(uuid.uuid4()),
            document,
            destination,
            self._parts.documents.find(document).title,
            timestamp(time.time()),
            format or usual.get("format", "pdf"),
            language,
            usual.get("pdfa", False) if pdfa is None else pdfa,
        )
        await asyncio.to_thread(self._create, made)
        self._deliveries[made.id] = made
        self._tell(made)
        self._wake.set()
        return made

    def retry(self, id: str) -> Delivery:
        """Try at once; raises KeyError."""
        found = self._deliveries[id]
        if found.state in ("waiting", "failed"):
            found.state, found.due = "waiting", 0.0
            self._wake.set()
        return found

    async def delete(self, id: str) -> None:
        """Forget a delivery, also one that is not done; raises KeyError."""
        found = self._deliveries.pop(id)
        task = self._sending.get(found.destination)
        if found.state == "sending" and task is not None:
            task.cancel()
            await asyncio.wait([task])
        await asyncio.to_thread(remove_folder, self._path(id))

    async def expire(self) -> None:
        """Forget what was delivered long ago."""
        until = time.time() - KEPT_SECONDS
        for each in list(self._deliveries.values()):
            if each.is_over and each.done < until:
                self._deliveries.pop(each.id, None)
                await asyncio.to_thread(remove_folder, self._path(each.id))

    # Sending

    async def run(self) -> None:
        """Send what is due, for ever."""
        try:
            await repeated(self._turn, "the queue of deliveries", self._parts.log)
        finally:
            tasks = list(self._sending.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.work.close()

    async def _turn(self) -> float:
        """Begin what is due, and wait until something else is, or has changed."""
        self._wake.clear()
        pause = self._start_due()
        timer = asyncio.get_running_loop().call_later(pause, self._wake.set)
        try:  # not by asyncio.wait_for, which before Python 3.12 may lose a cancel
            await self._wake.wait()
        finally:
            timer.cancel()
        return 0.0

    def _start_due(self) -> float:
        """Begin what is due; return the seconds until something else is."""
        now, pause = time.time(), IDLE_SECONDS
        for each in sorted(self.open(), key=lambda each: each.due):
            is_free = each.destination not in self._sending and len(self._sending) < AT_ONCE
            if each.state == "sending" or not is_free:
                continue
            each.due = min(each.due, now + PAUSES[-1])  # the clock may have been set back
            if each.due > now:
                pause = min(pause, each.due - now)
            elif each.destination in self._destinations:
                task = asyncio.create_task(self._send(each), name=f"delivery {each.id}")
                self._sending[each.destination] = task
                task.add_done_callback(partial(self._sent, each.destination))
            else:
                text = f"there is no destination {each.destination} any more"
                each.failed(now, text, is_refused=True)
                self._tell(each)
        return pause

    def _sent(self, destination: str, task: asyncio.Task[None]) -> None:
        del self._sending[destination]
        self._wake.set()

    async def _send(self, each: Delivery) -> None:
        """Try once."""
        each.state = "sending"
        each.attempts += 1
        self._tell(each)
        try:
            await self._save(each)
            if not each.file:
                await self._make_file(each)
            each.result = await self._attempt(each)
            each.state, each.error, each.done = "done", "", time.time()
        except asyncio.CancelledError:
            each.state = "waiting"
            raise
        except Failed as exc:
            each.failed(time.time(), str(exc), is_refused=exc.is_refused)
        except WorkFailed as exc:
            each.failed(time.time(), exc.text, is_refused=True)
        except OSError as exc:
            each.failed(time.time(), exc.strerror or str(exc), is_refused=False)
        except Exception as exc:  # of ours: the delivery is kept, and the queue goes on
            self._parts.log.exception("delivery %s", each.id)
            each.failed(time.time(), f"{type(exc).__name__}: see the log", is_refused=True)
        if each.error:
            self._parts.log.warning("delivery to %s: %s", each.destination, each.error)
        if each.id not in self._deliveries:
            return
        try:
            await self._save(each)
            if each.is_over:
                await asyncio.to_thread(self._remove_files, each)
        except OSError as exc:
            self._parts.log.error("the record of delivery %s is old: %s", each.id, exc)
        self._tell(each)

    async def _attempt(self, each: Delivery) -> str:
        destination = self._destinations[each.destination]
        folder = self._path(each.id)
        request = {
            "kind": destination.kind,
            "settings": self._settings[each.destination],
            "folder": folder,
            "file": os.path.join(folder, each.file),
            "name": file_name(each.title, each.kind),
            "type": each.kind,
            "delivery": each.id,
            "document": each.document,
            "title": each.title,
            "created": each.created,
            "pages": len(each.pages),
        }
        return await attempt(request)

    async def _make_file(self, each: Delivery) -> None:
        """Make the file that is sent; it stays the same however often that is tried."""
        folder, parts = self._path(each.id), self._parts
        pages = [{**page, "path": os.path.join(folder, page["path"])} for page in each.pages]
        wish: dict[str, Any] = {"format": each.format, "title": each.title}
        wish |= {"ocr": each.ocr, "pdfa": each.pdfa}
        try:
            async with exported(self.work, parts, pages, **wish) as (path, done):
                each.kind, each.notes = done["kind"], done["notes"]
                name = f"file.{ENDINGS[each.kind]}"
                os.replace(path, os.path.join(folder, name))
        except OSError as exc:
            text = f"{DOING} {parts.scratch}: {exc.strerror or exc}"
            raise OSError(exc.errno, text) from exc
        each.file = name
        await self._save(each)

    # The disk

    def _path(self, id: str) -> str:
        return os.path.join(self.folder, id)

    def _create(self, made: Delivery) -> None:
        """Make the folder of a delivery: whole, or not at all."""
        new = os.path.join(self.folder, f".new-{made.id}")
        make_folder(new)
        try:
            made.pages = self._parts.documents.link_pages(made.document, new)
            if not made.pages:
                raise ApiError("invalid", "the document has no pages", field="document")
            write_record(os.path.join(new, RECORD), made.record())
            os.rename(new, self._path(made.id))
        except BaseException:
            remove_folder(new)
            raise

    async def _save(self, each: Delivery) -> None:
        await asyncio.to_thread(
            write_record, os.path.join(self._path(each.id), RECORD), each.record()
        )

    def _remove_files(self, each: Delivery) -> None:
        folder = self._path(each.id)
        for name in os.listdir(folder):
            if name != RECORD:
                remove(os.path.join(folder, name))

    def _tell(self, each: Delivery) -> None:
        self._parts.events.publish("delivery", each.to_dict())
