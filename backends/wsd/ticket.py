"""What is asked of a WS-Scan device for a job, and what it answers. No I/O.

Source: Microsoft, "WS-Scan" (2006/08); specification escl 9.5 and 9.6.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from .._driverless.capabilities import (
    ADF,
    ADF_DUPLEX,
    BITS,
    FLATBED,
    GRAY8,
    GRAY16,
    RGB8,
    RGB16,
)
from .capabilities import INTENTS
from .soap import element, leaf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._driverless.request import Request
    from .._driverless.xml import Element

SOURCES = {FLATBED: "Platen", ADF: "ADF", ADF_DUPLEX: "ADFDuplex"}
COLORS = {
    BITS: "BlackAndWhite1",
    GRAY8: "Grayscale8",
    GRAY16: "Grayscale16",
    RGB8: "RGB24",
    RGB16: "RGB48",
}
CONTENTS = {intent: value for value, intent in INTENTS.items()}
UNTIL_EMPTY = 0  # images to transfer
TEXT_CHARACTERS = 4096  # of what a job is called


class JobName:
    """What the device calls a job: *number* and *token*, given back as they came."""

    __slots__ = ("number", "token")

    def __init__(self, number: str, token: str) -> None:
        self.number = number
        self.token = token


def create(request: Request, format: str, most_images: int) -> str:
    """Return the body that asks for a job: *format* as the device calls it."""
    window, choice = request.window, request.choice
    across, along = window.across, window.along
    side = (
        element("ColorProcessing", COLORS[choice.kind]),
        element("Resolution", element("Width", choice.dpi[0]), element("Height", choice.dpi[1])),
        element(
            "ScanRegion",
            element("ScanRegionXOffset", across.start),
            element("ScanRegionYOffset", along.start),
            element("ScanRegionWidth", across.size),
            element("ScanRegionHeight", along.size),
        ),
    )
    sides = [element("MediaFront", *side)]
    if request.is_duplex:
        sides.append(element("MediaBack", *side))
    content = CONTENTS.get(request.intent)
    size = element("Width", across.size), element("Height", along.size)
    ticket = element(
        "ScanTicket",
        element(
            "JobDescription",
            element("JobName", "PySANE"),
            element("JobOriginatingUserName", "PySANE"),
            element("JobInformation", "PySANE"),  # some refuse the ticket without it
        ),
        element(
            "DocumentParameters",
            element("Format", format),
            element("ImagesToTransfer", most_images),
            *([element("ContentType", content)] if content else []),
            element("InputSize", element("InputMediaSize", *size)),
            element("InputSource", SOURCES[request.bed.name]),
            element("MediaSides", *sides),
        ),
    )
    return element("CreateScanJobRequest", ticket)


def created(body: Element) -> JobName:
    """Return the name of the job that the answer with *body* tells; raises DeviceIOError."""
    answer = body.find("CreateScanJobResponse")
    number = "" if answer is None else answer.value("JobId")
    token = "" if answer is None else answer.value("JobToken")
    if not number or not token or max(len(number), len(token)) > TEXT_CHARACTERS:
        raise DeviceIOError("the scanner has accepted a job and not told its name")
    return JobName(number, token)


def retrieve(job: JobName) -> str:
    """Return the body that asks for the next image of *job*."""
    return element(
        "RetrieveImageRequest",
        element("DocumentDescription", element("DocumentName", "IMAGE000.JPG")),
        leaf("JobId", job.number),
        leaf("JobToken", job.token),
    )


def cancel(job: JobName) -> str:
    """Return the body that ends *job*."""
    return element("CancelJobRequest", leaf("JobId", job.number))
