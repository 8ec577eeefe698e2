"""What moves bytes below a Usb handle: the contract of the real device, a recorded one and fakes.

A Link carries out single transfers and tells how each ended; it knows no driver and raises for
nothing that a device can do. handle.py turns outcomes into exceptions.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    from ..cancel import Cancel, NeverCancelled
    from .descriptors import Endpoint

    Cancels: TypeAlias = Cancel | NeverCancelled
    Result: TypeAlias = tuple[str, int]
    Setup: TypeAlias = tuple[int, int, int, int]

    class LinkStream(Protocol):
        """Transfers in flight on one IN endpoint, delivered as one row of bytes."""

        @property
        def outcome(self) -> str:
            """How it failed, OK if it did not."""

        def read_into(self, view: memoryview, seconds: float, cancel: Cancels) -> Result:
            """Move what arrived into *view*, waiting for the first byte; OK and 0: the end."""

        def reader(self, seconds: float, cancel: Cancels) -> object | None:
            """Return a capsule that reads without Python (sane/reader.pxd), None without one."""

        def close(self) -> bytes:
            """Take the transfers back, none is in flight any more; return what was not read."""

    class Transfers(Protocol):
        """The part of a Link that moves bytes."""

        def transfer_in(
            self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
        ) -> Result:
            """Do one bulk or interrupt transfer into *data*; return outcome and size."""

        def transfer_out(
            self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
        ) -> Result:
            """Do one transfer to the device; return as above."""

        def control(
            self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels
        ) -> Result:
            """Do a control transfer."""

        def stream(
            self, endpoint: Endpoint, size: int, depth: int, total: int | None
        ) -> LinkStream:
            """Keep transfers in flight."""

        def close(self) -> None:
            """Release what is kept between calls."""


# How a transfer ended. With all but OK, n bytes may have been moved before.
OK = "ok"
TIMEOUT = "timeout"
CANCELLED = "cancelled"
STALL = "stall"
BABBLE = "babble"  # the device sent more than was asked for
UNPLUGGED = "unplugged"
ERROR = "error"  # a reason may follow after a colon
OUTCOMES = (OK, TIMEOUT, CANCELLED, STALL, BABBLE, UNPLUGGED, ERROR)
ONLY_EMPTY = f"{ERROR}: nothing but empty transfers comes"

LARGEST_TRANSFER = 1 << 22  # usbfs gives all programs together 16 MiB by default
MOST_EMPTY = 1 << 14  # transfers without data in a row: two seconds of one in each microframe


class Link:
    """One open device with its interface claimed.

    A transfer ends when it is complete, *seconds* have passed or *cancel* is set; one whose cancel
    is set already does not begin. Calls come one at a time, from any thread. Buffers are used
    during the call only. A subclass implements the four methods of Transfers, or `transfers` alone.
    """

    is_live = True
    """Whether a device answers. A recording does at once: nobody has to wait for it."""

    @property
    def transfers(self) -> Transfers:
        """What carries out the transfers: the link itself, unless another object saves a call."""
        return self

    def is_drained(self, endpoint: Endpoint) -> bool:
        """Tell whether nothing comes from *endpoint*, without asking it: a recording knows."""
        return False

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        """Do one bulk or interrupt transfer into *data*; return outcome and size."""
        raise NotImplementedError

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        """Do one transfer to the device, of no bytes if *data* is empty; return as above."""
        raise NotImplementedError

    def control(self, setup: Setup, data: memoryview, seconds: float, cancel: Cancels) -> Result:
        """Do a control transfer; bit 7 of the request type says whether *data* is filled.

        setup: request type, request, value and index.
        """
        raise NotImplementedError

    def stream(self, endpoint: Endpoint, size: int, depth: int, total: int | None) -> LinkStream:
        """Keep *depth* transfers of *size* bytes in flight until *total* bytes came."""
        raise NotImplementedError

    def clear_halt(self, endpoint: Endpoint) -> str:
        """End the stall of *endpoint*; return the outcome."""
        raise NotImplementedError

    def reset(self) -> str:
        """Reset the whole device and claim the interface anew; return the outcome."""
        raise NotImplementedError

    def close(self) -> None:
        """Release the interface and the device; called once."""
        raise NotImplementedError
