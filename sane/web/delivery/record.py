"""One delivery: which document goes where, how often that was tried, what stands in the way.

    waiting --> sending --> done
       ^           |
       +-----------+------> failed: refused; it is tried again once an hour, and when asked for

Plain data; its folder has the pages as they were when it was ordered, and later the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Seconds after an attempt that failed; the last one again and again.
PAUSES = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)
REFUSED_SECONDS = 3600.0
STATES = ("waiting", "sending", "done", "failed")


@dataclass
class Delivery:
    """due: seconds since 1970 of the next attempt. pages: as page work takes them, with files."""

    id: str
    document: str
    destination: str
    title: str
    created: str
    format: str = "pdf"
    ocr: str = ""
    pdfa: bool = False
    state: str = "waiting"
    attempts: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    result: str = ""
    due: float = 0.0
    done: float = 0.0
    pages: list[dict[str, Any]] = field(default_factory=list)
    file: str = ""
    kind: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it is where it should go."""
        return self.state == "done"

    def failed(self, now: float, text: str, *, is_refused: bool) -> None:
        """Note an attempt that failed."""
        pause = PAUSES[min(max(self.attempts, 1), len(PAUSES)) - 1]
        self.state = "failed" if is_refused else "waiting"
        self.error = text
        self.due = now + (REFUSED_SECONDS if is_refused else pause)

    def to_dict(self) -> dict[str, Any]:
        """Return what is told of it."""
        return {
            "id": self.id,
            "document": self.document,
            "destination": self.destination,
            "state": self.state,
            "attempts": self.attempts,
            "error": self.error or None,
            "notes": list(self.notes),
            "result": self.result or None,
        }

    def record(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return asdict(self)

    @classmethod
    def read(cls, record: dict[str, Any]) -> Delivery:
        """Return the delivery of a record; raises ValueError or TypeError."""
        found = cls(**record)
        if found.state not in STATES or not isinstance(found.pages, list):
            raise ValueError("a delivery's record is damaged")
        if found.state == "sending":  # the server was killed meanwhile
            found.state, found.due = "waiting", 0.0
        return found
