"""The pages of one job: read ahead by a thread, so that a feeder does not stop between sheets.

It knows jobs, and how a page is read, from what the Scanner gives it; it knows neither options nor
backends.
"""

from __future__ import annotations

import sys
import time

from ..errors import Cancelled, Closed, NoDocs, SaneError, ScanTimeout
from ..scanner import CLOSE_SECONDS
from ..threads import start_thread
from .arguments import check_count, check_seconds
from .facts import facts_of
from .jobs import SETTLE_SECONDS, brief
from .meter import Meter
from .reading import Facts, read_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .machine import Machine
    from .meter import Progress
    from .options import Options
    from .page import Page
    from .scanner import Scanner


class Batch:
    """A job of pages: begin() it, read(number) one after the other, end() it.

    limit: None for as many as there are. most: how many will be read, known after begin().
    """

    def __init__(
        self,
        machine: Machine,
        limit: int | None,
        progress: Callable[[Progress], object] | None,
        keep: str,
    ) -> None:
        if limit is not None:
            check_count("pages: a limit", limit, 1)
        self.most = limit
        self._keep = keep
        self._meter = Meter(progress)
        self._machine = machine
        self._frames = machine.frames()
        self._facts = Facts()

    def begin(self, options: Options) -> None:
        """Begin the job; raises DeviceBusy beside another one."""
        self._frames.begin()
        try:
            self._facts = facts_of(options, self._machine, self._keep)
        except BaseException:
            self._frames.end()
            raise
        if self.most is None and self._facts.is_flatbed:
            self.most = 1

    def read(self, number: int) -> Page:
        """Read the next page; raises NoDocs when there is none."""
        return read_page(self._frames, self._facts, self._meter, number)

    def end(self) -> None:
        """End the job."""
        self._frames.end()


class Ahead:
    """A thread that reads the pages of a batch, *prefetch* ahead of who takes them.

    The batch has begun; it is ended in the thread, as soon as no page is wanted any more.
    """

    def __init__(self, batch: Batch, prefetch: int) -> None:
        import threading

        self.pages_done = 0  # were read whole
        self.error: BaseException | None = None
        self.has_ended = False
        self._batch = batch
        self._prefetch = prefetch
        self._ready: list[Page] = []
        self._wanted = 0  # pages that somebody has asked for
        self._is_stopped = self._is_reading = False
        self._changed = threading.Condition()  # guards all this
        start_thread(self._run)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while self._may_go_on():
                page = self._batch.read(self.pages_done + 1)
                with self._changed:
                    self.pages_done += 1
                    self._is_reading = False
                    self._ready.append(page)
                    del page
                    self._changed.notify_all()
        except BaseException as exc:
            error = exc
        try:
            self._batch.end()
        except BaseException as exc:
            error = error or exc
        with self._changed:
            self.error = error
            self.has_ended = True
            self._changed.notify_all()

    def _may_go_on(self) -> bool:
        """Wait until the next page may be begun; False: there is to be none."""
        if self._batch.most is not None and self.pages_done >= self._batch.most:
            return False
        with self._changed:
            while not self._is_stopped and self.pages_done >= self._wanted + self._prefetch:
                self._changed.wait()
            self._is_reading = not self._is_stopped
            return self._is_reading

    def next(self, timeout: float | None) -> Page | None:
        """Return the next page, None after the last one; raises what the thread met.

        Raises TimeoutError after *timeout* seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()
            while not self._ready and not self.has_ended:
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError
                self._changed.wait(brief(until))
            if self._ready:
                return self._ready.pop(0)
            error, self.error = self.error, None
        if error is None or (isinstance(error, NoDocs) and self.pages_done):
            return None
        raise error

    def stop(self) -> bool:
        """Begin no further page; tell whether one is being read."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
            return self._is_reading

    def wait_ended(self, seconds: float) -> bool:
        """Wait until the job has ended; False if it has not after so long."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self.has_ended:
                if time.monotonic() >= until:
                    return False
                self._changed.wait(brief(until))
        return True


class Pages:
    """The pages of one job: an iterator, and a context manager that ends the job.

    The job begins with the first page that is asked for. It ends after the last one, at an error,
    when the block is left or close() is called, and when this object is dropped. pages_done: how
    many the scanner has given so far, taken by the loop or not.
    """

    def __init__(
        self,
        scanner: Scanner,
        machine: Machine,
        batch: Batch,
        *,
        timeout: float | None,
        prefetch: int,
        empty_ok: bool,
    ) -> None:
        check_count("pages: a prefetch", prefetch, 0)
        check_seconds("pages: a timeout", timeout)
        self._scanner = scanner  # which is open as long as this lives
        self._machine = machine
        self._batch = batch
        self._timeout = timeout
        self._prefetch = prefetch
        self._empty_ok = empty_ok
        self._ahead: Ahead | None = None
        self._is_over = False

    @property
    def pages_done(self) -> int:
        return 0 if self._ahead is None else self._ahead.pages_done

    def __enter__(self) -> Pages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Pages:
        return self

    def __next__(self) -> Page:
        if self._is_over:
            raise StopIteration
        try:
            if self._ahead is None:
                self._batch.begin(self._scanner.options)
                self._ahead = Ahead(self._batch, self._prefetch)
            page = self._ahead.next(self._timeout)
        except BaseException as exc:
            self._stop(SETTLE_SECONDS if type(exc) is TimeoutError else CLOSE_SECONDS)
            if isinstance(exc, NoDocs) and self._empty_ok:
                raise StopIteration from None
            told = told_of(exc, self._machine, self._timeout, self.pages_done)
            if told is not exc:
                raise told from exc
            raise
        if page is None:
            self.close()
            raise StopIteration
        return page

    def close(self) -> None:
        """End the job, if it has not ended; pages that were given stay valid."""
        self._stop(CLOSE_SECONDS)

    def _stop(self, seconds: float) -> None:
        self._is_over = True
        ahead = self._ahead
        if ahead is None or ahead.has_ended:
            return
        if ahead.stop():
            self._machine.cancel()
        ahead.wait_ended(seconds)

    def __del__(self) -> None:
        """End the job of a loop that was left."""
        if getattr(self, "_ahead", None) is not None and not sys.is_finalizing():
            self.close()

    def __repr__(self) -> str:
        return f"<sane.Pages of {self._scanner!r}, {self.pages_done} done>"


def told_of(
    exc: BaseException, machine: Machine, timeout: float | None, pages_done: int
) -> BaseException:
    """Return *exc* with what is known here: how many pages came before it."""
    if type(exc) is TimeoutError:
        exc = ScanTimeout(f"no page has come within {timeout:g} s", device=machine.name)
    elif isinstance(exc, Cancelled) and machine.turns.is_closing:
        exc = Closed("the scanner was closed during the scan", device=machine.name)
    if isinstance(exc, SaneError):
        exc.pages_done = pages_done
    return exc
