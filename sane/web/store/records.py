"""Documents and pages as plain data: what is kept in a document's record, and what is told.

A record comes from a disk, so it is checked when it is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAGE_ID = re.compile(r"[0-9a-f]{16}")
DOCUMENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TURNS = (0, 90, 180, 270)
MODES = ("color", "gray", "lineart")
KINDS = {"png": "png", "jpeg": "jpg"}  # of a page's file, with its ending
WHOLE = {"left": 0.0, "top": 0.0, "width": 1.0, "height": 1.0}


@dataclass
class Page:
    """One page. kind: of its file. rotate: clockwise, of what is shown. crop: parts of the whole.

    crop is of the page as it was scanned, before it is turned. note: a sentence on what was not
    done with it, "" mostly.
    """

    id: str
    kind: str
    width: int
    height: int
    dpi: float
    mode: str
    bytes: int
    rotate: int = 0
    crop: dict[str, float] | None = None
    note: str = ""

    @property
    def file(self) -> str:
        """The name of its file in the document's folder."""
        return f"{self.id}.{KINDS[self.kind]}"

    def to_dict(self) -> dict[str, Any]:
        """Return what is told of a page."""
        return dict(vars(self))

    @classmethod
    def read(cls, record: dict[str, Any]) -> Page:
        """Return the page of a record; raises ValueError, TypeError or KeyError."""
        page = cls(**record)
        sizes = (page.width, page.height, page.bytes)
        if not PAGE_ID.fullmatch(page.id) or page.kind not in KINDS or page.mode not in MODES:
            raise ValueError("a page's record is damaged")
        if page.rotate not in TURNS or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError("a page's record is damaged")
        if page.crop is not None and set(page.crop) != set(WHOLE):
            raise ValueError("a page's record is damaged")
        return page


@dataclass
class Document:
    """Pages under a title. created, changed: UTC, as ISO 8601 writes it."""

    id: str
    title: str
    created: str
    changed: str
    pages: list[Page] = field(default_factory=list)

    def page(self, id: str) -> Page:
        """Return a page; raises KeyError."""
        for page in self.pages:
            if page.id == id:
                return page
        raise KeyError(id)

    def to_dict(self) -> dict[str, Any]:
        """Return the document's record."""
        return {**vars(self), "pages": [page.to_dict() for page in self.pages]}

    @classmethod
    def read(cls, record: dict[str, Any]) -> Document:
        """Return the document of a record; raises ValueError, TypeError or KeyError."""
        pages = [Page.read(page) for page in record["pages"]]
        texts = [record[name] for name in ("id", "title", "created", "changed")]
        if not all(isinstance(text, str) for text in texts) or not DOCUMENT_ID.fullmatch(texts[0]):
            raise ValueError("a document's record is damaged")
        datetime.fromisoformat(record["changed"].replace("Z", "+00:00"))
        return cls(texts[0], texts[1], texts[2], texts[3], pages)


def timestamp(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 writes it."""
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Return the seconds since 1970 of a timestamp."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def work_form(page: Page, path: str) -> dict[str, Any]:
    """Return a page as page work takes it to export it."""
    return {
        "path": path,
        "kind": page.kind,
        "dpi": page.dpi,
        "mode": page.mode,
        "rotate": page.rotate,
        "crop": page.crop,
    }
