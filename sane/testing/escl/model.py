"""What an emulated eSCL scanner can do: its sources, profiles, ranges and names.

The lengths are 1/300 inch, as in eSCL. How all this is written as XML is in capabilities.py.
Source: specification escl, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PLATEN, ADF, DUPLEX = "Platen", "Adf", "AdfDuplex"
JPEG, PNG, TIFF, PDF = "image/jpeg", "image/png", "image/tiff", "application/pdf"
BMP, RAW = "image/bmp", "application/octet-stream"
LINEART, GRAY, GRAY16 = "BlackAndWhite1", "Grayscale8", "Grayscale16"
COLOR, COLOR16 = "RGB24", "RGB48"
EXT_VERSION = 2.0  # devices newer than this list DocumentFormatExt as well

# How a profile tells its resolutions.
SYNTAXES = (
    "discrete",
    "range",  # ResolutionRange/XResolutionRange/{Min,Max,Normal,Step}
    "range-flat",  # XResolutionRange directly under SupportedResolutions
    "range-empty",  # an empty ResolutionRange, the ranges behind it
    "both",  # a range and a list
    "by-mode",  # a SupportedResolutions for each colour mode
)

UUID = "6f1d3c52-0f3e-5b7a-9c40-2f6f0d3a9e11"


@dataclass
class Range:
    """A range of a setting; normal, step: None if the device does not tell them.

    prefix: of the elements inside: "scan:", or "" as some devices write.
    """

    low: int
    high: int
    normal: int | None = None
    step: int | None = 1
    prefix: str = "scan:"


@dataclass
class Profile:
    """What may be combined: colour modes, formats, resolutions.

    resolutions: dots per inch, or pairs (x, y); for the syntaxes with ranges the first and the last
    are the limits. formats_ext: None: as formats, for devices that list them; () for none.
    name, ref: the profile is told once for all, and referred to.
    """

    modes: Sequence[str] = (COLOR, GRAY)
    formats: Sequence[str] = (JPEG,)
    resolutions: Sequence[int | tuple[int, int]] = (75, 100, 150, 200, 300, 600)
    formats_ext: Sequence[str] | None = None
    syntax: str = "discrete"
    color_spaces: Sequence[str] = ("sRGB",)
    content_types: Sequence[str] = ()
    name: str = ""
    ref: str = ""

    def __post_init__(self) -> None:
        if self.syntax not in SYNTAXES:
            raise ValueError(f"syntax {self.syntax!r}: none of {', '.join(SYNTAXES)}")

    def takes(self, mode: str, mime: str, resolution: tuple[int, int]) -> bool:
        """Tell whether a page of this kind can be asked for."""
        known = (*self.formats, *(self.formats_ext or ()))
        return mode in self.modes and mime in known and self.has(resolution)

    def has(self, resolution: tuple[int, int]) -> bool:
        """Tell whether the resolution, x and y, is one of this profile's."""
        pairs = [pair if isinstance(pair, tuple) else (pair, pair) for pair in self.resolutions]
        if self.syntax.startswith("range"):
            return all(
                low <= value <= high
                for low, high, value in zip(pairs[0], pairs[-1], resolution, strict=True)
            )
        return resolution in pairs


@dataclass
class Source:
    """One source: the glass, a feeder, its duplex side; lengths in 1/300 inch.

    extra: XML that is added as it stands, `{...}` namespaces are scan and pwg.
    """

    min_width: int = 30
    max_width: int = 2550
    min_height: int = 30
    max_height: int = 3508
    profiles: Sequence[Profile] = field(default_factory=lambda: (Profile(),))
    intents: Sequence[str] = ("Document", "Photo", "Preview", "TextAndGraphic")
    intent_tag: str = "Intent"  # or SupportedIntent
    optical: int = 600
    margins: Sequence[int] = ()  # left, right, top, bottom: the Risky margins
    feed_directions: Sequence[str] = ()
    nests_feed_directions: bool = False
    edges: Sequence[str] = ()
    extra: str = ""

    def takes(self, mode: str, mime: str, resolution: tuple[int, int]) -> bool:
        """Tell whether one of the profiles allows it."""
        return any(profile.takes(mode, mime, resolution) for profile in self.profiles)


@dataclass
class Model:
    """What the capabilities tell; adf, duplex: None without a feeder, or a single-sided one."""

    name: str = "Example ScanBox 100"
    version: str = "2.63"
    manufacturer: str = ""
    manufacturer_prefix: str = "scan:"
    serial: str = "0001"
    uuid: str = UUID
    certifications: Sequence[tuple[str, str]] = ()
    platen: Source | None = field(default_factory=Source)
    adf: Source | None = None
    duplex: Source | None = None
    feeder_capacity: int = 50
    adf_options: Sequence[str] = ("DetectPaperLoaded", "Duplex")
    justification: tuple[str, str] | None = ("Center", "Top")
    justification_prefix: str = "pwg:"
    ranges: Mapping[str, Range] = field(default_factory=dict)  # by name: Brightness, Contrast...
    blank_page_detection: bool | None = None
    has_urls: bool = True  # AdminURI and IconURI
    extra: str = ""  # XML behind all that

    @property
    def has_ext(self) -> bool:
        """Formats are listed as DocumentFormatExt, too."""
        return float(self.version) > EXT_VERSION

    def source(self, name: str, is_duplex: bool) -> Source | None:
        """Return what *name* of a ScanSettings' InputSource means, None if there is no such."""
        if name == "Feeder":
            return (self.duplex or self.adf) if is_duplex else (self.adf or self.duplex)
        return self.platen if name == PLATEN else None

    @property
    def has_feeder(self) -> bool:
        """There is a feeder, single-sided or not."""
        return self.adf is not None or self.duplex is not None


def feeder_model(**settings: object) -> Model:
    """Return a model with a glass and a duplex feeder; *settings* replace attributes."""
    sheet = {"min_width": 300, "max_height": 4200}
    model = Model(adf=Source(**sheet), duplex=Source(**sheet))  # type: ignore[arg-type]
    for name, value in settings.items():
        if not hasattr(model, name):
            raise AttributeError(f"a Model has no attribute {name!r}")
        setattr(model, name, value)
    return model
