"""Calls of any thread to an open device, one at a time, and the frames of a job.

It knows the methods of Handle, and what ends a job; it knows neither options nor pages.
"""

from __future__ import annotations

import os

from .errors import Cancelled, Closed, DeviceBusy, EndOfFrame, SaneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from .handle import Handle
    from .param import Parameters

    State = Literal["idle", "scanning", "cancelling", "closed"]

CLOSE_SECONDS = 5.0  # a driver that ignores cancel for so long is not waited for
TURN_SECONDS = 1.0  # a call waits so long for another thread's to return: a read, or an option


class Job:
    """A scan under way, of one page or many; it belongs to the process that began it."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.pid = os.getpid()


class Turns:
    """Who may call a handle: one call at a time, a cancel or a close at any moment.

    A cancel or close that meets a call under way asks the driver to end it, and is carried out
    before the handle's next call: by whoever can, the requester, the call that ended, or the next
    one. The handle's cancel request is touched under _gate only, and never after is_closed: its
    descriptor may then be another file's. Both locks may be taken again by a signal handler that
    interrupts their holder.
    """

    def __init__(self, handle: Handle) -> None:
        import _thread

        self.is_closed = False
        self._handle = handle
        self._next = _thread.RLock()  # held by who gets the turn next: a frame is read in a loop
        self._turn = _thread.RLock()  # held by the call under way
        self._is_inside = False  # the holder of _turn is in the handle, perhaps interrupted
        self._gate = _thread.RLock()  # guards what follows; never held in a driver
        self._job: Job | None = None
        self._cancel_wanted = False
        self._close_wanted = False
        self._is_settling = False  # what was wanted is being carried out

    @property
    def state(self) -> State:
        """What the device is doing; may be asked by any thread."""
        if self.is_closed:
            return "closed"
        if self._cancel_wanted or self._close_wanted or self._is_settling:
            return "cancelling"
        return "idle" if self._job is None else "scanning"

    def call(self, function: Callable[..., Any], *arguments: Any, job: Job | None = None) -> Any:
        """Return function(*arguments), called while nobody else calls the handle.

        job: raise Cancelled if this job was cancelled in the meantime. Without a job, raise
        DeviceBusy if another call is under way, and lasts. What the driver raises by mistake
        becomes a SaneError: see mistakes.told.
        """
        try:
            with self._next:
                if not self._turn.acquire(True, TURN_SECONDS if job is None else -1):
                    raise DeviceBusy("another call to the scanner is under way")
            try:
                if self._is_inside:
                    raise DeviceBusy("the scanner is used within another call to it")
                self._is_inside = True
                try:
                    self._settle()
                    if job is not None and job is not self._job:
                        raise Cancelled
                    if self.is_closed:
                        raise Closed("the scanner is closed")
                    return function(*arguments)
                except BaseException as exc:
                    self._raise_told(exc)
                    raise
                finally:
                    self._is_inside = False
            finally:
                self._turn.release()
        finally:
            self.attend()

    def _raise_told(self, exc: BaseException) -> None:
        """Raise what a program is told in place of *exc*, if that is another error."""
        if isinstance(exc, SaneError):
            return
        from .mistakes import told

        error = told(exc, self._handle.device)
        if error is not None:
            raise error from exc

    def begin(self) -> Job:
        """Return a new job; raises DeviceBusy beside another, or if a driver ignores cancel."""
        is_closing = self._close_wanted or self.is_closed
        if not is_closing and self.state == "cancelling" and not self._wait(CLOSE_SECONDS):
            raise DeviceBusy("the driver has not come back since the last job was cancelled")
        with self._gate:
            if self.is_closed or self._close_wanted:
                raise Closed("the scanner is closed")
            if self._job is not None:
                raise DeviceBusy("a scan is under way: finish or close its pages, or cancel it")
            self._job = Job()
            return self._job

    @property
    def is_closing(self) -> bool:
        """The handle is closed, or will be before its next call."""
        with self._gate:
            return self.is_closed or self._close_wanted

    def is_job(self, job: Job | None) -> bool:
        """Tell whether *job* is under way."""
        return job is not None and job is self._job

    def end(self, job: Job) -> None:
        """End *job* in the driver too; nothing happens if it was cancelled, or is a parent's."""
        with self._gate:
            if job is not self._job or job.pid != os.getpid():
                return
            self._job = None
            self._cancel_wanted = True
        self._wait(None)

    def cancel(self, *, attends: bool = True) -> None:
        """End the job of this moment; a call that waits in the driver raises Cancelled.

        attends: the driver may be told in this call, where no other is under way; else the next
        call does it.
        """
        with self._gate:
            if self._job is None or self.is_closed:
                return
            self._job = None
            self._cancel_wanted = True
            self._handle.cancel_request.set()
        if attends:
            self.attend()

    def close(self) -> bool:
        """Close the handle; False: a call that ignores cancel is under way, and will do it."""
        with self._gate:
            if not self.is_closed:
                if self._job is not None or self._is_inside:  # no cancel of an idle C backend
                    self._handle.cancel_request.set()
                self._job = None
                self._close_wanted = True
        return self._wait(CLOSE_SECONDS)

    def _wait(self, seconds: float | None) -> bool:
        """Carry out what is wanted when the call under way has ended; False: it has not.

        A call of this very thread, which a signal handler has interrupted, is not waited for.
        """
        if not self._turn.acquire(True, -1 if seconds is None else seconds):
            return False
        try:
            self.attend()
        finally:
            self._turn.release()
        return True

    def attend(self) -> None:
        """Carry out what is wanted, unless a call is under way: it looks when it has ended."""
        while self._cancel_wanted or self._close_wanted:
            if not self._turn.acquire(False):
                return
            try:
                if self._is_inside:  # of this thread, which a signal handler has interrupted
                    return
                self._is_inside = True
                try:
                    self._settle()
                finally:
                    self._is_inside = False
            finally:
                self._turn.release()

    def _settle(self) -> None:
        """Carry out what is wanted until nothing is; only for the holder of the turn."""
        while True:
            with self._gate:
                closes, cancels = self._close_wanted, self._cancel_wanted
                self._cancel_wanted = self._close_wanted = False
                self.is_closed |= closes
                self._is_settling = closes or cancels
            try:
                if closes:
                    self._handle.close()
                elif cancels and not self.is_closed:
                    self._handle.cancelled()
                else:
                    return
            finally:
                self._is_settling = False


class Frames:
    """The frames of one job, as sane.pages reads them; the job lasts as long as the context.

    call: calls as Turns.call, which it is by default.
    """

    def __init__(
        self, handle: Handle, turns: Turns, call: Callable[..., Any] | None = None
    ) -> None:
        self._handle = handle
        self._turns = turns
        self._call_in_turn = turns.call if call is None else call
        self._job: Job | None = None

    def begin(self) -> None:
        """Begin the job; raises DeviceBusy beside another one."""
        self._job = self._turns.begin()

    def end(self) -> None:
        """End the job."""
        assert self._job is not None
        self._turns.end(self._job)

    def __enter__(self) -> Frames:
        self.begin()
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._call_in_turn(function, *arguments, job=self._job)

    def start(self, mime: str = "") -> Parameters:
        """Begin the next frame, or the page as the device sends it in *mime*."""
        self._call(self._handle.start, mime)
        params: Parameters = self._call(self._handle.parameters)
        return params

    def keep(self, mime: str) -> None:
        """Let the driver keep the page as it is sent, or "" not; raises Unsupported."""
        if mime:
            self._call(self._handle.check_encoded, mime)
        self._handle.device.keeps_encoded = bool(mime)

    def kept(self, mime: str) -> bytes:
        """Return what the driver has kept of the page that was read."""
        from .pages import read_document

        read_into = self._call(self._handle.kept_document, mime)
        return read_document(lambda view: self._call(read_into, view))

    def read_into(self, view: memoryview) -> int:
        """Write the frame's next bytes into *view*; return how many, 0 at its end."""
        try:
            n: int = self._call(self._handle.read, view)
        except EndOfFrame:
            return 0
        return n
