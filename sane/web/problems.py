"""What may go wrong with a scanner, in the server's words: each problem has a code for clients.

The codes are those of the REST interface; SANE's status stands beside, for eSCL's job reasons.
"""

from __future__ import annotations

from .. import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class ScannerProblem(Exception):
    """A scanner did not do what was asked; the text is for people. status: SANE's."""

    code: ClassVar[str] = "failed"
    status: int = const.STATUS_IO_ERROR


class Busy(ScannerProblem):
    """Somebody else has the scanner. holder: who, as "simple-scan, pid 4711"; "" if unknown."""

    code = "busy"
    status = const.STATUS_DEVICE_BUSY

    def __init__(self, holder: str = "") -> None:
        super().__init__(f"the scanner is in use by {holder or 'another program'}")
        self.holder = holder


class Unreachable(ScannerProblem):
    """The scanner does not answer: unplugged, switched off, or its driver is lost."""

    code = "unreachable"


class Refused(ScannerProblem):
    """The scanner cannot do what was asked. option: which setting it refuses."""

    code = "invalid"
    status = const.STATUS_INVAL

    def __init__(self, option: str, text: str) -> None:
        super().__init__(text)
        self.option = option


class NoDocuments(ScannerProblem):
    """The feeder is empty."""

    code = "no-documents"
    status = const.STATUS_NO_DOCS


class Jammed(ScannerProblem):
    """Paper is stuck in the feeder."""

    code = "jammed"
    status = const.STATUS_JAMMED


class CoverOpen(ScannerProblem):
    """The scanner's cover is open."""

    code = "cover-open"
    status = const.STATUS_COVER_OPEN


class Cancelled(ScannerProblem):
    """The scan was cancelled."""

    code = "cancelled"
    status = const.STATUS_CANCELLED


class ScanFailed(ScannerProblem):
    """The driver, or the worker that runs it, failed. status: SANE's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
