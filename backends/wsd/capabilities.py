"""What a WS-Scan device can do, from its answer to GetScannerElements. No I/O.

Source: Microsoft, "WS-Scan" (2006/08); specification escl 9.4.
"""

from __future__ import annotations

from ...errors import DeviceIOError, Unsupported
from .._driverless.capabilities import (
    ADF,
    ADF_DUPLEX,
    BITS,
    BMP,
    FLATBED,
    GRAY8,
    GRAY16,
    JPEG,
    LARGEST,
    PDF,
    PNG,
    RGB8,
    RGB16,
    TIFF,
    Bed,
    Capabilities,
    Kind,
    Profile,
    Resolutions,
    readable,
)
from .._driverless.xml import Element, integer, truth
from . import soap

PER_INCH = 1000
MOST_UNITS = PER_INCH * LARGEST
MOST_DPI = 1 << 16
ELEMENTS = ("ScannerDescription", "ScannerConfiguration", "DefaultScanTicket", "ScannerStatus")
KINDS = {
    "BlackAndWhite1": BITS,
    "Grayscale8": GRAY8,
    "Grayscale16": GRAY16,
    "RGB24": RGB8,
    "RGB48": RGB16,
}
# What the formats are called, the best first, with the kinds that they can hold.
ANY, ART = (BITS, GRAY8, GRAY16, RGB8, RGB16), (BITS,)
PLAIN = (GRAY8, RGB8)
FORMATS: tuple[tuple[str, str, tuple[Kind, ...]], ...] = (
    ("jfif", JPEG, PLAIN),
    ("exif", JPEG, PLAIN),
    ("png", PNG, ANY),
    ("tiff-single-g4", TIFF, ART),
    ("tiff-single-g3mh", TIFF, ART),
    ("tiff-single-uncompressed", TIFF, ANY),
    ("tiff-single-jpeg-tn2", TIFF, PLAIN),
    ("tiff-multi-g4", TIFF, ART),
    ("tiff-multi-g3mh", TIFF, ART),
    ("tiff-multi-uncompressed", TIFF, ANY),
    ("tiff-multi-jpeg-tn2", TIFF, PLAIN),
    ("dib", BMP, (BITS, GRAY8, RGB8)),
    ("pdf-a", PDF, (BITS, GRAY8, RGB8)),
)
INTENTS = {
    "Auto": "Auto",
    "Text": "Document",
    "Photo": "Photo",
    "Halftone": "Halftone",
    "Mixed": "Text and Graphic",
}


class ScanCapabilities(Capabilities):
    """Those of a WS-Scan device; *values*: what it calls formats, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.values: tuple[str, ...] = ()

    def value_of(self, format: str, kind: Kind) -> str:
        """Return what the device calls *format* (a MIME type) where it is to hold *kind*."""
        for value, mime, kinds in FORMATS:
            if mime == format and kind in kinds and value in self.values:
                return value
        raise Unsupported(f"the scanner has no {format} for {kind}")


def question() -> str:
    """Return the body that asks for everything, as the scanner is opened."""
    return elements_question(ELEMENTS)


def elements_question(names: tuple[str, ...]) -> str:
    """Return the body that asks for the elements *names*."""
    wanted = (soap.element("Name", f"wscn:{name}") for name in names)
    return soap.element("GetScannerElementsRequest", soap.element("RequestedElements", *wanted))


def found_element(body: Element, name: str) -> Element | None:
    """Return the element *name* of an answer, which says itself where it stands."""
    return next(soap.descendants(body, name), None)


def read(body: Element) -> ScanCapabilities:
    """Return what the answer with *body* says; raises DeviceIOError if nothing can be scanned."""
    found = ScanCapabilities()
    configuration = found_element(body, "ScannerConfiguration")
    description = found_element(body, "ScannerDescription")
    if configuration is None:
        raise DeviceIOError("the scanner does not tell its configuration")
    if description is not None:
        found.name = readable(description.value("ScannerName"))
    settings = configuration.find("DeviceSettings")
    values = [] if settings is None else settings.values("FormatsSupported", "FormatValue")
    found.values = tuple(soap.local(value) for value in values)
    contents = (
        [] if settings is None else settings.values("ContentTypesSupported", "ContentTypeValue")
    )
    intents = tuple(INTENTS[value] for value in contents if value in INTENTS)
    for bed in _beds(configuration, found.values):
        bed.intents = intents
        found.beds[bed.name] = bed
    if not found.beds:
        raise DeviceIOError("the scanner offers nothing that can be scanned")
    return found


def _beds(configuration: Element, values: tuple[str, ...]) -> list[Bed]:
    platen, feeder = configuration.find("Platen"), configuration.find("ADF")
    beds = []
    if platen is not None:
        beds.append(_bed(FLATBED, platen, "Platen", values))
    if feeder is not None:
        front, back = feeder.find("ADFFront"), feeder.find("ADFBack")
        if front is not None:
            one = _bed(ADF, front, "ADF", values)
            beds.append(one)
            # some that scan both sides say that they do not, and describe the back
            if one is not None and (truth(feeder.value("ADFSupportsDuplex")) or back is not None):
                other = None if back is None else _bed(ADF, back, "ADF", values)
                beds.append(both_sides(one, other))
    return [bed for bed in beds if bed is not None]


def _bed(name: str, side: Element, prefix: str, values: tuple[str, ...]) -> Bed | None:
    """Return the bed that *side* describes, None for one that cannot be used."""
    most = _size(side, f"{prefix}MaximumSize")
    if most is None:
        return None
    width, height = sorted(most)  # some name the longer side the width
    bed = Bed(name, PER_INCH, width, height)
    # The devices ignore the region that is asked for: all is asked for, and cut here.
    bed.least_width, bed.least_height = width, height
    entries = side.values(f"{prefix}Color", "ColorEntry")
    kinds = [KINDS[soap.local(entry)] for entry in entries if soap.local(entry) in KINDS]
    resolutions = _resolutions(side, f"{prefix}Resolutions")
    bed.profiles = tuple(_profiles(dict.fromkeys(kinds), resolutions, values))
    return bed if bed.profiles else None


def _profiles(
    kinds: dict[Kind, None], resolutions: Resolutions, values: tuple[str, ...]
) -> list[Profile]:
    """Return a profile for each kind: what a format can hold depends on it."""
    found = []
    for kind in kinds:
        formats = [mime for value, mime, able in FORMATS if value in values and kind in able]
        profile = Profile([kind], list(dict.fromkeys(formats)), {None: resolutions})
        if profile.is_usable:
            found.append(profile)
    return found


def _size(side: Element, name: str) -> tuple[int, int] | None:
    sizes = [integer(side.value(name, axis), 1, MOST_UNITS) for axis in ("Width", "Height")]
    return None if None in sizes else (sizes[0] or 0, sizes[1] or 0)


def _resolutions(side: Element, name: str) -> Resolutions:
    """Return the resolutions that are possible both ways."""
    found = side.find(name)
    if found is None:
        return Resolutions()
    across, along = (
        {value for text in found.values(*path) if (value := integer(text, 1, MOST_DPI)) is not None}
        for path in (("Widths", "Width"), ("Heights", "Height"))
    )
    return Resolutions((dpi, dpi) for dpi in sorted(across & along))


def both_sides(front: Bed, back: Bed | None) -> Bed:
    """Return the bed of both sides: what they have in common; like the front without a back."""
    both = front.named(ADF_DUPLEX)
    if back is None:
        return both
    both.most_width = both.least_width = min(front.most_width, back.most_width)
    both.most_height = both.least_height = min(front.most_height, back.most_height)
    kept = []
    for profile in front.profiles:
        kind = profile.kinds[0]
        theirs = [other for other in back.profiles if other.kinds == profile.kinds]
        if theirs:
            pairs = set(profile.of(kind).pairs) & set(theirs[0].of(kind).pairs)
            kept.append(Profile([kind], profile.formats, {None: Resolutions(pairs)}))
    usable = tuple(profile for profile in kept if profile.is_usable)
    both.profiles = usable or front.profiles
    return both
