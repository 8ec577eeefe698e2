"""ScannerStatus: how an eSCL scanner and its feeder are, and which SANE status that is.

It reads XML, no more. Source: specification escl 2.9.
"""

from __future__ import annotations

from ...errors import CoverOpen, DeviceIOError, Jammed, NoDocs
from .._driverless.xml import Element, parse
from .schema import accepts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...errors import SaneError

IDLE, PROCESSING, STOPPED, DOWN = "Idle", "Processing", "Stopped", "Down"
LOADED, EMPTY = "ScannerAdfLoaded", "ScannerAdfEmpty"
MISSPELT = {"ScannedAdfLoaded": LOADED}
MOST_JOBS = 64
SHOWN = 60  # characters of a keyword in a message

FEEDER_FAULTS: dict[str, tuple[type[SaneError], str]] = {
    "ScannerAdfJam": (Jammed, "paper is jammed in the feeder"),
    "ScannerAdfMispick": (Jammed, "the feeder could not draw in a sheet"),
    "ScannerAdfMultipickDetected": (Jammed, "the feeder drew in several sheets"),
    "ScannerAdfInputTrayFailed": (Jammed, "the feeder's tray has failed"),
    "ScannerAdfInputTrayOverloaded": (Jammed, "the feeder's tray holds too many sheets"),
    "ScannerAdfDuplexPageTooShort": (Jammed, "the sheet is too short for both sides"),
    "ScannerAdfDuplexPageTooLong": (Jammed, "the sheet is too long for both sides"),
    "ScannerAdfDoorOpen": (CoverOpen, "the feeder is open"),
    "ScannerAdfHatchOpen": (CoverOpen, "a hatch of the feeder is open"),
}


class JobInfo:
    """What the scanner says of one job: its *uri*, *state*, and why it is in that state."""

    __slots__ = ("reasons", "state", "uri")

    def __init__(self, uri: str, state: str, reasons: list[str]) -> None:
        self.uri = uri
        self.state = state
        self.reasons = reasons


class Status:
    """How the scanner is: *state*, *feeder* ("" where it does not say), *reasons*, its *jobs*."""

    __slots__ = ("feeder", "jobs", "reasons", "state")

    def __init__(self, state: str = "", feeder: str = "") -> None:
        self.state = state
        self.feeder = MISSPELT.get(feeder, feeder)
        self.reasons: list[str] = []
        self.jobs: list[JobInfo] = []

    def job(self, path: str) -> JobInfo | None:
        """Return the job at *path*, the resource; None if the scanner does not tell of it."""
        name = path.rstrip("/").rpartition("/")[2]
        return next((job for job in self.jobs if name and job.uri.endswith(name)), None)

    def feeder_fault(self) -> SaneError | None:
        """Return what is wrong with the feeder, besides being empty; None for nothing known."""
        if self.feeder not in FEEDER_FAULTS:
            return None
        kind, text = FEEDER_FAULTS[self.feeder]
        return kind(text)

    def fault(self, is_feeder: bool) -> SaneError | None:
        """Return what keeps the scanner from scanning; None for nothing known.

        A feeder that only says to be empty is none: several say so while pages are coming.
        """
        found = self.feeder_fault() if is_feeder else None
        if found is not None:
            return found
        if self.state == STOPPED:
            if any("Open" in reason for reason in self.reasons):
                return CoverOpen("the cover is open")
            return DeviceIOError("the scanner has stopped")
        return DeviceIOError("the scanner is down") if self.state == DOWN else None

    def definite(self) -> SaneError | None:
        """Return the fault of a feeder that settles why a job is refused: jam, door, no sheet."""
        if self.feeder == EMPTY:
            return NoDocs("the feeder is empty")
        return self.feeder_fault()

    def __repr__(self) -> str:
        return f"Status({self.state!r}, {self.feeder!r})"


def read(data: bytes) -> Status:
    """Return what the document *data* tells; raises DeviceIOError for what is no status."""
    root = parse(data, accepts)
    if root.name != "ScannerStatus":
        raise DeviceIOError(f"status: the document is a {root.name[:SHOWN]}")
    found = Status(root.value("State")[:SHOWN], root.value("AdfState")[:SHOWN])
    found.reasons = root.values("StateReasons", "StateReason")
    jobs = root.find("Jobs")
    for number, info in enumerate([] if jobs is None else jobs.all("JobInfo")):
        if number == MOST_JOBS:
            break
        found.jobs.append(_job(info))
    return found


def _job(info: Element) -> JobInfo:
    reasons = info.values("JobStateReasons", "JobStateReason")
    return JobInfo(info.value("JobUri"), info.value("JobState"), reasons)
