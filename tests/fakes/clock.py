"""A cancel request whose waits take no time, and that notes them."""

from __future__ import annotations

from sane.cancel import Cancel
from sane.errors import Cancelled


class FakeCancel(Cancel):
    """Notes the seconds of every wait; *cancelled*: a cancel comes during the first one."""

    def __init__(self, *, cancelled: bool = False) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self.cancelled = cancelled

    def wait(self, seconds: float | None, fd: int | None = None) -> bool:
        self.waits.append(seconds)
        if self.cancelled:
            self.cancelled = False
            self.set()
            raise Cancelled
        return False
