"""One job: what it is to do, how far it is, what became of it. Plain data, and who may change it.

    waiting --> scanning --> working --> done
       |            |           |
       +------------+-----------+-----> cancelled | failed

The runner of scanning.py moves it; the page and programs see to_dict().
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..facts import ScanSettings

PREFIX = "/api/v1"
OVER = ("done", "cancelled", "failed")


@dataclass
class Job:
    """A scan or a preview. work: the steps of page work. deliver: where its document goes."""

    scanner: str
    kind: str
    settings: ScanSettings
    owner: str
    work: dict[str, Any] = field(default_factory=dict)
    deliver: dict[str, Any] | None = None
    document: str | None = None
    replace: str | None = None
    title: str = ""
    single: bool = False  # one page, although a feeder may have more
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "waiting"
    page_number: int = 0
    progress: float | None = None
    pages: list[str] = field(default_factory=list)
    skipped: int = 0
    error: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    picture: bytes = b""  # of a preview, JPEG

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more."""
        return self.state in OVER

    def to_dict(self) -> dict[str, Any]:
        """Return what is told of a job."""
        out = {
            "id": self.id,
            "scanner": self.scanner,
            "kind": self.kind,
            "state": self.state,
            "page_number": self.page_number,
            "progress": self.progress,
            "document": self.document,
            "pages": list(self.pages),
            "skipped": self.skipped,
            "error": self.error,
            "notes": list(self.notes),
        }
        if self.picture:
            out["preview"] = f"{PREFIX}/jobs/{self.id}/preview"
        return out
