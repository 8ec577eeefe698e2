"""ScannerCapabilities: what an eSCL scanner says that it is and can do. It reads XML, no more.

Whatever is wrong with a source leaves that source out; a scanner without any is refused.
Source: specification escl 3.1 to 3.4.
"""

from __future__ import annotations

from ...discovery.identity import uuid_of
from ...errors import DeviceIOError
from .._driverless.capabilities import (
    ADF,
    ADF_DUPLEX,
    CAMERA,
    FLATBED,
    LARGEST,
    Bed,
    Capabilities,
    Profile,
    Resolutions,
    Scale,
    readable,
)
from .._driverless.xml import Element, integer, parse
from .schema import ADJUSTS, COLOR_MODES, INTENTS, PER_INCH, accepts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._driverless.capabilities import Kind

WORD = 1 << 30  # numbers beyond it are no sizes, and would overflow those of frontends
MOST_PROFILES = 64
NAME_CHARACTERS = 100  # of a format or a keyword
SOURCES = (
    (FLATBED, ("Platen", "PlatenInputCaps")),
    (ADF, ("Adf", "AdfSimplexInputCaps")),
    (ADF_DUPLEX, ("Adf", "AdfDuplexInputCaps")),
    (CAMERA, ("Camera", "CameraInputCaps")),
)


def read(data: bytes, *, has_duplex: bool = False) -> Capabilities:
    """Return what the document *data* tells; raises DeviceIOError for what is no capabilities.

    has_duplex: DNS-SD said that the feeder scans both sides.
    """
    root = parse(data, accepts)
    if root.name != "ScannerCapabilities":
        raise DeviceIOError(f"capabilities: the document is a {root.name[:NAME_CHARACTERS]}")
    found = Capabilities()
    _read_identity(found, root)
    found.can = {word[:NAME_CHARACTERS] for word in root.values("Adf", "AdfOptions", "AdfOption")}
    shared = _shared_profiles(root)
    for name, path in SOURCES:
        caps = root.find(*path)
        bed = None if caps is None else _bed(name, caps, shared)
        if bed is not None:
            found.beds[name] = bed
    _complete_feeder(found, has_duplex)
    if not found.beds:
        raise DeviceIOError(f"capabilities: {found.name or 'the scanner'} has no source to use")
    _read_adjusts(found, root)
    return found


def _read_identity(found: Capabilities, root: Element) -> None:
    found.version = root.value("Version")[:NAME_CHARACTERS]
    found.manufacturer = readable(root.value("Manufacturer"))
    found.name = readable(root.value("MakeAndModel") or root.value("ModelName"))
    found.serial = readable(root.value("SerialNumber"))
    found.uuid = uuid_of(root.value("UUID"))


def _read_adjusts(found: Capabilities, root: Element) -> None:
    for name in ADJUSTS:
        scale = _scale(root.find(f"{name}Support"))
        if scale is not None:
            found.adjusts[name] = scale
    found.compression = _scale(root.find("CompressionFactorSupport"))
    places = [root.value("Adf", "Justification", f"{axis}ImagePosition") for axis in "XY"]
    across, along = (place.lower() for place in places)
    found.justification = (
        across if across in ("left", "center", "right") else "",
        along if along in ("top", "center", "bottom") else "",
    )


def _complete_feeder(found: Capabilities, has_duplex: bool) -> None:
    """Add the way of feeding that goes without saying: one side of two, or two as one."""
    beds = found.beds
    if ADF_DUPLEX in beds and ADF not in beds:
        beds[ADF] = beds[ADF_DUPLEX].named(ADF)
    elif ADF in beds and ADF_DUPLEX not in beds and ("Duplex" in found.can or has_duplex):
        beds[ADF_DUPLEX] = beds[ADF].named(ADF_DUPLEX)
    found.beds = {name: beds[name] for name, _ in SOURCES if name in beds}


def _bed(name: str, caps: Element, shared: dict[str, Element]) -> Bed | None:
    """Return the source that *caps* describes, None if nothing can be scanned from it."""
    width, height = (_size(caps, f"Max{side}") for side in ("Width", "Height"))
    if width < 1 or height < 1:
        return None
    bed = Bed(name, PER_INCH, min(width, LARGEST * PER_INCH), min(height, LARGEST * PER_INCH))
    bed.least_width, bed.least_height = _size(caps, "MinWidth"), _size(caps, "MinHeight")
    if bed.least_width > bed.most_width or bed.least_height > bed.most_height:
        return None
    bed.most_left = integer(caps.value("MaxXOffset"), 0, WORD)
    bed.most_top = integer(caps.value("MaxYOffset"), 0, WORD)
    intents = caps.find("SupportedIntents")
    said = [
        child.text
        for child in ([] if intents is None else intents.children)
        if child.name in ("Intent", "SupportedIntent")
    ]
    bed.intents = tuple(name for name, intent in INTENTS.items() if intent in said)
    profiles = [_profile(element) for element in _profiles(caps, shared)]
    bed.profiles = tuple(profile for profile in profiles if profile.is_usable)
    return bed if bed.profiles else None


def _size(caps: Element, name: str) -> int:
    return integer(caps.value(name), 0, WORD) or 0


# Profiles


def _shared_profiles(root: Element) -> dict[str, Element]:
    """Return the profiles at the root, by the names that sources refer to."""
    profiles = root.find("SettingProfiles")
    found: dict[str, Element] = {}
    for element in [] if profiles is None else profiles.all("SettingProfile"):
        if "name" in element.attributes:
            found.setdefault(element.attributes["name"], element)
    return found


def _profiles(caps: Element, shared: dict[str, Element]) -> Iterator[Element]:
    """Yield the profiles of a source; one that refers to another one has its children, too."""
    profiles = caps.find("SettingProfiles")
    for number, element in enumerate([] if profiles is None else profiles.all("SettingProfile")):
        if number == MOST_PROFILES:
            return
        base = shared.get(element.attributes.get("ref", ""))
        if base is None:
            yield element
            continue
        both = Element(element.namespace, element.name, element.attributes)
        own = {child.name for child in element.children}
        inherited = [child for child in base.children if child.name not in own]
        both.children = [*element.children, *inherited]
        yield both


def _profile(element: Element) -> Profile:
    modes = element.values("ColorModes", "ColorMode")
    kinds = [COLOR_MODES[mode] for mode in dict.fromkeys(modes) if mode in COLOR_MODES]
    formats = _formats(element, "DocumentFormat")
    extended = _formats(element, "DocumentFormatExt")
    every = tuple(dict.fromkeys([*formats, *extended]))  # some list more in the second place
    return Profile(kinds, every, _resolutions(element), extended)


def _formats(element: Element, name: str) -> list[str]:
    """Return the MIME types that may stand in a job: those without any character of XML's own."""
    found = dict.fromkeys(element.values("DocumentFormats", name))
    return [text for text in found if 0 < len(text) <= NAME_CHARACTERS and _is_keyword(text)]


def _is_keyword(text: str) -> bool:
    return text.isascii() and all(char.isalnum() or char in "+-./_ " for char in text)


def _resolutions(element: Element) -> dict[Kind | None, Resolutions]:
    """Return the resolutions by kind of samples; those without a kind are for all others."""
    found: dict[Kind | None, Resolutions] = {}
    for supported in element.all("SupportedResolutions"):
        mode = supported.value("ColorMode")
        if mode and mode not in COLOR_MODES:
            continue
        resolutions = _pairs(supported) or _range(supported)
        if resolutions:
            found.setdefault(COLOR_MODES[mode] if mode else None, resolutions)
    return found


def _pairs(supported: Element) -> Resolutions:
    discrete = supported.find("DiscreteResolutions")
    pairs = []
    for entry in [] if discrete is None else discrete.all("DiscreteResolution"):
        across = integer(entry.value("XResolution"), 1, WORD)
        along = integer(entry.value("YResolution"), 1, WORD)
        if across is not None and along is not None:
            pairs.append((across, along))
    return Resolutions(pairs)


def _range(supported: Element) -> Resolutions:
    """Return a range of resolutions, in any of the ways in which devices write one."""
    for parent in (supported.find("ResolutionRange"), supported):
        if parent is None:
            continue
        across = _scale(parent.find("XResolutionRange"))
        along = _scale(parent.find("YResolutionRange")) or across
        if across is not None and along is not None:
            low, high = max(across.low, along.low), min(across.high, along.high)
            return Resolutions((), low, high, max(across.step, along.step))
    return Resolutions()


def _scale(element: Element | None) -> Scale | None:
    """Return a Range; one without both ends is none."""
    if element is None:
        return None
    low = integer(element.value("Min"), -WORD, WORD)
    high = integer(element.value("Max"), -WORD, WORD)
    if low is None or high is None:
        return None
    normal = integer(element.value("Normal"), -WORD, WORD)
    return Scale(low, high, normal, integer(element.value("Step"), 1, WORD) or 1)
