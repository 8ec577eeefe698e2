"""What a scanner is asked for so that a page of some kind comes of it: samples, format, dpi.

It chooses among the profiles of a bed; nothing is asked here. What the scanner lacks is made of
what it has: gray of colour, line art of gray. Source: specification escl 3.2, 3.6 and 4.1.
"""

from __future__ import annotations

from ...errors import Unsupported
from ...option import Range
from .capabilities import (
    BITS,
    BMP,
    COLOR,
    GRAY,
    GRAY8,
    GRAY16,
    JPEG,
    LINEART,
    NAMES_OF_FORMATS,
    PDF,
    PNG,
    RGB8,
    RGB16,
    TIFF,
    Bed,
    Kind,
    Profile,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

USUAL_DPI = 300  # what is preset, or the nearest to it
PREVIEW_DPI = 75
SMALL_FIRST = (JPEG, PNG, TIFF, BMP, PDF)  # a JPEG is read while it comes, and every device has it
EXACT_FIRST = (PNG, TIFF, BMP, PDF)  # a JPEG has neither bits nor 16 of them
DEEP = (PNG, TIFF)
PACKAGES = {
    TIFF: "Pillow",
    BMP: "Pillow",
    PDF: "pikepdf and Pillow",
    JPEG: "the compiled modules",
}

# What each kind can be made of, the best first.
MADE_OF: dict[Kind, tuple[Kind, ...]] = {
    RGB8: (RGB8, RGB16),
    GRAY8: (GRAY8, RGB8, GRAY16, RGB16),
    BITS: (BITS, GRAY8, RGB8, GRAY16, RGB16),
    GRAY16: (GRAY16, RGB16),
    RGB16: (RGB16,),
}


class Choice:
    """What is asked for: *kind* of samples in *format*, at *dpi* across and along.

    needs_extended: the format is to be named a second time.
    """

    __slots__ = ("dpi", "format", "kind", "needs_extended")

    def __init__(self, kind: Kind, format: str, dpi: tuple[int, int], needs_extended: bool) -> None:
        self.kind = kind
        self.format = format
        self.dpi = dpi
        self.needs_extended = needs_extended

    def __repr__(self) -> str:
        return f"Choice({self.kind}, {self.format!r}, {self.dpi})"


class Formats:
    """The formats that can be read here, those that a scanner cannot be trusted with left out."""

    def __init__(self, readable: Collection[str], refused: Collection[str] = ()) -> None:
        self._readable = {plain(format) for format in readable}
        self._refused = {plain(format) for format in refused}

    def best(self, offered: Sequence[str], kind: Kind) -> Iterator[str]:
        """Yield those of *offered* in which *kind* can come, in our order of preference."""
        order = DEEP if kind.depth == 16 else EXACT_FIRST if kind.depth == 1 else SMALL_FIRST
        for wanted in order:
            if wanted in self._readable and wanted not in self._refused:
                yield from (name for name in offered if plain(name) == wanted)

    def missing(self, offered: Sequence[str]) -> str:
        """Return what would have to be installed to read one of *offered*."""
        wanted = [PACKAGES[plain(name)] for name in offered if plain(name) in PACKAGES]
        return wanted[0] if wanted else "nothing that reads"


def plain(format: str) -> str:
    """Return a MIME type as it is usually written, without parameters."""
    name = format.partition(";")[0].strip().lower()
    return NAMES_OF_FORMATS.get(name, name)


def possible(bed: Bed, formats: Formats, kind: Kind) -> list[tuple[Kind, Profile]]:
    """Return all ways to a page of *kind*: what is asked for, and the profile that has it."""
    return [
        (source, profile)
        for source in MADE_OF[kind]
        for profile in bed.profiles
        if source in profile.kinds
        and profile.of(source)
        and next(formats.best(profile.formats, source), "")
    ]


def modes(bed: Bed, formats: Formats) -> tuple[str, ...]:
    """Return the modes that can be offered, colour first."""
    kinds = ((COLOR, RGB8), (GRAY, GRAY8), (LINEART, BITS))
    return tuple(mode for mode, kind in kinds if possible(bed, formats, kind))


def depths(bed: Bed, formats: Formats, mode: str) -> tuple[int, ...]:
    """Return the bits per sample that can be offered in *mode*."""
    if mode == LINEART:
        return (1,)
    return (8, 16) if possible(bed, formats, Kind(mode, 16)) else (8,)


def resolutions(bed: Bed, formats: Formats, kind: Kind) -> Range | tuple[int, ...]:
    """Return what is offered for *kind*: the dpi of all profiles, or a range."""
    found = [profile.of(source) for source, profile in possible(bed, formats, kind)]
    offered = {dpi for resolutions in found for dpi in resolutions.offered}
    if offered or not found:
        return tuple(sorted(offered)) or (USUAL_DPI,)
    low, high = min(one.low for one in found), max(one.high for one in found)
    return Range(low, high, min(one.step for one in found))


def usual(offered: Range | tuple[int, ...], wanted: int = USUAL_DPI) -> int:
    """Return the offered value that is nearest to *wanted*."""
    if isinstance(offered, Range):
        return int(min(max(wanted, offered.min), offered.max))
    return min(offered, key=lambda dpi: (abs(dpi - wanted), dpi))


def preview(offered: Range | tuple[int, ...]) -> int:
    """Return the lowest value that shows something."""
    if isinstance(offered, Range):
        return usual(offered, PREVIEW_DPI)
    return min((dpi for dpi in offered if dpi >= PREVIEW_DPI), default=max(offered))


def choose(bed: Bed, formats: Formats, kind: Kind, dpi: int, *, as_bits: bool = True) -> Choice:
    """Return how to get a page of *kind* at *dpi*.

    as_bits: the device's own line art will do. Raises Unsupported where nothing can be read of
    what the scanner sends.
    """
    for source in MADE_OF[kind]:
        if source == BITS and not as_bits:
            continue
        profiles = [one for one in bed.profiles if source in one.kinds and one.of(source).pair(dpi)]
        offered = [name for profile in profiles for name in profile.formats]
        for format in formats.best(offered, source):
            profile = next(one for one in profiles if format in one.formats)
            pair = profile.of(source).pair(dpi)
            assert pair is not None
            return Choice(source, format, pair, bool(profile.extended))
    raise unreadable([bed], formats, f"{kind.mode} at {dpi} dpi: ")


def unreadable(beds: Sequence[Bed], formats: Formats, what: str = "") -> Unsupported:
    """Return the failure that says what is missing to read what *beds* send."""
    offered = [name for bed in beds for profile in bed.profiles for name in profile.formats]
    sent = ", ".join(dict.fromkeys(offered)) or "nothing"
    return Unsupported(
        f"{what}the scanner sends {sent}, for which {formats.missing(offered)} is missing"
    )
