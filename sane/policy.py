"""What differs between drivers beside the scan itself: declared attributes and small hooks.

A driver keeps the defaults, which are the rules of the standard. Whoever passes on what another
program decides, or does what an original does against these rules, says so here: sane.handle
asks, and nobody overrides it. Source: SANE standard 4.3 and 4.4; c-abi-and-dll 1.7 and 9.
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
    """It may write to a socket or pipe that is not of sane.transport or usb: each call of it takes
    some microseconds longer, so that a peer that hangs up cannot end the frontend by SIGPIPE."""

    # Options

    sets_always: ClassVar[bool] = False
    """A SET takes effect and tells its info bits also when the value is there already."""

    frame_actions: ClassVar[tuple[int, ...]] = (const.ACTION_GET_VALUE,)
    """What may be done with options while a frame is being read."""

    passes_unknown_actions: ClassVar[bool] = False
    """An action that the standard does not have does nothing, successfully."""

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
    """The driver keeps the states of a scan itself, beyond a close if it likes: start, read_into,
    finish and close are passed on whatever happened before. read_into raises EndOfFrame."""

    vouches_for_parameters: ClassVar[bool] = False
    """parameters() is asked each time, and its answer passed on without a check."""

    frame_bytes: int | None = None
    """Set by start where parameters() cannot tell: bytes of the frame, -1: as many as come."""

    takes_empty_reads: ClassVar[bool] = False
    """A read into a buffer of no bytes ends the frame, instead of being refused."""

    status_without_frame: ClassVar[type[SaneError] | None] = None
    """What a read raises when there is no frame, except after the end of one. None: Invalid
    before a scan, and after a failure the same again."""

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
