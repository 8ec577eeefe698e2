"""An open device as a frontend sees it: the rules of the standard between frontend and driver.

It knows options and the states of a scan; it knows neither C nor which frontend calls. Every
way in (C ABI, Python, network) calls these methods, one at a time for a handle.

            start            last byte             start
    IDLE ----------> FRAME -------------> ENDED ----------> FRAME (next frame or page)
      ^                |                    |
      | close          +--- cancel, error --+--> STOPPED ---- start ---> FRAME

A *job* lasts from the first start to cancel, an error, the end of the documents or close; then
the driver's finish runs, once. Source: SANE standard 4.3 and 4.4; c-abi-and-dll 1.7 and 9.
"""

from __future__ import annotations

import sys

from . import const
from .cancel import Cancel, NeverCancelled
from .errors import (
    BY_STATUS,
    Cancelled,
    DeviceBusy,
    DeviceIOError,
    EndOfFrame,
    Invalid,
    Misbehaved,
    NoDocs,
    SaneError,
    Unsupported,
    status_of,
)
from .param import Parameters, line_bytes
from .policy import Policy
from .sigpipe import be_quick, without_sigpipe
from .values import ACTIONS, DIRECT_GET, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .backend import Device
    from .option import Option
    from .threads import Ring

    Result = TypeVar("Result")
    Read = TypeVar("Read", int, int | None)

IDLE, FRAME, ENDED, STOPPED = range(4)

# Modules of ours that call a driver's methods.
CALLERS = frozenset(f"{__package__}.{name}" for name in ("handle", "option", "sigpipe", "values"))
LOST = "the driver has not come back from an earlier call"
BUSY_SECONDS = 0.2  # simple-scan calls start again at once when a device is busy


class Handle:
    """One open device: option access, parameters, and the scan with its states.

    What differs between drivers is declared: see sane.policy.
    """

    def __init__(self, device: Device, cancel: Cancel | None = None) -> None:
        self.device = device
        self.options = device.options
        self.direct = device.options.direct
        self.cancel_request = Cancel() if cancel is None else cancel
        self.state = IDLE
        self.reader: object | None = None
        self.non_blocking = False
        self._has_job = False
        self._params: Parameters | None = None
        self._frame_bytes = -1
        self._left_bytes = -1
        self._failure: SaneError | None = None
        self._ring: Ring | None = None
        self._lost = False
        self._run = without_sigpipe if device.may_raise_sigpipe else _plain_call
        if device.may_raise_sigpipe:
            be_quick()
        self._source = self._guarded(device.read_into)
        filters = type(device).before_read is not Policy.before_read
        self._has_read_policy = filters or device.keeps_state
        device.cancel_request = self.cancel_request
        try:
            self._call(device.settle_options)
        except BaseException:
            if cancel is None:
                self.cancel_request.close()
            raise
        self.options.changed.clear()
        self._note_state()

    def _call(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call *function*, in which the driver's code runs: never beside another call of it."""
        if self._lost:
            raise Misbehaved(LOST)
        ring = self._ring
        if ring is None or ring.is_forked():
            return self._run(function, *arguments)
        ring.turns.take(self.cancel_request)
        try:
            return self._run(function, *arguments)
        finally:
            ring.turns.give()

    # Options

    def descriptor(self, index: int) -> Option:
        """Return the option behind *index*; raises Invalid when there is none."""
        return self._call(self.options.descriptor, self.device, index)

    def access(self, index: int, action: int) -> Option | None:
        """Return the option, or raise Invalid if *action* is not allowed on it now (1.7).

        None: the driver lets an action pass that the standard does not have.
        """
        if action not in ACTIONS and self.device.passes_unknown_actions:
            option = self.options.descriptor(self.device, index)
            if not self.options.is_active(option):
                raise Invalid(f"option {option.name} is inactive")
            return None
        return self.options.access(self.device, index, action)

    def get(self, index: int) -> bytes:
        """Return the value of option *index* as ABI bytes (standard 4.3.7)."""
        option = self.options.access(self.device, index, const.ACTION_GET_VALUE)
        if self.direct[index] & DIRECT_GET:
            return self.options.get(self.device, option)
        return self._call(self.options.get, self.device, option)

    def set(self, index: int, data: bytes) -> tuple[bytes, int]:
        """Set option *index* to ABI bytes *data*; return what took effect, and the info bits.

        Raises Invalid and leaves everything as it was when the value is not acceptable.
        """
        option = self.options.access(self.device, index, const.ACTION_SET_VALUE)
        return self._call(self.options.set, self.device, option, data)

    def set_auto(self, index: int) -> int:
        """Let the device choose the value of option *index*; return the info bits."""
        option = self.options.access(self.device, index, const.ACTION_SET_AUTO)
        return self._call(self.options.set_auto, self.device, option)

    def _note_state(self) -> None:
        """Let the options know whether a frame is being read."""
        self.options.is_reading = self.state == FRAME
        self.options.refresh_direct(self.device)

    # The scan

    def parameters(self) -> Parameters:
        """Return the parameters: exact during a frame, else of the next frame."""
        is_exact = self.state == FRAME and not self.device.vouches_for_parameters
        if is_exact and self._params is not None:
            return self._params
        return self._ask_parameters()

    @property
    def frame_parameters(self) -> Parameters | None:
        """What the driver said when the frame began that is being read; None without one."""
        return self._params if self.state == FRAME else None

    def _ask_parameters(self) -> Parameters:
        """Ask the driver; raises DeviceIOError if it breaks the rules of c-abi-and-dll 1.6."""
        params = self._call(self.device.parameters)
        if not isinstance(params, Parameters):
            raise Misbehaved(f"parameters returned {params!r}, not Parameters")
        if self.device.vouches_for_parameters:
            return params
        if not const.FRAME_GRAY <= params.format <= const.FRAME_BLUE:
            raise Misbehaved(f"parameters: format {params.format} is not in the standard")
        if params.depth not in (1, 8, 16):
            raise Misbehaved(f"parameters: depth {params.depth} is not 1, 8 or 16")
        numbers = (params.bytes_per_line, params.pixels_per_line, params.lines + 2)
        if any(number.__class__ is not int or not 0 < number < 1 << 31 for number in numbers):
            raise Misbehaved(f"parameters: impossible sizes in {params}")
        if params.bytes_per_line < line_bytes(
            params.pixels_per_line, params.channels, params.depth
        ):
            raise Misbehaved(f"parameters: the pixels do not fit into a line of {params}")
        return params

    @property
    def job(self) -> bool:
        """A job is under way: cancel and close have something to end."""
        return self.device.is_scanning() if self.device.keeps_state else self._has_job

    def start(self, mime: str = "") -> None:
        """Begin to acquire a frame (standard 4.3.9); raises what the driver raises.

        mime: let read deliver the page as the device sends it, in place of the frame's pixels.
        When that is the end of a job, the driver's finish has run: at once, or after a cancel
        in cancelled().
        """
        if self.device.keeps_state:
            self._call(self.device.start)
            return
        if mime:
            self.check_encoded(mime)
        self.device.check_start(self.state == FRAME)
        self._leave_frame(IDLE)
        if self._lost:
            raise Misbehaved(LOST)
        self.non_blocking = False
        self.device.wanted_mime = mime
        is_first = not self._has_job
        try:
            if self.cancel_request.is_set():
                raise Cancelled
            start: Callable[[], object] = self.device.start
            self._has_job = True
            refuse("start", self._call(start))
            self._params = self._ask_parameters()
            self._source = self._guarded(self.device.read_into)
            if mime:
                self._source = self._guarded(self._call(self.device.document, mime).read_into)
        except BaseException as exc:
            self._failed_start(exc, is_first)
            raise
        self.state = FRAME
        own = -1 if mime else self.device.frame_bytes
        self._frame_bytes = self._left_bytes = self._params.frame_bytes if own is None else own
        self.reader = None if mime else self.device.reader
        if self.device.blocking == "thread":
            self._start_ring()
        self._note_state()

    def kept_document(self, mime: str) -> Callable[[memoryview], int | None]:
        """Return what reads the page as the device sent it, after the end of its frame."""
        self.check_encoded(mime)
        if self.state != ENDED or not self.device.keeps_encoded:
            raise Invalid("document: the page is not complete, or was not kept")
        return self._guarded(self._call(self.device.document, mime).read_into)

    def check_encoded(self, mime: str) -> None:
        """Raise Unsupported if the device does not send *mime*."""
        if mime not in self.device.encoded:
            offered = ", ".join(self.device.encoded) or "pixels only"
            raise Unsupported(f"document: {mime} is not what the device sends: {offered}")

    def _failed_start(self, exc: BaseException, is_first: bool) -> None:
        if isinstance(exc, Cancelled) and self.cancel_request.is_set():
            self.state = STOPPED  # cancelled() ends the job: the frontend is not kept waiting
            return
        self._end_job(aborted=is_first or not isinstance(exc, NoDocs))
        self.state = STOPPED if isinstance(exc, Cancelled) else IDLE
        if isinstance(exc, DeviceBusy):
            self.device.wait(BUSY_SECONDS)

    def read(self, view: memoryview) -> int:
        """Fill *view* with 1 to len(view) bytes of the frame; return how many.

        0 means nothing yet, only in non-blocking mode. Raises EndOfFrame at the end and again
        until the next start, Cancelled after cancel, Invalid when there is no frame.
        """
        if self._has_read_policy:
            view = self.device.before_read(view)  # type: ignore[assignment]  # a view for a view
            if self.device.keeps_state:
                return self.ask(view)
        if self.state != FRAME or self.cancel_request.is_set():
            raise self._refusal()
        if not len(view):
            self._read_empty()
        if 0 <= self._left_bytes < len(view):
            view = view[: self._left_bytes]
        try:
            n = self._fill(view)
        except BaseException as exc:
            has_begun = self._left_bytes != self._frame_bytes
            self.fail(exc)
            other = self.device.cancelled_read
            if has_begun and isinstance(exc, Cancelled) and other is not Cancelled:
                raise other("cancelled during a read") from None
            raise
        if n is None:
            return 0
        if n == 0:
            self._tell_short()
            self._end_frame()
            raise EndOfFrame
        self._left_bytes -= n if self._left_bytes >= 0 else 0
        if self._left_bytes == 0:
            self._end_frame()
        return n

    def _read_empty(self) -> None:
        """Raise what a read into no bytes has to answer."""
        if not self.device.takes_empty_reads:
            raise Invalid("read: a length of 0")
        self._stop_ring()  # it may be in the middle of the frame
        self._end_frame()
        raise EndOfFrame

    def _tell_short(self) -> None:
        """Say that the driver has ended the frame before its last byte: the image is cut off."""
        if self._left_bytes > 0:
            whole = self._frame_bytes
            text = "read_into: the frame ended after %d of %d bytes"
            self.device.debug(1, text, whole - self._left_bytes, whole)

    def read_nowhere(self) -> None:
        """Raise what a read without a buffer has to answer."""
        self.device.before_read(None)
        raise Invalid("read: no buffer")

    def _refusal(self) -> SaneError:
        """Return what read has to answer while there is no frame to read, or after a cancel."""
        is_cancelled = self.cancel_request.is_set()
        if self.state == ENDED and not is_cancelled:
            return EndOfFrame()
        if self.device.status_without_frame is not None:
            return self.device.status_without_frame()
        if self.state == STOPPED or is_cancelled:
            return self._failure or Cancelled()
        return Invalid("read: no scan was started")

    def _guarded(self, read_into: Callable[[memoryview], Read]) -> Callable[[memoryview], Read]:
        """Return *read_into* for a driver whose calls may raise SIGPIPE so that they do not."""
        if not self.device.may_raise_sigpipe:
            return read_into
        return lambda view: without_sigpipe(read_into, view)

    def _fill(self, view: memoryview) -> int | None:
        if self._ring is not None:
            return self._ring.read_into(view, not self.non_blocking)
        n = self._source(view)
        return None if n is None and self.non_blocking else self._plausible(n, view)

    def ask(self, view: memoryview) -> int:
        """Let the driver fill *view*; raises DeviceIOError if its answer is impossible."""
        return self._plausible(self._source(view), view)

    @staticmethod
    def _plausible(n: int | None, view: memoryview) -> int:
        if n is None or n.__class__ is not int or not 0 <= n <= len(view):
            raise Misbehaved(f"read_into returned {n!r} for a view of {len(view)} bytes")
        return n

    def fail(self, exc: BaseException) -> None:
        """End the job after read failed with *exc*; later reads give the same answer.

        After cancel the job is ended by cancelled(): read answers at once, even while the
        driver, in a thread of its own, is still busy.
        """
        if isinstance(exc, Cancelled) and self.cancel_request.is_set():
            self.state = STOPPED
            self.reader = None
            self._note_state()
            return
        self._leave_frame(STOPPED)
        self._failure = BY_STATUS[status_of(exc)](str(exc))
        self._end_job(aborted=True)

    def reader_ended(self, status: int, taken: int) -> int:
        """Answer for the C side when its reader gave anything but data; return the status.

        taken: bytes of the frame that it delivered with this call, after which the frame ends.
        """
        if status != const.STATUS_EOF:
            reason = self.device.reader_failure()
            if reason:
                self.device.debug(1, "%s", reason)
            error = BY_STATUS.get(status, DeviceIOError)()
            self.fail(error)
            return status_of(error)
        self._end_frame()
        return const.STATUS_GOOD if taken else status

    def _end_frame(self) -> None:
        """Note that the last byte of the frame was delivered."""
        self._leave_frame(ENDED)
        self._call(self.device.frame_ended)

    def _leave_frame(self, state: int) -> None:
        """Enter *state*, which is not FRAME: no reader, no reader thread."""
        self.state = state
        self.reader = None
        if state != STOPPED:
            self._failure = None
        if self._ring is not None and state != ENDED:
            self._stop_ring()
        self._note_state()

    def cancelled(self) -> None:
        """Carry out a cancel request: the job ends, reads answer Cancelled until start.

        Called with no other call of this handle under way, as every method here.
        """
        if self.device.keeps_state:
            self._has_job = True
        elif self._has_job and not (self.device.outlasts_cancel and self.state == ENDED):
            aborted = self.state in (FRAME, STOPPED)
            self._leave_frame(STOPPED)
            self._end_job(aborted)
            return
        self._end_job(aborted=False)

    def _end_job(self, aborted: bool) -> None:
        """Let the driver finish, once per job; its failure is reported, not raised."""
        if self._has_job and not self._lost:
            self._has_job = False
            self.device.cancel_request = NeverCancelled()  # type: ignore[assignment]
            before = self.cancel_request.undisturbed(True)
            try:
                finish: Callable[[bool], object] = self.device.finish
                refuse("finish", self._call(finish, aborted))
            except BaseException as exc:  # nobody is left to tell: sane_cancel has no status
                self.device.report("finish", exc)
            self.cancel_request.undisturbed(before)
            self.device.cancel_request = self.cancel_request
        self._has_job = False
        self.cancel_request.clear()

    def close(self) -> None:
        """End the job if there is one, then close the device; never raises."""
        if not self.device.keeps_state:
            self.cancelled()
            self._leave_frame(IDLE)
        self.cancel_request.undisturbed(True)
        try:
            if not self._lost:
                close: Callable[[], object] = self.device.close
                refuse("close", self._call(close))
        except BaseException as exc:  # a driver's KeyboardInterrupt is no more than a mistake
            self.device.report("close", exc)
        self.cancel_request.close()

    # Non-blocking reads

    def set_io_mode(self, non_blocking: bool) -> None:
        """Choose blocking or not for this frame (standard 4.3.12); Invalid without a frame."""
        if self.state != FRAME and not self.device.keeps_state:
            raise Invalid("set_io_mode: no scan was started")
        self.device.check_io_mode(non_blocking)
        if self.device.descriptor is not None:
            self._call(self.device.set_non_blocking, non_blocking)
        elif non_blocking:
            self._start_ring()
        self.non_blocking = non_blocking

    def select_fd(self) -> int:
        """Return a descriptor that is readable when read would not block (standard 4.3.13)."""
        if self.state != FRAME and not self.device.keeps_state:
            raise Invalid("get_select_fd: no scan was started")
        self.device.check_select_fd()
        own = self.device.descriptor
        return self._start_ring().fd if own is None else own

    def _start_ring(self) -> Ring:
        if self._ring is None:
            from .threads import Ring

            self._ring = Ring(self.ask, self.cancel_request, self._left_bytes)
            self.reader = None
        return self._ring

    def _stop_ring(self) -> None:
        ring, self._ring = self._ring, None
        if ring is None:
            return
        if not ring.has_ended:
            self.cancel_request.interrupt()  # whatever the driver waits for
        stopped = ring.stop()
        self.cancel_request.resume()
        if stopped:
            ring.close()
        else:
            self._lost = True
            error = Misbehaved("has not returned after cancel; the device is given up")
            self.device.report("read_into", error)


def hook_of(thread: int) -> str:
    """Return the name of the driver's method that *thread*, by its identifier, is in."""
    frame = sys._current_frames().get(thread)
    name = ""
    while frame is not None and frame.f_globals.get("__name__") not in CALLERS:
        name = frame.f_code.co_name
        frame = frame.f_back
    return name if frame is not None and name else "the driver"


def _plain_call(function: Callable[..., Result], *arguments: object) -> Result:
    return function(*arguments)
