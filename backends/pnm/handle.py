"""Where the pnm backend breaks the framework's rules, as the original of this name does.

Its state is that of the file: open or not. It outlives the handle. Each method overrides one
rule of sane.handle.Handle. Source: specification of the test backend, 7.1, 7.2, 7.5 to 7.8.
"""

from __future__ import annotations

from ... import const
from ...backend import Handle, errors
from ...handle import DIRECT_SET, FRAME, IDLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Parameters
    from ...option import Option
    from .device import PnmDevice

ACTIONS = (const.ACTION_GET_VALUE, const.ACTION_SET_VALUE, const.ACTION_SET_AUTO)
PASSES = 3


class PnmHandle(Handle):
    """The original's rules: options are free during a scan, every second start ends the job."""

    device: PnmDevice

    @property
    def job(self) -> bool:
        """Cancel means something as long as the file is open or colour frames are counted."""
        return self.device.file is not None or self.device.pass_number > 0

    @job.setter
    def job(self, value: bool) -> None:
        """Ignored: the device's own state decides."""

    def direct_access(self, option: Option) -> int:
        """A SET reports its info bits even when nothing changes: never without asking here."""
        return super().direct_access(option) & ~DIRECT_SET

    def access(self, index: int, action: int) -> Option | None:  # type: ignore[override]
        """Allowed during a scan; an unknown action does nothing, successfully."""
        if action not in ACTIONS:
            option = self.descriptor(index)
            if not self.options.is_active(option):
                raise errors.Invalid(f"option {option.name} is inactive")
            return None
        state, self.state = self.state, IDLE
        try:
            return super().access(index, action)
        finally:
            self.state = state

    def set(self, index: int, data: bytes) -> tuple[bytes, int]:
        """A file name that is too long is NO_MEM."""
        if len(data) > self.options.declared[index].size and index == 2:
            raise errors.NoMemory(f"filename: {len(data) - 1} bytes are too long")
        return super().set(index, data)

    def store(self, option: Option, data: bytes) -> int:
        """The info bits are reported even when the value stays."""
        return self.assign(option, data)

    def set_auto(self, index: int) -> int:
        """Only the resolution has it, and then the parameters are to be reloaded."""
        super().set_auto(index)
        return const.INFO_RELOAD_PARAMS

    def parameters(self) -> Parameters:
        """Read the file anew, even during a frame."""
        return self.device.parameters()

    def start(self) -> None:
        """Without cancel, a start after a start ends the job; three passes go on."""
        device = self.device
        if device.file is not None:
            device.end_scan()
            self.state = IDLE
            if not device.three_pass:
                raise errors.EndOfFrame("start: cancel ends a scan, not start")
            device.pass_number += 1
            if device.pass_number >= PASSES:
                raise errors.EndOfFrame("start: all three passes are done")
        device.start()
        self.state = FRAME

    def read(self, view: memoryview) -> int:
        """The file decides: everything up to its end is delivered."""
        device = self.device
        if device.file is None:
            raise errors.Cancelled("read: no file is open")
        if device.at_end:
            raise errors.EndOfFrame
        forced = device.forced()
        if forced is not None:
            raise forced("the status is forced by an option")
        n = device.read_into(view)
        if n == 0:
            raise errors.EndOfFrame if device.at_end else errors.DeviceIOError("nothing was read")
        return n

    def cancelled(self) -> None:
        """Close the file and start with the first colour again."""
        self.device.end_scan()
        self.device.pass_number = 0
        self.state = IDLE
        self.cancel_request.clear()

    def set_io_mode(self, non_blocking: bool) -> None:
        """Only blocking reads, only while a file is open."""
        if self.device.file is None:
            raise errors.Invalid("set_io_mode: no file is open")
        if non_blocking:
            raise errors.Unsupported("reads from a file always block")

    def select_fd(self) -> int:
        """Never."""
        raise errors.Unsupported("a file needs no select")

    def close(self) -> None:
        """The scan goes on: the next handle may read the rest."""
        self.device.close()
        self.cancel_request.close()
