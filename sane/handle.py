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
    status_of,
)
from .param import line_bytes
from .values import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .backend import Device
    from .option import Option
    from .param import Parameters
    from .threads import Ring

IDLE, FRAME, ENDED, STOPPED = range(4)

# What the C side may do with an option without asking here, by index.
DIRECT_GET = 1
DIRECT_SET = 2
TELL_FETCH = 4  # tell descriptor() when a frontend fetches this option descriptor

BUSY_SECONDS = 0.2  # simple-scan calls start again at once when a device is busy


class Handle:
    """One open device: option access, parameters, and the scan with its states.

    A driver that must break these rules, as an emulation of another program does, names a
    subclass in Device.handle_class; every method here may be overridden.
    """

    def __init__(self, device: Device, cancel: Cancel | None = None) -> None:
        self.device = device
        self.options = device.options
        self.cancel_request = Cancel() if cancel is None else cancel
        self.state = IDLE
        self.job = False
        self.reader: object | None = None
        self.non_blocking = False
        self.direct = bytearray(len(self.options))
        self._params: Parameters | None = None
        self._left_bytes = -1
        self._failure: SaneError | None = None
        self._ring: Ring | None = None
        self._lost = False
        device.cancel_request = self.cancel_request
        try:
            self.prepare()
        except BaseException:
            if cancel is None:
                self.cancel_request.close()
            raise
        self.options.changed.clear()
        self.refresh_direct()

    def prepare(self) -> None:
        """Work out which options are active in the state that the driver opened with."""
        self.options.update(self.device)

    # Options

    def refresh_direct(self) -> None:
        """Work out anew what the C side may do alone; call it when a state changed."""
        for option in self.options.declared:
            self.direct[option.index] = self.direct_access(option)

    def direct_access(self, option: Option) -> int:
        """Return the DIRECT_ bits of *option* for this moment."""
        access = 0
        if not self.options.is_active(option) or option.type >= const.TYPE_BUTTON:
            return access
        if option.can(const.CAP_SOFT_DETECT) and option.get_hook is None:
            access |= DIRECT_GET
        simple = option.is_plain and option.length == 1
        if (
            option.can(const.CAP_SOFT_SELECT)
            and simple
            and option.attribute not in self.options.dependents
        ):
            access |= DIRECT_SET if self.state != FRAME else 0
        return access

    def descriptor(self, index: int) -> Option:
        """Return the option behind *index*; raises Invalid when there is none."""
        if not 0 <= index < len(self.options):
            raise Invalid(f"option {index}: this device has {len(self.options)} options")
        return self.options.declared[index]

    def access(self, index: int, action: int) -> Option:
        """Return the option, or raise Invalid if *action* is not allowed on it now (1.7)."""
        option = self.descriptor(index)
        if option.type == const.TYPE_GROUP:
            raise Invalid(f"option {index} is a group")
        if not self.options.is_active(option):
            raise Invalid(f"option {option.name} is inactive")
        if action == const.ACTION_GET_VALUE:
            allowed = option.can(const.CAP_SOFT_DETECT) and option.type != const.TYPE_BUTTON
        elif action == const.ACTION_SET_VALUE:
            allowed = option.can(const.CAP_SOFT_SELECT)
        elif action == const.ACTION_SET_AUTO:
            allowed = option.can(const.CAP_SOFT_SELECT) and option.can(const.CAP_AUTOMATIC)
        else:
            raise Invalid(f"unknown action {action}")
        if not allowed:
            raise Invalid(f"option {option.name} does not allow action {action}")
        if action != const.ACTION_GET_VALUE and self.state == FRAME:
            raise Invalid(f"option {option.name} cannot be set during a scan")
        return option

    def get(self, index: int) -> bytes:
        """Return the value of option *index* as ABI bytes (standard 4.3.7)."""
        return self.options.get(self.device, self.access(index, const.ACTION_GET_VALUE))

    def set(self, index: int, data: bytes) -> tuple[bytes, int]:
        """Set option *index* to ABI bytes *data*; return what took effect, and the info bits.

        Raises Invalid and leaves everything as it was when the value is not acceptable.
        """
        option = self.access(index, const.ACTION_SET_VALUE)
        if option.type == const.TYPE_BUTTON:
            return b"", self.assign(option, b"")
        fitted, info = option.fit(data, self.options.constraints[index])
        info |= self.store(option, fitted)
        return self.options.stored(option), info

    def store(self, option: Option, data: bytes) -> int:
        """Let the fitted *data* take effect; nothing happens when it is the value already."""
        if data == self.options.stored(option):
            return 0
        return self.assign(option, data)

    def set_auto(self, index: int) -> int:
        """Let the device choose the value of option *index*; return the info bits."""
        option = self.access(index, const.ACTION_SET_AUTO)
        return self.store(option, option.encode(option.auto))

    def assign(self, option: Option, data: bytes) -> int:
        """Store *data* with all that hangs on it; return the info bits."""
        try:
            return self.options.assign(self.device, option, data)
        finally:
            for index in self.options.changed:
                self.direct[index] = self.direct_access(self.options.declared[index])

    # The scan

    def parameters(self) -> Parameters:
        """Return the parameters: exact during a frame, else of the next frame."""
        if self.state == FRAME and self._params is not None:
            return self._params
        return self.checked_parameters()

    def checked_parameters(self) -> Parameters:
        """Ask the driver; raises DeviceIOError if it breaks the rules of c-abi-and-dll 1.6."""
        params = self.device.parameters()
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

    def start(self) -> None:
        """Begin to acquire a frame (standard 4.3.9); raises what the driver raises."""
        if self.state == FRAME:
            raise Invalid("start: a frame is being acquired already")
        self.begin()

    def begin(self) -> None:
        """Start the driver whatever the state is; on failure the handle is idle again."""
        self.leave_frame(IDLE)
        if self._lost:
            raise Misbehaved("the driver has not come back from an earlier call")
        self.non_blocking = False
        try:
            start: Callable[[], object] = self.device.start
            answer = start()
            self.job = True
            refuse("start", answer)
            self._params = self.checked_parameters()
        except BaseException as exc:
            self._failed_start(exc)
            raise
        self.state = FRAME
        self._left_bytes = self._params.frame_bytes
        self.reader = self.device.reader
        if self.device.blocking == "thread":
            self._start_ring()
        self.refresh_direct()

    def _failed_start(self, exc: BaseException) -> None:
        if self.job:
            self.end_job(aborted=not isinstance(exc, NoDocs))
        self.state = STOPPED if isinstance(exc, Cancelled) else IDLE
        self.refresh_direct()
        if isinstance(exc, DeviceBusy):
            self.device.wait(BUSY_SECONDS)

    def read(self, view: memoryview) -> int:
        """Fill *view* with 1 to len(view) bytes of the frame; return how many.

        0 means nothing yet, only in non-blocking mode. Raises EndOfFrame at the end and again
        until the next start, Cancelled after cancel, Invalid when there is no frame.
        """
        self.readable()
        if not len(view):
            raise Invalid("read: a length of 0")
        if 0 <= self._left_bytes < len(view):
            view = view[: self._left_bytes]
        try:
            n = self._fill(view)
        except BaseException as exc:
            self.fail(exc)
            raise
        if n is None:
            return 0
        if n == 0:
            self._tell_short()
            self.end_frame()
            raise EndOfFrame
        self._left_bytes -= n if self._left_bytes >= 0 else 0
        if self._left_bytes == 0:
            self.end_frame()
        return n

    def _tell_short(self) -> None:
        """Say that the driver has ended the frame before its last byte: the image is cut off."""
        if self._left_bytes > 0 and self._params is not None:
            whole = self._params.frame_bytes
            text = "read_into: the frame ended after %d of %d bytes"
            self.device.debug(1, text, whole - self._left_bytes, whole)

    def read_nowhere(self) -> None:
        """Raise what a read without a buffer deserves."""
        raise Invalid("read: no buffer")

    def readable(self) -> None:
        """Raise what read has to answer in this state, unless there is a frame to read."""
        if self.state == STOPPED or self.cancel_request.is_set():
            raise self._failure or Cancelled()
        if self.state == ENDED:
            raise EndOfFrame
        if self.state == IDLE:
            raise Invalid("read: no scan was started")

    def _fill(self, view: memoryview) -> int | None:
        if self._ring is not None:
            return self._ring.read_into(view, not self.non_blocking)
        n = self.device.read_into(view)
        return None if n is None and self.non_blocking else self._plausible(n, view)

    def ask(self, view: memoryview) -> int:
        """Let the driver fill *view*; raises DeviceIOError if its answer is impossible."""
        return self._plausible(self.device.read_into(view), view)

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
            return
        self.leave_frame(STOPPED)
        self._failure = BY_STATUS[status_of(exc)](str(exc))
        self.end_job(aborted=True)

    def reader_ended(self, status: int, taken: int) -> int:
        """Answer for the C side when its reader gave anything but data; return the status.

        taken: bytes of the frame that it delivered with this call, after which the frame ends.
        """
        if status != const.STATUS_EOF:
            self.fail(BY_STATUS.get(status, DeviceIOError)())
            return status
        self.end_frame()
        return const.STATUS_GOOD if taken else status

    def end_frame(self) -> None:
        """Note that the last byte of the frame was delivered."""
        self.leave_frame(ENDED)
        self.device.frame_ended()

    def leave_frame(self, state: int) -> None:
        """Enter *state*, which is not FRAME: no reader, no reader thread."""
        self.state = state
        self.reader = None
        if state != STOPPED:
            self._failure = None
        if self._ring is not None and state != ENDED:
            self._stop_ring()
        self.refresh_direct()

    def cancelled(self) -> None:
        """Carry out a cancel request: the job ends, reads answer Cancelled until start.

        Called with no other call of this handle under way, as every method here.
        """
        aborted = self.state in (FRAME, STOPPED)
        if self.job:
            self.leave_frame(STOPPED)
        self.end_job(aborted)

    def end_job(self, aborted: bool) -> None:
        """Let the driver finish, once per job; its failure is reported, not raised."""
        if self.job and not self._lost:
            self.job = False
            self.device.cancel_request = NeverCancelled()  # type: ignore[assignment]
            try:
                finish: Callable[[bool], object] = self.device.finish
                refuse("finish", finish(aborted))
            except BaseException as exc:  # nobody is left to tell: sane_cancel has no status
                self.device.report("finish", exc)
            self.device.cancel_request = self.cancel_request
        self.job = False
        self.cancel_request.clear()

    def close(self) -> None:
        """End the job if there is one, then close the device; never raises."""
        self.cancelled()
        self.leave_frame(IDLE)
        try:
            if not self._lost:
                close: Callable[[], object] = self.device.close
                refuse("close", close())
        except BaseException as exc:  # a driver's KeyboardInterrupt is no more than a mistake
            self.device.report("close", exc)
        self.cancel_request.close()

    # Non-blocking reads

    def set_io_mode(self, non_blocking: bool) -> None:
        """Choose blocking or not for this frame (standard 4.3.12); Invalid without a frame."""
        if self.state != FRAME:
            raise Invalid("set_io_mode: no scan was started")
        if self.device.descriptor is not None:
            self.device.set_non_blocking(non_blocking)
        elif non_blocking:
            self._start_ring()
        self.non_blocking = non_blocking

    def select_fd(self) -> int:
        """Return a descriptor that is readable when read would not block (standard 4.3.13)."""
        if self.state != FRAME:
            raise Invalid("get_select_fd: no scan was started")
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
            self.cancel_request.set()  # whatever the driver waits for
        stopped = ring.stop()
        self.cancel_request.clear()
        if stopped:
            ring.close()
        else:
            self._lost = True
            error = Misbehaved("has not returned after cancel; the device is given up")
            self.device.report("read_into", error)
