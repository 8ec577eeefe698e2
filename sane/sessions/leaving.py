"""How a process that serves one client ends."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Leaving:
    """SIGTERM ends the session as if the client had left, once, and not while devices close.

    is_over: from here on, devices are put to rest. was_told: SIGTERM came, at whatever time.
    """

    def __init__(self) -> None:
        import signal

        self.is_over = False
        self.was_told = False
        signal.signal(signal.SIGTERM, self._leave)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self.was_told = True
        if not self.is_over:
            self.is_over = True
            raise SystemExit
