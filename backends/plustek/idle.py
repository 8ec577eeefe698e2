"""The lamp's time-out: after a while without a scan the lamp is switched off.

A thread waits, and none is there while no time runs. Source: specification plustek 3.8 (timer).
"""

from __future__ import annotations

import _thread

from ...threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class LampTimer:
    """Calls *action* once, some seconds after begin(), unless stop() comes before.

    After stop() the action is not running, and does not begin.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._stop = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()
        self._is_running = False

    def begin(self, seconds: float) -> None:
        """Let the time run, anew if it runs already; 0 or less: not at all."""
        self.stop()
        if seconds <= 0:
            return
        self._stop, self._ended = _thread.allocate_lock(), _thread.allocate_lock()
        self._stop.acquire()
        self._ended.acquire()
        stop, ended = self._stop, self._ended

        def run() -> None:
            try:
                if not stop.acquire(True, seconds):
                    self._action()
            finally:
                ended.release()

        self._is_running = True
        try:
            start_thread(run)
        except BaseException:
            self._is_running = False
            raise

    def stop(self) -> None:
        """End it, and wait for an action that has begun."""
        if not self._is_running:
            return
        self._is_running = False
        self._stop.release()
        self._ended.acquire()
