"""Calls into drivers with a deadline: one that never returns costs itself, not its caller.

The call runs in a thread of its own with all signals blocked; in a process that may have no more
threads it runs in the caller's, without a deadline. What must run on the caller's
thread, the frontend's authorization callback, is handed back to it.
"""

from __future__ import annotations

from ..errors import Misbehaved
from ..threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SIGNAL_SECONDS = 1.0  # a signal just before a wait is noticed after so long, not at its end
GIVEN_UP_SECONDS = 0.5  # how often a relayed call looks whether anybody still waits for it

_running: dict[int, Call] = {}


class Call:
    """One call: what it returned, or what it asks its caller to run.

    late(result) gets a result that nobody waits for any more.
    """

    def __init__(self, function: Callable[[], Any], late: Callable[[Any], None]) -> None:
        import _thread

        self.function = function
        self.late = late
        self.result: Any = None
        self.error: BaseException | None = None
        self.request: Callable[[], None] | None = None
        self.done = self.given_up = False
        self.lock = _thread.allocate_lock()  # guards the two: exactly one side gets the result
        self.wake_caller = _thread.allocate_lock()
        self.wake_thread = _thread.allocate_lock()
        self.wake_caller.acquire()
        self.wake_thread.acquire()

    def begin(self) -> Call:
        """Let the thread begin; return this call."""
        try:
            start_thread(self._run)
        except (RuntimeError, MemoryError):  # a limit is reached, as RLIMIT_NPROC
            self._carry_out()
        return self

    def _run(self) -> None:
        import _thread

        ident = _thread.get_ident()
        _running[ident] = self
        self._carry_out()

    def _carry_out(self) -> None:
        import _thread

        try:
            self.result = self.function()
        except BaseException as exc:
            self.error = exc
        if _running.get(_thread.get_ident()) is self:
            del _running[_thread.get_ident()]
        with self.lock:
            self.done = True
        if not self.given_up:
            self.wake_caller.release()
        elif self.error is None:
            self.late(self.result)

    def get(self, seconds: float, what: str) -> Any:
        """Begin, wait, and leave nothing behind where the caller is interrupted; see wait."""
        try:
            return self.begin().wait(seconds, what)
        except BaseException:
            self.abandon()
            raise

    def wait(self, seconds: float, what: str) -> Any:
        """Return what the function returned, or raise Misbehaved naming *what* after *seconds*.

        Time in relayed functions does not count.
        """
        while True:
            if not self._is_woken(seconds) and self._give_up():
                raise Misbehaved(f"{what} has not returned after {seconds:g} s")
            request, self.request = self.request, None
            if request is None:
                break
            request()
            self.wake_thread.release()
        if self.error is not None:
            raise self.error
        return self.result

    def _is_woken(self, seconds: float) -> bool:
        """Wait for the thread, in parts: Python looks for signals between them."""
        while seconds > SIGNAL_SECONDS:
            if self.wake_caller.acquire(True, SIGNAL_SECONDS):
                return True
            seconds -= SIGNAL_SECONDS
        return self.wake_caller.acquire(True, seconds)

    def abandon(self) -> None:
        """Do without the result: the caller was interrupted, at whatever point."""
        if not self._give_up() and self.error is None:
            self.late(self.result)

    def _give_up(self) -> bool:
        """Stop waiting; return False if the result came in the meantime."""
        with self.lock:
            self.given_up = self.given_up or not self.done
        return self.given_up


def call(
    function: Callable[[], Any], seconds: float, what: str, late: Callable[[Any], None]
) -> Any:
    """Return function(), or raise Misbehaved naming *what* after *seconds*; see Call."""
    return Call(function, late).get(seconds, what)


def relay(function: Callable[..., Any], *arguments: object) -> Any:
    """Run function(*arguments) on the thread that waits for this one; without one, here."""
    import _thread

    pending = _running.get(_thread.get_ident())
    if pending is None:
        return function(*arguments)
    outcome: list[Any] = [None, Misbehaved("the caller has given up")]

    def request() -> None:
        try:
            outcome[:] = function(*arguments), None
        except BaseException as exc:
            outcome[1] = exc

    pending.request = request
    if not pending.given_up:
        pending.wake_caller.release()
        while not pending.wake_thread.acquire(True, GIVEN_UP_SECONDS) and not pending.given_up:
            pass
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]
