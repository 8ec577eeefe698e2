"""ScannerStatus and the other small documents about jobs and pages.

Source: specification escl 2.9, 2.11 and 7.5.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...backends.escl.schema import UNITS
from ..encoders import in_file
from ..encoders.form import Form
from . import words
from .writing import document, element, parent

if TYPE_CHECKING:
    from ..config import EsclSettings
    from .job import Job
    from .service import Service
    from .settings import Ticket


def scanner_status(service: Service, settings: EsclSettings) -> bytes:
    """Return how the scanner, its feeder and its jobs are."""
    adf_state = service.adf_state
    return document(
        "scan:ScannerStatus",
        element("pwg:Version", settings.version),
        element("pwg:State", service.state),
        element("scan:AdfState", adf_state) if adf_state else "",
        parent("scan:Jobs", *(_job(job) for job in service.told())),
    )


def _job(job: Job) -> str:
    is_coming = job.state == words.PROCESSING
    return parent(
        "scan:JobInfo",
        element("pwg:JobUri", job.path),
        element("pwg:JobUuid", job.id),
        element("scan:Age", int(time.monotonic() - job.created)),
        element("pwg:ImagesCompleted", job.images),
        element("pwg:ImagesToTransfer", int(is_coming)),
        element("scan:TransferRetryCount", job.retries),
        element("pwg:JobState", job.state),
        parent("pwg:JobStateReasons", element("pwg:JobStateReason", job.reason)),
    )


def image_info(job: Job) -> bytes | None:
    """Return what the page that was sent last is; None before there is one."""
    form = job.last.form if job.last is not None else None
    if form is None:
        return None
    return document(
        "scan:ScanImageInfo",
        element("pwg:JobUri", job.path),
        element("pwg:JobUuid", job.id),
        element("scan:ActualWidth", form.width),
        element("scan:ActualHeight", form.lines),
        element("scan:ActualBytesPerLine", form.row_bytes),
    )


def buffer_info(ticket: Ticket) -> bytes:
    """Return what a job would deliver: the settings as they would be, and the size in pixels."""
    wanted = ticket.settings
    width, lines = (
        max(1, round(units * wanted.dpi / words.PER_INCH))
        for units in (wanted.width, wanted.height)
    )
    samples = 3 if ticket.color_mode.startswith("RGB") else 1
    asked = Form(width, lines, samples, wanted.depth, wanted.dpi, wanted.dpi)
    form = in_file(ticket.format, asked, lines)
    return document(
        "scan:ScanBufferInfo",
        parent("scan:ScanSettings", *_settings(ticket)),
        element("scan:ImageWidth", width),
        element("scan:ImageHeight", lines),
        element("scan:BytesPerLine", form.row_bytes),
    )


def _settings(ticket: Ticket) -> list[str]:
    wanted = ticket.settings
    region = parent(
        "pwg:ScanRegion",
        element("pwg:ContentRegionUnits", UNITS),
        element("pwg:XOffset", wanted.left),
        element("pwg:YOffset", wanted.top),
        element("pwg:Width", wanted.width),
        element("pwg:Height", wanted.height),
    )
    parts = [
        element("pwg:Version", words.FIRST_VERSION),
        parent("pwg:ScanRegions", region),
        element("pwg:InputSource", words.FEEDER if ticket.is_feeder else words.PLATEN),
        element("scan:ColorMode", ticket.color_mode),
        element("pwg:DocumentFormat", ticket.format),
        element("scan:XResolution", wanted.dpi),
        element("scan:YResolution", wanted.dpi),
    ]
    if ticket.is_feeder:
        is_duplex = wanted.source == words.DUPLEX and not ticket.fronts_only
        parts.append(element("scan:Duplex", is_duplex))
    return parts
