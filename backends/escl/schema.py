"""The vocabulary of eSCL: namespaces, keywords, and what they mean in ours.

Source: specification escl 0 (namespaces) and 3.1 (keywords).
"""

from __future__ import annotations

from .._driverless.capabilities import BITS, GRAY8, GRAY16, RGB8, RGB16, Kind

PER_INCH = 300
SCAN = "http://schemas.hp.com/imaging/escl/2011/05/03"
PWG = "http://www.pwg.org/schemas/2010/12/sm"
ANY_SCAN = "http://schemas.hp.com/imaging/escl/"  # devices differ in the date behind it
UNITS = "escl:ThreeHundredthsOfInches"  # literally so, without a declaration of the prefix

COLOR_MODES: dict[str, Kind] = {
    "BlackAndWhite1": BITS,
    "Grayscale8": GRAY8,
    "Grayscale16": GRAY16,
    "RGB24": RGB8,
    "RGB48": RGB16,
}
COLOR_MODE_OF = {kind: name for name, kind in COLOR_MODES.items()}

INTENTS = {  # as frontends know them: as the device calls them
    "Auto": "Auto",
    "Document": "Document",
    "Text and Graphic": "TextAndGraphic",
    "Photo": "Photo",
    "Preview": "Preview",
    "3D Object": "Object",
    "Business Card": "BusinessCard",
    "Halftone": "Halftone",
}

ADJUSTS = (  # what may have a ...Support, in the order in which a job names it
    *("Brightness", "Contrast", "Gamma", "Highlight"),
    *("NoiseRemoval", "Shadow", "Sharpen", "Threshold"),
)


def accepts(namespace: str) -> bool:
    """Tell whether elements of *namespace* may be eSCL's: devices confuse the two, or use none."""
    return namespace in ("", PWG) or namespace.startswith(ANY_SCAN)
