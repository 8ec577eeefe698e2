"""ScanSettings as an emulated scanner reads them, leniently or as strictly as some devices do.

Source: specification escl, sections 2.5 and 8.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree import ElementTree

from .capabilities import PWG, SCAN
from .model import ADF, COLOR, DUPLEX, GRAY, JPEG, PDF, PLATEN, Model

# Names of elements in the order that clients send them (2.5), and in the order of the schema.
SENT_ORDER = (
    *("Version", "Intent", "ScanRegions", "InputSource", "CompressionFactor", "ColorMode"),
    *("DocumentFormat", "DocumentFormatExt", "XResolution", "YResolution", "Duplex", "Brightness"),
    *("Contrast", "Gamma", "Highlight", "NoiseRemoval", "Shadow", "Sharpen", "Threshold"),
)
SCHEMA_ORDER = (
    *("Version", "Intent", "ScanRegions", "DocumentFormat", "DocumentFormatExt", "ContentType"),
    *("InputSource", "XResolution", "YResolution", "ColorMode", "ColorSpace", "CcdChannel"),
    *("BinaryRendering", "Duplex", "FeedDirection", "Brightness", "CompressionFactor", "Contrast"),
    *("Gamma", "Highlight", "NoiseRemoval", "Shadow", "Sharpen", "Threshold"),
    *("BlankPageDetection", "BlankPageDetectionAndRemoval"),
)
OF_PWG = (
    *("Version", "ScanRegions", "ScanRegion", "ContentRegionUnits", "XOffset", "YOffset", "Width"),
    *("Height", "InputSource", "DocumentFormat", "ContentType"),
)
ADJUSTMENTS = SENT_ORDER[-8:]
REGION_ORDER = ("ContentRegionUnits", "XOffset", "YOffset", "Width", "Height")
UNIT = "escl:ThreeHundredthsOfInches"

# What a strict device insists upon.
RULES = (
    "order",  # of the elements: SENT_ORDER
    "schema-order",  # SCHEMA_ORDER
    "root",  # the root's start tag stands on one line
    "elements",  # none unknown, none of another namespace, none twice
    "ext",  # DocumentFormatExt is there
    "type",  # Content-Type is text/xml
    "whole",  # a region that fits, and every element that has a default here
)
_ROOT = re.compile(rb"<(?:\w+:)?ScanSettings[^>]*>")


class BadSettings(Exception):
    """A ScanSettings that is refused with *status*."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Settings:
    """What one job is to do; the region in 1/300 inch, cut to the source."""

    source: str
    left: int
    top: int
    width: int
    height: int

    def __init__(self, body: bytes, model: Model, rules: Collection[str] = ()) -> None:
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as exc:
            raise BadSettings(400, f"no XML: {exc}") from exc
        _check(body, root, rules)
        self.texts = {_local(e): (e.text or "").strip() for e in root.iter() if not len(e)}
        get = self.texts.get
        self.intent = get("Intent", "")
        self.is_duplex = get("Duplex", "false") in ("true", "1")
        default = PLATEN if model.platen else "Feeder"
        self.input = get("InputSource", default)
        self.is_feeder = self.input == "Feeder"
        caps = model.source(self.input, self.is_duplex)
        if caps is None or (self.is_duplex and model.duplex is None):
            raise BadSettings(409, f"there is no {self.input}{' duplex' * self.is_duplex}")
        self.source = (DUPLEX if self.is_duplex else ADF) if self.is_feeder else PLATEN
        self.mode = get("ColorMode", COLOR if self.intent == "Photo" else GRAY)
        self.mime = get("DocumentFormatExt") or get("DocumentFormat") or self._default_format()
        self.x_dpi = self._number("XResolution", 300)
        self.y_dpi = self._number("YResolution", 300)
        if not caps.takes(self.mode, self.mime, (self.x_dpi, self.y_dpi)):
            asked = f"{self.mode}, {self.mime}, {self.x_dpi} x {self.y_dpi} dpi"
            raise BadSettings(409, f"{asked}: no profile of {self.source} has that")
        self._take_region(caps.max_width, caps.max_height, "whole" in rules)
        if not self.width or not self.height:
            raise BadSettings(409, "the region is empty")
        small = self.width < caps.min_width or self.height < caps.min_height
        if small and "whole" in rules:
            raise BadSettings(409, "the region is smaller than the source's least")
        self.compression = self._number("CompressionFactor", 0)
        self.adjustments = {
            name: self._number(tag, 0)
            for name in ADJUSTMENTS
            for tag in (name, f"{name}Support")
            if tag in self.texts
        }

    def _default_format(self) -> str:
        return PDF if self.intent in ("Document", "TextAndGraphic") else JPEG

    def _number(self, name: str, default: int) -> int:
        try:
            return int(self.texts.get(name, default))
        except ValueError:
            raise BadSettings(400, f"{name} {self.texts[name]!r} is no number") from None

    def _take_region(self, width: int, height: int, is_strict: bool) -> None:
        self.left = max(0, self._number("XOffset", 0))
        self.top = max(0, self._number("YOffset", 0))
        asked = self._number("Width", width), self._number("Height", height)
        self.width = max(0, min(asked[0], width - self.left))
        self.height = max(0, min(asked[1], height - self.top))
        if is_strict and asked != (self.width, self.height):
            raise BadSettings(409, f"the region {asked} is beyond {width} x {height}")

    def size_px(self) -> tuple[int, int]:
        """Return the image's width and height; halves are rounded up."""
        return (
            max(1, (self.width * self.x_dpi + 150) // 300),
            max(1, (self.height * self.y_dpi + 150) // 300),
        )


def _check(body: bytes, root: ElementTree.Element, rules: Collection[str]) -> None:
    """Raise BadSettings where *body* breaks one of *rules*."""
    names = [_local(child) for child in root]
    if _local(root) != "ScanSettings":
        raise BadSettings(400, f"the root is {root.tag}")
    match = _ROOT.search(body)
    if "root" in rules and (match is None or b"\n" in match[0] or b"\r" in match[0]):
        raise BadSettings(400, "the root's start tag stands on several lines")
    for rule, order in (("order", SENT_ORDER), ("schema-order", SCHEMA_ORDER)):
        known = [name for name in names if name in order]
        if rule in rules and known != sorted(known, key=order.index):
            raise BadSettings(400, f"{rule}: {', '.join(names)}")
    if "elements" in rules:
        _check_elements(root, names)
    if "ext" in rules and "DocumentFormatExt" not in names:
        raise BadSettings(400, "DocumentFormatExt is missing")
    if "whole" in rules:
        inner = {_local(e) for e in root.iter()}
        missing = {"XResolution", "YResolution", "ColorMode", "InputSource", *REGION_ORDER} - inner
        if missing or not {"DocumentFormat", "DocumentFormatExt"} & inner:
            raise BadSettings(400, f"missing: {', '.join(sorted(missing)) or 'the format'}")


def _check_elements(root: ElementTree.Element, names: list[str]) -> None:
    for child in root.iter():
        name = _local(child)
        expected = PWG if name in OF_PWG else SCAN
        if child.tag != f"{{{expected}}}{name}" or child.attrib:
            raise BadSettings(400, f"{child.tag} is not in its namespace, or has attributes")
        if name not in SCHEMA_ORDER and name not in (*OF_PWG, "ScanSettings"):
            raise BadSettings(400, f"{name} is unknown")
    if len(set(names)) != len(names):
        raise BadSettings(400, f"one of {', '.join(names)} comes twice")
    region = root.find(f"{{{PWG}}}ScanRegions/{{{PWG}}}ScanRegion")
    if region is not None and [_local(e) for e in region] != list(REGION_ORDER):
        raise BadSettings(400, "the region's elements are others, or in another order")
    units = [e.text for e in root.iter() if _local(e) == "ContentRegionUnits"]
    if units != [UNIT] * len(units):
        raise BadSettings(400, f"the unit is {units}")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
