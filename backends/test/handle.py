"""Where the test backend breaks the framework's rules, as the original of this name does.

Each method overrides one rule of sane.handle.Handle and says which. Source: specification of
the test backend, sections 2.1 and 5.
"""

from __future__ import annotations

from ... import const
from ...backend import Handle, errors
from ...errors import BY_STATUS
from ...handle import DIRECT_SET, FRAME, STOPPED, TELL_FETCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...option import Option
    from ...param import Parameters
    from .device import TestDevice

FEEDER_PAGES = 10  # every 11th start with the feeder selected finds it empty


class TestHandle(Handle):
    """The original's rules for access to options, repeated starts, cancel and forced statuses."""

    __test__ = False  # not a test class
    device: TestDevice

    def prepare(self) -> None:
        """Keep what an earlier open left; only the first evaluates what options depend on."""
        self.device.first_open()

    def direct_access(self, option: Option) -> int:
        """Nothing may be accessed before its descriptor was fetched, nor during a scan."""
        if option.index not in self.device.loaded:
            return TELL_FETCH
        if self.state == FRAME:
            return 0
        access = super().direct_access(option)
        return access & ~DIRECT_SET if option.reloads & const.INFO_RELOAD_OPTIONS else access

    def descriptor(self, index: int) -> Option:
        """Fetching the descriptor makes the option accessible."""
        option = super().descriptor(index)
        if index not in self.device.loaded:
            self.device.loaded.add(index)
            self.direct[index] = self.direct_access(option)
        return option

    def access(self, index: int, action: int) -> Option:
        """During a scan not even GET is allowed, and nothing before its descriptor is fetched."""
        if self.state == FRAME:
            raise errors.Invalid("options are not accessible during a scan")
        if 0 <= index < len(self.options) and index not in self.device.loaded:
            raise errors.Invalid(f"option {index}: fetch its descriptor first")
        return super().access(index, action)

    def set(self, index: int, data: bytes) -> tuple[bytes, int]:
        """Reloading means that every descriptor must be fetched before the next access."""
        result, info = super().set(index, data)
        if info & const.INFO_RELOAD_OPTIONS:
            self.device.loaded = {0}
            self.refresh_direct()
        return result, info

    def checked_parameters(self) -> Parameters:
        """Any depth of the configuration passes."""
        return self.device.describe(exact=True)

    def parameters(self) -> Parameters:
        """Exact during a frame, else possibly fuzzy."""
        return self.device.describe(exact=self.state == FRAME)

    def start(self) -> None:
        """Start again in mid-frame unless in single-pass colour; the feeder runs empty."""
        device = self.device
        if self.state == FRAME and device.mode == "Color" and not device.three_pass:
            raise errors.Invalid("start: a frame is being acquired already")
        if device.pass_number == 0:
            device.pages += 1
            if device.is_feeder and device.pages % (FEEDER_PAGES + 1) == 0:
                raise errors.NoDocs("the feeder is empty")
        self.begin()
        self._left_bytes = device.frame_bytes

    def read(self, view: memoryview) -> int:
        """A forced status comes first; a length of 0 ends the frame; cancel breaks a read."""
        self.refuse_read()
        if self.device.read_limit:
            view = view[: max(0, self.device.read_limit_size)]
        self.readable()
        if not len(view):
            self.end_frame()
            raise errors.EndOfFrame
        untouched = self._left_bytes == self.device.frame_bytes
        try:
            return super().read(view)
        except errors.Cancelled:
            if untouched:
                raise
            # The original loses its pipe under a read that is blocked when cancel comes.
            raise errors.DeviceIOError("cancelled during a read") from None

    def read_nowhere(self) -> None:
        """A forced status comes even before the check of the buffer."""
        self.refuse_read()
        super().read_nowhere()

    def refuse_read(self) -> None:
        """Raise the status that read-return-value forces."""
        status = self.device.forced_status
        if status:
            raise BY_STATUS[status](f"read-return-value is {self.device.read_return_value}")

    def leave_frame(self, state: int) -> None:
        """Only a cancel in mid-frame starts three-pass scans from the first colour again."""
        if state == STOPPED:
            self.device.pass_number = 0
        super().leave_frame(state)

    def cancelled(self) -> None:
        """Cancel between frames changes nothing: reads still tell the end of the frame."""
        if self.state == FRAME:
            super().cancelled()
        else:
            self.end_job(aborted=False)

    def set_io_mode(self, non_blocking: bool) -> None:
        """The option non-blocking decides."""
        if self.state == FRAME and non_blocking and not self.device.non_blocking:
            raise errors.Unsupported("the option non-blocking is off")
        super().set_io_mode(non_blocking)

    def select_fd(self) -> int:
        """The option select-fd decides."""
        if self.state == FRAME and not self.device.select_fd:
            raise errors.Unsupported("the option select-fd is off")
        return super().select_fd()
