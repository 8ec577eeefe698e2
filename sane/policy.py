"""What differs between drivers beside the scan itself: declared attributes and small hooks.

The defaults are the rules of the standard, and most drivers keep them. A driver that passes on what
another program decides, or behaves like an original that breaks these rules, overrides them here;
sane.handle asks for them, and is the same for all drivers.
Source: SANE standard 4.3 and 4.4; c-abi-and-dll 1.7 and 9.
"""

from __future__ import annotations

from . import const
from .errors import Cancelled, Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from .errors import SaneError
    from .option import Option


class Policy:
    """How a Device wants to be treated; every attribute and method here may be overridden."""

    may_raise_sigpipe: ClassVar[bool] = True
    """Whether the driver may write to sockets or pipes other than those of sane.transport and usb.
    If so, SIGPIPE is blocked during each of its calls, which takes some microseconds."""

    poll_buttons: ClassVar[bool] = True
    """The device may be opened and closed once a second to read its buttons: False where that moves
    or calibrates something."""

    # Options

    name_characters: ClassVar[str] = ""
    """Characters in names of options that the standard does not allow, but the original has."""

    sets_always: ClassVar[bool] = False
    """Setting an option to the value that it has already takes effect, and tells its info bits."""

    frame_actions: tuple[int, ...] = (const.ACTION_GET_VALUE,)
    """What may be done with options while a frame is being read."""

    passes_unknown_actions: ClassVar[bool] = False
    """An action that the standard does not have does nothing and returns GOOD."""

    fetched: set[int] | None = None
    """Numbers of the options whose descriptor was fetched since they were last to be reloaded; a
    driver that sets it refuses access to all others."""

    def settle_options(self) -> None:
        """Work out which options are active in the state that the driver opened with."""
        device: Any = self
        device.options.update(device)

    def told_info(self, option: Option, action: int, info: int) -> int:
        """Return the info bits that a frontend is told after *action* has changed *option*."""
        return info

    # The scan

    keeps_state: ClassVar[bool] = False
    """The driver keeps the states of a scan itself, perhaps even after close. start, read_into,
    finish and close are called in any state; read_into raises EndOfFrame at the end of a frame."""

    vouches_for_parameters: ClassVar[bool] = False
    """parameters() is asked each time, and its answer passed on without a check."""

    frame_bytes: int | None = None
    """Set by start where parameters() cannot tell: bytes of the frame, -1: as many as come."""

    takes_empty_reads: ClassVar[bool] = False
    """A read into a buffer of no bytes ends the frame, instead of being refused."""

    status_without_frame: ClassVar[type[SaneError] | None] = None
    """What a read raises when there is no frame, except after the end of one. None: before a scan
    Invalid, after a failure the error of that failure again."""

    cancelled_read: ClassVar[type[SaneError]] = Cancelled
    """What a read raises that a cancel interrupts, once bytes of the frame were delivered."""

    outlasts_cancel: ClassVar[bool] = False
    """A cancel between two frames changes no state: reads still tell the end of the frame."""

    def is_scanning(self) -> bool:
        """Tell whether cancel would end something; asked only if ``keeps_state``."""
        return False

    def check_start(self, in_frame: bool) -> None:
        """Refuse a start by raising: job and frame go on. in_frame: one is being read."""
        if in_frame:
            raise Invalid("start: a frame is being acquired already")

    def before_read(self, view: memoryview | None) -> memoryview | None:
        """Return how much of *view* a read may fill, or raise what it is to answer at once.

        view: None when the frontend gave no buffer.
        """
        return view

    def check_io_mode(self, non_blocking: bool) -> None:
        """Refuse this mode of reading by raising."""

    def check_select_fd(self) -> None:
        """Refuse to give a descriptor for select by raising."""

    def reader_failure(self) -> str:
        """Return why ``reader`` failed, where its status alone does not say it."""
        return ""
