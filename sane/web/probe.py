"""What a scanner can do, asked once: its sources one after the other, and what each allows.

It knows the well-known options and what drivers make of them; what clients make of the facts is
others' business. Source: specification escl 7.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import const
from ..api import vocabulary
from ..api.capabilities import NO_BUTTONS
from .adjusts import note
from .facts import UNITS_PER_INCH, Adjust, Capabilities, Mode, Source, SourceId
from .problems import ScannerProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .options import DeviceOptions

MM_PER_INCH = 25.4
UNITS_PER_MM = UNITS_PER_INCH / MM_PER_INCH
DEFAULT_MM = (216.0, 297.0)  # of a scanner that has no area: Letter's width, A4's height
RESOLUTIONS = (75, 100, 150, 200, 300, 400, 600, 1200, 2400, 4800)
MOST_RESOLUTIONS = 10
DEFAULT_DPI = 300  # of a scanner that has no resolution
LEAST_UNITS = 16
DEPTHS = (8, 16)
MODES: tuple[Mode, ...] = ("color", "gray", "lineart")
CORNERS = ("tl-x", "tl-y", "br-x", "br-y")
SENSORS = {  # which say that the feeder has paper, that paper is stuck, that something is open
    "loaded": ("page-loaded", "adf-loaded", "paper-loaded"),
    "jammed": ("jam", "adf-jammed", "paper-jam"),
    "cover-open": ("cover-open", "adf-open"),
}
FLATBED = ("Flatbed", "FlatBed", "Platen", "Auto", "Normal")
FEEDER = ("Automatic Document Feeder", "ADF Simplex", "ADF Front", "ADF")
FEEDER_WORD = "Automatic Document Feeder"


async def probe(options: DeviceOptions, device_type: str, encoded: Iterable[str]) -> Capabilities:
    """Return what the open device can do; its options are left as they come."""
    sources = []
    for id, value, switches in sources_of(options, device_type):
        try:
            if value:
                await options.set("source", value)
            for name, switch in switches.items():
                await options.set(name, switch)
        except ScannerProblem:  # a part that is not fitted
            continue
        sources.append(await _source(options, id, value, switches))
    sensors = tuple(name for name in options.names() if options.is_sensor(name))
    buttons = tuple(name for name in sensors if is_button(options, name))
    return Capabilities(
        tuple(sources),
        sensors=tuple(name for name in sensors if name not in buttons),
        buttons=buttons,
        encoded=tuple(encoded),
        mode_values=mode_values(options),
    )


def sources_of(
    options: DeviceOptions, device_type: str
) -> list[tuple[SourceId, str, dict[str, Any]]]:
    """Return the sources: name, the driver's word, and the options that choose the sides."""
    values = options.choices("source") if options.is_usable("source") else []
    found: list[tuple[SourceId, str, dict[str, Any]]] = []
    platen = _first(values, FLATBED) or _meaning(values, vocabulary.FLATBED)
    feeder = _feeder(values)
    both = _both_sides(values)
    kind = device_type.lower()
    if not values and ("sheet" in kind or "feed" in kind):
        one, two = sides_of(options)
        found.append(("adf", "", one))
        return [*found, ("adf-duplex", "", two)] if two else found
    if platen:
        found.append(("platen", platen, {}))
    if feeder:
        one, two = sides_of(options)
        found.append(("adf", feeder, one))
        if both:
            found.append(("adf-duplex", both, {}))
        elif two:
            found.append(("adf-duplex", feeder, two))
    elif both:
        found.append(("adf-duplex", both, {}))
    return found or [("platen", "", {})]


def sides_of(options: DeviceOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options for one side and for both, where they are not sources of their own."""
    if "adf-mode" in options:
        words = options.choices("adf-mode")
        both = next((word for word in words if "duplex" in word.lower()), None)
        one = next((word for word in words if "simplex" in word.lower()), None)
        if both is not None:
            return {"adf-mode": one} if one else {}, {"adf-mode": both}
    if "duplex" in options and options.descriptor("duplex").type == const.TYPE_BOOL:
        return {"duplex": False}, {"duplex": True}
    return {}, {}


def _first(values: list[str], wanted: Iterable[str]) -> str:
    return next((word for word in wanted if word in values), "")


def _meaning(values: list[str], meaning: str) -> str:
    return next((word for word in values if vocabulary.source_of(word) == meaning), "")


def _feeder(values: list[str]) -> str:
    """Return the driver's word for the feeder, one side; a card slot if there is nothing else."""
    found = _first(values, FEEDER)
    one_side = [word for word in values if FEEDER_WORD in word and "duplex" not in word.lower()]
    found = found or (one_side[0] if one_side else "")
    others = [word for word in values if "card" not in word.lower() and "back" not in word.lower()]
    found = found or _meaning(others, vocabulary.FEEDER)
    return found or _first(values, ("Card Front",))


def _both_sides(values: list[str]) -> str:
    named = [word for word in values if FEEDER_WORD in word and "Duplex" in word]
    others = [word for word in values if "card" not in word.lower()]
    found = _first(values, ("ADF Duplex",)) or (named[0] if named else "")
    return found or _meaning(others, vocabulary.DUPLEX)


async def _source(
    options: DeviceOptions, id: SourceId, value: str, switches: dict[str, Any]
) -> Source:
    adjusts: dict[str, Adjust] = {}
    modes = await _modes_and_depths(options, adjusts)
    await spread_pages(options)
    left, top, right, bottom, least_width, least_height = await area_units(options)
    return Source(
        id,
        value,
        modes=tuple(mode for mode in MODES if mode in modes) or ("gray",),
        depths=tuple(sorted(set().union(*modes.values()) & set(DEPTHS))) or (8,),
        resolutions=resolutions_of(options),
        min_width=least_width,
        min_height=least_height,
        max_width=right - left,
        max_height=bottom - top,
        switches=switches,
        adjusts=adjusts,
    )


async def _modes_and_depths(
    options: DeviceOptions, adjusts: dict[str, Adjust]
) -> dict[Mode, set[int]]:
    """Return the depths that each mode has, note what can be adjusted in it.

    The last mode that was set is gray or color.
    """
    found: dict[Mode, set[int]] = {}
    words = mode_values(options)
    for mode in reversed(MODES):
        if mode in words:
            await options.set("mode", words[mode])
            await note(options, mode, adjusts)
            found[mode] = set(_depths(options)) if mode != "lineart" else {1}
    if not words:
        found["gray"] = set(_depths(options))
        await note(options, "gray", adjusts)
    if "lineart" not in found and 1 in found.get("gray", ()):
        found["lineart"] = {1}  # a driver without a word for it: gray of one bit
    return found


def mode_values(options: DeviceOptions) -> dict[str, str]:
    """Return the driver's word for each mode that it has."""
    if not options.is_usable("mode"):
        return {}
    choices = [str(choice) for choice in options.choices("mode")]
    found = {mode: vocabulary.best(choices, mode, "mode") for mode in MODES}
    return {mode: word for mode, word in found.items() if word is not None}


def _depths(options: DeviceOptions) -> list[int]:
    if not options.is_usable("depth"):
        return [8]
    return [depth for depth in (1, *DEPTHS) if options.nearest("depth", depth) == depth]


def resolution_names(options: DeviceOptions) -> list[str]:
    """Return the options that are the resolution: one, or one for each direction."""
    if options.is_usable("resolution"):
        both = "y-resolution" in options and "x-resolution" not in options
        return ["resolution", "y-resolution"] if both else ["resolution"]
    return [name for name in ("x-resolution", "y-resolution") if options.is_usable(name)]


def resolutions_of(options: DeviceOptions) -> tuple[int, ...]:
    """Return at most ten resolutions: those of a list, or well-known ones within a range."""
    names = resolution_names(options)
    if not names:
        return (DEFAULT_DPI,)
    listed = sorted({round(each) for each in options.choices(names[0]) if each >= 1})
    if listed:
        known = [dpi for dpi in listed if dpi in RESOLUTIONS]
        many = len(listed) > MOST_RESOLUTIONS and known
        return tuple((known if many else listed)[:MOST_RESOLUTIONS])
    limits = options.limits(names[0])
    if limits is None:
        return RESOLUTIONS[:7]
    within = [dpi for dpi in RESOLUTIONS if limits[0] <= dpi <= limits[1]]
    return tuple(within or [round(limits[1])])


async def spread_pages(options: DeviceOptions) -> None:
    """Let the driver take the largest pages: the limits of the area follow, with some."""
    for name in ("page-width", "page-height"):
        if options.is_usable(name):
            limits = options.limits(name)
            if limits is not None:
                await options.set(name, limits[1])


async def units_per(options: DeviceOptions, name: str) -> float:
    """Return how many 1/300 inch the unit of an option of lengths has."""
    if options.descriptor(name).unit != const.UNIT_PIXEL:
        return UNITS_PER_MM
    names = resolution_names(options)
    index = 0 if name in ("tl-x", "br-x", "page-width") else -1
    dpi = float(await options.get(names[index])) if names else DEFAULT_DPI
    return UNITS_PER_INCH / dpi if dpi > 0 else 1.0


async def area_units(options: DeviceOptions) -> tuple[int, int, int, int, int, int]:
    """Return left, top, right, bottom of the bed, and the least width and height, in units."""
    ends = [options.limits(name) if name in options else None for name in CORNERS]
    if any(limits is None for limits in ends):
        width, height = (round(mm * UNITS_PER_MM) for mm in DEFAULT_MM)
        return 0, 0, width, height, LEAST_UNITS, LEAST_UNITS
    scaled = []
    for name, limits in zip(CORNERS, ends, strict=True):
        scale = await units_per(options, name)
        scaled.append([round(end * scale) for end in limits or ()])
    (left, far_left), (top, far_top), (near_right, right), (near_bottom, bottom) = scaled
    width = min(max(LEAST_UNITS, near_right - far_left), right - left)
    height = min(max(LEAST_UNITS, near_bottom - far_top), bottom - top)
    return left, top, right, bottom, width, height


def is_button(options: DeviceOptions, name: str) -> bool:
    """Tell whether a sensor is one that somebody presses."""
    found = options.descriptor(name)
    is_meant = bool(found.cap & const.CAP_HARD_SELECT) or "button" in name
    return name not in NO_BUTTONS and found.type == const.TYPE_BOOL and is_meant
