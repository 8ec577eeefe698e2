"""ScannerStatus and the other small documents of an emulated eSCL scanner.

Source: specification escl, sections 2.9 and 2.11.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .capabilities import HEAD, NAMESPACES, each, element, parent
from .job import REASONS, Job
from .pixels import FORMS

if TYPE_CHECKING:
    from .scanner import Scanner
    from .settings import Settings


def document(scanner: Scanner) -> bytes:
    """Return ScannerStatus, in use of the values that are scripted for it."""
    knobs = scanner.status
    if knobs.document is not None:
        return knobs.document
    state = knobs.states.pop(0) if knobs.states else knobs.state
    adf = knobs.adf_states.pop(0) if knobs.adf_states else knobs.adf_state
    if state is None:
        state = "Processing" if scanner.is_busy else "Idle"
    if adf is None:
        adf = adf_state(scanner) if scanner.model.has_feeder else ""
    jobs = [_job(scanner, job) for job in scanner.history] if knobs.has_jobs else []
    return "".join(
        (
            HEAD,
            f"<scan:ScannerStatus {NAMESPACES}>\n",
            element("pwg:Version", scanner.model.version),
            element("pwg:State", state) if state else "",
            parent("pwg:StateReasons", each("pwg:StateReason", knobs.reasons)),
            element("scan:AdfState", adf) if adf else "",
            parent("scan:Jobs", *jobs),
            "</scan:ScannerStatus>\n",
        )
    ).encode()


def adf_state(scanner: Scanner) -> str:
    """Return the state of the feeder as it is."""
    if scanner.is_cover_open:
        return "ScannerAdfDoorOpen"
    if scanner.is_jammed:
        return "ScannerAdfJam"
    job = scanner.job
    if job is not None and job.settings.is_feeder:
        return "ScannerAdfProcessing"
    return "ScannerAdfLoaded" if scanner.sheets else "ScannerAdfEmpty"


def _job(scanner: Scanner, job: Job) -> str:
    return parent(
        "scan:JobInfo",
        element("pwg:JobUri", scanner.job_uri(job)),
        element("pwg:JobUuid", job.id),
        element("scan:Age", int(time.monotonic() - job.created)),
        element("pwg:ImagesCompleted", job.done),
        element("pwg:ImagesToTransfer", len(job.sides)),
        element("pwg:JobState", job.state),
        parent("pwg:JobStateReasons", element("pwg:JobStateReason", REASONS[job.state])),
    )


def image_info(job: Job, uri: str) -> bytes:
    """Return ScanImageInfo of the image that was sent last."""
    width, lines, row_bytes = job.last_size or (0, 0, 0)
    return "".join(
        (
            HEAD,
            f"<scan:ScanImageInfo {NAMESPACES}>",
            element("pwg:JobUri", uri),
            element("pwg:JobUuid", job.id),
            element("scan:ActualWidth", width),
            element("scan:ActualHeight", lines),
            element("scan:ActualBytesPerLine", row_bytes),
            "</scan:ScanImageInfo>\n",
        )
    ).encode()


def buffer_info(asked: bytes, settings: Settings) -> bytes:
    """Return ScanBufferInfo: what was asked for, and the size that an image would have."""
    width, lines = settings.size_px()
    channels, depth = FORMS[settings.mode]
    inner = asked.decode("utf-8", "replace").partition("?>")[2] or asked.decode("utf-8", "replace")
    return "".join(
        (
            HEAD,
            f"<scan:ScanBufferInfo {NAMESPACES}>",
            inner.strip(),
            element("scan:ImageWidth", width),
            element("scan:ImageHeight", lines),
            element("scan:BytesPerLine", (width * channels * depth + 7) // 8),
            "</scan:ScanBufferInfo>\n",
        )
    ).encode()
