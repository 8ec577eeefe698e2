"""What a driverless scanner can do: sources, and what each combines. No wire format, no I/O.

A decoder of a protocol fills this in; options and jobs are made from it. Whatever a scanner says,
what is here can be offered. Source: specification escl 3.2 and 4.1.
"""

from __future__ import annotations

from ...const import MM_PER_INCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLATBED, ADF, ADF_DUPLEX, CAMERA = "Flatbed", "ADF", "ADF Duplex", "Camera"
SOURCES = (FLATBED, ADF, ADF_DUPLEX, CAMERA)
COLOR, GRAY, LINEART = "Color", "Gray", "Lineart"
JPEG, PNG, TIFF, BMP, PDF = "image/jpeg", "image/png", "image/tiff", "image/bmp", "application/pdf"
NAMES_OF_FORMATS = {
    "application/bmp": BMP,
    "image/jpg": JPEG,
    "image/tif": TIFF,
    "image/x-png": PNG,
}
LEAST_DPI, MOST_DPI = 10, 19_200
MOST_RESOLUTIONS = 256
LARGEST = 100  # inches: a longer sheet is a lie
TEXT_BYTES = 128  # of a name that a scanner gives itself


class Kind:
    """What samples of a page are: *mode* as frontends call it, *depth* in bits."""

    __slots__ = ("depth", "mode")

    def __init__(self, mode: str, depth: int) -> None:
        self.mode = mode
        self.depth = depth

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kind) and (self.mode, self.depth) == (other.mode, other.depth)

    def __hash__(self) -> int:
        return hash((self.mode, self.depth))

    def __repr__(self) -> str:
        return f"Kind({self.mode!r}, {self.depth})"


BITS, GRAY8, GRAY16 = Kind(LINEART, 1), Kind(GRAY, 8), Kind(GRAY, 16)
RGB8, RGB16 = Kind(COLOR, 8), Kind(COLOR, 16)


class Scale:
    """Values from *low* to *high* in steps of *step*; *normal* is that of nothing changed."""

    __slots__ = ("high", "low", "normal", "step")

    def __init__(self, low: int, high: int, normal: int | None = None, step: int = 1) -> None:
        self.low, self.high = min(low, high), max(low, high)
        if normal is None:
            normal = (self.low + self.high) // 2 if self.low >= 0 else 0
        self.normal = min(max(normal, self.low), self.high)
        self.step = max(1, step)

    def at(self, percent: float) -> int:
        """Return the value at -100 to 100 percent: low, normal and high, evenly in between."""
        reach = self.high - self.normal if percent > 0 else self.normal - self.low
        return self.normal + round(reach * percent / 100)

    def __repr__(self) -> str:
        return f"Scale({self.low}, {self.high}, {self.normal}, {self.step})"


class Resolutions:
    """Those of a profile: *pairs* of dpi across and along, or else from *low* to *high*."""

    __slots__ = ("high", "low", "pairs", "step")

    def __init__(
        self, pairs: Iterable[tuple[int, int]] = (), low: int = 0, high: int = 0, step: int = 1
    ) -> None:
        possible = [(x, y) for x, y in pairs if _is_dpi(x) and _is_dpi(y)]
        equal = [(x, y) for x, y in possible if x == y]
        self.pairs = tuple(sorted(set(equal or possible))[:MOST_RESOLUTIONS])
        self.low, self.high = max(low, LEAST_DPI), min(high, MOST_DPI)
        self.step = max(1, step)

    @property
    def is_range(self) -> bool:
        """Any value of a range is possible."""
        return not self.pairs and 0 < self.low <= self.high

    def __bool__(self) -> bool:
        return bool(self.pairs) or self.is_range

    @property
    def offered(self) -> tuple[int, ...]:
        """The values for an option; of unequal pairs the smaller number, scaled to by software."""
        return tuple(sorted({min(pair) for pair in self.pairs}))

    def pair(self, dpi: int) -> tuple[int, int] | None:
        """Return what to ask for where *dpi* is wanted, None if it is not offered."""
        if self.is_range:
            return (dpi, dpi) if self.low <= dpi <= self.high else None
        found = [pair for pair in self.pairs if min(pair) == dpi]
        return min(found, key=max) if found else None

    def at_most(self, dpi: int) -> Resolutions:
        """Return those that are not above *dpi*."""
        pairs = [pair for pair in self.pairs if max(pair) <= dpi]
        return Resolutions(pairs, self.low, min(self.high, dpi), self.step)

    def __repr__(self) -> str:
        return f"Resolutions({self.pairs}, {self.low}, {self.high}, {self.step})"


def _is_dpi(value: int) -> bool:
    return LEAST_DPI <= value <= MOST_DPI


class Profile:
    """What goes together: kinds of samples, formats, and resolutions by kind.

    formats: MIME types as the scanner writes them, in its order. extended: those that it wants
    named a second time (DocumentFormatExt). resolutions: of a kind, None for all others.
    """

    __slots__ = ("extended", "formats", "kinds", "resolutions")

    def __init__(
        self,
        kinds: Sequence[Kind],
        formats: Sequence[str],
        resolutions: dict[Kind | None, Resolutions],
        extended: Sequence[str] = (),
    ) -> None:
        self.kinds = tuple(kinds)
        self.formats = tuple(formats)
        self.extended = tuple(extended)
        self.resolutions = resolutions

    def of(self, kind: Kind) -> Resolutions:
        """Return the resolutions at which *kind* is possible."""
        found = self.resolutions.get(kind) or self.resolutions.get(None)
        return found or Resolutions()

    @property
    def is_usable(self) -> bool:
        """Something can be scanned with it."""
        return bool(self.formats) and any(self.of(kind) for kind in self.kinds)

    def __repr__(self) -> str:
        return f"Profile({self.kinds}, {self.formats}, {self.resolutions}, {self.extended})"


class Bed:
    """A source: *name* as frontends call it, its sizes in units of 1/*per_inch* inch, profiles.

    most_left, most_top: how far a window may begin, None for as far as it fits.
    """

    __slots__ = (
        *("intents", "least_height", "least_width", "most_height", "most_left", "most_top"),
        *("most_width", "name", "per_inch", "profiles"),
    )

    def __init__(self, name: str, per_inch: int, width: int, height: int) -> None:
        self.name = name
        self.per_inch = per_inch
        self.most_width, self.most_height = width, height
        self.least_width = self.least_height = 1
        self.most_left: int | None = None
        self.most_top: int | None = None
        self.intents: tuple[str, ...] = ()
        self.profiles: tuple[Profile, ...] = ()

    @property
    def is_feeder(self) -> bool:
        """Sheets are drawn in, one after the other."""
        return self.name in (ADF, ADF_DUPLEX)

    @property
    def width(self) -> float:
        """How wide it is, in mm."""
        return self.most_width * MM_PER_INCH / self.per_inch

    @property
    def height(self) -> float:
        """How high it is, in mm."""
        return self.most_height * MM_PER_INCH / self.per_inch

    def named(self, name: str) -> Bed:
        """Return the same bed as another source."""
        copy = Bed(name, self.per_inch, self.most_width, self.most_height)
        for attribute in self.__slots__:
            if attribute != "name":
                setattr(copy, attribute, getattr(self, attribute))
        return copy

    def kinds(self) -> set[Kind]:
        """Return the kinds of samples that the scanner sends of it."""
        return {kind for profile in self.profiles for kind in profile.kinds if profile.of(kind)}

    def __repr__(self) -> str:
        return f"Bed({self.name!r}, {self.most_width} x {self.most_height} / {self.per_inch})"


class Capabilities:
    """One scanner: what it calls itself, its beds by the names of sources, what it can adjust.

    adjusts: scales by the name that the scanner gives them, as "Brightness". justification: where
    narrow sheets lie, ("center", "top"), "" for unknown. can: features of the feeder, as
    DetectPaperLoaded. version: the scanner's own text.
    """

    def __init__(self) -> None:
        self.version = self.manufacturer = self.name = self.serial = self.uuid = ""
        self.beds: dict[str, Bed] = {}
        self.adjusts: dict[str, Scale] = {}
        self.compression: Scale | None = None
        self.justification = ("", "")
        self.can: set[str] = set()

    @property
    def vendor(self) -> str:
        """The first entry of a list: what the scanner says, or the first word of its name."""
        return self.manufacturer or vendor_and_model(self.name)[0]

    @property
    def model(self) -> str:
        """The name without the vendor, where it begins with it."""
        vendor, name = self.vendor, self.name
        if name.lower().startswith(f"{vendor.lower()} "):
            return name[len(vendor) :].strip()
        return name or "scanner"


def vendor_and_model(name: str) -> tuple[str, str]:
    """Return the first word of a make and model, and the others."""
    vendor, _, model = name.strip().partition(" ")
    return vendor, model.strip() or vendor


def readable(text: str) -> str:
    """Return what a scanner says of itself, fit for a list: no controls, at most TEXT_BYTES."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    data = " ".join(shown.split()).encode("utf-8", "replace")[:TEXT_BYTES]
    return data.decode("utf-8", "ignore").strip()
