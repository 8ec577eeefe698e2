"""Emulated eSCL scanners with the values and habits of real ones, by name.

Source: specification escl, sections 5 (quirks) and 8.3 (values from real capability files).
"""

from __future__ import annotations

from collections.abc import Callable

from .model import COLOR, GRAY, JPEG, LINEART, PDF, RAW, TIFF, Model, Profile, Range, Source
from .scanner import Scanner

FEEDER_SHEETS = 3  # that lie in a feeder at first


def example() -> Scanner:
    """The glass alone: what the program emulates when it is told nothing."""
    return Scanner()


def feeder() -> Scanner:
    """A glass and a duplex feeder."""
    return Scanner(_with_feeder(Model(), Source(min_width=300, max_height=4200)), FEEDER_SHEETS)


def _with_feeder(model: Model, source: Source) -> Model:
    model.adf = model.duplex = source
    return model


def hp_m426() -> Scanner:
    """HP LaserJet MFP M426fdn: a feeder with less resolutions than the glass."""
    types = ("Photo", "Text", "TextAndPhoto")
    formats = (JPEG, PDF)
    glass = Profile((COLOR, GRAY), formats, (75, 200, 300, 600, 1200), content_types=types)
    sheet = Profile((COLOR, GRAY), formats, (75, 200, 300), content_types=types)
    model = Model(
        name="HP LaserJet MFP M426fdn",
        version="2.5",
        platen=Source(576, 2550, 576, 3508, (glass,), optical=1200),
        adf_options=("DetectPaperLoaded", "Duplex", "SelectSinglePage"),
        justification=None,
        ranges={"Contrast": Range(-127, 127, 0)},
    )
    _with_feeder(model, Source(576, 2550, 576, 4500, (sheet,), optical=300))
    return Scanner(model)


def xerox_b235() -> Scanner:
    """Xerox B235: resolutions by colour mode, ranges without prefixes, a single-sided feeder."""
    dpi = (75, 150, 200, 300, 400, 600)
    profile = Profile((COLOR, GRAY, LINEART), (PDF, JPEG, TIFF), dpi, syntax="by-mode")
    model = Model(
        name="Xerox B235",
        version="2.9",
        manufacturer="Xerox",
        certifications=(("mopria-certified-scan", "1.3"),),
        platen=Source(300, 2550, 300, 3508, (profile,), margins=(2, 2, 2, 0)),
        adf=Source(1230, 2550, 1740, 4200, (profile,), margins=(40, 32, 32, 0)),
        adf_options=("DetectPaperLoaded",),
        justification=("Left", "Top"),
        justification_prefix="scan:",
        ranges={
            "Brightness": Range(1, 9, 5, prefix=""),
            "Contrast": Range(0, 5, 0, prefix=""),
            "CompressionFactor": Range(5, 95, 25, prefix=""),
        },
        blank_page_detection=False,
    )
    return Scanner(model, FEEDER_SHEETS)


def kyocera_m2040() -> Scanner:
    """Kyocera ECOSYS M2040dn: unequal resolutions, an image too small, busy while connected."""
    dpi = ((200, 100), 200, (200, 400), 300, 400, 600)
    profile = Profile((LINEART, GRAY, COLOR), (JPEG, PDF), dpi, formats_ext=())
    directions = ("LongEdgeFeed", "ShortEdgeFeed")
    sheet = Source(
        *(591, 2551, 591, 4205, (profile,)), feed_directions=directions, nests_feed_directions=True
    )
    model = Model(
        name="Kyocera ECOSYS M2040dn",
        version="2.62",
        platen=Source(118, 2551, 118, 3508, (profile,)),
        feeder_capacity=75,
        adf_options=("DetectPaperLoaded", "SelectSinglePage", "Duplex"),
        ranges={"CompressionFactor": Range(1, 5, 1), "Sharpen": Range(-3, 3, 0)},
    )
    scanner = Scanner(_with_feeder(model, sheet), FEEDER_SHEETS)
    scanner.jobs.id = "urn"
    scanner.pages.more_px = scanner.pages.more_lines = -1
    scanner.timing.kept = 10.0
    scanner.access.headers["Upgrade"] = "TLS/1.0"
    return scanner


def canon_d570() -> Scanner:
    """Canon D570: a glass; DELETE is redirected to https."""
    profile = Profile((GRAY, COLOR), (JPEG, PDF), (75, 150, 300))
    model = Model(
        name="Canon D570", version="2.62", platen=Source(1, 2550, 1, 3508, (profile,), optical=300)
    )
    scanner = Scanner(model)
    scanner.jobs.location = "absolute"
    scanner.jobs.delete, scanner.jobs.delete_location = 301, "https://localhost:443/"
    return scanner


def hp_2540() -> Scanner:
    """HP DeskJet 2540 on USB: 2.0, ranges without a normal value, gzip, a Location of its own."""
    dpi = (75, 100, 200, 300, 600, 1200, 2400)
    spaces = ("YCC", "RGB", "sRGB")
    profile = Profile((GRAY, COLOR), (RAW, JPEG, PDF), dpi, color_spaces=spaces)
    model = Model(
        name="HP DeskJet 2540 series",
        version="2.0",
        platen=Source(8, 2550, 8, 3508, (profile,), optical=2400),
        ranges={
            "Brightness": Range(0, 2000),
            "Contrast": Range(0, 2000),
            "Highlight": Range(0, 255, 179),
            "Shadow": Range(0, 255, 25),
            "Sharpen": Range(0, 255),
            "Threshold": Range(0, 255, 128),
        },
    )
    scanner = Scanner(model)
    scanner.writing.is_gzip = True
    scanner.jobs.location, scanner.jobs.delete = "usb", 404
    scanner.jobs.rules = ("root",)
    return scanner


def brother() -> Scanner:
    """A Brother whose feeder loses a sheet when the host asks too early for the next page."""
    scanner = feeder()
    scanner.model.name = "Brother MFC-J5340DW"
    scanner.timing.page, scanner.timing.early = 0.4, 0.1
    return scanner


def xerox_b205() -> Scanner:
    """Xerox B205: 404 until a page is ready, a Location that is no URL."""
    scanner = feeder()
    scanner.model.name, scanner.model.manufacturer = "Xerox B205", "Xerox"
    scanner.pages.not_ready, scanner.pages.not_ready_status = 2, 404
    scanner.jobs.location = "broken-ipv6"
    return scanner


def canon_mf410() -> Scanner:
    """Canon MF410: a feeder that jams when it is started empty."""
    scanner = feeder()
    scanner.model.name = "MF410 Series"
    scanner.sheets.clear()
    scanner.jobs.jams_when_empty = True
    return scanner


def hp_m630() -> Scanner:
    """HP M630: a job is refused to a Host other than localhost."""
    scanner = Scanner(Model(name="HP LaserJet MFP M630"))
    scanner.access.host, scanner.access.server = "localhost-post", "HP_Compact_Server"
    return scanner


def epson() -> Scanner:
    """An Epson, whose Location is made of the request's Host."""
    scanner = Scanner(Model(name="EPSON ET-2850 Series", manufacturer="EPSON"))
    scanner.jobs.location = "host-header"
    return scanner


def ipp_usb() -> Scanner:
    """A scanner on USB behind ipp-usb: its rule for Host, one request at a time."""
    scanner = feeder()
    scanner.access.host, scanner.access.at_once = "proxy", 1
    return scanner


PRESETS: dict[str, Callable[[], Scanner]] = {
    "example": example,
    "feeder": feeder,
    "hp-m426": hp_m426,
    "xerox-b235": xerox_b235,
    "kyocera-m2040": kyocera_m2040,
    "canon-d570": canon_d570,
    "hp-2540": hp_2540,
    "brother": brother,
    "xerox-b205": xerox_b205,
    "canon-mf410": canon_mf410,
    "hp-m630": hp_m630,
    "epson": epson,
    "ipp-usb": ipp_usb,
}
