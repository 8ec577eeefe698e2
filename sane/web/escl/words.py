"""eSCL's words as the server uses them, beside those that the client's backend has already.

Source: specification escl 2.9, 3.1, 7.4, 7.6 and 7.7.
"""

from __future__ import annotations

from ... import const
from ..facts import Mode, SourceId

XML = "text/xml"
PER_INCH = 300
FIRST_VERSION = "2.0"  # whose clients know no DocumentFormatExt
ROOT = "/eSCL"  # of the first scanner: several clients know no other

# Color modes in the order in which capabilities list them: some clients begin with the first.
COLOR_MODES: dict[str, tuple[Mode, int]] = {
    "RGB24": ("color", 8),
    "Grayscale8": ("gray", 8),
    "BlackAndWhite1": ("lineart", 1),
    "RGB48": ("color", 16),
    "Grayscale16": ("gray", 16),
}
PLATEN, FEEDER = "Platen", "Feeder"
PLATEN_INTENTS = ("Preview", "TextAndGraphic", "Photo", "Document")
FEEDER_INTENTS = ("TextAndGraphic", "Photo", "Document")
PHOTO = "Photo"
TEXT_INTENTS = ("Document", "TextAndGraphic", "Text")  # whose default is PDF

SIMPLEX: SourceId = "adf"
DUPLEX: SourceId = "adf-duplex"

# CompressionFactor: 0 is the best quality, 100 the smallest file.
MOST_FACTOR = 100
BEST_QUALITY, WORST_QUALITY = 95, 40

IDLE, STOPPED = "Idle", "Stopped"
ADF_LOADED, ADF_EMPTY = "ScannerAdfLoaded", "ScannerAdfEmpty"
ADF_PROCESSING = "ScannerAdfProcessing"
ADF_PROBLEMS = {  # by facts.Problem
    "no-documents": ADF_EMPTY,
    "jammed": "ScannerAdfJam",
    "cover-open": "ScannerAdfDoorOpen",
}

PENDING, PROCESSING, COMPLETED = "Pending", "Processing", "Completed"
CANCELED, ABORTED = "Canceled", "Aborted"
ENDED = (COMPLETED, CANCELED, ABORTED)

QUEUED, SCANNING, SUCCESS = "JobQueued", "JobScanning", "JobCompletedSuccessfully"
TRANSFERRING = "JobScanningAndTransferring"
WARNINGS, BY_USER, BY_SYSTEM = "JobCompletedWithWarnings", "JobCanceledByUser", "AbortedBySystem"
NOT_READY, ERRORS = "ResourcesAreNotReady", "ErrorsDetected"

REASONS = {
    const.STATUS_GOOD: SCANNING,
    const.STATUS_INVAL: "InvalidScanTicket",
    const.STATUS_ACCESS_DENIED: "DocumentPermissionError",
    const.STATUS_CANCELLED: BY_USER,
    const.STATUS_UNSUPPORTED: "UnsupportedDocumentFormat",
    **dict.fromkeys(
        (
            *(const.STATUS_DEVICE_BUSY, const.STATUS_IO_ERROR, const.STATUS_NO_MEM),
            *(const.STATUS_JAMMED, const.STATUS_COVER_OPEN, const.STATUS_NO_DOCS),
        ),
        NOT_READY,
    ),
}


def reason_of(status: int) -> str:
    """Return why a job ends with SANE's *status*."""
    return REASONS.get(status, ERRORS)


def quality_of(factor: int) -> int:
    """Return the quality of JPEG that a CompressionFactor asks for."""
    return round(BEST_QUALITY - (BEST_QUALITY - WORST_QUALITY) * factor / MOST_FACTOR)


def factor_of(quality: int) -> int:
    """Return the CompressionFactor whose quality is nearest."""
    span = BEST_QUALITY - WORST_QUALITY
    factor = round((BEST_QUALITY - quality) * MOST_FACTOR / span)
    return min(MOST_FACTOR, max(0, factor))
