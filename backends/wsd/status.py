"""What a WS-Scan device says of itself, and what its faults mean. No I/O.

Source: Microsoft, "WS-Scan" (2006/08); specification escl 9.4 and 9.7.
"""

from __future__ import annotations

from ...errors import (
    Cancelled,
    CoverOpen,
    DeviceBusy,
    DeviceIOError,
    Invalid,
    Jammed,
    NoDocs,
    NoMemory,
    SaneError,
)
from . import soap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._driverless.xml import Element

IDLE = "Idle"
# Reasons for a state that settle what a fault means, the first of them first.
REASONS: tuple[tuple[str, type[SaneError], str], ...] = (
    ("MediaJam", Jammed, "a sheet is jammed"),
    ("MultipleFeedError", Jammed, "several sheets were drawn in at once"),
    ("CoverOpen", CoverOpen, "the cover is open"),
    ("InterlockOpen", CoverOpen, "the cover is open"),
    ("InternalStorageFull", NoMemory, "the scanner's memory is full"),
    ("LampError", DeviceIOError, "the lamp has failed"),
    ("AttentionRequired", DeviceBusy, "the scanner wants attention"),
)
WARMING = ("Calibrating", "LampWarming")
NO_IMAGES = ("ClientErrorNoImagesAvailable", "ClientErrorJobIdNotFound")
NOT_ACCEPTING = "ServerErrorNotAcceptingJobs"
TEMPORARY = "ServerErrorTemporaryError"
FAULTS: dict[str, type[SaneError]] = {
    "ClientErrorFormatNotSupported": Invalid,
    "InvalidArgs": Invalid,
    "ClientErrorConflictingRequiredParameters": Invalid,
    "ClientErrorJobCancelled": Cancelled,
    "ServerErrorJobCancelled": Cancelled,
}
FROM_PANEL = "the scanner takes no jobs now: perhaps they are to be begun at its panel (WSD scan)"


class Status:
    """The device's *state*, and the *reasons* for it."""

    __slots__ = ("reasons", "state")

    def __init__(self, state: str = "", reasons: tuple[str, ...] = ()) -> None:
        self.state = state
        self.reasons = reasons

    @property
    def is_warming(self) -> bool:
        """It will be ready by itself."""
        return any(reason in self.reasons for reason in WARMING)

    def faults(self) -> list[SaneError]:
        """Return what the reasons say that keeps the scanner from scanning."""
        return [kind(text) for word, kind, text in REASONS if word in self.reasons]


def read(body: Element) -> Status:
    """Return the status in an answer to GetScannerElements; nothing is known without one."""
    found = next(soap.descendants(body, "ScannerStatus"), None)
    if found is None:
        return Status()
    reasons = found.values("ScannerStateReasons", "ScannerStateReason")
    return Status(soap.local(found.value("ScannerState")), tuple(map(soap.local, reasons)))


def is_end(fault: str, *, is_feeder: bool) -> bool:
    """Tell whether a fault says that no sheet is left; nothing else has to be asked then."""
    return is_feeder and fault in NO_IMAGES


def meaning(fault: str, reason: str, status: Status, *, is_feeder: bool) -> SaneError:
    """Return the error that a *fault* of a device in this *status* stands for."""
    if known := status.faults():
        return known[0]
    if is_end(fault, is_feeder=is_feeder):
        return NoDocs("no sheet is left in the feeder")
    if fault == NOT_ACCEPTING:
        if is_feeder and status.state == IDLE:  # what an empty feeder of Canon MF410 is
            return NoDocs("the feeder is empty")
        return DeviceBusy(FROM_PANEL)
    if status.is_warming or fault == TEMPORARY:
        return DeviceBusy("the scanner is not ready")
    return FAULTS.get(fault, DeviceIOError)(f"{fault} {reason}".rstrip())
