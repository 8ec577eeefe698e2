"""An emulated WS-Scan device without the network: requests in, answers out.

Source: specification escl 9.4 to 9.8.
"""

from __future__ import annotations

import threading
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from ..escl import images
from ..escl.model import BMP, JPEG, PDF, PNG, TIFF
from ..escl.pixels import FORMS, Page, Window, pattern, rows_of
from ..escl.raster import Pixels
from . import messages
from .messages import SCAN, element, several

UUID = "3f1d3c52-0f3e-4b7a-9c40-2f6f0d3a9e22"
MIMES = {"jfif": JPEG, "exif": JPEG, "png": PNG, "dib": BMP, "pdf-a": PDF}
NAMES_OF_TIFF = "tiff-"
NO_IMAGES = "ClientErrorNoImagesAvailable"


@dataclass
class Knobs:
    """What a test may change.

    create_faults, image_faults: subcodes, each answered once instead of a job or an image. status:
    HTTP status of faults: some devices say 200. state, reasons: of ScannerStatus. multipart: how
    the image is sent, one of MULTIPART. swaps_size: width and height of the bed change places.
    cut_at, stall_at: only so many bytes of an image's answer are sent, and then the connection is
    closed, or nothing happens until the host closes it.
    """

    create_faults: list[str] = field(default_factory=list)
    image_faults: list[str] = field(default_factory=list)
    status: int = 400
    state: str = "Idle"
    reasons: list[str] = field(default_factory=list)
    multipart: str = "usual"
    end_fault: str = NO_IMAGES
    swaps_size: bool = False
    hides_duplex: bool = False
    has_back: bool = True
    cut_at: int | None = None
    stall_at: int | None = None


@dataclass
class Scanner:
    """What the device is, what lies in it, and what it was asked.

    width, height: of the bed and the feeder, 1/1000 inch. sheets: in the feeder. asked: the last
    word of each action, in order; tickets: the jobs that were asked for.
    """

    vendor: str = "Acme"
    model: str = "Acme WS 100"
    name: str = "Acme in the hall"
    uuid: str = UUID
    width: int = 8500
    height: int = 11700
    has_feeder: bool = True
    has_platen: bool = True
    sheets: int = 0
    colors: tuple[str, ...] = ("BlackAndWhite1", "Grayscale8", "RGB24")
    formats: tuple[str, ...] = ("jfif", "png", "tiff-single-uncompressed", "dib")
    widths: tuple[int, ...] = (75, 100, 200, 300, 400)
    heights: tuple[int, ...] = (75, 100, 200, 300, 600)
    contents: tuple[str, ...] = ("Auto", "Text", "Photo", "Mixed")
    page: Page = pattern
    knobs: Knobs = field(default_factory=Knobs)
    asked: list[str] = field(default_factory=list)
    tickets: list[ET.Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._number = 0

    # Answers

    def answer(self, data: bytes) -> tuple[int, str, bytes]:
        """Return HTTP status, type and body for a message to the scan service."""
        action, identity, body = messages.read(data)
        with self._lock:
            self.asked.append(action)
            try:
                if action == "RetrieveImage":
                    return self._image(body, identity)
                found = getattr(self, f"_{action}", None)
                if found is None:
                    raise Refused("ActionNotSupported")
                answer = element(f"{action}Response", *found(body))
            except Refused as exc:
                reason = "as the test wants it"
                data = messages.fault(exc.code, reason, identity)
                return self.knobs.status, "application/soap+xml", data
        sent = messages.envelope(f"{SCAN}/{action}Response", answer, identity)
        return 200, "application/soap+xml", sent

    def metadata(self, data: bytes, url: str) -> bytes:
        """Return the answer to a Get: what the device is, and that *url* is its scan service."""
        _, identity, _ = messages.read(data)
        body = (
            "<mex:Metadata>"
            f'<mex:MetadataSection Dialect="{messages.DEVICE}/ThisModel"><wsdp:ThisModel>'
            f"<wsdp:Manufacturer>{escape(self.vendor)}</wsdp:Manufacturer>"
            f"<wsdp:ModelName>{escape(self.model)}</wsdp:ModelName></wsdp:ThisModel>"
            f'</mex:MetadataSection><mex:MetadataSection Dialect="{messages.DEVICE}/ThisDevice">'
            f"<wsdp:ThisDevice><wsdp:FriendlyName>{escape(self.name)}</wsdp:FriendlyName>"
            "<wsdp:SerialNumber>0815</wsdp:SerialNumber></wsdp:ThisDevice></mex:MetadataSection>"
            f'<mex:MetadataSection Dialect="{messages.DEVICE}/Relationship"><wsdp:Relationship>'
            f"<wsdp:Hosted><wsa:EndpointReference><wsa:Address>{escape(url)}</wsa:Address>"
            "</wsa:EndpointReference><wsdp:Types>wscn:ScannerServiceType</wsdp:Types>"
            "<wsdp:ServiceId>http://acme/scan</wsdp:ServiceId></wsdp:Hosted></wsdp:Relationship>"
            "</mex:MetadataSection></mex:Metadata>"
        )
        action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse"
        return messages.envelope(action, body, identity)

    # Operations

    def _GetScannerElements(self, body: ET.Element) -> list[str]:  # noqa: N802  # as the standard
        names = [(name.text or "").rpartition(":")[2] for name in body.iter("Name")]
        made = {
            "ScannerDescription": self._description,
            "ScannerConfiguration": self._configuration,
            "ScannerStatus": self._status,
        }
        data = [
            f'<wscn:ElementData Name="wscn:{name}" Valid="true">{made[name]()}</wscn:ElementData>'
            for name in names
            if name in made
        ]
        return [element("ScannerElements", *data)]

    def _description(self) -> str:
        return element("ScannerDescription", element("ScannerName", escape(self.model)))

    def _status(self) -> str:
        reasons = several("ScannerStateReasons", "ScannerStateReason", self.knobs.reasons)
        state = element("ScannerState", self.knobs.state)
        return element("ScannerStatus", state, reasons if self.knobs.reasons else "")

    def _configuration(self) -> str:
        settings = element(
            "DeviceSettings",
            several("FormatsSupported", "FormatValue", self.formats),
            several("ContentTypesSupported", "ContentTypeValue", self.contents),
            element("BrightnessSupported", "0"),
        )
        platen = element("Platen", self._side("Platen")) if self.has_platen else ""
        feeder = ""
        if self.has_feeder:
            duplex = element("ADFSupportsDuplex", "0" if self.knobs.hides_duplex else "1")
            back = element("ADFBack", self._side("ADF")) if self.knobs.has_back else ""
            feeder = element("ADF", duplex, element("ADFFront", self._side("ADF")), back)
        return element("ScannerConfiguration", settings, platen, feeder)

    def _side(self, prefix: str) -> str:
        size = self.width, self.height
        width, height = reversed(size) if self.knobs.swaps_size else size
        return "".join(
            (
                element(f"{prefix}OpticalResolution", _size(600, 600)),
                element(
                    f"{prefix}Resolutions",
                    several("Widths", "Width", self.widths),
                    several("Heights", "Height", self.heights),
                ),
                several(f"{prefix}Color", "ColorEntry", self.colors),
                element(f"{prefix}MinimumSize", _size(100, 100)),
                element(f"{prefix}MaximumSize", _size(width, height)),
            )
        )

    def _CreateScanJob(self, body: ET.Element) -> list[str]:  # noqa: N802
        ticket = body.find(".//ScanTicket")
        if ticket is None or ticket.find("JobDescription/JobInformation") is None:
            raise Refused("InvalidArgs")
        if self.knobs.create_faults:
            raise Refused(self.knobs.create_faults.pop(0))
        self.tickets.append(ticket)
        job = Job(ticket, self._number + 1)
        if job.is_fed and not self.sheets:
            raise Refused("ServerErrorNotAcceptingJobs")
        self._number += 1
        self._job = job
        width, lines = job.size_px
        info = element("PixelsPerLine", width), element("NumberOfLines", lines)
        return [
            element("JobId", job.number),
            element("JobToken", escape(job.token)),
            element("ImageInformation", element("MediaFrontImageInfo", *info)),
        ]

    def _CancelJob(self, _body: ET.Element) -> list[str]:  # noqa: N802
        self._job = None
        return []

    def _image(self, body: ET.Element, identity: str) -> tuple[int, str, bytes]:
        job = self._job
        if self.knobs.image_faults:
            raise Refused(self.knobs.image_faults.pop(0))
        if job is None or body.findtext(".//JobId") != str(job.number):
            raise Refused("ClientErrorJobIdNotFound")
        if body.findtext(".//JobToken") != job.token:
            raise Refused("ClientErrorInvalidJobToken")
        if not self._has_image(job):
            self._job = None
            raise Refused(self.knobs.end_fault)
        image = job.image(self.page)
        job.sides += 1
        if not job.is_fed:
            self._job = None
        from .multipart import answer

        kind, data = answer(image, job.mime, identity, self.knobs.multipart)
        return 200, kind, data

    def _has_image(self, job: Job) -> bool:
        """Tell whether a side is left; draws in the next sheet."""
        if not job.is_fed:
            return job.sides == 0
        if job.is_duplex and job.sides % 2:
            return True
        if not self.sheets:
            return False
        self.sheets -= 1
        return True


class Refused(Exception):
    """The device answers with the fault *code*."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Job:
    """A job as *ticket* asks for it."""

    def __init__(self, ticket: ET.Element, number: int) -> None:
        self.number = number
        self.token = f"<{uuid.uuid4()}> & co"
        self.sides = 0
        self.source = ticket.findtext(".//InputSource") or ""
        self.format = ticket.findtext(".//Format") or ""
        front = ticket.find(".//MediaFront")
        if front is None:
            raise Refused("InvalidArgs")
        self.color = front.findtext("ColorProcessing") or ""
        numbers = [front.findtext(path) or "" for path in _PLACES]
        if self.color not in FORMS or not all(text.isdecimal() for text in numbers):
            raise Refused("InvalidArgs")
        self.x_dpi, self.y_dpi, self.left, self.top, self.width, self.height = map(int, numbers)

    @property
    def is_fed(self) -> bool:
        """It takes sheets of the feeder."""
        return self.source in ("ADF", "ADFDuplex")

    @property
    def is_duplex(self) -> bool:
        """Both sides of a sheet are scanned."""
        return self.source == "ADFDuplex"

    @property
    def mime(self) -> str:
        """The type of its images."""
        return TIFF if self.format.startswith(NAMES_OF_TIFF) else MIMES.get(self.format, "")

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of an image."""
        return round(self.width * self.x_dpi / 1000), round(self.height * self.y_dpi / 1000)

    def image(self, page: Page) -> bytes:
        """Return the next side."""
        if not self.mime:
            raise Refused("ClientErrorFormatNotSupported")
        channels, depth = FORMS[self.color]
        width, lines = self.size_px
        left, top = self.left * self.x_dpi // 1000, self.top * self.y_dpi // 1000
        window = Window((self.x_dpi, self.y_dpi), (left, top, width, lines), channels)
        window.side = self.sides
        data = b"".join(rows_of(page, window, self.color))
        return images.encode([Pixels(data, width, lines, channels, depth, self.x_dpi)], self.mime)


_PLACES = (
    *("Resolution/Width", "Resolution/Height", "ScanRegion/ScanRegionXOffset"),
    *("ScanRegion/ScanRegionYOffset", "ScanRegion/ScanRegionWidth", "ScanRegion/ScanRegionHeight"),
)


def _size(width: int, height: int) -> str:
    return element("Width", width) + element("Height", height)
