"""A job of a scanner in a thread of its own: it runs ahead of whoever reads its pages.

What is said to the scanner is a protocol's; here is how a job begins, runs and ends.

    begin             work returns or raises, or stop is set             leave has ended
    ----> RUNNING ---------------------------------------> LEAVING ------------------> over

A cancel sets *stop*: nothing further is asked for, and the scanner is told at once. What it is
sending gets PENDING_SECONDS to end, then *broken* ends that, too. Source: specification escl 2.8.
"""

from __future__ import annotations

from ...backend import debug_level, describe
from ...cancel import Cancel
from ...errors import DeviceIOError, SaneError
from ...threads import STOP_SECONDS, start_thread
from .deliveries import Deliveries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...debug import Debug
    from .request import Request

PENDING_SECONDS = 10.0  # for what is under way when a job is cancelled


class Job:
    """One job; *deliveries* are its documents. A protocol fills in `work` and `leave`."""

    def __init__(self, request: Request, debug: Debug) -> None:
        import _thread

        self.request = request
        self.debug = debug
        self.stop = Cancel()
        try:
            self.broken = Cancel()
            self.deliveries = Deliveries(self.stop)
        except BaseException:
            self.stop.close()
            raise
        self._over = _thread.allocate_lock()
        self._over.acquire()
        self._is_released = False

    # What a protocol fills in

    def work(self) -> None:
        """Do the job, from asking for it to its last page: in the job's thread."""
        raise NotImplementedError

    def leave(self) -> None:
        """Tell the scanner that the job is over, if it was not told: in any thread."""
        raise NotImplementedError

    # Its course

    def begin(self) -> None:
        """Start the thread."""
        try:
            start_thread(self._run)
        except BaseException:
            self._over.release()
            self.end(is_aborted=False)
            raise

    def _run(self) -> None:
        failure: SaneError | None = None
        try:
            self.work()
        except SaneError as exc:
            failure = exc
        except BaseException as exc:  # there is no caller: whoever reads is told
            self.debug(debug_level(exc), "%s", describe("job", exc))
            failure = DeviceIOError(f"the job failed: {exc}")
        try:
            self.deliveries.close(failure)
            self.leave()
        except BaseException as exc:  # the pages are there already
            self.debug(debug_level(exc), "%s", describe("end of the job", exc))
        finally:
            self._over.release()

    @property
    def has_more(self) -> bool:
        """A page waits, or may still come."""
        return self.deliveries.has_more

    def end(self, *, is_aborted: bool) -> None:
        """Come to the end: at once if *is_aborted*, else as the scanner takes it; then release.

        May be called again.
        """
        if self._is_released:
            return
        if is_aborted:
            self.stop.set()
            self.leave()
        is_over = self._over.acquire(True, PENDING_SECONDS)
        if not is_over:
            self.stop.set()
            self.broken.set()
            is_over = self._over.acquire(True, STOP_SECONDS)
        self._is_released = True
        if not is_over:  # it keeps what it uses
            self.debug(0, "a job has not ended after %g s", PENDING_SECONDS + STOP_SECONDS)
            return
        self.deliveries.release()
        self.stop.close()
        self.broken.close()
