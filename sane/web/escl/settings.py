"""ScanSettings: what a client asks for, against what the scanner can do.

The document is read strictly and understood generously: any prefixes, parts left out, values a
little beyond the limits, as clients send them. Source: specification escl 2.5, 6.3, 6.4 and 7.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...backends._driverless.xml import Element, integer, parse, truth
from ...backends.escl.schema import UNITS, accepts
from ...errors import DeviceIOError
from ..encoders import JPEG, PDF, PNG, TIFF, available
from ..encoders.form import JPEG_SIDE
from ..facts import UNITS_PER_INCH, ScanSettings
from .capabilities import modes_of, source_of
from .words import (
    COLOR_MODES,
    DUPLEX,
    FEEDER,
    MOST_FACTOR,
    PHOTO,
    PLATEN,
    SIMPLEX,
    TEXT_INTENTS,
    factor_of,
    quality_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import ClientSettings, EsclSettings
    from ..facts import Capabilities, Mode, Source

BODY_BYTES = 64 << 10
MOST_NUMBER = 1_000_000  # units or dpi: far beyond any scanner
MOST_PAGES = 100_000
USUAL_DPI = 300
ROUNDING = 100  # a part of the length by which clients overshoot, and are let
SHOWN = 60  # characters of a value in a message
ALIASES = {"image/jpg": JPEG, "image/tif": TIFF}


class TicketError(Exception):
    """What was asked for cannot be done. status: of HTTP, 400 for no ticket, 409 for a bad one."""

    def __init__(self, text: str, status: int = 409) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Ticket:
    """A job as it will be done. most_pages: 0 for all.

    fronts_only: the feeder scans both sides whether they are wanted or not. gamma: samples v from
    0 to 1 become v^(1/gamma).
    """

    settings: ScanSettings
    color_mode: str
    format: str
    quality: int
    most_pages: int = 0
    fronts_only: bool = False
    gamma: float = 1.0

    @property
    def is_feeder(self) -> bool:
        """Sheets are taken from the feeder."""
        return self.settings.source != "platen"

    def for_client(self, agent: str, rules: Iterable[ClientSettings]) -> Ticket:
        """Return the same job as the client *agent* is to have it, by the first rule for it."""
        for rule in rules:
            if rule.agent in agent:
                is_png = rule.png and self.format == JPEG
                is_pixels = is_png or rule.gamma != 1.0  # so the device's own JPEG will not do
                settings = replace(self.settings, encoded=self.settings.encoded and not is_pixels)
                format = PNG if is_png else self.format
                return replace(self, settings=settings, format=format, gamma=rule.gamma)
        return self


def parsed(body: bytes, root: str) -> Element:
    """Return the document's root, which must be called so; raises TicketError."""
    if b"<!doctype" in body.lower() or b"<\0!\0d\0o\0c\0t\0y\0p\0e\0" in body.lower():
        raise TicketError("XML: a document type is not accepted", 400)
    try:
        found = parse(body, accepts)
    except DeviceIOError as exc:
        raise TicketError(str(exc), 400) from exc
    if found.name != root:
        raise TicketError(f"a document of the kind {found.name[:SHOWN]!r}, not {root}", 400)
    return found


def ticket(asked: Element, facts: Capabilities, settings: EsclSettings) -> Ticket:
    """Return the job that ScanSettings asks for; raises TicketError for what cannot be."""
    return _Reader(asked, facts, settings).ticket()


class _Reader:
    """Reads one ScanSettings for one scanner."""

    def __init__(self, asked: Element, facts: Capabilities, settings: EsclSettings) -> None:
        self._asked = asked
        self._facts = facts
        self._settings = settings
        self._intent = asked.value("Intent")

    def ticket(self) -> Ticket:
        source, is_duplex = self._source()
        modes = modes_of(source, self._settings)
        color_mode = self._keyword("ColorMode", modes, self._usual_mode(modes))
        mode, depth = COLOR_MODES[color_mode]
        is_made = mode not in source.modes
        if is_made:
            mode = "color"  # of which gray is made here
        format = self._format()
        if depth == 16 and format not in (PNG, TIFF) and 8 in source.depths:
            depth = 8  # what the format would make of it
        quality, is_smaller = self._quality()
        left, width = self._axis("XOffset", "Width", source.min_width, source.max_width)
        top, height = self._axis("YOffset", "Height", source.min_height, source.max_height)
        dpi = self._dpi(source)
        if format == JPEG:
            height = _height_in_jpeg(source, dpi, width, height)
        sends = JPEG in self._facts.encoded and format in (JPEG, PDF) and not is_made
        wanted = ScanSettings(
            source=source.id,
            mode=mode,
            depth=depth,
            dpi=dpi,
            left=left,
            top=top,
            width=width,
            height=height,
            extra=self._adjusted(source, mode),
            encoded=sends and depth == 8 and not is_smaller,
        )
        pages = self._number(self._asked, "NumberOfPages", MOST_PAGES) or 0
        fronts_only = source.id == DUPLEX and not is_duplex
        return Ticket(wanted, color_mode, format, quality, pages, fronts_only)

    # What a value may be

    def _may_change(self, name: str) -> bool:
        """Tell whether the client lets this element be something else (MustHonor)."""
        found = self._asked.find(name)
        return found is not None and truth(found.attributes.get("MustHonor", "")) is False

    def _number(self, parent: Element | None, name: str, most: int, least: int = 0) -> int | None:
        """Return a whole number from *least* to *most*; None if it is not there."""
        found = parent.find(name) if parent is not None else None
        if found is None or not found.text:
            return None
        value = integer(found.text, least, most)
        if value is None:
            raise TicketError(f"{name}: {found.text[:SHOWN]!r} is no number up to {most}", 400)
        return value

    def _keyword(self, name: str, known: Sequence[str], usual: str) -> str:
        """Return the value of *name*, one of *known*; *usual* where there is none."""
        value = self._asked.value(name)
        if not value or value in known:
            return value or usual
        if self._may_change(name):
            return usual
        raise TicketError(f"{name}: {value[:SHOWN]!r} is none of {', '.join(known)}")

    # The elements

    def _source(self) -> tuple[Source, bool]:
        """Return the source, and whether both sides are wanted."""
        platen = source_of(self._facts, "platen")
        usual = PLATEN if platen is not None else FEEDER
        has_feeder = source_of(self._facts, SIMPLEX) is not None
        known = [*([PLATEN] if platen else []), *([FEEDER] if has_feeder else [])]
        if self._keyword("InputSource", known, usual) == PLATEN and platen is not None:
            return platen, False
        duplex = self._asked.value("Duplex")
        is_duplex = truth(duplex) if duplex else False
        if is_duplex is None:
            raise TicketError(f"Duplex: {duplex[:SHOWN]!r} is neither true nor false", 400)
        both = source_of(self._facts, DUPLEX)
        if is_duplex and both is None and not self._may_change("Duplex"):
            raise TicketError("Duplex: the feeder scans one side only")
        if is_duplex and both is not None:
            return both, True
        simplex = source_of(self._facts, SIMPLEX)
        if simplex is None:
            raise TicketError("InputSource: the scanner has no source that can be used")
        return simplex, False

    def _usual_mode(self, modes: Sequence[str]) -> str:
        order = ("RGB24", "Grayscale8") if self._intent == PHOTO else ("Grayscale8", "RGB24")
        return next((mode for mode in order if mode in modes), modes[0])

    def _format(self) -> str:
        asked = [self._asked.value(name) for name in ("DocumentFormatExt", "DocumentFormat")]
        known = available()
        for value in asked:
            plain = value.partition(";")[0].strip().lower()
            plain = ALIASES.get(plain, plain)
            if plain in known:
                return plain
        usual = PDF if self._intent in TEXT_INTENTS or JPEG not in known else JPEG
        if not any(asked) or self._may_change("DocumentFormat"):
            return usual
        value = asked[0] or asked[1]
        raise TicketError(f"DocumentFormat: {value[:SHOWN]!r} is none of {', '.join(known)}")

    def _quality(self) -> tuple[int, bool]:
        """Return the quality of JPEG, and whether that is less than usual."""
        factor = self._number(self._asked, "CompressionFactor", MOST_NUMBER)
        if factor is None:
            return self._settings.quality, False
        if factor > MOST_FACTOR:
            if not self._may_change("CompressionFactor"):
                raise TicketError(f"CompressionFactor: {factor} is not within 0 to {MOST_FACTOR}")
            factor = MOST_FACTOR
        return quality_of(factor), factor > factor_of(self._settings.quality)

    def _adjusted(self, source: Source, mode: Mode) -> dict[str, object]:
        """Return the device's options for what is to look otherwise than it does by itself."""
        found: dict[str, object] = {}
        for name, can in source.adjusts.items():
            value = self._number(self._asked, name, MOST_NUMBER, -MOST_NUMBER)
            if value is None:  # the original escl calls it so
                value = self._number(self._asked, f"{name}Support", MOST_NUMBER, -MOST_NUMBER)
                if value is not None and not can.least <= value <= can.most:
                    continue  # it sends numbers of its own where nobody has set one
            if value is None or mode not in can.modes:
                continue
            if not can.least <= value <= can.most and not self._may_change(name):
                raise TicketError(f"{name}: {value} is not within {can.least} to {can.most}")
            value = min(max(value, can.least), can.most)
            if value != can.normal:
                found[can.option] = value
        return found

    def _dpi(self, source: Source) -> int:
        across = self._number(self._asked, "XResolution", MOST_NUMBER)
        along = self._number(self._asked, "YResolution", MOST_NUMBER)
        dpi = along if across is None else across
        if dpi is None:
            return _nearest(source.resolutions, USUAL_DPI)
        if along not in (None, dpi):
            raise TicketError(f"XResolution {dpi} and YResolution {along}: both must be equal")
        if dpi in source.resolutions:
            return dpi
        if self._may_change("XResolution"):
            return _nearest(source.resolutions, dpi)
        known = ", ".join(map(str, source.resolutions))
        raise TicketError(f"XResolution: {dpi} is none of {known}")

    def _axis(self, offset_name: str, size_name: str, least: int, most: int) -> tuple[int, int]:
        """Return offset and size on one axis, within the source."""
        regions = self._asked.find("ScanRegions")
        region = regions.find("ScanRegion") if regions is not None else None
        if regions is not None and len(list(regions.all("ScanRegion"))) > 1:
            raise TicketError("ScanRegions: one region at most")
        units = region.value("ContentRegionUnits") if region is not None else ""
        if units.rpartition(":")[2] not in ("", UNITS.rpartition(":")[2]):
            raise TicketError(f"ContentRegionUnits: {units[:SHOWN]!r} is not {UNITS}")
        offset = self._number(region, offset_name, MOST_NUMBER) or 0
        size = self._number(region, size_name, MOST_NUMBER)
        if offset >= most:
            raise TicketError(f"{offset_name}: {offset} lies outside, the source has {most}")
        size = most - offset if size is None else size
        must = any(
            truth(part.attributes.get("MustHonor", "")) is True
            for part in (regions, region, region.find(size_name) if region else None)
            if part is not None
        )
        if must and offset + size > most + most // ROUNDING:
            raise TicketError(f"{size_name}: {offset} and {size} are more than {most}")
        size = max(min(size, most - offset), min(least, most), 1)
        return min(offset, most - size), size


def _height_in_jpeg(source: Source, dpi: int, width: int, height: int) -> int:
    """Return how much of an area's height a JPEG takes; raises TicketError where it must be all.

    Clients ask for all that a feeder takes, and its sheets mostly end before.
    """
    most = JPEG_SIDE * UNITS_PER_INCH // dpi
    if width > most or (height > most and source.id == "platen"):
        raise TicketError(
            f"ScanRegions: {width} by {height} at {dpi} dpi are more than the {JPEG_SIDE} pixels a"
            " side that a JPEG has: ask for another format, or fewer dpi"
        )
    return min(height, most)


def _nearest(values: Sequence[int], wanted: int) -> int:
    return min(values, key=lambda value: (abs(value - wanted), value))
