"""ScannerCapabilities: what a shared scanner can do, as eSCL's clients read it.

Some look at the text rather than at the XML, so names, order and what is left out matter.
Source: specification escl 3.1 and 7.4.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..encoders import JPEG, PDF, available
from .words import (
    COLOR_MODES,
    DUPLEX,
    FEEDER_INTENTS,
    FIRST_VERSION,
    MOST_FACTOR,
    PLATEN_INTENTS,
    SIMPLEX,
    factor_of,
)
from .writing import document, each, element, parent

if TYPE_CHECKING:
    from ..config import EsclSettings, ShareSettings
    from ..facts import Capabilities, Source
    from ..scanner import Scanner

SERIAL_DIGITS = 12
DETECTORS = ("page-loaded", "adf-loaded", "paper-loaded")  # sensors that feel paper


def write(scanner: Scanner, all: ShareSettings, *, page_url: str, base_url: str) -> bytes:
    """Return the document. page_url: of the web page. base_url: of this scanner, no last slash."""
    settings = all.escl
    facts: Capabilities = scanner.capabilities
    return document(
        "scan:ScannerCapabilities",
        element("pwg:Version", settings.version),
        element("pwg:MakeAndModel", make_and_model(scanner)),
        element("pwg:SerialNumber", serial(scanner, is_true=all.scanners.serial_numbers)),
        element("scan:UUID", scanner.id),
        element("scan:AdminURI", page_url),
        element("scan:IconURI", f"{base_url}/ScannerIcon"),
        parent("scan:Platen", _caps("scan:PlatenInputCaps", facts, "platen", settings)),
        _feeder(facts, settings),
        _adjusts(facts, settings),
    )


def usual_formats(settings: EsclSettings) -> tuple[str, ...]:
    """Return the formats in pwg:DocumentFormat; all are in scan:DocumentFormatExt.

    The original escl reads those only, and takes TIFF and PNG first for sheets: gray ones it cannot
    decode, and colour it turns upside down. Other clients find PNG and TIFF in the other list.
    """
    formats = available()
    if settings.version != FIRST_VERSION or JPEG not in formats:
        return formats
    return tuple(format for format in formats if format in (PDF, JPEG))


def make_and_model(scanner: Scanner) -> str:
    """Return vendor and model, the vendor once."""
    vendor, model = scanner.vendor.strip(), scanner.model.strip()
    if not vendor or model.lower().startswith(vendor.lower()):
        return model or scanner.title
    return f"{vendor} {model}"


def serial(scanner: Scanner, *, is_true: bool) -> str:
    """Return the serial number, or one that tells nothing: clients want one. Source: escl 6.4."""
    if is_true and scanner.serial:
        return scanner.serial
    return hashlib.sha256(f"serial {scanner.id}".encode()).hexdigest()[:SERIAL_DIGITS].upper()


def source_of(facts: Capabilities, id: str) -> Source | None:
    """Return a source, None if the scanner has none such; one side is half of both sides."""
    for source in facts.sources:
        if source.id == id:
            return source
    return source_of(facts, DUPLEX) if id == SIMPLEX else None


def modes_of(source: Source, settings: EsclSettings) -> list[str]:
    """Return eSCL's color modes of a source."""
    modes = set(source.modes)
    if settings.synthesize_gray and "color" in modes:
        modes.add("gray")
    return [
        name
        for name, (mode, depth) in COLOR_MODES.items()
        if mode in modes and (depth == 1 or depth in source.depths or depth == 8)
    ]


def _adjusts(facts: Capabilities, settings: EsclSettings) -> str:
    """Return the limits of what a client may adjust, in the order of the names."""
    ranges = {"CompressionFactor": (0, MOST_FACTOR, factor_of(settings.quality), 1)}
    for source in facts.sources:
        for name, can in source.adjusts.items():
            ranges.setdefault(name, (can.least, can.most, can.normal, can.step))
    parts = ("scan:Min", "scan:Max", "scan:Normal", "scan:Step")
    return "".join(
        parent(f"scan:{name}Support", *map(element, parts, values))
        for name, values in sorted(ranges.items())
    )


def _feeder(facts: Capabilities, settings: EsclSettings) -> str:
    options = []
    if any(name in DETECTORS for name in facts.sensors):
        options.append("DetectPaperLoaded")
    if source_of(facts, DUPLEX) is not None:
        options.append("Duplex")
    caps = _caps("scan:AdfSimplexInputCaps", facts, SIMPLEX, settings)
    caps += _caps("scan:AdfDuplexInputCaps", facts, DUPLEX, settings)
    inner = parent("scan:AdfOptions", each("scan:AdfOption", options))
    return parent("scan:Adf", caps, inner) if caps else ""


def _caps(name: str, facts: Capabilities, id: str, settings: EsclSettings) -> str:
    """Return what one source can do, "" if it is not there."""
    source = source_of(facts, id)
    if source is None:
        return ""
    best = max(source.resolutions)
    intents = PLATEN_INTENTS if id == "platen" else FEEDER_INTENTS
    return parent(
        name,
        element("scan:MinWidth", source.min_width),
        element("scan:MaxWidth", source.max_width),
        element("scan:MinHeight", source.min_height),
        element("scan:MaxHeight", source.max_height),
        element("scan:MaxScanRegions", 1),
        parent("scan:SettingProfiles", _profile(source, settings)),
        parent("scan:SupportedIntents", each("scan:Intent", intents)),
        element("scan:MaxOpticalXResolution", best),
        element("scan:MaxOpticalYResolution", best),
        element("scan:MaxPhysicalWidth", source.max_width),
        element("scan:MaxPhysicalHeight", source.max_height),
    )


def _profile(source: Source, settings: EsclSettings) -> str:
    listed = each("pwg:DocumentFormat", usual_formats(settings))
    listed += each("scan:DocumentFormatExt", available())
    discrete = [
        parent(
            "scan:DiscreteResolution",
            element("scan:XResolution", dpi),
            element("scan:YResolution", dpi),
        )
        for dpi in source.resolutions
    ]
    return parent(
        "scan:SettingProfile",
        parent("scan:ColorModes", each("scan:ColorMode", modes_of(source, settings))),
        parent("scan:DocumentFormats", listed),
        parent("scan:SupportedResolutions", parent("scan:DiscreteResolutions", *discrete)),
        parent("scan:ColorSpaces", element("scan:ColorSpace", "sRGB")),
    )
