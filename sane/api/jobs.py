"""A driver's work in a thread of its own, with somebody who waits for it and can go away.

Python runs signal handlers in the main thread between its instructions: while a driver waits in C
code, none runs. Then the main thread lets another one work, and waits in a way that a signal
interrupts; whoever has set a time limit does the same. It knows neither drivers nor pages.
"""

from __future__ import annotations

import time

from ..errors import Cancelled, ScanTimeout
from ..scanner import CLOSE_SECONDS
from ..threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")

LOOK_SECONDS = 0.1  # a wait in C code, also for a lock, may miss a signal: handlers run between two
SETTLE_SECONDS = 1.0  # what a driver may take to obey, after which its caller is told all the same


class Task:
    """function() in a thread of its own; all signals are blocked there."""

    def __init__(self, function: Callable[[], Any]) -> None:
        import _thread

        self._function: Callable[[], Any] | None = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._done = _thread.allocate_lock()
        self._done.acquire()
        start_thread(self._run)

    def _run(self) -> None:
        function, self._function = self._function, None
        assert function is not None
        try:
            self._result = function()
        except BaseException as exc:
            self._error = exc
        del function
        self._done.release()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end, None without limit; tell whether it came."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._done.acquire(True, brief(until)):
            if until is not None and time.monotonic() >= until:
                return False
        self._done.release()
        return True

    def outcome(self) -> Any:
        """Return what the function returned, or raise what it raised; after its end."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # it refers to this frame


def brief(until: float | None) -> float:
    """Return how long to wait before looking again; *until*: the end, by the monotonic clock."""
    if until is None:
        return LOOK_SECONDS
    return max(0.0, min(until - time.monotonic(), LOOK_SECONDS))


def is_main_thread() -> bool:
    """Tell whether signal handlers run in this thread."""
    import threading

    return threading.current_thread() is threading.main_thread()


def run(
    function: Callable[[], Result],
    cancel: Callable[[], None],
    timeout: float | None = None,
    *,
    waits_in_c: bool,
) -> Result:
    """Return function(); raises ScanTimeout after *timeout* seconds, when *cancel* was called.

    An exception of a signal handler, as KeyboardInterrupt, cancels it too, and passes.
    """
    if timeout is None and not (waits_in_c and is_main_thread()):
        return function()
    task = Task(function)
    try:
        has_ended = task.wait(timeout)
    except BaseException:
        cancel()
        task.wait(CLOSE_SECONDS)
        raise
    if not has_ended:
        cancel()
        late = f"the scanner was not ready after {timeout:g} s"
        if not task.wait(SETTLE_SECONDS):
            raise ScanTimeout(f"{late}, and has not stopped yet")
        try:
            return task.outcome()  # type: ignore[no-any-return]  # it was ready in the last moment
        except Cancelled as exc:
            raise ScanTimeout(late) from exc
    return task.outcome()  # type: ignore[no-any-return]
