"""The documents of the server: one folder each, with a record and a file for every page.

Any thread may call; a lock keeps them apart. What was told to be kept is on the disk. After a kill,
pages that are whole are found again even where the record does not name them yet.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
import uuid
from threading import RLock

from .files import (
    PART,
    make_folder,
    read_record,
    remove,
    remove_folder,
    write_record,
)
from .names import title_of
from .pagefile import picture_facts
from .records import DOCUMENT_ID, PAGE_ID, Document, Page, seconds_of, timestamp, work_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

RECORD = "document.json"
DAY = 86_400.0


class Full(Exception):
    """A limit of the configuration is reached; the text names it."""


class Documents:
    """All documents under *folder*.

    most_bytes, most_pages, most: limits, of all pages together, of the pages of a document, and of
    documents. days: how long a document is kept after its last change, 0 for ever. note: told in a
    sentence what load() found damaged.
    """

    def __init__(
        self,
        folder: str,
        *,
        most_bytes: int = 0,
        most_pages: int = 1000,
        most: int = 10_000,
        days: float = 0,
        clock: Callable[[], float] = time.time,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.folder = folder
        self.days = days
        self.most_bytes = most_bytes
        self._most_pages = most_pages
        self._most = most
        self._clock = clock
        self._note = note
        self._lock = RLock()
        self._documents: dict[str, Document] = {}

    # After a start

    def load(self) -> None:
        """Find what is there; remove what was half written or half removed."""
        make_folder(self.folder)
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name)
            if name.startswith(".gone-") and os.path.isdir(path):
                remove_folder(path)
            elif DOCUMENT_ID.fullmatch(name) and os.path.isdir(path):
                try:
                    self._load(name, path)
                except OSError as exc:
                    self._note(f"{path}: {exc.strerror}: the document is left as it is")

    def _load(self, id: str, path: str) -> None:
        record = os.path.join(path, RECORD)
        try:
            document = Document.read(read_record(record))
            if document.id != id:
                raise ValueError("it is another document's")
        except FileNotFoundError:
            document = self._unrecorded(id, path)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            self._note(f"{record}: {exc}: made again from the pages")
            document = self._unrecorded(id, path)
        names = set(os.listdir(path))
        for name in [name for name in names if name.endswith(PART)]:
            remove(os.path.join(path, name))
            names.remove(name)
        before = list(document.pages)
        document.pages = [page for page in before if page.file in names]
        known = {page.file for page in document.pages}
        found = [(os.stat(os.path.join(path, name)).st_mtime, name) for name in names - known]
        for _, name in sorted(found):
            self._adopt(document, path, name)
        pages = {page.id for page in document.pages}
        for name in names:
            if is_view(name) and name.partition(".")[0] not in pages:
                remove(os.path.join(path, name))
        if not document.pages and before:
            self._note(f"{path}: the files of all its pages are gone")
        self._documents[id] = document
        if document.pages != before:
            self._save(document)

    def _unrecorded(self, id: str, path: str) -> Document:
        now = timestamp(os.stat(path).st_mtime)
        return Document(id, title_of(""), now, now)

    def _adopt(self, document: Document, path: str, name: str) -> None:
        """Add a page whose file is whole, and which the record does not name."""
        id, _, ending = name.partition(".")
        if not PAGE_ID.fullmatch(id) or ending not in ("png", "jpg"):
            return
        try:
            kind, width, height, dpi, mode = picture_facts(os.path.join(path, name))
        except (ValueError, OSError, IndexError):
            remove(os.path.join(path, name))
            return
        size = os.path.getsize(os.path.join(path, name))
        document.pages.append(Page(id, kind, width, height, dpi or 300.0, mode, size))

    # Documents

    def all(self) -> list[Document]:
        """Return the documents, the last changed first."""
        with self._lock:
            return sorted(self._documents.values(), key=_order, reverse=True)

    def find(self, id: str) -> Document:
        """Return a document; raises KeyError."""
        with self._lock:
            return self._documents[id]

    def create(self, title: str = "") -> Document:
        """Make an empty document; raises Full and OSError."""
        with self._lock:
            if len(self._documents) >= self._most:
                raise Full(f"there are {self._most} documents already")
            now = timestamp(self._clock())
            document = Document(str(uuid.uuid4()), title_of(title), now, now)
            path = self.path(document.id)
            make_folder(path)
            try:
                self._save(document)
            except OSError:
                remove_folder(path)
                raise
            self._documents[document.id] = document
            return document

    def change(self, id: str, title: str | None = None, order: list[str] | None = None) -> Document:
        """Give a document another title, its pages another order.

        order: all its pages; raises ValueError otherwise, and KeyError.
        """
        with self._lock:
            document = self._documents[id]
            pages = document.pages
            if order is not None:
                if sorted(order) != sorted(page.id for page in pages):
                    raise ValueError("these are not the pages of the document, each once")
                pages = [document.page(page) for page in order]
            name = document.title if title is None else title_of(title)
            self._replace(document, pages, name)
            return document

    def delete(self, id: str) -> None:
        """Remove a document and its pages; raises KeyError."""
        with self._lock:
            del self._documents[id]
            remove_folder(self.path(id))

    def expire(self, kept: Collection[str] = ()) -> list[str]:
        """Remove the documents that nobody changed for so many days; return their ids.

        kept: those that are still to be sent.
        """
        if not self.days:
            return []
        with self._lock:
            until = self._clock() - self.days * DAY
            old = [each.id for each in self.all() if seconds_of(each.changed) < until]
            old = [id for id in old if id not in kept]
            for id in old:
                self.delete(id)
            return old

    # Pages

    def path(self, id: str) -> str:
        """Return the folder of a document."""
        return os.path.join(self.folder, id)

    def page_path(self, document: str, page: Page) -> str:
        """Return the file of a page."""
        return os.path.join(self.path(document), page.file)

    def new_page(self, id: str, kind: str, *, replaces: bool = False) -> tuple[str, str]:
        """Return the id and the path of a page that is to be written; raises KeyError and Full."""
        with self._lock:
            document = self._documents[id]
            if not replaces and len(document.pages) >= self._most_pages:
                raise Full(f"the document has {self._most_pages} pages already")
            self._check_bytes()
            page = secrets.token_hex(8)
            ending = "jpg" if kind == "jpeg" else kind
            return page, os.path.join(self.path(id), f"{page}.{ending}")

    def add_page(self, id: str, page: Page, replaces: str | None = None) -> Document:
        """Add a page whose file is there, or put it in the place of another one.

        Raises KeyError if the document or that other page is gone, and OSError; the file is then
        removed.
        """
        with self._lock:
            document = self._documents.get(id)
            ids = [] if document is None else [each.id for each in document.pages]
            if document is None or (replaces is not None and replaces not in ids):
                remove(os.path.join(self.path(id), page.file))
                raise KeyError(id)
            pages = list(document.pages)
            at = len(pages) if replaces is None else ids.index(replaces)
            gone, pages[at : at + 1] = pages[at : at + 1], [page]
            try:
                self._replace(document, pages)
            except OSError:
                remove(self.page_path(id, page))
                raise
            for each in gone:  # not before: the disk may have had no room for the record
                self._forget(id, each)
            return document

    def change_page(self, id: str, page: str, **values: object) -> Page:
        """Set facts of a page, as rotate and crop; raises KeyError."""
        with self._lock:
            document = self._documents[id]
            before = document.page(page)
            after = Page(**{**before.to_dict(), **values})
            pages = [after if each is before else each for each in document.pages]
            self._replace(document, pages)
            self._forget_views(id, page)
            return after

    def delete_page(self, id: str, page: str) -> Document:
        """Remove a page; raises KeyError."""
        with self._lock:
            document = self._documents[id]
            gone = document.page(page)
            self._forget(id, gone)
            self._replace(document, [each for each in document.pages if each is not gone])
            return document

    def keep_view(self, id: str, page: str, path: str, target: str) -> bool:
        """Give the file *path* the name *target* of a view; False, and none, if the page is gone.

        Raises OSError.
        """
        with self._lock:
            document = self._documents.get(id)
            is_there = document is not None and any(each.id == page for each in document.pages)
            if is_there:
                os.replace(path, target)
            else:
                remove(path)
            return is_there

    def link_pages(self, id: str, folder: str) -> list[dict[str, Any]]:
        """Put links to the pages of a document into *folder*; return them as page work takes them.

        Their paths are names in that folder. Raises KeyError and OSError.
        """
        with self._lock:
            out = []
            for page in self._documents[id].pages:
                source, target = self.page_path(id, page), os.path.join(folder, page.file)
                try:
                    os.link(source, target)
                except PermissionError:  # a file system without links
                    shutil.copyfile(source, target)
                out.append(work_form(page, page.file))
            return out

    def total_bytes(self) -> int:
        """Return the size of all pages."""
        with self._lock:
            return sum(page.bytes for each in self._documents.values() for page in each.pages)

    def _check_bytes(self) -> None:
        if self.most_bytes and self.total_bytes() >= self.most_bytes:
            raise Full(f"the documents have {self.most_bytes >> 20} MB already")

    def _forget(self, id: str, page: Page) -> None:
        """Remove a page's files; before its record, so that a kill does not bring it back."""
        self._forget_views(id, page.id)
        remove(self.page_path(id, page))

    def _forget_views(self, id: str, page: str) -> None:
        for name in os.listdir(self.path(id)):
            if name.startswith(f"{page}.") and is_view(name):
                remove(os.path.join(self.path(id), name))

    def _replace(self, document: Document, pages: list[Page], title: str | None = None) -> None:
        """Save a document with other pages; after an OSError it is as it was."""
        now = timestamp(self._clock())
        changed = Document(document.id, title or document.title, document.created, now, pages)
        self._save(changed)
        document.title, document.changed, document.pages = changed.title, now, pages

    def _save(self, document: Document) -> None:
        write_record(os.path.join(self.path(document.id), RECORD), document.to_dict())


def is_view(name: str) -> bool:
    """Tell whether a file is a view of a page, as PAGE.thumb.DIGEST.jpg."""
    return name.count(".") > 1 and not name.endswith(PART)


def _order(document: Document) -> tuple[str, str]:
    return document.changed, document.id
