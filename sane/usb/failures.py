"""What the outcomes of a transfer mean to a driver: one exception for each way to fail.

It knows outcomes (link.py) and SANE's errors; all are I/O errors for the frontend.
"""

from __future__ import annotations

from ..errors import DeviceIOError
from . import link as links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .descriptors import Endpoint


class UsbError(DeviceIOError):
    """A transfer failed; *partial*: what had arrived until then."""

    partial = b""


class TimedOut(UsbError):
    """The device did not answer in time."""


class Stalled(UsbError):
    """The device refused the transfer; the endpoint's halt is cleared already."""


class Overflowed(UsbError):
    """The device sent more than the transfer asked for (babble); the surplus is lost."""


class Unplugged(UsbError):
    """The device is gone."""


class Garbled(UsbError):
    """The device answered, but not in the form that the protocol has."""


FAILURES: dict[str, tuple[type[UsbError], str]] = {
    links.TIMEOUT: (TimedOut, "no answer within {seconds:g} s"),
    links.STALL: (Stalled, "the device refused it (stall)"),
    links.BABBLE: (Overflowed, "the device sent more than was asked for"),
    links.UNPLUGGED: (Unplugged, "the device was unplugged"),
}


class Call:
    """What a driver asked for, to be named when it fails."""

    __slots__ = ("endpoint", "seconds", "size", "what")

    def __init__(self, what: str, size: int, seconds: float, endpoint: Endpoint | None) -> None:
        self.what = what if endpoint is None else f"{what} 0x{endpoint.address:02x}"
        self.size = size
        self.seconds = seconds
        self.endpoint = endpoint


def failure_of(name: str, call: Call, outcome: str, done: int, partial: bytes) -> UsbError:
    """Return what *outcome* of *call* on the device *name* means; *done* bytes had moved."""
    kind, reason = FAILURES.get(outcome, (UsbError, outcome))
    reason = reason.format(seconds=call.seconds)
    moved = f"{done} of {call.size} bytes, " if call.size else ""
    failure = kind(f"{name}: {call.what}: {moved}{reason}")
    failure.partial = partial
    return failure
