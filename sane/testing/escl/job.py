"""One scan job of an emulated eSCL scanner.

    POST -> Pending --NextDocument--> Processing --page sent, feeder--> Processing (the next one)
    Processing --nothing left, after >= 1 page--> Completed
    Processing --nothing left, jam, cover, before a page--> Aborted
    Pending, Processing --DELETE--> Canceled
    Pending, Processing --nobody asks for timing.job seconds--> Aborted

Source: specification escl, sections 2.9 and 7.7.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from .pixels import Page, pattern
from .settings import Settings

PENDING, PROCESSING = "Pending", "Processing"
COMPLETED, CANCELED, ABORTED = "Completed", "Canceled", "Aborted"

REASONS = {
    PENDING: "JobQueued",
    PROCESSING: "JobScanningAndTransferring",
    COMPLETED: "JobCompletedSuccessfully",
    CANCELED: "JobCanceledByUser",
    ABORTED: "ResourcesAreNotReady",
}


@dataclass
class Sheet:
    """One sheet in the feeder; *height* in 1/300 inch, None: as long as the scan area."""

    front: Page = pattern
    back: Page = pattern
    height: int | None = None


@dataclass
class Side:
    """One side to send; number: how many sides of the feeder were scanned before."""

    page: Page
    height: int | None
    number: int


@dataclass
class Job:
    """One job, from its POST on."""

    id: str
    settings: Settings
    created: float = field(default_factory=time.monotonic)
    state: str = PENDING
    done: int = 0  # images that the host got whole
    refusals: int = 0  # of the page that comes next, because it is not ready
    is_sending: bool = False
    sides: deque[Side] = field(default_factory=deque)  # of the sheet that was fed
    last_size: tuple[int, int, int] | None = None  # width, lines, bytes of a row of the last image
    touched: float = field(default_factory=time.monotonic)  # when the host last asked
    motor: float = 0.0  # when the last page was through the feeder
    released: deque[float] = field(default_factory=deque)  # when the host had each page

    @property
    def is_over(self) -> bool:
        """Nothing more comes."""
        return self.state in (COMPLETED, CANCELED, ABORTED)

    def end(self, state: str) -> None:
        """Let it be over, unless it is."""
        if not self.is_over:
            self.state = state
            self.touched = time.monotonic()
