"""ScanSettings: what an eSCL scanner is asked for, as the document of a POST.

It builds text, no more. All on one line, with literal prefixes and in the order that most devices
have seen: some look at the text, some at the order. Source: specification escl 2.5.
"""

from __future__ import annotations

from .._driverless.capabilities import BITS, CAMERA, FLATBED, GRAY8, JPEG
from .._driverless.choice import Choice, plain
from .._driverless.xml import escaped
from .schema import ADJUSTS, COLOR_MODE_OF, INTENTS, PWG, SCAN, UNITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._driverless.request import Request

VERSION = "2.0"  # what every device knows; a newer one only where it is needed
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
INPUT_SOURCES = {FLATBED: "Platen", CAMERA: "Camera"}
FEEDER = "Feeder"


def build(request: Request, version: str = "", *, is_reduced: bool = False) -> bytes:
    """Return the document that asks for *request*.

    version: of eSCL, as the device writes it, where it wants to read its own. is_reduced: without
    what a device may refuse: intent, compression and adjustments; line art as a gray JPEG.
    """
    choice = _reduced(request) if is_reduced else request.choice
    parts = [_element("pwg:Version", version or VERSION)]
    if request.intent and not is_reduced:
        parts.append(_element("scan:Intent", INTENTS[request.intent]))
    parts.append(_region(request))
    source = INPUT_SOURCES.get(request.bed.name, FEEDER)
    parts.append(_element("pwg:InputSource", source))
    if request.compression is not None and not is_reduced:
        parts.append(_element("scan:CompressionFactor", request.compression))
    parts.append(_element("scan:ColorMode", COLOR_MODE_OF[choice.kind]))
    parts.append(_element("pwg:DocumentFormat", choice.format))
    if choice.needs_extended:
        parts.append(_element("scan:DocumentFormatExt", choice.format))
    across, along = choice.dpi
    parts += [_element("scan:XResolution", across), _element("scan:YResolution", along)]
    if source == FEEDER:
        parts.append(_element("scan:Duplex", "true" if request.is_duplex else "false"))
    if not is_reduced:
        named = [(name, request.adjusts[name]) for name in ADJUSTS if name in request.adjusts]
        parts += [_element(f"scan:{name}", value) for name, value in named]
    root = f'<scan:ScanSettings xmlns:pwg="{PWG}" xmlns:scan="{SCAN}">'
    return f"{HEAD}{root}{''.join(parts)}</scan:ScanSettings>".encode()


def can_be_reduced(request: Request) -> bool:
    """Tell whether a refused job may be asked for again with less."""
    has_extras = bool(request.intent or request.adjusts or request.compression is not None)
    return has_extras or _reduced(request) is not request.choice


def _reduced(request: Request) -> Choice:
    """Return the same pages with line art made here, where the device sends gray JPEGs."""
    choice = request.choice
    if choice.kind != BITS:
        return choice
    for profile in request.bed.profiles:
        if GRAY8 in profile.kinds and profile.of(GRAY8).pair(min(choice.dpi)) == choice.dpi:
            for format in profile.formats:
                if plain(format) == JPEG:
                    return Choice(GRAY8, format, choice.dpi, bool(profile.extended))
    return choice


def _region(request: Request) -> str:
    across, along = request.window.across, request.window.along
    values = [("XOffset", across.start), ("YOffset", along.start)]
    values += [("Width", across.size), ("Height", along.size)]
    inner = _element("pwg:ContentRegionUnits", UNITS)
    inner += "".join(_element(f"pwg:{name}", value) for name, value in values)
    return f"<pwg:ScanRegions><pwg:ScanRegion>{inner}</pwg:ScanRegion></pwg:ScanRegions>"


def _element(name: str, value: str | int) -> str:
    return f"<{name}>{escaped(str(value))}</{name}>"
